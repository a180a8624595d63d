//! `docs/security.md` claims only what a test shows: each row of its tables of rules and lessons names tests that are there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use architecture_tests::{root, sources};
use std::collections::BTreeSet;

/// Rules for the gate.
const RULES: u32 = 15;

/// Names of functions in the sources.
fn functions() -> BTreeSet<String> {
    let mut texts = Vec::new();
    for folder in ["backend", "tests/e2e/tests"] {
        sources(&root().join(folder), &mut texts);
    }
    let name = |after: &str| after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    texts.iter().flat_map(|text| text.match_indices("fn ").map(|(at, _)| name(&text[at + 3..])).collect::<Vec<_>>()).collect()
}

#[test]
fn every_rule_and_lesson_has_its_test() {
    let text = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let (_, tables) = text.split_once("## Every answer").unwrap();
    let functions = functions();
    let (mut wrong, mut rules) = (Vec::new(), BTreeSet::new());
    for line in tables.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if cells[0].is_empty() || cells[0].starts_with("---") || cells[0] == "lesson" {
            continue;
        }
        rules.extend(cells[0].strip_prefix('P').and_then(|number| number.parse::<u32>().ok()));
        let named: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            wrong.push(format!("{}: names no test", cells[0]));
        }
        wrong.extend(named.into_iter().filter(|name| !functions.contains(*name)).map(|name| format!("{}: there is no test {name}", cells[0])));
    }
    assert!(wrong.is_empty(), "docs/security.md:\n{}", wrong.join("\n"));
    assert_eq!(rules, (1..=RULES).collect());
}
