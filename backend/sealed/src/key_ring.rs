//! Envelope encryption: every secret has a data key of its own (AES-256-GCM), which a key of the ring wraps. The row's identity is the
//! associated data, so that sealed bytes copied to another row do not open. Rotation wraps data keys anew and leaves the secrets alone.

use crate::{SealError, fill_random};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// First byte of all sealed bytes.
const FORMAT: u8 = 1;
const KEY: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;

/// Keys by id; new secrets are sealed with the active one, old ones open with the key they name.
pub struct KeyRing {
    active: String,
    keys: BTreeMap<String, Zeroizing<[u8; KEY]>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.keys.keys().collect();
        f.debug_struct("KeyRing").field("active", &self.active).field("ids", &ids).finish_non_exhaustive()
    }
}

impl KeyRing {
    /// A ring of one new random key.
    pub fn generate() -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; KEY]);
        fill_random(&mut *key)?;
        let mut id = [0; 4];
        fill_random(&mut id)?;
        let active = hex::encode(id);
        Ok(Self { keys: BTreeMap::from([(active.clone(), key)]), active })
    }

    /// Reads `<id>:<base64 of 32 bytes>` a line, `#` for comments; the first key is the active one. Commas part keys, too: the environment has
    /// one line.
    pub fn parse(text: &SecretString) -> Result<Self, SealError> {
        let mut active = None;
        let mut keys = BTreeMap::new();
        for (index, entry) in entries(text.expose_secret()) {
            let syntax = || SealError::KeyRingSyntax { line: index + 1 };
            let (id, key) = entry.split_once(':').ok_or_else(syntax)?;
            let id_is_plain = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            let decoded = Zeroizing::new(STANDARD.decode(key.trim()).map_err(|_| syntax())?);
            let key: [u8; KEY] = decoded.as_slice().try_into().map_err(|_| syntax())?;
            if !id_is_plain {
                return Err(syntax());
            }
            if keys.insert(id.to_owned(), Zeroizing::new(key)).is_some() {
                return Err(SealError::DuplicateKey(id.to_owned()));
            }
            active.get_or_insert_with(|| id.to_owned());
        }
        Ok(Self { active: active.ok_or(SealError::KeyRingEmpty)?, keys })
    }

    /// The form that `parse` reads, the active key first.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        let mut text = Zeroizing::new(String::new());
        let others = self.keys.iter().filter(|(id, _)| **id != self.active);
        for (id, key) in self.keys.get_key_value(&self.active).into_iter().chain(others) {
            text.push_str(id);
            text.push(':');
            text.push_str(&Zeroizing::new(STANDARD.encode(**key)));
            text.push('\n');
        }
        SecretString::from(text.to_string())
    }

    /// Id of the key that new secrets are sealed with.
    #[must_use]
    pub fn active(&self) -> &str {
        &self.active
    }

    /// Ids of all keys.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Reads the ring in `path`.
    pub fn load(path: &Path) -> Result<Self, SealError> {
        let text = Zeroizing::new(fs::read_to_string(path).map_err(|e| file_error(path, e))?);
        Self::parse(&SecretString::from(text.to_string()))
    }

    /// Reads the ring in `path`, or makes it, readable by its owner only. For development: a production ring is made by an operator.
    pub fn load_or_create(path: &Path) -> Result<Self, SealError> {
        if path.exists() {
            return Self::load(path);
        }
        let ring = Self::generate()?;
        write_private(path, ring.to_text().expose_secret())?;
        Ok(ring)
    }

    /// Seals `secret` for the row that `identity` names.
    pub fn seal(&self, identity: &[u8], secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut data_key = Zeroizing::new([0; KEY]);
        fill_random(&mut *data_key)?;
        let body = encrypt(&data_key, &body_aad(identity), secret)?;
        let mut sealed = self.wrap(identity, &data_key)?;
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Seals text.
    pub fn seal_text(&self, identity: &[u8], secret: &SecretString) -> Result<Vec<u8>, SealError> {
        self.seal(identity, secret.expose_secret().as_bytes())
    }

    /// Opens what was sealed for the same row.
    pub fn open(&self, identity: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let parts = Parts::of(sealed)?;
        let data_key = self.unwrap(identity, &parts)?;
        decrypt(&data_key, &body_aad(identity), parts.body)
    }

    /// Opens text.
    pub fn open_text(&self, identity: &[u8], sealed: &[u8]) -> Result<SecretString, SealError> {
        let bytes = self.open(identity, sealed)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| SealError::Content("text"))?;
        Ok(SecretString::from(text.to_owned()))
    }

    /// Wraps the data key with the active key; the body stays as it is.
    pub fn rewrap(&self, identity: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let parts = Parts::of(sealed)?;
        let data_key = self.unwrap(identity, &parts)?;
        let mut rewrapped = self.wrap(identity, &data_key)?;
        rewrapped.extend_from_slice(parts.body);
        Ok(rewrapped)
    }

    /// Format, length of the key id, key id, wrapped data key.
    fn wrap(&self, identity: &[u8], data_key: &[u8; KEY]) -> Result<Vec<u8>, SealError> {
        let key = self.key(&self.active)?;
        let mut head = vec![FORMAT, u8::try_from(self.active.len()).map_err(|_| SealError::Format)?];
        head.extend_from_slice(self.active.as_bytes());
        let wrapped = encrypt(key, &wrap_aad(&self.active, identity), data_key)?;
        head.extend_from_slice(&wrapped);
        Ok(head)
    }

    fn unwrap(&self, identity: &[u8], parts: &Parts<'_>) -> Result<Zeroizing<[u8; KEY]>, SealError> {
        let key = self.key(parts.key_id)?;
        let data_key = decrypt(key, &wrap_aad(parts.key_id, identity), parts.wrapped)?;
        let data_key = data_key.as_slice().try_into().map_err(|_| SealError::Format)?;
        Ok(Zeroizing::new(data_key))
    }

    fn key(&self, id: &str) -> Result<&[u8; KEY], SealError> {
        self.keys.get(id).map(|key| &**key).ok_or_else(|| SealError::UnknownKey(id.to_owned()))
    }
}

