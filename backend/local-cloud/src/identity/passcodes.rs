//! Passcodes as authenticators show them (RFC 6238: SHA-1, six digits, thirty seconds).

use totp_rs::{Builder, Secret};

const STEP: u64 = 30;

/// What an authenticator with this seed shows; None: the seed is not in base 32, or too short.
pub(crate) fn shown(seed: &str, at_ms: u64) -> Option<String> {
    let secret = Secret::try_from_base32(seed.trim_end_matches('=')).ok()?;
    let totp = Builder::new().with_secret(secret).build().ok()?;
    Some(totp.generate(at_ms / 1000).to_string())
}

/// As Keystone does it: the passcode of now, or the one before, for whoever types slowly.
pub(crate) fn good(seed: &str, passcode: &str, at_ms: u64) -> bool {
    let before = at_ms.saturating_sub(STEP * 1000);
    [at_ms, before].into_iter().any(|at| shown(seed, at).is_some_and(|shown| shown == passcode))
}

/// A seed of these bytes.
pub(crate) fn seed(bytes: &[u8]) -> String {
    Secret::from(bytes).to_base32()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passcodes_are_those_of_the_rfc_and_good_for_a_minute_at_most() {
        // Appendix B, shortened to six digits.
        let seed = seed(b"12345678901234567890");
        assert_eq!(seed, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(shown(&seed, at * 1000).as_deref(), Some(code));
            assert!(good(&seed, code, at * 1000) && good(&seed, code, (at + STEP) * 1000) && !good(&seed, code, (at + 2 * STEP) * 1000));
        }
        assert!(!good(&seed, "", 59_000) && shown("not base 32!", 59_000).is_none());
    }
}
