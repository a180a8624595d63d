//! What the requests for tokens and kubeconfigs have in common: the namespaces they are narrowed to.

use crate::errors::FieldError;

/// Most entries of a list that narrows.
pub const MOST: usize = 100;

/// What is wrong with the namespaces of a request; absent ones narrow nothing.
#[must_use]
pub fn namespace_errors(names: Option<&[String]>) -> Vec<FieldError> {
    let wrong = |field: String, message: String| FieldError { field, message, code: None };
    let Some(names) = names else { return Vec::new() };
    if names.is_empty() || names.len() > MOST {
        return vec![wrong("namespaces".to_owned(), format!("must be 1 to {MOST}, or absent for all"))];
    }
    let bad = names.iter().enumerate().filter(|(_, name)| !is_label(name));
    bad.map(|(index, _)| wrong(format!("namespaces[{index}]"), "must be a name of a namespace: a-z, 0-9 and -, at most 63".to_owned())).collect()
}

/// RFC 1123: what Kubernetes takes as the name of a namespace.
#[must_use]
pub fn is_label(name: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = name.as_bytes().first().zip(name.as_bytes().last());
    name.len() <= 63 && ends.is_some_and(|(first, last)| plain(first) && plain(last)) && name.bytes().all(|b| plain(&b) || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_namespaces_are_told_from_others() {
        let longest = "a".repeat(63);
        assert!(["a", "kube-system", "0", longest.as_str()].into_iter().all(is_label));
        let longer = "a".repeat(64);
        assert!(!["", "-a", "a-", "A", "a.b", "a_b", "a/b", longer.as_str()].into_iter().any(is_label));
    }
}
