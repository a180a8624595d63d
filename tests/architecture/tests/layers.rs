//! The plan of the house, enforced: arrows between crates point down only, pure crates stay pure, files say what they are for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crate → layer. Two crates of one layer do not see each other.
const LAYERS: [(&str, u8); 12] = [
    ("domain", 0),
    ("local-cloud", 0),
    ("auth", 1),
    ("sealed", 1),
    ("cloud", 1),
    ("bootstrap", 1),
    ("store", 2),
    ("cloud-openstack", 2),
    ("kube-access", 2),
    ("reconciler", 3),
    ("api", 3),
    ("server", 4),
];

/// Crates that decide and never do: no async runtime, no network, no database, no clock of their own.
const PURE: [&str; 3] = ["domain", "auth", "bootstrap"];
const IMPURE: [&str; 12] =
    ["tokio", "reqwest", "sqlx", "kube", "actix-web", "hyper", "futures", "async-trait", "rand", "tempfile", "openssl", "native-tls"];

/// Where programs are started: the browser on a person's own computer, the database of a trial on one machine, and what stops that in tests.
const STARTERS: [&str; 3] = ["server/src/client", "store/src/embedded.rs", "store/src/test_support.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo).args(["metadata", "--format-version", "1", "--no-deps", "--locked"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Crate → its ordinary (not development) dependencies.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|p| {
            let normal = p["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"].is_null());
            (p["name"].as_str().unwrap().to_owned(), normal.map(|d| d["name"].as_str().unwrap().to_owned()).collect())
        })
        .collect()
}

#[test]
fn arrows_point_down_only() {
    let layers: BTreeMap<&str, u8> = LAYERS.into_iter().collect();
    let mut wrong = Vec::new();
    for (name, needs) in dependencies() {
        let Some(layer) = layers.get(name.as_str()) else {
            assert!(name.ends_with("-tests"), "{name} has no layer: add it to LAYERS");
            continue;
        };
        for need in needs {
            if let Some(below) = layers.get(need.as_str())
                && below >= layer
            {
                wrong.push(format!("{name} (layer {layer}) → {need} (layer {below})"));
            }
        }
    }
    assert!(wrong.is_empty(), "upward or sideways: {wrong:#?}");
}

#[test]
fn the_local_cloud_depends_on_nothing_of_ours() {
    let dependencies = dependencies();
    let ours: Vec<_> = dependencies["local-cloud"].iter().filter(|d| LAYERS.iter().any(|(name, _)| name == d)).collect();
    assert!(ours.is_empty(), "it would share our mistakes: {ours:?}");
}

#[test]
fn pure_crates_have_no_means_to_do_anything() {
    let dependencies = dependencies();
    for name in PURE {
        let impure: Vec<_> = dependencies[name].iter().filter(|d| IMPURE.contains(&d.as_str())).collect();
        assert!(impure.is_empty(), "{name} depends on {impure:?}");
    }
}

#[test]
fn only_the_engine_may_change_the_cloud() {
    // The mutating verbs of the port, called anywhere but in the engine and the adapter itself.
    let verbs =
        ["create_server(", "delete_server(", "create_network(", "delete_network(", "create_volume(", "delete_volume(", "create_load_balancer("];
    for crate_name in ["api", "server", "store", "kube-access"] {
        for file in rust_files(&root().join("backend").join(crate_name).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            for verb in verbs {
                assert!(!text.contains(&format!(".{verb}")), "{} calls {verb}", file.display());
            }
        }
    }
}

#[test]
fn what_holds_rights_starts_no_programs() {
    // Neither drivers nor tools: there is no jail to break out of.
    let backend = root().join("backend");
    let exempt = STARTERS.map(|path| backend.join(path));
    for (crate_name, _) in LAYERS.iter().filter(|(name, _)| *name != "local-cloud") {
        for file in rust_files(&backend.join(crate_name).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let ours = text.split("#[cfg(test)]").next().unwrap();
            let starts = ["process::Command", "Command::new("].iter().any(|way| ours.contains(way));
            assert!(!starts || exempt.iter().any(|path| file.starts_with(path)), "{} starts programs", file.display());
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let mut silent = Vec::new();
    for folder in ["backend", "tests"] {
        for file in rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap();
            if !text.starts_with("//! ") {
                silent.push(file.display().to_string());
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "target" && n != "node_modules" && n != ".kcs") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}
