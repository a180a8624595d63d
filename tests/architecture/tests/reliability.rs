//! `docs/reliability.md` and the tests say the same: each of the 64 fault cases has a test of its own, or waits, by name, for a part that is not built.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use architecture_tests::{root, sources};
use std::collections::{BTreeMap, BTreeSet};

const CASES: u32 = 64;
/// Cases that may wait for parts that are not built yet.
const MAY_WAIT: usize = 6;

/// The names `case_12_what_happens` that stand in a text, with the number.
fn names(text: &str) -> impl Iterator<Item = (u32, String)> {
    text.match_indices("case_").filter_map(|(at, _)| {
        let whole = at == 0 || !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let name: String = text[at..].chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_').collect();
        let number = name.strip_prefix("case_")?.split('_').next()?.parse().ok()?;
        whole.then_some((number, name))
    })
}

/// Tests as they are written: `fn case_…` in Rust, `def case_…` in Python, `case_…()` or a step of that name in scripts.
fn tests() -> BTreeMap<u32, BTreeSet<String>> {
    let mut texts = Vec::new();
    for directory in ["backend", "tests", "frontend/e2e"] {
        sources(&root().join(directory), &mut texts);
    }
    let mut tests: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for (number, name) in texts.iter().flat_map(|t| names(t)) {
        tests.entry(number).or_default().insert(name);
    }
    tests
}

/// The rows `| 12 | fault | what is done | tests |` of the document.
fn rows() -> BTreeMap<u32, String> {
    let text = std::fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let cells = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        Some((cells.first()?.parse().ok()?, (*cells.get(3)?).to_owned()))
    });
    cells.collect()
}

#[test]
fn every_fault_case_has_its_test() {
    let (rows, tests) = (rows(), tests());
    let mut wrong = Vec::new();
    let mut waiting = Vec::new();
    for case in 1..=CASES {
        let Some(cell) = rows.get(&case) else {
            wrong.push(format!("case {case} has no row"));
            continue;
        };
        let told: BTreeSet<String> = names(cell).map(|(_, name)| name).collect();
        let there = tests.get(&case).cloned().unwrap_or_default();
        if told.is_empty() && cell.starts_with("waits for ") {
            waiting.push(case);
        } else if told.is_empty() {
            wrong.push(format!("case {case} has no test"));
        }
        wrong.extend(told.difference(&there).map(|t| format!("case {case}: {t} is in the document but not in the code")));
        wrong.extend(there.difference(&told).map(|t| format!("case {case}: {t} is in the code but not in the document")));
    }
    assert!(waiting.len() <= MAY_WAIT, "{} cases wait, at most {MAY_WAIT} may: {waiting:?}", waiting.len());
    assert!(wrong.is_empty(), "docs/reliability.md:\n{}", wrong.join("\n"));
}
