//! What the tests of the house's plan and of its promises share: where the repository is, and the texts of its sources.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use std::path::Path;

/// The repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// All files below `directory` in which tests are written.
pub fn sources(directory: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() {
            if !["target", "node_modules", "dist"].contains(&name.as_str()) && !name.starts_with('.') {
                sources(&path, found);
            }
        } else if [".rs", ".sh", ".py", ".mjs"].iter().any(|end| name.ends_with(end)) && name != "reliability.rs" {
            found.extend(std::fs::read_to_string(&path));
        }
    }
}
