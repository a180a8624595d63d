//! Secrets and keys: envelope encryption of what the store keeps, tokens, certificate authorities of clusters and of KCS itself, kubeconfigs.
//! Nothing here logs or prints, and no secret is in a `Debug` or an error.

pub mod authority;
pub mod cluster_pki;
pub mod encryption;
pub mod gate;
pub mod key_ring;
pub mod kubeconfig;
pub mod mac;
pub mod tokens;
pub mod user_code;

pub use authority::{Authority, ClientCertificate, ServerCertificate};
pub use cluster_pki::ClusterPki;
pub use encryption::{EncryptionKey, EncryptionKeys, KeyStage};
pub use gate::Gate;
pub use key_ring::KeyRing;
pub use mac::{MacKey, Tag};
pub use tokens::{JoinToken, Token, TokenHash, TokenKind};
pub use user_code::UserCode;

/// What can go wrong with secrets. Says what, never whose content.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key ring's text is not `<id>:<base64 of 32 bytes>` a line.
    #[error("line {line} of the key ring is not <id>:<base64 of 32 bytes>")]
    KeyRingSyntax { line: usize },
    #[error("the key ring has no key")]
    KeyRingEmpty,
    #[error("key {0:?} is in the key ring twice")]
    DuplicateKey(String),
    /// It was sealed with a key that the ring no longer has.
    #[error("sealed with key {0:?}, which is not in the key ring")]
    UnknownKey(String),
    #[error("the sealed bytes have a form this version does not know")]
    Format,
    /// Wrong key, changed bytes, or bytes of another row.
    #[error("the sealed bytes do not belong here or were changed")]
    Authentication,
    #[error("no random numbers from the operating system")]
    Random,
    #[error("certificate: {0}")]
    Certificate(String),
    #[error("{file}: {source}")]
    File { file: String, source: std::io::Error },
    /// What was opened is not what was expected (text, JSON of a PKI).
    #[error("the opened secret is not a {0}")]
    Content(&'static str),
}

/// Fills from the operating system's generator.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), SealError> {
    use rand::TryRngCore;
    rand::rngs::OsRng.try_fill_bytes(bytes).map_err(|_| SealError::Random)
}
