//! Rules of text and files that no other tool knows. Long files are named, all else fails.

use std::collections::HashSet;

use anyhow::{Result, bail};
use cargo_metadata::Package;
use xshell::cmd;

use super::rules;
use crate::workspace::Workspace;

const LONG_FILE: usize = 500;
const LONG_LINE: usize = 100;

/// A crate's documentation may be its README.
const OPENINGS: &[&str] = &["//!", "#![doc = include_str!("];

/// Written in two parts, for this file is tidied too.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("#[ig", "nore")];

/// What is true of one machine only: where it keeps its files, and which registry it reaches.
const OF_ONE_MACHINE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("py", "pi.org"),
    concat!("python", "hosted.org"),
    concat!("registry.", "npmjs"),
    concat!("deb.", "debian.org"),
];

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let mut problems: Vec<_> = workspace.published().flat_map(of_package).collect();
    let mut tests = HashSet::new();
    for path in cmd!(workspace.sh, "git ls-files").quiet().read()?.lines() {
        // Not text, or removed and not yet committed: nothing to tidy.
        let Ok(text) = workspace.sh.read_file(path) else { continue };
        problems.extend(of_file(path, &text).into_iter().map(|problem| format!("{path}{problem}")));
        name_long_file(path, &text);
        if is_rust(path) {
            tests.extend(rules::tests_in(&text));
        }
    }
    problems.extend(rules::problems(&workspace.sh.read_file(rules::TABLE)?, &tests));
    if !problems.is_empty() {
        bail!("not tidy:\n  {}", problems.join("\n  "));
    }
    Ok(())
}

fn of_package(package: &Package) -> Vec<String> {
    let mut problems = Vec::new();
    if package.description.is_none() {
        problems.push(format!("{} has no description", package.name));
    }
    if !package.manifest_path.with_file_name("README.md").exists() {
        problems.push(format!("{} has no README.md", package.name));
    }
    problems
}

fn name_long_file(path: &str, text: &str) {
    let lines = text.lines().count();
    if is_rust(path) && lines > LONG_FILE {
        println!("{path} has {lines} lines; could it be two files?");
    }
}

fn of_file(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if is_rust(path) && !OPENINGS.iter().any(|opening| text.starts_with(opening)) {
        problems.push(": does not open with a //! line".to_owned());
    }
    for (line, number) in text.lines().zip(1..) {
        let of_line = of_line(path, line).into_iter();
        problems.extend(of_line.map(|problem| format!(":{number}: {problem}")));
    }
    problems
}

fn of_line(path: &str, line: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if is_ours(path) && line.trim_end() != line {
        problems.push("white space at the end".to_owned());
    }
    if is_rust(path) && line.chars().count() > LONG_LINE && !line.contains("://") {
        problems.push(format!("over {LONG_LINE} columns"));
    }
    if is_code(path) {
        let found = UNFINISHED.iter().filter(|word| line.contains(**word));
        problems.extend(found.map(|word| format!("{word}: finish it, or write it down elsewhere")));
    }
    let found = OF_ONE_MACHINE.iter().filter(|word| line.contains(**word));
    problems.extend(found.map(|word| format!("{word} is true of one machine only")));
    problems
}

fn is_rust(path: &str) -> bool {
    has_ending(path, &["rs"])
}

fn is_code(path: &str) -> bool {
    has_ending(path, &["rs", "py", "js", "mjs", "ts", "html", "sql", "sh", "toml", "run"])
}

/// Test vectors of others are kept as they came.
fn is_ours(path: &str) -> bool {
    is_code(path) || has_ending(path, &["md", "yml", "css"])
}

fn has_ending(path: &str, endings: &[&str]) -> bool {
    path.rsplit(['.', '/']).next().is_some_and(|ending| endings.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::{OF_ONE_MACHINE, UNFINISHED, of_file};

    #[test]
    fn a_tidy_file_has_no_problem() {
        assert_eq!(of_file("a.rs", "//! What it is.\n\nfn f() {}\n"), Vec::<String>::new());
    }

    #[test]
    fn a_rust_file_opens_with_what_it_is() {
        assert_eq!(of_file("a.rs", "fn f() {}\n"), [": does not open with a //! line"]);
        assert!(of_file("a.rs", "#![doc = include_str!(\"../README.md\")]\n").is_empty());
        assert!(of_file("a.py", "def f(): pass\n").is_empty());
    }

    #[test]
    fn unfinished_code_is_found_in_its_line() {
        for word in UNFINISHED {
            let problems = of_file("a.rs", &format!("//! It.\n// {word}\n"));
            assert!(problems[0].starts_with(":2: "), "{word}: {problems:?}");
        }
    }

    #[test]
    fn what_is_true_of_one_machine_is_found_in_any_text() {
        for word in OF_ONE_MACHINE {
            assert_eq!(of_file("notes.txt", word).len(), 1, "{word}");
        }
    }

    #[test]
    fn white_space_at_the_end_of_a_line_is_found_but_not_in_vectors_of_others() {
        assert_eq!(of_file("a.md", "x \n"), [":1: white space at the end"]);
        assert!(of_file("wycheproof.json", "x \n").is_empty());
    }

    #[test]
    fn a_line_over_a_hundred_columns_is_found_unless_it_is_an_address() {
        let long = "x".repeat(101);
        assert_eq!(of_file("a.rs", &format!("//! {long}\n")), [":1: over 100 columns"]);
        assert!(of_file("a.rs", &format!("//! https://{long}\n")).is_empty());
    }
}
