//! What people write for people: reasons, answers, announcements.

use crate::errors::{Answer, Problem};

/// Whether it is at most so many characters, none of which would spoil a page or a log.
#[must_use]
pub fn is_text(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && !text.chars().any(|c| c.is_control() && c != '\n')
}

/// A text that must say something, without what is around it.
///
/// # Errors
/// A problem that names the field.
pub fn said(field: &str, text: &str, longest: usize) -> Answer<String> {
    let text = text.trim();
    if text.is_empty() || !is_text(text, longest) {
        return Err(Problem::field(field, format!("must be 1 to {longest} characters")));
    }
    Ok(text.to_owned())
}
