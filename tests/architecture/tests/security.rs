//! `docs/security.md` claims only what a test shows: each row of its tables of rules and lessons names tests that are there and are run, and no lesson
//! is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use architecture_tests::{root, sources};
use std::collections::BTreeSet;

/// Rules for the gate.
const RULES: u32 = 15;

/// How the line above a test begins.
const MARKS: [&str; 4] = ["#[test]", "#[tokio::test]", "#[tokio::test(", "#[actix_web::test]"];

/// What went wrong elsewhere, of which each must have its row.
#[rustfmt::skip]
const LESSONS: [&str; 75] = [
    // Rancher.
    "CVE-2021-36776", "CVE-2021-31999", "CVE-2025-54468", "GHSA-mjcp-rj3c-36fr", "CVE-2021-25320",
    "CVE-2021-36782", "CVE-2021-36783", "CVE-2022-43757", "CVE-2022-45157", "CVE-2023-32191", "CVE-2024-22032",
    "CVE-2021-25318", "CVE-2021-36775", "CVE-2021-36784", "CVE-2022-31247", "CVE-2019-14436",
    "CVE-2023-22648", "CVE-2023-22650", "GHSA-c45c-39f6-6gw9", "CVE-2022-43755",
    "CVE-2019-13209", "CVE-2019-14435", "CVE-2019-12274", "CVE-2022-21953", "CVE-2024-22036", "CVE-2023-22649", "CVE-2023-22651", "CVE-2025-23388",
    "CVE-2025-23389", "CVE-2022-43760", "CVE-2023-32192", "CVE-2023-32193", "CVE-2024-52281",
    // KubeSphere, kubernetes-dashboard, Headlamp.
    "CVE-2024-46528", "kubesphere PR 6253", "kubesphere #3041", "ks-installer PR 1592", "CVE-2018-18264", "CVE-2025-14269", "GHSA-34rf-485x-g5h7",
    // Gardener.
    "CVE-2025-47282", "CVE-2025-47283", "CVE-2025-47284", "CVE-2025-59823", "CVE-2025-67508",
    // Kubernetes and its images.
    "CVE-2018-1002105", "CVE-2018-1002102", "CVE-2020-8559", "CVE-2020-8562", "CVE-2022-3172", "CVE-2022-3294", "kubernetes #119270", "kubernetes #119631",
    "CVE-2024-9486", "CVE-2024-9594",
    // OpenStack.
    "CVE-2016-7404", "CVE-2024-28718", "OSSA-2020-003", "OSSA-2020-004", "OSSA-2020-005", "OSSA-2021-003", "OSSA-2023-003", "CVE-2023-2088", "OSSA-2024-005",
    "CVE-2024-53916", "OSSA-2025-002", "CVE-2025-65073", "OSSA-2026-001", "CVE-2026-22797", "OSSA-2026-005", "OSSA-2026-006", "CVE-2026-40212",
    "OSSA-2026-007", "OSSA-2026-009", "CVE-2026-43002",
];

/// How the line begins by which a test is run by nobody who does not ask for it.
const LEFT_OUT: &str = "#[ignore";

/// The functions of a text that are run as tests.
fn tests_in(text: &str) -> BTreeSet<String> {
    let (mut found, mut marked, mut left_out) = (BTreeSet::new(), false, false);
    for line in text.lines().map(str::trim) {
        if MARKS.iter().any(|mark| line.starts_with(mark)) {
            marked = true;
        } else if line.starts_with(LEFT_OUT) {
            left_out = true;
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            if let Some((_, after)) = line.split_once("fn ").filter(|_| marked && !left_out) {
                found.insert(after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
            }
            (marked, left_out) = (false, false);
        }
    }
    found
}

/// Names of tests in the sources.
fn tests() -> BTreeSet<String> {
    let mut texts = Vec::new();
    for folder in ["backend", "tests/e2e/tests", "tests/architecture/tests"] {
        sources(&root().join(folder), &mut texts);
    }
    texts.iter().flat_map(|text| tests_in(text)).collect()
}

/// The cells of the tables' rows of a text, without those of their heads.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with('|')).map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    rows.filter(|cells| !cells[0].is_empty() && !cells[0].starts_with("---") && cells[0] != "lesson")
}

#[test]
fn only_functions_that_are_run_are_tests() {
    let text = concat!(
        "#[test]\nfn one() {}\nfn two() {}\n#[tokio::test(flavor = \"x\")]\n#[allow(x)]\n// why\nasync fn three() {}\n#[test]\nstruct S;\nfn four() {}\n",
        "#[test]\n#[ignore = \"why\"]\nfn five() {}\n#[ignore]\n#[tokio::test]\nasync fn six() {}\n#[test]\nfn seven() {}",
    );
    assert_eq!(tests_in(text), ["one", "three", "seven"].map(str::to_owned).into());
}

#[test]
fn every_rule_and_lesson_has_its_test() {
    let text = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let (_, tables) = text.split_once("## Every answer").unwrap();
    let tests = tests();
    let (mut wrong, mut rules) = (Vec::new(), BTreeSet::new());
    for cells in rows(tables) {
        rules.extend(cells[0].strip_prefix('P').and_then(|number| number.parse::<u32>().ok()));
        let named: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            wrong.push(format!("{}: names no test", cells[0]));
        }
        wrong.extend(named.into_iter().filter(|name| !tests.contains(*name)).map(|name| format!("{}: there is no test {name}", cells[0])));
    }
    assert!(wrong.is_empty(), "docs/security.md:\n{}", wrong.join("\n"));
    assert_eq!(rules, (1..=RULES).collect());
}

#[test]
fn no_lesson_is_missing() {
    let text = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let (_, lessons) = text.split_once("## What others learned").unwrap();
    let told: BTreeSet<&str> = rows(lessons).flat_map(|cells| cells[1].split(',').map(str::trim).collect::<Vec<_>>()).collect();
    let missing: Vec<&str> = LESSONS.into_iter().filter(|lesson| !told.contains(lesson)).collect();
    assert!(missing.is_empty(), "docs/security.md has no row for {missing:?}");
}
