//! Rows that a newer program has written beside this one: a list is told without those that only it can read, and nothing else is made of them.

use crate::error::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::error::Error;

/// What can be read of a list's rows.
pub(crate) fn readable<R, T: TryFrom<R, Error = StoreError>>(rows: impl IntoIterator<Item = R>) -> Vec<T> {
    let read = |row: R| T::try_from(row).inspect_err(|error| tracing::warn!(error = error as &dyn Error, "a list is told without a row")).ok();
    rows.into_iter().filter_map(read).collect()
}

/// A column of JSON that keeps no other row from being read.
#[derive(Debug)]
pub(crate) struct Readable<T>(Result<T, serde_json::Error>);

impl<T> Readable<T> {
    pub fn read(self, what: &str) -> Result<T, StoreError> {
        self.0.map_err(|error| StoreError::Unexpected(format!("{what} cannot be read: {error}")))
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Readable<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(serde_json::from_str(Box::<RawValue>::deserialize(from)?.get())))
    }
}
