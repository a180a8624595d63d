//! The guests' scripts: part of the binary, written out so that guests can run them.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const SCRIPTS: [(&str, &str); 4] = [
    ("init.sh", include_str!("scripts/init.sh")),
    ("boot.sh", include_str!("scripts/boot.sh")),
    ("install-kubernetes.sh", include_str!("scripts/install-kubernetes.sh")),
    ("systemctl.sh", include_str!("scripts/systemctl.sh")),
];

/// Writes them into a directory, over those of an earlier version.
pub fn write(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for (name, text) in SCRIPTS {
        let (file, new) = (dir.join(name), dir.join(format!("{name}.new")));
        fs::write(&new, text)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
        fs::rename(&new, &file)?; // a guest may be reading the old one
    }
    Ok(())
}
