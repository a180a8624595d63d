//! Which node images can boot: what the recipe in `tests/kubernetes` has put into the cache, and how far it is with the rest.

use std::fs;
use std::path::{Path, PathBuf};

/// The versions there are node images of, newest first.
pub const VERSIONS: [&str; 2] = ["v1.36.3", "v1.35.4"];

/// Where the Kubernetes binaries are, or will be: `KCS_KUBERNETES_DIR`, else the recipe's cache.
pub fn kubernetes_dir() -> PathBuf {
    set("KCS_KUBERNETES_DIR").or_else(|| set("KCS_KUBERNETES_CACHE")).unwrap_or_else(|| cache().join("kubernetes"))
}

/// Where full guests' node image is, or will be.
pub fn nodes_dir() -> PathBuf {
    set("NODES_DIR").unwrap_or_else(|| cache().join("nodes"))
}

fn cache() -> PathBuf {
    set("XDG_CACHE_HOME").unwrap_or_else(|| set("HOME").unwrap_or_default().join(".cache")).join("kcs")
}

fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

pub fn all_ready(cache: &Path) -> bool {
    VERSIONS.iter().all(|version| ready(cache, version))
}

/// Per version: per cent done, ready.
pub fn images(cache: &Path) -> Vec<(String, u8, bool)> {
    VERSIONS.iter().map(|version| image(cache, version)).collect()
}

/// Whether guests of this version can boot.
pub fn ready(cache: &Path, version: &str) -> bool {
    built(cache, version) && built(cache, "tools")
}

fn image(cache: &Path, version: &str) -> (String, u8, bool) {
    let ready = ready(cache, version);
    let percent = if ready { 100 } else { (percent(cache, version) * 3 + percent(cache, "tools")) / 4 };
    (version.to_owned(), u8::try_from(percent).unwrap_or(99).min(if ready { 100 } else { 99 }), ready)
}

fn built(cache: &Path, part: &str) -> bool {
    cache.join(part).join(".built").exists()
}

/// What the recipe noted in `progress/<part>`: a number from 0 to 100.
fn percent(cache: &Path, part: &str) -> u32 {
    if built(cache, part) {
        return 100;
    }
    let note = fs::read_to_string(cache.join("progress").join(part)).unwrap_or_default();
    note.trim().parse::<u32>().unwrap_or(0).min(99)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::images;
    use std::fs;

    #[test]
    fn tells_how_far_each_version_is() {
        let cache = std::env::temp_dir().join(format!("kcs-images-{}", uuid::Uuid::new_v4()));
        for part in ["v1.36.3", "tools", "progress"] {
            fs::create_dir_all(cache.join(part)).unwrap();
        }
        fs::write(cache.join("v1.36.3/.built"), "").unwrap();
        fs::write(cache.join("progress/tools"), "40\n").unwrap();
        fs::write(cache.join("progress/v1.35.4"), "nonsense").unwrap();
        assert_eq!(images(&cache), [("v1.36.3".to_owned(), 85, false), ("v1.35.4".to_owned(), 10, false)]);
        fs::write(cache.join("tools/.built"), "").unwrap();
        assert_eq!(images(&cache), [("v1.36.3".to_owned(), 100, true), ("v1.35.4".to_owned(), 25, false)]);
        fs::remove_dir_all(cache).unwrap();
    }
}
