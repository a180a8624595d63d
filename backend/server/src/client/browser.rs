//! Opening a page in the person's browser, where there is one.

use std::process::{Command, Stdio};
use url::Url;

/// Tries to; who has no browser here opens the page elsewhere.
pub fn open(page: &str) {
    // What a server sends must not make the desktop start anything but a browser.
    if Url::parse(page).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        drop(Command::new(opener).arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn());
    }
}
