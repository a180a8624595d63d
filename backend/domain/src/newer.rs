//! What a newer program has written while it runs beside this one: words that are kept as they are, and lists that are read without what it alone knows.
//!
//! Words that every list shows (codes, kinds and states of operations, steps) have a variant for one that this program does not know. What else it cannot read of
//! a row, the store leaves out of lists (`store`, `newer.rs`), and the engine leaves its cluster alone.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A word of a newer program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Word(&'static str);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(kept(text)))
    }
}

/// The text of a newer program's word, for good: such words are copied everywhere, and there are only as many as were invented since. Nothing but our own
/// records is read so.
pub(crate) fn kept(text: String) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(text.as_str()).copied() {
        return known;
    }
    let new: &'static str = text.leak();
    all.insert(new);
    new
}

/// How an enum is sent and asked for whose words stand in rows: by its `as_str`, `parse` and `ALL`. What a newer program has written is sent as it is; nobody
/// can ask for it.
macro_rules! words {
    ($name:ident, $description:expr) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(from)?;
                Self::parse(&text).ok_or_else(|| {
                    let known: Vec<String> = Self::ALL.iter().map(|word| format!("`{}`", word.as_str())).collect();
                    serde::de::Error::custom(format_args!("unknown variant, expected one of {}", known.join(", ")))
                })
            }
        }

        impl utoipa::ToSchema for $name {}

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let words = Self::ALL.iter().map(|word| word.as_str());
                let schema = utoipa::openapi::schema::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
                schema.description($description).enum_values(Some(words)).into()
            }
        }
    };
}
pub(crate) use words;

/// Reads a word that each look finds anew; one that a newer program alone knows counts as none yet.
pub(crate) fn known_word<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    let word = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(word).unwrap_or_default())
}

/// Reads a list that each look makes anew, without what a newer program alone can read of it.
pub fn known<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let all = Vec::<serde_json::Value>::deserialize(from)?;
    Ok(all.into_iter().filter_map(|one| serde_json::from_value(one).ok()).collect())
}
