//! The files in `deploy` by which the service is run and watched, by the programs that read them.

#![cfg(target_os = "linux")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use portal_tests::wallets::{TestService, on_runtime};
use serde_json::Value;

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file)
}

fn promtool(arguments: &[&str], file: &Path) {
    let mut promtool = Command::new("promtool");
    let output = promtool.args(arguments).arg(file).output();
    let output = output.expect("this test needs promtool: run `cargo xtask setup`");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn each_alarm_is_raised_by_what_it_is_for_and_none_by_a_service_that_is_well() {
    promtool(&["test", "rules"], &deploy("alerts_test.yml"));
}

#[test]
fn alarms_and_dashboard_ask_for_nothing_that_the_service_does_not_tell() {
    let alarms = fs::read_to_string(deploy("alerts.yml")).unwrap();
    let asked: BTreeSet<_> =
        series(&alarms).union(&series(&queries().join("\n"))).cloned().collect();
    let told = told();
    let missing: Vec<_> = asked.difference(&told).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let unwatched: Vec<_> = told.difference(&asked).collect();
    assert!(unwatched.is_empty(), "nothing watches {unwatched:?}");
}

#[test]
fn what_the_dashboard_asks_for_is_what_prometheus_reads() {
    let rules = queries().into_iter().enumerate().map(|(number, query)| {
        let query = serde_json::to_string(&query).unwrap();
        format!("      - {{ record: \"query:{number}\", expr: {query} }}\n")
    });
    let file = tempfile::NamedTempFile::with_suffix(".yml").unwrap();
    let rules: String = rules.collect();
    fs::write(&file, format!("groups:\n  - name: dashboard\n    rules:\n{rules}")).unwrap();
    promtool(&["check", "rules"], file.path());
}

#[test]
fn the_unit_is_one_that_systemd_runs_and_leaves_the_service_little_to_do_harm_with() {
    let folder = tempfile::tempdir().unwrap();
    let unit = fs::read_to_string(deploy("portal.service")).unwrap();
    // The program is not where it will be.
    let unit = unit.replace("/usr/local/bin/portal", "/bin/true");
    let path = folder.path().join("portal.service");
    fs::write(&path, unit).unwrap();
    for arguments in [
        &["verify", "--man=no"][..],
        // Of 100; a service of which nothing is said has 96.
        &["security", "--no-pager", "--offline=yes", "--threshold=20"],
    ] {
        let mut analyze = Command::new("systemd-analyze");
        let output = analyze.args(arguments).arg(&path).output();
        let output = output.expect("this test needs systemd-analyze: run `cargo xtask setup`");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert!(!said.contains(path.to_str().unwrap()), "{arguments:?}: {said}");
    }
}

/// What the dashboard asks for.
fn queries() -> Vec<String> {
    let json: Value = serde_json::from_slice(&fs::read(deploy("dashboard.json")).unwrap()).unwrap();
    let panels = json["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// The metrics that are named in this text, without what is added to their names for each series.
fn series(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let metrics = words.filter(|word| word.starts_with("portal_"));
    let base = |name: &str| {
        let ends = ["_total", "_bucket", "_count", "_sum"];
        ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    metrics.map(base).collect()
}

/// The metrics that a service tells of.
fn told() -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    on_runtime(async {
        let metrics = Some(([127, 0, 0, 1], 0).into());
        let service = TestService::start_with(|options| options.metrics = metrics).await;
        // How long requests take is told from the first one on.
        reqwest::get(format!("{}/health", service.url())).await.unwrap();
        let address = service.running().metrics_address().unwrap();
        let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
        let text = text.text().await.unwrap();
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        told.extend(types.filter_map(|line| line.split(' ').next()).map(str::to_owned));
    });
    told
}