/// The keys of a ring's text as they stand there, each with the index of its line.
pub fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.starts_with('#'));
    lines.flat_map(|(index, line)| line.split(',').map(move |entry| (index, entry.trim()))).filter(|(_, entry)| !entry.is_empty())
}

/// Sealed bytes taken apart.
struct Parts<'a> {
    key_id: &'a str,
    wrapped: &'a [u8],
    body: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Result<Self, SealError> {
        let [FORMAT, length, rest @ ..] = sealed else {
            return Err(SealError::Format);
        };
        let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or(SealError::Format)?;
        let (wrapped, body) = rest.split_at_checked(NONCE + KEY + TAG).ok_or(SealError::Format)?;
        Ok(Self { key_id: std::str::from_utf8(id).map_err(|_| SealError::Format)?, wrapped, body })
    }
}

fn wrap_aad(key_id: &str, identity: &[u8]) -> Vec<u8> {
    [b"kcs key 1 ".as_slice(), key_id.as_bytes(), b"\0", identity].concat()
}

fn body_aad(identity: &[u8]) -> Vec<u8> {
    [b"kcs body 1 ".as_slice(), identity].concat()
}

/// Nonce, then ciphertext with tag.
fn encrypt(key: &[u8; KEY], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE];
    fill_random(&mut nonce)?;
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    let text = cipher.encrypt(&Nonce::from(nonce), Payload { msg: plain, aad }).map_err(|_| SealError::Authentication)?;
    Ok([nonce.as_slice(), &text].concat())
}

fn decrypt(key: &[u8; KEY], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::Format)?;
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    cipher.decrypt(&Nonce::from(*nonce), Payload { msg: text, aad }).map(Zeroizing::new).map_err(|_| SealError::Authentication)
}

pub(crate) fn file_error(path: &Path, source: std::io::Error) -> SealError {
    SealError::File { file: path.display().to_string(), source }
}

