//! Reading lists to their end. A list that is cut short would make the engine make things twice or leave things behind, so it is an error.

use crate::call::{Answer, Call};
use crate::catalog::Service;
use crate::error;
use crate::session::Session;
use cloud::Result;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};

const PAGES: usize = 100;
/// Below every service's default maximum of a page.
const PAGE: usize = 500;

impl Session {
    /// All items under `key`, page by page; `call` has the filters. Services say that there is more by `<key>_links` or `next`.
    pub(crate) async fn list<T: DeserializeOwned>(&self, call: Call<'_>, key: &'static str) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        // Keystone does not page, and refuses to be asked to.
        let first = if call.service == Service::Identity { call } else { call.query("limit", PAGE.to_string()) };
        let mut page = first.clone();
        for _ in 0..PAGES {
            let answer = self.send(&page).await?;
            let parts = parts(&page, &answer)?;
            let (items, next) = (items::<T>(&page, &answer, &parts, key)?, next_marker(&parts, key));
            all.extend(items);
            match next {
                None => return Ok(all),
                Some(marker) if !seen.insert(marker.clone()) => return Err(error::unreadable(&page, &answer, "its pages go round in a circle")),
                Some(marker) => page = first.clone().query("marker", marker),
            }
        }
        Err(error::unsent(&first, cloud::error::CloudErrorKind::Unavailable, "the list has more than 100 pages"))
    }

    /// All items of a list that is paged by offset and does not say whether there is more.
    pub(crate) async fn list_by_offset<T: DeserializeOwned>(&self, call: Call<'_>, key: &'static str) -> Result<Vec<T>> {
        /// No cloud's maximum of a page is smaller.
        const SMALLEST: usize = 50;
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let page = call.clone().query("limit", PAGE.to_string()).query("offset", all.len().to_string());
            let answer = self.send(&page).await?;
            let items = items::<T>(&page, &answer, &parts(&page, &answer)?, key)?;
            let last = items.len() < SMALLEST;
            all.extend(items);
            if last {
                return Ok(all);
            }
        }
        Err(error::unsent(&call, cloud::error::CloudErrorKind::Unavailable, "the list has more than 100 pages"))
    }
}

/// The parts of an answer as they came: a list is long, and is read once, into what is wanted of it.
type Parts<'a> = HashMap<String, &'a RawValue>;

fn parts<'a>(call: &Call<'_>, answer: &'a Answer) -> Result<Parts<'a>> {
    serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(call, answer, &e.to_string()))
}

fn items<T: DeserializeOwned>(call: &Call<'_>, answer: &Answer, parts: &Parts<'_>, key: &str) -> Result<Vec<T>> {
    let items = parts.get(key).ok_or_else(|| error::unreadable(call, answer, &format!("it has no `{key}`")))?;
    serde_json::from_str(items.get()).map_err(|e| error::unreadable(call, answer, &e.to_string()))
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

#[derive(Deserialize)]
struct Id {
    id: Option<String>,
}

/// The marker of the next page. Only the marker is taken from the link: behind a proxy its host may be wrong.
fn next_marker(parts: &Parts<'_>, key: &str) -> Option<String> {
    let links: Option<Vec<Link>> = read(parts, &format!("{key}_links"));
    let next = links.and_then(|links| links.into_iter().find(|link| link.rel == "next")).map(|link| link.href);
    let next = next.or_else(|| read(parts, "next"))?;
    let query = next.split_once('?').map_or("", |(_, query)| query);
    let marker = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "marker").map(|(_, value)| value.into_owned());
    marker.or_else(|| read::<Vec<Id>>(parts, key)?.pop()?.id)
}

/// A part, if it is there and what it should be.
fn read<T: DeserializeOwned>(parts: &Parts<'_>, key: &str) -> Option<T> {
    serde_json::from_str(parts.get(key)?.get()).ok()
}
