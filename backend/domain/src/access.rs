//! What KCS itself gives people to be known by.

use serde::{Deserialize, Serialize};

/// A kind of what a person holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldKind {
    Session,
    /// A program that was allowed to sign in and has not fetched its token yet.
    Device,
    Token,
    Kubeconfig,
}

impl HeldKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Device => "device",
            Self::Token => "token",
            Self::Kubeconfig => "kubeconfig",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Session, Self::Device, Self::Token, Self::Kubeconfig].into_iter().find(|k| k.as_str() == text)
    }
}
