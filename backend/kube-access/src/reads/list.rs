//! Lists in pages. Without a search a page is one of the cluster's; with one, pages are read through until enough names match, but not
//! for ever: the answer then says where to go on. The cluster lists in the order of `namespace/name`, which is what a cursor remembers.

use super::Reads;
use crate::{Impersonation, KubeError, Reach};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Method};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Objects read at a time while searching, and how many such pages one call may read.
const SEARCH_PAGE: u32 = 500;
const SEARCH_PAGES: usize = 20;
const LIMIT: u32 = 500;

/// What a list may be narrowed by.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadQuery<'a> {
    /// None: all namespaces.
    pub namespace: Option<&'a str>,
    /// Part of the name, in any case.
    pub search: Option<&'a str>,
    /// A Kubernetes label selector.
    pub label: Option<&'a str>,
    /// A Kubernetes field selector.
    pub field: Option<&'a str>,
    /// At most 500; 0 means 100.
    pub limit: u32,
    /// `next_cursor` of the page before.
    pub cursor: Option<&'a str>,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// There is more. A page of a search may be short, even empty, and still have one.
    pub next_cursor: Option<String>,
    /// How many there are in all, where the cluster says (never with a selector or a search).
    pub total: Option<u64>,
}

/// An object that can be listed.
pub(super) trait Listed: Sized {
    type Object: DeserializeOwned;
    /// `/api/v1`
    const GROUP: &'static str;
    /// `pods`
    const RESOURCE: &'static str;
    const NAMESPACED: bool;

    fn metadata(object: &Self::Object) -> &ObjectMeta;
    fn of(object: Self::Object) -> Self;
}

#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    /// The cluster's own token; empty: the first page.
    #[serde(default, rename = "c")]
    token: String,
    /// The last `namespace/name` given out of that page.
    #[serde(default, rename = "a", skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Given out before this page.
    #[serde(default, rename = "n")]
    given: u64,
}

#[derive(Deserialize)]
struct RawPage<O> {
    metadata: ListMeta,
    // Go writes an empty list as null.
    #[serde(default = "Option::default")]
    items: Option<Vec<O>>,
}

impl Reads {
    pub(super) async fn list<T: Listed>(&self, who: &Impersonation, query: &ReadQuery<'_>) -> Result<Page<T>, KubeError> {
        let limit = if query.limit == 0 { 100 } else { query.limit.min(LIMIT) };
        let cursor = Cursor::parse(query.cursor)?;
        match query.search.filter(|search| !search.is_empty()) {
            None => self.page(who, query, limit, cursor).await,
            Some(search) => self.search(who, query, &search.to_lowercase(), limit, cursor).await,
        }
    }

    async fn page<T: Listed>(&self, who: &Impersonation, query: &ReadQuery<'_>, limit: u32, cursor: Cursor) -> Result<Page<T>, KubeError> {
        let page: RawPage<T::Object> = self.read::<T>(who, query, limit, &cursor.token).await?;
        let items: Vec<T> = page.items.unwrap_or_default().into_iter().map(T::of).collect();
        let given = cursor.given + items.len() as u64;
        let token = page.metadata.continue_.filter(|t| !t.is_empty());
        let total = match (&token, page.metadata.remaining_item_count) {
            (None, _) => Some(given),
            (Some(_), Some(left)) => u64::try_from(left).ok().map(|left| given + left),
            (Some(_), None) => None,
        };
        let next = token.map(|token| Cursor { token, after: None, given });
        Ok(Page { items, next_cursor: next.map(|c| c.text()).transpose()?, total })
    }

    async fn search<T: Listed>(
        &self,
        who: &Impersonation,
        query: &ReadQuery<'_>,
        search: &str,
        limit: u32,
        mut cursor: Cursor,
    ) -> Result<Page<T>, KubeError> {
        let mut items = Vec::new();
        for _ in 0..SEARCH_PAGES {
            let page: RawPage<T::Object> = self.read::<T>(who, query, SEARCH_PAGE, &cursor.token).await?;
            for object in page.items.unwrap_or_default() {
                let metadata = T::metadata(&object);
                let key = key(metadata);
                let matches = metadata.name.as_ref().is_some_and(|n| n.to_lowercase().contains(search));
                if !matches || cursor.after.as_ref().is_some_and(|after| key <= *after) {
                    continue;
                }
                if items.len() as u64 == u64::from(limit) {
                    return Ok(Page { items, next_cursor: Some(cursor.text()?), total: None });
                }
                items.push(T::of(object));
                cursor.after = Some(key);
            }
            match page.metadata.continue_.filter(|t| !t.is_empty()) {
                None => {
                    return Ok(Page { items, next_cursor: None, total: None });
                }
                Some(token) => cursor = Cursor { token, after: None, given: 0 },
            }
        }
        Ok(Page { items, next_cursor: Some(cursor.text()?), total: None })
    }

    async fn read<T: Listed>(&self, who: &Impersonation, query: &ReadQuery<'_>, limit: u32, token: &str) -> Result<RawPage<T::Object>, KubeError> {
        let mut path = T::GROUP.to_owned();
        if let Some(namespace) = query.namespace.filter(|n| T::NAMESPACED && !n.is_empty()) {
            let plain = namespace.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !plain || namespace.len() > 63 {
                return Err(KubeError::Refused("the namespace is not a valid name"));
            }
            path.push_str("/namespaces/");
            path.push_str(namespace);
        }
        path.push_str(&format!("/{}", T::RESOURCE));
        let mut headers = HeaderMap::new();
        who.set(&mut headers, &Reach::of(&Method::GET, &path)?)?;
        path.push_str(&format!("?limit={limit}"));
        for (name, value) in
            [("labelSelector", query.label.unwrap_or_default()), ("fieldSelector", query.field.unwrap_or_default()), ("continue", token)]
        {
            if !value.is_empty() {
                path.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
            }
        }
        self.channel.get(&path, headers).await
    }

    /// One object of no namespace.
    pub(super) async fn one<T: Listed>(&self, who: &Impersonation, name: &str) -> Result<T, KubeError> {
        let path = format!("{}/{}/{}", T::GROUP, T::RESOURCE, crate::engine::segment(name));
        let mut headers = HeaderMap::new();
        who.set(&mut headers, &Reach::of(&Method::GET, &path)?)?;
        let object: T::Object = self.channel.get(&path, headers).await?;
        Ok(T::of(object))
    }
}

impl Cursor {
    fn parse(text: Option<&str>) -> Result<Self, KubeError> {
        let Some(text) = text.filter(|t| !t.is_empty()) else {
            return Ok(Self::default());
        };
        URL_SAFE_NO_PAD.decode(text).ok().and_then(|json| serde_json::from_slice(&json).ok()).ok_or(KubeError::Refused("the cursor is not valid"))
    }

    fn text(&self) -> Result<String, KubeError> {
        let json = serde_json::to_vec(self).map_err(|e| KubeError::Access(e.to_string()))?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }
}

/// As the cluster sorts. The separator matters: `-` and `.` come before `/`.
fn key(metadata: &ObjectMeta) -> String {
    let name = metadata.name.as_deref().unwrap_or_default();
    match metadata.namespace.as_deref() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

/// When an object was made.
pub(super) fn created_at(metadata: &ObjectMeta) -> Option<OffsetDateTime> {
    metadata.creation_timestamp.as_ref().and_then(crate::engine::time_of)
}

/// Kubernetes' counts are signed; none is negative.
pub(super) fn count(number: Option<i32>) -> u32 {
    number.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}