/// Writes a file that only its owner may read; whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), SealError> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|e| file_error(path, e))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn joined(rings: &[&KeyRing]) -> KeyRing {
        let text: String = rings.iter().map(|r| r.to_text().expose_secret().to_owned()).collect();
        KeyRing::parse(&SecretString::from(text)).unwrap()
    }

    #[test]
    fn a_secret_opens_only_for_its_own_row() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal(b"cluster/1/pki", b"secret").unwrap();
        assert_eq!(ring.open(b"cluster/1/pki", &sealed).unwrap().as_slice(), b"secret");
        assert!(matches!(ring.open(b"cluster/2/pki", &sealed), Err(SealError::Authentication)));
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
    }

    #[test]
    fn equal_secrets_are_sealed_differently() {
        let ring = KeyRing::generate().unwrap();
        assert_ne!(ring.seal(b"row", b"secret").unwrap(), ring.seal(b"row", b"secret").unwrap());
    }

    #[test]
    fn another_ring_cannot_open_it() {
        let sealed = KeyRing::generate().unwrap().seal(b"row", b"secret").unwrap();
        assert!(matches!(KeyRing::generate().unwrap().open(b"row", &sealed), Err(SealError::UnknownKey(_))));
    }

    #[test]
    fn rotation_wraps_anew_and_the_old_key_can_go() {
        let old = KeyRing::generate().unwrap();
        let sealed = old.seal(b"row", b"secret").unwrap();
        let new = KeyRing::generate().unwrap();
        let both = joined(&[&new, &old]);
        assert_eq!(both.open(b"row", &sealed).unwrap().as_slice(), b"secret");
        let rewrapped = both.rewrap(b"row", &sealed).unwrap();
        assert_eq!(new.open(b"row", &rewrapped).unwrap().as_slice(), b"secret");
        assert!(old.open(b"row", &rewrapped).is_err());
    }

    #[test]
    fn a_ring_fits_into_one_line() {
        let rings = [KeyRing::generate().unwrap(), KeyRing::generate().unwrap()];
        let text = joined(&[&rings[0], &rings[1]]).to_text().expose_secret().trim().replace('\n', ", ");
        let ring = KeyRing::parse(&SecretString::from(format!("# two, of them\n{text},"))).unwrap();
        assert_eq!((ring.active(), ring.ids().count()), (rings[0].active(), 2));
    }

    #[test]
    fn what_was_moved_to_another_row_is_not_wrapped_anew() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal(b"row", b"secret").unwrap();
        assert!(matches!(ring.rewrap(b"other", &sealed), Err(SealError::Authentication)));
    }

    #[test]
    fn the_ring_file_is_private_and_found_again() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let sealed = KeyRing::load_or_create(&path).unwrap().seal(b"row", b"secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(KeyRing::load_or_create(&path).unwrap().open(b"row", &sealed).unwrap().as_slice(), b"secret");
    }

    #[test]
    fn bad_rings_are_refused_without_repeating_them() {
        for bad in ["", "x", "a:short", "a b:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
            let error = KeyRing::parse(&SecretString::from(bad)).unwrap_err();
            assert!(!error.to_string().contains("short"), "{error}");
        }
        let ring = KeyRing::generate().unwrap();
        let twice = ring.to_text().expose_secret().repeat(2);
        assert!(matches!(KeyRing::parse(&SecretString::from(twice)), Err(SealError::DuplicateKey(_))));
        assert!(!format!("{ring:?}").contains(ring.to_text().expose_secret().split(':').nth(1).unwrap().trim()));
    }

    proptest! {
        #[test]
        fn no_changed_byte_opens(secret in proptest::collection::vec(any::<u8>(), 0..64), position in any::<proptest::sample::Index>(), bit in 0u8..8) {
            let ring = KeyRing::generate().unwrap();
            let mut sealed = ring.seal(b"row", &secret).unwrap();
            let opened = ring.open(b"row", &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), secret.as_slice());
            let at = position.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert!(ring.open(b"row", &sealed).is_err());
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(KeyRing::generate().unwrap().open(b"row", &bytes).is_err());
        }
    }
}
