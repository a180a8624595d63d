//! `docs/reliability.md` and the tests say the same: each of the 64 fault cases has a test of its own at a level that is wanted for it, or is named there
//! with the reason why not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use architecture_tests::{root, sources};
use std::collections::{BTreeMap, BTreeSet};

const CASES: u32 = 64;
/// Cases that may wait for parts that are not built yet.
const MAY_WAIT: usize = 6;

/// Where the tests of each level are.
const LEVELS: [(char, &[&str]); 7] = [
    ('R', &["backend/domain"]),
    ('F', &["backend/reconciler/tests"]),
    ('P', &["backend/cloud-openstack/tests"]),
    ('L', &["tests/openstack"]),
    ('K', &["tests/e2e", "tests/nodes"]),
    ('D', &["backend/store/tests", "backend/reconciler/tests", "tests/e2e"]),
    ('S', &["backend/server/tests", "backend/kube-access/tests"]),
];

/// The levels that show a case best, the first case's first: a test at one of them is wanted. R shows what is decided, never what becomes of it.
const WANTED: [&str; CASES as usize] = [
    "FP", "P", "P", "F", "P", "P", "P", "P", "F", "P", "F", "F", "L", "P", "P", // the cloud's answers
    "L", "L", "L", "L", "F", "L", "F", // identity
    "L", "F", "L", "L", "L", "L", // quota and capacity
    "L", "K", "L", "LF", "F", "F", "F", "L", "F", "K", "L", "L", "L", // objects' states
    "F", "F", "D", "D", "D", "D", "D", "D", "D", "D", "D", // our processes and the database
    "K", "KL", "F", "K", "K", "K", "K", "F", "K", "L", // the cluster
    "S", "S", // hostile input
];

/// Cases that have no such test: each has its reason in the document's last table, and leaves both lists with its test.
const SHOWN_OTHERWISE: &[u32] = &[61];

/// Cases that are about what a node itself does: a stand-in for the kubelet shows what KCS makes of them, not what they are. A test on nodes that really
/// boot is wanted besides.
const REAL_NODES: [u32; 4] = [30, 38, 54, 57];

/// The names `case_12_what_happens` that stand in a text, with the number.
fn names(text: &str) -> impl Iterator<Item = (u32, String)> {
    text.match_indices("case_").filter_map(|(at, _)| {
        let whole = at == 0 || !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let name: String = text[at..].chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_').collect();
        let number = name.strip_prefix("case_")?.split('_').next()?.parse().ok()?;
        whole.then_some((number, name))
    })
}

/// Tests as they are written below these directories: `fn case_…` in Rust, `def case_…` in Python, `case_…()` or a step of that name in scripts.
fn tests(directories: &[&str]) -> BTreeMap<u32, BTreeSet<String>> {
    let mut texts = Vec::new();
    for directory in directories {
        sources(&root().join(directory), &mut texts);
    }
    let mut tests: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for (number, name) in texts.iter().flat_map(|t| names(t)) {
        tests.entry(number).or_default().insert(name);
    }
    tests
}

/// The cells of the document's rows that begin with a number, and have so many.
fn rows(cells: usize) -> BTreeMap<u32, Vec<String>> {
    let text = std::fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let row: Vec<String> = line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        Some((row.first()?.parse().ok()?, row))
    });
    rows.filter(|(_, row)| row.len() == cells).collect()
}

/// The last cell of each row `| 12 | fault | what is done | tests |`.
fn told() -> BTreeMap<u32, String> {
    rows(4).into_iter().map(|(case, mut row)| (case, row.remove(3))).collect()
}

/// The levels and names of a cell: F `case_…`, L `case_…`.
fn levels(cell: &str) -> impl Iterator<Item = (char, String)> {
    names(cell).filter_map(move |(_, name)| {
        let before = cell.split_once(&format!("`{name}`"))?.0;
        Some((before.trim_end().chars().next_back()?, name))
    })
}

#[test]
fn every_fault_case_has_its_test() {
    let (rows, tests) = (told(), tests(&["backend", "tests", "frontend/e2e"]));
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

#[test]
fn every_fault_case_is_shown_at_a_level_that_is_wanted() {
    let by_level: BTreeMap<char, _> = LEVELS.iter().map(|(level, directories)| (*level, tests(directories))).collect();
    let (told, reasons) = (told(), rows(3));
    let mut wrong = Vec::new();
    for (case, wanted) in (1..=CASES).zip(WANTED) {
        let shown: Vec<(char, String)> = told.get(&case).into_iter().flat_map(|cell| levels(cell)).collect();
        for (level, name) in &shown {
            if !by_level.get(level).and_then(|tests| tests.get(&case)).is_some_and(|names| names.contains(name)) {
                wrong.push(format!("case {case}: {name} is no test of level {level}"));
            }
        }
        let as_wanted = shown.iter().any(|(level, _)| wanted.contains(*level));
        match (as_wanted, SHOWN_OTHERWISE.contains(&case), reasons.get(&case)) {
            (false, false, _) => wrong.push(format!("case {case} has no test at a level of {wanted}")),
            (true, true, _) | (true, _, Some(_)) => {
                wrong.push(format!("case {case} has a test at a level of {wanted}: it is shown otherwise no more"))
            }
            (false, true, None) => wrong.push(format!("case {case} has no reason why it is shown otherwise")),
            (false, true, Some(row)) if row[1].replace(", ", "") != wanted || row[2].is_empty() => {
                wrong.push(format!("case {case} is wanted at {wanted}, and its row does not say so, or not why it is shown otherwise"));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "docs/reliability.md:\n{}", wrong.join("\n"));
}

#[test]
fn what_needs_a_real_node_is_shown_on_full_nodes() {
    let (told, on_nodes) = (told(), tests(&["tests/nodes"]));
    let mut wrong = Vec::new();
    for case in REAL_NODES {
        let Some(there) = on_nodes.get(&case) else {
            wrong.push(format!("case {case} needs a real node, and has no test in tests/nodes"));
            continue;
        };
        let named: BTreeSet<String> = told.get(&case).into_iter().flat_map(|cell| levels(cell)).map(|(_, name)| name).collect();
        wrong.extend(there.difference(&named).map(|name| format!("case {case}: {name} is in tests/nodes but not in its row")));
    }
    assert!(wrong.is_empty(), "docs/reliability.md:\n{}", wrong.join("\n"));
}
