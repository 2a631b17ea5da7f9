//! The PostgreSQL that tests start.

use std::process::Command;

use backup_testkit::Postgres;

#[test]
fn a_postgresql_that_crashed_has_what_it_committed_and_ends_when_it_is_dropped() {
    let postgres = Postgres::start();
    let url = postgres.url();
    assert_eq!(ask(&url, "SHOW fsync"), Some("on".to_owned()));
    ask(&url, "CREATE TABLE kept AS SELECT 7 AS number");
    postgres.crash();
    assert_eq!(ask(&url, "SELECT number FROM kept"), None);
    postgres.restart();
    assert_eq!(ask(&url, "SELECT number FROM kept"), Some("7".to_owned()));
    drop(postgres);
    assert_eq!(ask(&url, "SELECT 1"), None);
}

fn ask(url: &str, sql: &str) -> Option<String> {
    let asked = Command::new("psql").args(["-X", "-A", "-t", "-c", sql, url]).output();
    let answer = asked.expect("psql is installed");
    let said = String::from_utf8(answer.stdout).expect("psql says UTF-8");
    answer.status.success().then(|| said.trim().to_owned())
}
