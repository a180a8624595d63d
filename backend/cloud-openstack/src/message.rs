//! The cloud's own words, found in the error body each service writes in its own way.

use serde_json::Value;

const LIMIT: usize = 2_000;

/// What an error body says, and Neutron's error type.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub text: String,
    pub kind: Option<String>,
}

/// Reads an error body; empty when it says nothing.
pub(crate) fn words(body: &[u8]) -> Words {
    let words = match serde_json::from_slice::<Value>(body) {
        Ok(value) => of_json(&value),
        Err(_) => Words { text: of_html(&String::from_utf8_lossy(body)), kind: None },
    };
    Words { text: shorten(words.text.trim()), kind: words.kind }
}

/// At most 2,000 characters.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(LIMIT) {
        None => text.to_owned(),
        Some(_) => text.chars().take(LIMIT - 1).chain(['…']).collect(),
    }
}

fn of_json(value: &Value) -> Words {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(neutron) = value.get("NeutronError") {
        let said = neutron.get("message").and_then(text).or_else(|| text(neutron)).unwrap_or_default();
        return Words { text: said, kind: neutron.get("type").and_then(text) };
    }
    let octavia = value.get("faultstring").and_then(text);
    let plain = || value.get("message").and_then(text);
    // Nova and Cinder name the object after the status (`itemNotFound`), Keystone calls it `error`.
    let wrapped = || value.as_object()?.values().find_map(|inner| inner.get("message").and_then(text));
    let errors = || value.pointer("/errors/0/detail").and_then(text);
    Words { text: octavia.or_else(plain).or_else(wrapped).or_else(errors).unwrap_or_else(|| value.to_string()), kind: None }
}

/// The text of a page of HTML: what is between its tags, on one line.
fn of_html(page: &str) -> String {
    let body = page.find("<body").map_or(page, |at| &page[at..]);
    let mut text = String::new();
    let mut within = false;
    for c in body.chars().take(64 * 1024) {
        match c {
            '<' => {
                within = true;
                text.push(' ');
            }
            '>' => within = false,
            c if !within => text.push(if c.is_control() { ' ' } else { c }),
            _ => {}
        }
    }
    let decoded = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'").replace("&#39;", "'");
    decoded.replace("&amp;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}
