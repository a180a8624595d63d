//! The keys with which a cluster's API servers encrypt its Secrets before they reach etcd, and how one takes another's place: read with first, then
//! written with, then alone.

use crate::{SealError, fill_random};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// One key.
#[derive(Clone, Debug)]
pub struct EncryptionKey {
    /// Stands before everything that is encrypted with it.
    pub name: String,
    /// 32 bytes, in base64.
    pub secret: SecretString,
}

impl EncryptionKey {
    fn generate() -> Result<Self, SealError> {
        let mut name = [0; 4];
        fill_random(&mut name)?;
        let mut key = Zeroizing::new([0; 32]);
        fill_random(&mut *key)?;
        Ok(Self { name: hex::encode(name), secret: SecretString::from(STANDARD.encode(*key)) })
    }
}

/// Where a list stands between one key and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStage {
    /// One key, or none: nothing is being changed.
    Settled,
    /// The last key is the new one: it is read with, and what wrote before still writes.
    Introduced,
    /// The first key is the new one: it writes, and what wrote before is still read.
    InUse,
}

/// What a cluster's API servers get.
#[derive(Clone, Debug)]
pub struct EncryptionKeys {
    /// Rises with every change of what API servers get: by it is known what a master booted with.
    pub generation: u32,
    pub stage: KeyStage,
    /// In the order in which API servers have them.
    pub keys: Vec<EncryptionKey>,
    /// When the list was changed last; None: it is as it was made.
    pub changed_at: Option<OffsetDateTime>,
    /// The cluster was made without a key: what kubeadm keeps in it does not tell API servers of encryption.
    pub added_later: bool,
}

impl EncryptionKeys {
    /// Of a new cluster.
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self { keys: vec![EncryptionKey::generate()?], ..Self::none() })
    }

    /// Of a cluster from before there were keys: its API servers keep Secrets as they are.
    #[must_use]
    pub fn none() -> Self {
        Self { generation: 0, stage: KeyStage::Settled, keys: Vec::new(), changed_at: None, added_later: false }
    }

    /// Whether Secrets are still written as they are, though there is a key that they are read with.
    #[must_use]
    pub fn plain_first(&self) -> bool {
        self.stage == KeyStage::Introduced && self.keys.len() == 1
    }

    /// The list one step on. API servers with the one and with the other may run side by side; such as are two steps apart may not.
    pub fn advanced(&self, now: OffsetDateTime) -> Result<Self, SealError> {
        let mut next = Self { changed_at: Some(now), ..self.clone() };
        match self.stage {
            KeyStage::Settled => {
                next.stage = KeyStage::Introduced;
                next.generation += 1;
                next.added_later |= self.keys.is_empty();
                next.keys.push(EncryptionKey::generate()?);
            }
            KeyStage::Introduced => {
                next.stage = KeyStage::InUse;
                next.generation += 1;
                next.keys.reverse();
            }
            KeyStage::InUse => {
                next.stage = KeyStage::Settled;
                // Where plain text was before, API servers go on reading it: their list stays as it is.
                next.generation += u32::from(self.keys.len() > 1);
                next.keys.truncate(1);
            }
        }
        Ok(next)
    }
}

/// As stored. A key that was never changed stands by itself, as it did before keys could be changed. A list stands elsewhere, so that a program of
/// before refuses it instead of taking the cluster for one without a key.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct StoredKeys {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<StoredList>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredList {
    generation: u32,
    #[zeroize(skip)]
    stage: KeyStage,
    keys: Vec<StoredKey>,
    #[serde(with = "time::serde::rfc3339")]
    #[zeroize(skip)]
    changed_at: OffsetDateTime,
    #[serde(default)]
    added_later: bool,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredKey {
    name: String,
    secret: String,
}

impl StoredKeys {
    /// None: there is nothing to be kept.
    pub(crate) fn of(keys: &EncryptionKeys) -> Option<Self> {
        let stored = |key: &EncryptionKey| StoredKey { name: key.name.clone(), secret: key.secret.expose_secret().to_owned() };
        if let Some(changed_at) = keys.changed_at {
            let list = StoredList {
                generation: keys.generation,
                stage: keys.stage,
                keys: keys.keys.iter().map(stored).collect(),
                changed_at,
                added_later: keys.added_later,
            };
            return Some(Self { name: None, secret: None, list: Some(list) });
        }
        let only = keys.keys.first()?;
        Some(Self { name: Some(only.name.clone()), secret: Some(only.secret.expose_secret().to_owned()), list: None })
    }

