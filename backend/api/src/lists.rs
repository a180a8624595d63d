//! Lists: pages by cursor, and the wrapper they are sent in.

use serde::Serialize;

/// A page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Pass as `cursor` for the next page; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many there are in all, filters applied, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl<T> List<T> {
    /// A page of the store's.
    #[must_use]
    pub fn page<U>(page: store::Page<U>, each: impl FnMut(U) -> T) -> Self {
        Self { items: page.items.into_iter().map(each).collect(), next_cursor: page.next_cursor, total: page.total }
    }

    /// A list that has one page only.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        let total = Some(items.len() as u64);
        Self { items, next_cursor: None, total }
    }
}
