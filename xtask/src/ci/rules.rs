//! The rules that protect wallets, each with tests that fail without it: that those tests exist.

use std::collections::HashSet;

/// Rules in a table, their tests in its last column.
pub(super) const TABLE: &str = "docs/rules.md";

/// What is wrong with the table, given the names of all tests.
pub(super) fn problems(table: &str, tests: &HashSet<String>) -> Vec<String> {
    let rows: Vec<_> = (1..).zip(table.lines()).filter(|(_, line)| is_row(line)).collect();
    if rows.is_empty() {
        return vec![format!("{TABLE} has no rule")];
    }
    let of_row = |(number, line): (usize, &str)| {
        let named: Vec<_> = named(line).collect();
        let mut problems = Vec::new();
        if named.is_empty() {
            problems.push(format!("{TABLE}:{number}: names no test"));
        }
        let unknown = named.into_iter().filter(|name| !tests.contains(*name));
        problems.extend(unknown.map(|name| format!("{TABLE}:{number}: there is no test {name}")));
        problems
    };
    rows.into_iter().flat_map(of_row).collect()
}

/// The names of the tests in the text of a file of Rust.
pub(super) fn tests_in(text: &str) -> impl Iterator<Item = String> {
    let mut is_test = false;
    text.lines().filter_map(move |line| {
        let line = line.trim_start();
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test") || line.contains("::test");
            return None;
        }
        let (before, rest) = line.split_once("fn ")?;
        let is_function = before.is_empty() || before.ends_with(' ');
        let name = rest.split(['(', '<']).next()?;
        (is_function && std::mem::take(&mut is_test)).then(|| name.to_owned())
    })
}

/// Rows but for heads, and for the lines below them.
fn is_row(line: &str) -> bool {
    line.starts_with('|') && !line.starts_with("| rule") && !line.starts_with("|--")
}

/// The names in the last cell, which stand between grave accents.
fn named(row: &str) -> impl Iterator<Item = &str> {
    let cell = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    cell.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "//! Tests.\n\n#[test]\nfn it_holds() {}\n\nfn helper() {}\n\n\
                        #[tokio::test]\n#[cfg(unix)]\nasync fn it_waits() {}\n";

    fn found(table: &str) -> Vec<String> {
        problems(table, &tests_in(FILE).collect())
    }

    #[test]
    fn tests_are_functions_that_are_marked_so() {
        assert_eq!(tests_in(FILE).collect::<Vec<_>>(), ["it_holds", "it_waits"]);
    }

    #[test]
    fn a_rule_names_tests_that_exist() {
        let table = "| rule | test |\n|---|---|\n| It holds. | `it_holds`, `it_waits` |\n";
        assert!(found(table).is_empty());
        let table = table.replace("it_waits", "helper");
        assert_eq!(found(&table), ["docs/rules.md:3: there is no test helper"]);
    }

    #[test]
    fn a_rule_without_a_test_and_a_table_without_a_rule_are_found() {
        assert_eq!(found("| `it_holds` | none |\n"), ["docs/rules.md:1: names no test"]);
        assert_eq!(found("nothing"), ["docs/rules.md has no rule"]);
    }
}
