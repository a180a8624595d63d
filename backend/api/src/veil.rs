//! What nodes say of themselves, kept and shown without secrets: consoles echo user-data, and logs say again what programs were given.

use sealed::Token;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const PRIVATE_KEY: &str = "PRIVATE KEY";
const HIDDEN: &str = "[private key]";

/// The text without private keys, tokens of ours and tokens that nodes join with.
#[must_use]
pub fn veiled(text: &str) -> String {
    let text = without_private_keys(text);
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text.as_str());
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c: char| !in_word(c)).unwrap_or(rest.len()));
        shown.push_str(if is_token(word.trim_matches('.')) { "[token]" } else { word });
        let (between, next) = after.split_at(after.find(in_word).unwrap_or(after.len()));
        shown.push_str(between);
        rest = next;
    }
    shown
}

/// One that is cut off has no end, then nothing after its beginning is shown; or no beginning, for these are the last lines of many, then nothing before
/// its end.
fn without_private_keys(text: &str) -> String {
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    let first = text.split(DASHES).skip(1).find(|mark| mark.ends_with(PRIVATE_KEY));
    let end = first.filter(|mark| mark.trim_start_matches('-').starts_with("END "));
    if let Some((_, behind)) = end.and_then(|mark| text.split_once(&format!("{DASHES}{mark}{DASHES}"))) {
        shown.push_str(HIDDEN);
        rest = behind;
    }
    while let Some((before, after)) = rest.split_once(BEGIN) {
        shown.push_str(before);
        let (label, block) = after.split_once(DASHES).unwrap_or((after, ""));
        if label.ends_with(PRIVATE_KEY) {
            shown.push_str(HIDDEN);
            rest = block.split_once(END).and_then(|(_, end)| end.split_once(DASHES)).map_or("", |(_, behind)| behind);
        } else {
            shown.push_str(BEGIN);
            rest = after;
        }
    }
    shown + rest
}

fn is_token(word: &str) -> bool {
    let plain = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    Token::kind_of(word).is_some() || word.split_once('.').is_some_and(|(id, secret)| plain(id, 6) && plain(secret, 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_says_is_shown_without_secrets_and_all_else_as_it_was() {
        let token = format!("kcs_node_{}", "aB3-_".repeat(8) + "xyz");
        let said = format!("[ 1.2] Authorization: Bearer {token}\nkubeadm join --token abcdef.0123456789abcdef, \"{token}\".\n");
        assert_eq!(veiled(&said), "[ 1.2] Authorization: Bearer [token]\nkubeadm join --token [token], \"[token]\".\n");
        let key =
            "a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
        assert_eq!(veiled(key), "a\n[private key]\nb\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n");
        assert_eq!(veiled("x -----BEGIN PRIVATE KEY-----\nMHc"), "x [private key]");
        let late = "MHc\n-----END EC PRIVATE KEY-----\nb\n-----BEGIN PRIVATE KEY-----\nMHc\n-----END PRIVATE KEY-----\nc";
        assert_eq!(veiled(late), "[private key]\nb\n[private key]\nc");
        let public = "MII\n-----END CERTIFICATE-----\nb";
        assert_eq!(veiled(public), public);
        let plain = "kubelet v1.36.3 10.0.0.12:6443 kcs_node_short näher… 节点\t\u{1b}[0m ";
        assert_eq!(veiled(plain), plain);
        assert_eq!(veiled(""), "");
    }
}
