//! What nodes say of themselves, kept and shown without secrets: consoles echo user-data, and logs say again what programs were given.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// What is hidden, in this order, and what stands in its place.
#[allow(clippy::unwrap_used, reason = "constants, which the test below tries")]
static SECRETS: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
    [
        // One that is cut off has no end: then nothing after its beginning is shown.
        (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)", "[private key]"),
        // Or no beginning, for these are the last lines of many: then nothing before its end.
        (r"(?s)\A.*-----END [A-Z ]*PRIVATE KEY-----", "[private key]"),
        // Ours (`sealed::Token`).
        (r"\bkcs_[a-z]+_[A-Za-z0-9_-]{43}", "[token]"),
        // Those that nodes join with.
        (r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b", "[token]"),
    ]
    .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
});

/// The text without private keys, tokens of ours and tokens that nodes join with.
#[must_use]
pub fn veiled(text: &str) -> String {
    SECRETS.iter().fold(text.to_owned(), |text, (secret, word)| match secret.replace_all(&text, *word) {
        Cow::Owned(veiled) => veiled,
        Cow::Borrowed(_) => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn what_a_node_says_is_shown_without_secrets_and_all_else_as_it_was() {
        let made = sealed::Token::generate(sealed::TokenKind::Node).unwrap();
        let token = made.text.expose_secret();
        let said = format!("[ 1.2] Authorization: Bearer {token}\nkubeadm join --token abcdef.0123456789abcdef, \"{token}\".\n");
        assert_eq!(veiled(&said), "[ 1.2] Authorization: Bearer [token]\nkubeadm join --token [token], \"[token]\".\n");
        let key =
            "a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
        assert_eq!(veiled(key), "a\n[private key]\nb\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n");
        assert_eq!(veiled("x -----BEGIN PRIVATE KEY-----\nMHc"), "x [private key]");
        let late = "MHc\n-----END EC PRIVATE KEY-----\nb\n-----BEGIN PRIVATE KEY-----\nMHc\n-----END PRIVATE KEY-----\nc";
        assert_eq!(veiled(late), "[private key]\nb\n[private key]\nc");
        let public = "MII\n-----END CERTIFICATE-----\nb";
        assert_eq!(veiled(public), public);
        let plain = "kubelet v1.36.3 10.0.0.12:6443 kcs_node_short näher… 节点\t\u{1b}[0m ";
        assert_eq!(veiled(plain), plain);
        assert_eq!(veiled(""), "");
    }
}
