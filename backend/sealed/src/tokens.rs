//! Random tokens. The store keeps their SHA-256 only: 256 random bits need no slow hash, and a stolen database opens nothing.

use crate::{SealError, fill_random};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// What a token is for; part of its text, so that a leaked one can be told at sight and never passes for another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A browser session.
    Session,
    /// The anti-CSRF value of a session.
    Csrf,
    /// A person's kubeconfig for one cluster.
    Kubeconfig,
    /// A server's one-time right to fetch its bootstrap bundle and to report.
    Node,
    /// An API token.
    Api,
    /// What a program waits with for a person to sign it in.
    Device,
}

impl TokenKind {
    const ALL: [Self; 6] = [Self::Session, Self::Csrf, Self::Kubeconfig, Self::Node, Self::Api, Self::Device];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Csrf => "csrf",
            Self::Kubeconfig => "kubeconfig",
            Self::Node => "node",
            Self::Api => "api",
            Self::Device => "device",
        }
    }
}

/// A new token: shown once, then only its hash is known.
pub struct Token {
    pub text: SecretString,
    pub hash: TokenHash,
}

impl Token {
    /// `kcs_<kind>_<43 characters of base64url>`, 256 random bits.
    pub fn generate(kind: TokenKind) -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill_random(&mut *bytes)?;
        let text = SecretString::from(format!("kcs_{}_{}", kind.as_str(), *Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))));
        Ok(Self { hash: TokenHash::of(text.expose_secret()), text })
    }

    /// The kind that a text claims, if it has the form of a token at all. Cheap: look before asking the store.
    #[must_use]
    pub fn kind_of(text: &str) -> Option<TokenKind> {
        let (kind, random) = text.strip_prefix("kcs_")?.split_once('_')?;
        let well_formed = random.len() == 43 && random.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        TokenKind::ALL.into_iter().find(|k| well_formed && k.as_str() == kind)
    }
}

/// SHA-256 of a token's text: what is stored and looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Whether `text` is the token, in a time that does not tell how much of it was right.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let other = Self::of(text);
        let difference = self.0.iter().zip(other.0).fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(difference) == 0
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// A bootstrap token of kubeadm, `[a-z0-9]{6}.[a-z0-9]{16}`.
#[derive(Clone, Debug)]
pub struct JoinToken(SecretString);

impl JoinToken {
    pub fn generate() -> Result<Self, SealError> {
        const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = Zeroizing::new(String::with_capacity(23));
        while text.len() < 23 {
            if text.len() == 6 {
                text.push('.');
            }
            let mut byte = [0];
            fill_random(&mut byte)?;
            // 252 is the largest multiple of 36: what is above would make some letters likelier.
            if let Some(letter) = LETTERS.get(usize::from(byte[0] % 36)).filter(|_| byte[0] < 252) {
                text.push(char::from(*letter));
            }
        }
        Ok(Self(SecretString::from(text.to_string())))
    }

    /// None: not a bootstrap token.
    #[must_use]
    pub fn parse(text: &SecretString) -> Option<Self> {
        let plain = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let (id, secret) = text.expose_secret().split_once('.')?;
        (plain(id, 6) && plain(secret, 16)).then(|| Self(text.clone()))
    }

    #[must_use]
    pub fn text(&self) -> &SecretString {
        &self.0
    }

    /// The public part: the Secret is named after it.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.expose_secret().split('.').next().unwrap_or_default()
    }

    #[must_use]
    pub fn secret(&self) -> SecretString {
        SecretString::from(self.0.expose_secret().split('.').nth(1).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_are_long_distinct_and_told_by_kind() {
        let a = Token::generate(TokenKind::Kubeconfig).unwrap();
        let b = Token::generate(TokenKind::Kubeconfig).unwrap();
        assert_ne!(a.text.expose_secret(), b.text.expose_secret());
        assert!(a.text.expose_secret().starts_with("kcs_kubeconfig_"));
        for kind in TokenKind::ALL {
            let token = Token::generate(kind).unwrap();
            assert_eq!(Token::kind_of(token.text.expose_secret()), Some(kind));
        }
        for no_token in ["", "kcs_", "kcs_node_", "kcs_other_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "gAAAAAB"] {
            assert_eq!(Token::kind_of(no_token), None, "{no_token}");
        }
    }

    #[test]
    fn the_hash_knows_its_token_only() {
        let token = Token::generate(TokenKind::Node).unwrap();
        assert!(token.hash.matches(token.text.expose_secret()));
        assert!(!token.hash.matches("kcs_node_x"));
        assert_eq!(format!("{:?}", token.hash), "TokenHash(..)");
    }

    #[test]
    fn join_tokens_have_the_form_kubeadm_asks_for() {
        for _ in 0..50 {
            let token = JoinToken::generate().unwrap();
            let again = JoinToken::parse(token.text()).unwrap();
            assert_eq!((again.id().len(), again.secret().expose_secret().len()), (6, 16));
        }
        for bad in ["", "abcdef", "abcdef.0123456789abcde", "ABCDEF.0123456789abcdef", "abcdef.0123456789abcdef\n"] {
            assert!(JoinToken::parse(&SecretString::from(bad)).is_none(), "{bad:?}");
        }
    }
}
