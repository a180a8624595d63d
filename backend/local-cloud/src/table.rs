//! Rows of one kind, in the order they were made, and the listing every service shares: filters, marker, limit, next link.

use crate::http::{Answer, Call, Failure, Reply, Service};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Rows by id, oldest first.
pub(crate) type Table<T> = IndexMap<String, T>;

/// Rows by what they belong to.
pub(crate) type Grouped<'a, T> = HashMap<&'a str, Vec<&'a T>>;

/// Rows by what they belong to, for a listing of that: passed over once, and not once for each of what they belong to.
pub(crate) fn grouped<'a, T>(rows: &'a Table<T>, of: impl Fn(&'a T) -> Option<&'a str>) -> Grouped<'a, T> {
    let mut groups = Grouped::new();
    for row in rows.values() {
        if let Some(key) = of(row) {
            groups.entry(key).or_default().push(row);
        }
    }
    groups
}

/// What listing must know of a row without rendering it.
pub(crate) trait Resource {
    fn id(&self) -> &str;
    fn project(&self) -> &str;
    /// A text field that is often filtered by; None: look into the rendered row.
    fn text(&self, field: &str) -> Option<&str>;
}

const NOT_FILTERS: [&str; 10] = ["limit", "marker", "fields", "sort_key", "sort_dir", "page_reverse", "all_tenants", "deleted", "sort", "offset"];

/// Most rows a page may hold.
const PAGE: usize = 1000;

/// Filters of the query, grouped: a key given twice matches either value.
fn filters(call: &Call<'_>) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (key, value) in call.query.iter().filter(|(k, _)| !NOT_FILTERS.contains(&k.as_str())) {
        let key = if key == "tenant_id" { "project_id" } else { key };
        match groups.iter_mut().find(|(k, _)| k == key) {
            Some((_, values)) => values.push(value.clone()),
            None => groups.push((key.to_owned(), vec![value.clone()])),
        }
    }
    groups
}

fn equal(field: &Value, wanted: &str) -> bool {
    match field {
        Value::String(s) => s == wanted,
        Value::Bool(b) => wanted.eq_ignore_ascii_case(if *b { "true" } else { "false" }) || wanted == if *b { "1" } else { "0" },
        Value::Number(n) => n.to_string() == wanted,
        Value::Null => wanted.is_empty() || wanted == "null",
        Value::Array(items) if field_is_fixed_ips(items) => fixed_ip_matches(items, wanted),
        Value::Array(items) => wanted.split(',').all(|w| items.iter().any(|i| i == w)),
        Value::Object(map) => has_pairs(map, wanted),
    }
}

/// Cinder's `metadata={'key': 'value'}`, which Python reads; double quotes do as well.
fn has_pairs(map: &Map<String, Value>, wanted: &str) -> bool {
    let pairs = serde_json::from_str::<Map<String, Value>>(&wanted.replace('\'', "\""));
    pairs.is_ok_and(|pairs| pairs.iter().all(|(key, value)| map.get(key) == Some(value)))
}

fn field_is_fixed_ips(items: &[Value]) -> bool {
    items.first().is_some_and(|i| i.get("ip_address").is_some())
}

/// Neutron's `fixed_ips=ip_address=10.0.0.5` and `fixed_ips=subnet_id=…`.
fn fixed_ip_matches(items: &[Value], wanted: &str) -> bool {
    let (key, value) = wanted.split_once('=').unwrap_or(("ip_address", wanted));
    items.iter().any(|i| i.get(key).and_then(Value::as_str) == Some(value))
}

/// A page of `rows` as `{key: [...], key_links: [...]}`.
pub(crate) fn page<'a, T: Resource + 'a>(call: &Call<'_>, key: &str, rows: impl Iterator<Item = &'a T>, view: impl Fn(&T) -> Value) -> Answer {
    let groups = filters(call);
    let matching = rows.filter(|row| groups.iter().all(|(field, values)| row.text(field).is_none_or(|text| values.iter().any(|v| v == text))));
    let (listed, more) = window(call, matching, |row| {
        let rendered = view(row);
        for (field, values) in groups.iter().filter(|(field, _)| row.text(field).is_none()) {
            let found = rendered.get(field).ok_or_else(|| unknown_filter(call, field))?;
            if !values.iter().any(|v| equal(found, v)) {
                return Ok(None);
            }
        }
        Ok(Some(rendered))
    })?;
    Ok(Reply::json(200, envelope(call, key, listed, more)))
}

fn unknown_filter(call: &Call<'_>, field: &str) -> Failure {
    match call.service {
        Service::Network => Failure::bad(format!("['{field}'] is invalid attribute for filtering")),
        _ => Failure::bad(format!("Invalid query parameter: {field}")),
    }
}

/// Rows after the marker, at most the limit; whether there are more.
pub(crate) fn window<'a, T: Resource + 'a>(
    call: &Call<'_>,
    rows: impl Iterator<Item = &'a T>,
    mut render: impl FnMut(&T) -> Result<Option<Value>, Failure>,
) -> Result<(Vec<(String, Value)>, bool), Failure> {
    let limit = match call.query("limit") {
        None => PAGE,
        Some(text) => match text.parse::<usize>() {
            Ok(0) | Err(_) if call.service != Service::Network => {
                return Err(Failure::bad(format!("Invalid input for query parameters limit. Value: {text}. '{text}' is not a positive integer")));
            }
            Ok(0) => PAGE,
            Ok(n) => n.min(PAGE),
            Err(_) => return Err(Failure::bad(format!("Bad limit: {text}"))),
        },
    };
    let mut waiting = call.query("marker");
    let mut listed = Vec::new();
    for row in rows {
        if let Some(marker) = waiting {
            if row.id() == marker {
                waiting = None;
            }
            continue;
        }
        let Some(rendered) = render(row)? else { continue };
        if listed.len() == limit {
            return Ok((listed, true));
        }
        listed.push((row.id().to_owned(), rendered));
    }
    match waiting {
        // Neutron looks for the object that the marker names.
        Some(marker) if call.service == Service::Network => Err(Failure::missing(format!("{marker} could not be found."))),
        Some(marker) => Err(Failure::bad(format!("marker [{marker}] not found"))),
        // Octavia looks one row ahead; the others take a full page for a sign that there may be more.
        None => {
            let full = listed.len() == limit && call.query("limit").is_some() && call.service != Service::LoadBalancer;
            Ok((listed, full))
        }
    }
}

/// The listing's JSON with the link to the next page.
pub(crate) fn envelope(call: &Call<'_>, key: &str, listed: Vec<(String, Value)>, more: bool) -> Value {
    let mut body = Map::new();
    let next = if more { listed.last().map(|(id, _)| next_link(call, id)) } else { None };
    body.insert(key.to_owned(), Value::Array(listed.into_iter().map(|(_, v)| v).collect()));
    if let Some(href) = next {
        body.insert(format!("{key}_links"), json!([{"rel": "next", "href": href}]));
    }
    Value::Object(body)
}

pub(crate) fn next_link(call: &Call<'_>, last: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in call.query.iter().filter(|(k, _)| k != "marker") {
        query.append_pair(key, value);
    }
    query.append_pair("marker", last);
    format!("{}?{}", call.url, query.finish())
}
