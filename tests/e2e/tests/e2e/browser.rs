//! The same story in a real browser, and every screen looked at by axe.

use crate::dev::{Dev, PASSWORD};
use crate::need_kubernetes;
use std::path::{Path, PathBuf};
use std::process::Command;

fn frontend() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../frontend")
}

fn run(dev: &Dev, script: &str) {
    let output = Command::new("node")
        .arg(format!("e2e/{script}"))
        .current_dir(frontend())
        .env("KCS_URL", &dev.url)
        .env("KCS_PASSWORD", PASSWORD)
        .env("KCS_CLOUD_URL", dev.cloud_url())
        .env("KCS_SCREENS", dev.state.path().join("screens"))
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{text}");
    assert!(output.status.success(), "{script} failed; the last of the program's log:\n{}", dev.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_in_a_browser() {
    need_kubernetes!();
    if !Path::new("/usr/bin/chromium").exists() {
        println!("SKIPPED: {}: there is no Chromium", module_path!());
        return;
    }
    let dev = Dev::start().await;
    dev.sign_in("member-a").await.image_ready().await;
    for script in ["session.mjs", "story.mjs", "faults.mjs"] {
        run(&dev, script);
    }
}
