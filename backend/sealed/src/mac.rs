//! Tags that only KCS can make: over the lines of a chain, and over what it gives out and wants to know again.

use crate::{SealError, fill_random};
use ring::hmac;
use secrecy::{ExposeSecret, SecretSlice};

/// The length of a tag, in bytes: HMAC-SHA-256.
pub const TAG: usize = 32;

/// One tag.
pub type Tag = [u8; TAG];

/// A key for tags. `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// Random bytes for a new key.
    pub fn generate() -> Result<SecretSlice<u8>, SealError> {
        let mut bytes = vec![0; TAG];
        fill_random(&mut bytes)?;
        Ok(bytes.into())
    }

    #[must_use]
    pub fn new(secret: &SecretSlice<u8>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret()))
    }

    fn context(&self, before: &[u8], parts: &[&[u8]]) -> hmac::Context {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&before).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context
    }

    /// The tag over `parts` after `before`: the tag before it in a chain, or what the tag is for. Parts are told apart by their lengths.
    #[must_use]
    pub fn tag(&self, before: &[u8], parts: &[&[u8]]) -> Tag {
        let mut tag = [0; TAG];
        tag.copy_from_slice(self.context(before, parts).sign().as_ref());
        tag
    }

    /// Whether `tag` is theirs, in a time that does not tell how much of it was right.
    #[must_use]
    pub fn matches(&self, tag: &[u8], before: &[u8], parts: &[&[u8]]) -> bool {
        let difference = self.tag(before, parts).iter().zip(tag).fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(difference) == 0 && tag.len() == TAG
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_tag_covers_key_order_and_every_part() {
        let (one, other) = (MacKey::new(&MacKey::generate().unwrap()), MacKey::new(&MacKey::generate().unwrap()));
        let tag = one.tag(b"", &[b"a", b"bc"]);
        assert!(one.matches(&tag, b"", &[b"a", b"bc"]));
        for different in [
            other.tag(b"", &[b"a", b"bc"]),
            one.tag(b"x", &[b"a", b"bc"]),
            one.tag(b"", &[b"bc", b"a"]),
            one.tag(b"", &[b"ab", b"c"]),
            one.tag(b"", &[b"a", b"bd"]),
        ] {
            assert!(!one.matches(&different, b"", &[b"a", b"bc"]));
        }
        assert!(!one.matches(&tag[..31], b"", &[b"a", b"bc"]) && !one.matches(&[], b"", &[b"a", b"bc"]));
    }
}
