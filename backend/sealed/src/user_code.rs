//! The short code by which a person tells which program they sign in (RFC 8628): typed or compared by eye, good for minutes.

use crate::tokens::TokenHash;
use crate::{SealError, fill_random};
use std::fmt;

/// Letters that are not taken for one another and make no words (RFC 8628, 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// Eight letters: 34 bits. Whoever guesses must be signed in and is slowed down.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    pub fn generate() -> Result<Self, SealError> {
        let mut letters = String::with_capacity(LENGTH);
        while letters.len() < LENGTH {
            let mut byte = [0];
            fill_random(&mut byte)?;
            // 240 is the largest multiple of 20: what is above would make some letters likelier.
            if let Some(letter) = LETTERS.get(usize::from(byte[0] % 20)).filter(|_| byte[0] < 240) {
                letters.push(char::from(*letter));
            }
        }
        Ok(Self(letters))
    }

    /// As people type it: in either case, with or without what stands between. None: not a code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut letters = String::with_capacity(LENGTH);
        for character in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            let letter = character.to_ascii_uppercase();
            if letters.len() == LENGTH || !u8::try_from(letter).is_ok_and(|byte| LETTERS.contains(&byte)) {
                return None;
            }
            letters.push(letter);
        }
        (letters.len() == LENGTH).then_some(Self(letters))
    }

    /// What is stored and looked up.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

/// `XXXX-XXXX`
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at(LENGTH / 2);
        write!(f, "{first}-{second}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = UserCode::generate().unwrap();
        let text = code.to_string();
        assert_eq!((text.len(), text.find('-')), (9, Some(4)));
        for typed in [text.clone(), text.to_lowercase(), text.replace('-', ""), text.replace('-', " ")] {
            assert!(UserCode::parse(&typed).unwrap() == code, "{typed}");
        }
        assert!(UserCode::parse(&text).unwrap().hash() == code.hash());
        let long = format!("{text}B");
        for bad in ["", "BCDF", long.as_str(), "AEIO-UYAE", "BCDF-GHJ1", "BCDF_GHJK", "ＢＣＤＦＧＨＪＫ"] {
            assert!(UserCode::parse(bad).is_none(), "{bad}");
        }
        assert!(UserCode::generate().unwrap() != code);
    }
}
