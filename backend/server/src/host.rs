//! The name of this machine, as it tells others of itself.

/// `-` where it has none.
#[must_use]
pub fn name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").ok().and_then(|name| name.split_whitespace().next().map(str::to_owned));
    host.unwrap_or_else(|| "-".to_owned())
}