    /// None: it is neither a key nor a list of one or two.
    pub(crate) fn to_keys(&self) -> Option<EncryptionKeys> {
        let key = |name: &String, secret: &String| EncryptionKey { name: name.clone(), secret: SecretString::from(secret.clone()) };
        if let Some(list) = &self.list {
            return (1..=2).contains(&list.keys.len()).then(|| EncryptionKeys {
                generation: list.generation,
                stage: list.stage,
                keys: list.keys.iter().map(|k| key(&k.name, &k.secret)).collect(),
                changed_at: Some(list.changed_at),
                added_later: list.added_later,
            });
        }
        let only = key(self.name.as_ref()?, self.secret.as_ref()?);
        Some(EncryptionKeys { keys: vec![only], ..EncryptionKeys::none() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(keys: &EncryptionKeys) -> Vec<&str> {
        keys.keys.iter().map(|k| k.name.as_str()).collect()
    }

    fn stored(keys: &EncryptionKeys) -> EncryptionKeys {
        let json = serde_json::to_string(&StoredKeys::of(keys).unwrap()).unwrap();
        serde_json::from_str::<StoredKeys>(&json).unwrap().to_keys().unwrap()
    }

    #[test]
    fn a_key_is_read_with_before_it_writes_and_the_old_one_goes_last() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let settled = EncryptionKeys::generate().unwrap();
        let introduced = settled.advanced(now).unwrap();
        let (old, new) = (names(&settled)[0], names(&introduced)[1]);
        assert_ne!(old, new);
        assert_eq!((introduced.generation, introduced.stage, names(&introduced)), (1, KeyStage::Introduced, vec![old, new]));
        let in_use = introduced.advanced(now).unwrap();
        assert_eq!((in_use.generation, in_use.stage, names(&in_use)), (2, KeyStage::InUse, vec![new, old]));
        let last = in_use.advanced(now).unwrap();
        assert_eq!((last.generation, last.stage, names(&last)), (3, KeyStage::Settled, vec![new]));
        assert!([&settled, &introduced, &in_use, &last].iter().all(|keys| !keys.plain_first() && !keys.added_later));
        assert_eq!(last.advanced(now).unwrap().generation, 4);
    }

    #[test]
    fn where_there_was_no_key_plain_text_is_the_old_one_and_stays_readable() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let introduced = EncryptionKeys::none().advanced(now).unwrap();
        assert!(introduced.plain_first() && introduced.added_later);
        let in_use = introduced.advanced(now).unwrap();
        let last = in_use.advanced(now).unwrap();
        assert!(!in_use.plain_first() && !last.plain_first() && last.added_later);
        assert_eq!((introduced.generation, in_use.generation, last.generation), (1, 2, 2), "what API servers get is the same in the end");
        assert_eq!(names(&last), names(&introduced));
        assert!(!last.advanced(now).unwrap().plain_first(), "the next change begins with a key");
    }

    #[test]
    fn every_list_survives_storing() {
        let now = OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_123_456_789).unwrap();
        for first in [EncryptionKeys::generate().unwrap(), EncryptionKeys::none()] {
            let mut keys = first;
            for _ in 0..4 {
                keys = keys.advanced(now).unwrap();
                let again = stored(&keys);
                assert_eq!((again.generation, again.stage, again.changed_at), (keys.generation, keys.stage, Some(now)));
                assert_eq!((names(&again), again.added_later), (names(&keys), keys.added_later));
                assert_eq!(again.keys[0].secret.expose_secret(), keys.keys[0].secret.expose_secret());
                assert!(!format!("{keys:?}").contains(keys.keys[0].secret.expose_secret()));
            }
        }
    }

    #[test]
    fn a_key_from_before_there_were_lists_is_read_and_one_that_was_never_changed_is_written_so() {
        let old = serde_json::from_str::<StoredKeys>(r#"{"name":"1a2b3c4d","secret":"c2VjcmV0"}"#).unwrap().to_keys().unwrap();
        assert_eq!((old.generation, old.stage, old.changed_at, names(&old)), (0, KeyStage::Settled, None, vec!["1a2b3c4d"]));
        let written = serde_json::to_value(StoredKeys::of(&old).unwrap()).unwrap();
        assert_eq!(written, serde_json::json!({"name": "1a2b3c4d", "secret": "c2VjcmV0"}));
        // A program of before wants a name and a secret, and finds none in a list.
        let list = serde_json::to_value(StoredKeys::of(&old.advanced(OffsetDateTime::UNIX_EPOCH).unwrap()).unwrap()).unwrap();
        assert!(list.get("name").is_none() && list.get("secret").is_none());
        assert!(StoredKeys::of(&EncryptionKeys::none()).is_none());
        let empty = r#"{"list":{"generation":1,"stage":"settled","keys":[],"changed_at":"2026-01-01T00:00:00Z"}}"#;
        for broken in ["{}", r#"{"name":"1a2b3c4d"}"#, empty] {
            assert!(serde_json::from_str::<StoredKeys>(broken).unwrap().to_keys().is_none(), "{broken}");
        }
    }
}
