//! Pages of lists: the cursor is the sort key and id of the last row, opaque to clients.

use crate::error::StoreError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// 1 to 500; 0 stands for the default, 50.
    pub limit: u32,
    pub cursor: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// None on the last page.
    pub next_cursor: Option<String>,
    /// How many there are in all, filters applied; None: not counted.
    pub total: Option<u64>,
}

impl PageRequest {
    const DEFAULT: u32 = 50;
    const MOST: u32 = 500;

    pub(crate) fn limit(&self) -> i64 {
        i64::from(if self.limit == 0 { Self::DEFAULT } else { self.limit.min(Self::MOST) })
    }

    pub(crate) fn after(&self) -> Result<Option<(String, Uuid)>, StoreError> {
        self.cursor.as_deref().map(decode).transpose()
    }
}

impl<T> Page<T> {
    /// From one row more than the limit, if there is one: it only says that there is a next page.
    pub(crate) fn cut(mut items: Vec<T>, limit: i64, total: impl Into<Option<i64>>, key: impl Fn(&T) -> (String, Uuid)) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| encode(&key(last)));
        Self { items, next_cursor, total: total.into().map(|t| u64::try_from(t).unwrap_or(0)) }
    }
}

fn encode((key, id): &(String, Uuid)) -> String {
    let mut bytes = id.as_bytes().to_vec();
    bytes.extend_from_slice(key.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Result<(String, Uuid), StoreError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| StoreError::BadCursor)?;
    let (id, key) = bytes.split_first_chunk::<16>().ok_or(StoreError::BadCursor)?;
    let key = String::from_utf8(key.to_vec()).map_err(|_| StoreError::BadCursor)?;
    if key.contains('\0') { Err(StoreError::BadCursor) } else { Ok((key, Uuid::from_bytes(*id))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_was(key in "[^\\x00]{0,40}", id: u128) {
            let id = Uuid::from_u128(id);
            prop_assert_eq!(decode(&encode(&(key.clone(), id))).ok(), Some((key, id)));
        }

        #[test]
        fn any_text_as_cursor_is_refused_or_read(text: String) {
            drop(decode(&text));
        }
    }
}
