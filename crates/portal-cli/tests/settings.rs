//! Settings of the service: by file, environment and flags, through the real binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/world.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod world;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::world::{FREE_PORT, Ran, portal};

/// A folder with a file of settings.
struct Place {
    folder: TempDir,
    file: PathBuf,
}

impl Place {
    fn of(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portal.toml");
        fs::write(&file, settings).unwrap();
        Self { folder, file }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = portal();
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command(arguments);
        Ran::of(command.envs(variables.iter().copied()).output().unwrap())
    }

    /// What is said against these settings.
    fn refusal(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let ran = self.run(arguments, variables);
        assert_eq!(ran.code, Some(2), "{}", ran.said());
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
        ran.stderr
    }
}

#[test]
fn flags_are_above_the_environment_and_that_is_above_the_file_and_each_says_so() {
    let place =
        Place::of("data = \"folder\"\ngrace = \"1d\"\nlisten = \"127.0.0.1:1\"\nproxies = 2\n");
    let variables = [("PORTAL_SERVE_GRACE", "2d"), ("PORTAL_SERVE_LISTEN", "127.0.0.1:2")];
    let arguments =
        ["config", "show", "--config", "portal.toml", "--listen", "127.0.0.1:3", "--json"];
    let shown = place.run(&arguments, &variables).json();
    for (key, value, from) in [
        ("data", "folder", "portal.toml:1"),
        ("proxies", "2", "portal.toml:4"),
        ("grace", "2d", "PORTAL_SERVE_GRACE"),
        ("listen", "127.0.0.1:3", "--listen"),
        ("drain", "0s", "default"),
    ] {
        assert_eq!((&shown[key]["value"], &shown[key]["from"]), (&value.into(), &from.into()));
    }
    assert_eq!(shown["backup-with-portal"]["value"], Value::Null);
}

#[test]
fn what_is_shown_is_a_file_of_the_same_settings() {
    let place = Place::of("data = \"/srv/portal\"\nkey-rate = 7\nmetrics = \"127.0.0.1:9464\"\n");
    let shown = |file: &str| place.run(&["config", "show", "--config", file], &[]).stdout;
    let first = shown("portal.toml");
    fs::write(place.folder.path().join("again.toml"), &first).unwrap();
    let values = |text: &str| -> Vec<_> {
        text.lines().map(|line| line.split('#').next().unwrap().trim().to_owned()).collect()
    };
    assert_eq!(values(&shown("again.toml")), values(&first));
    assert!(values(&first).contains(&"key-rate = \"7\"".to_owned()), "{first}");
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place_and_what_is_allowed() {
    let place = Place::of("data = \"x\"\nlisten = \"nowhere\"\n\nlisen = 1\ngrace = 1.5\n");
    let variables = [
        ("PORTAL_SERVE_LONGEST_EJECT", "4m"),
        ("PORTAL_SERVE_PROXIES", "many"),
        ("PORTAL_SERVE_DATE", "x"),
        ("PORTAL_LOG", "a=b=c"),
    ];
    let check = ["config", "check", "portal.toml", "--log-format", "xml"];
    let said = place.refusal(&check, &variables);
    for expected in [
        "portal.toml:2: listen cannot be \"nowhere\"; it is an address and a port",
        "portal.toml:4: there is no key \"lisen\"; there are data, listen,",
        "portal.toml:5: grace is neither text nor number; it is a number and a unit",
        "PORTAL_SERVE_LONGEST_EJECT: longest-eject cannot be \"4m\"; it is a number",
        "PORTAL_SERVE_PROXIES: proxies cannot be \"many\"; it is a number from 0 to 16",
        "PORTAL_SERVE_DATE: there is no such variable; there are PORTAL_SERVE_DATA,",
        "PORTAL_LOG: log cannot be",
        "--log-format: log-format cannot be \"xml\"; it is text or json",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(said.lines().count(), 9, "{said}");
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_line() {
    let place = Place::of("data = \"x\"\ngrace = 30d\n");
    let said = place.refusal(&["config", "check", "portal.toml"], &[]);
    assert!(said.contains("portal.toml:2: "), "{said}");
    let place = Place::of("data = \"x\"\ndata = \"y\"\n");
    let said = place.refusal(&["config", "check", "portal.toml"], &[]);
    assert!(said.contains("portal.toml:2: "), "{said}");
    let ran = place.run(&["config", "check", "not-there.toml"], &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.said());
}

#[test]
fn what_is_overruled_must_be_right_all_the_same_and_the_whole_must_fit_together() {
    let place = Place::of("data = \"x\"\ngrace = \"soon\"\n");
    let overruled = ["serve", "--config", "portal.toml", "--grace", "1d"];
    assert!(place.refusal(&overruled, &[]).contains("portal.toml:2: grace"));
    let both = ["config", "check", "--listen", "127.0.0.1:7", "--metrics", "127.0.0.1:7"];
    let said = place.refusal(&both, &[]);
    assert!(said.contains("data is not given"), "{said}");
    assert!(said.contains("listen and metrics are both"), "{said}");
}

#[test]
fn a_service_runs_by_a_file_beside_its_folder_and_logs_in_json_with_the_callers_trace_id() {
    let place = Place::of(&format!(
        "data = \"folder\"\nlisten = \"{FREE_PORT}\"\nmetrics = \"{FREE_PORT}\"\n\
         log-format = \"json\"\n"
    ));
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = portal();
    command.current_dir(elsewhere.path()).env("PORTAL_SERVE_CONFIG", &place.file);
    command.args(["serve", "--json", "--until-stdin-closes"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut service = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert!(place.folder.path().join("folder").join("portal.db").exists());
    let id = "6d1f4c7e-2f0a-4f2b-9c3d-5e8a7b6c1d20";
    let address = |name: &str| ready[name].as_str().unwrap().strip_prefix("http://").unwrap();
    assert!(get(address("url"), "/ready", id).contains("ready"));
    let metrics = get(address("metricsUrl"), "/metrics", id);
    assert!(metrics.contains("portal_request_seconds_count"), "{metrics}");
    drop(service.stdin.take());
    let output = service.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered = lines.iter().find(|line| line["trace"] == id).expect(&log);
    assert_eq!((&answered["route"], &answered["status"]), (&"/ready".into(), &200.into()));
    assert!(answered["micros"].is_u64(), "{answered}");
}

/// An answer, with its head.
fn get(address: &str, path: &str, trace: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    write!(stream, "{head}x-portal-trace-id: {trace}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
