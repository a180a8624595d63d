//! Reading what services write: absent, null and unexpected values are no reason to give up.

use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// null is the same as absent.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// Nova and Keystone write `Z`, Cinder and Octavia leave the zone out and mean UTC.
pub(crate) fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339)).ok()
}

/// A limit as services write it: negative is none.
pub(crate) fn limit(value: i64) -> Option<u64> {
    u64::try_from(value).ok()
}
