//! Settings of the service: by file, environment and flags, through the real binary.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::world::{FREE_PORT, Ran, portal};

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
        Place::of("data = \"folder\"\ngrace = \"8d\"\nlisten = \"127.0.0.1:1\"\nproxies = 2\n");
    let variables = [("PORTAL_SERVE_GRACE", "9d"), ("PORTAL_SERVE_LISTEN", "127.0.0.1:2")];
    let arguments =
        ["config", "show", "--config", "portal.toml", "--listen", "127.0.0.1:3", "--json"];
    let shown = place.run(&arguments, &variables).json();
    for (key, value, from) in [
        ("data", "folder", "portal.toml:1"),
        ("proxies", "2", "portal.toml:4"),
        ("grace", "9d", "PORTAL_SERVE_GRACE"),
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
fn a_grace_that_is_shorter_than_the_restore_window_is_refused_with_what_to_do() {
    let refusal = |settings: &str| {
        let place = Place::of(&format!("data = \"folder\"\n{settings}\n"));
        let said = place.refusal(&["serve", "--config", "portal.toml"], &[]);
        assert!(!place.folder.path().join("folder").exists(), "nothing was made");
        said
    };
    for settings in [
        "grace = \"0s\"",
        "grace = \"6d\"",
        "restore-window = \"31d\"",
        "grace = \"59m\"\nrestore-window = \"1h\"",
    ] {
        let said = refusal(settings);
        assert!(said.contains("grace is "), "{settings}: {said}");
        assert!(said.contains("make grace as long, or longer"), "{settings}: {said}");
    }
    let said = refusal("grace = \"0s\"\nrestore-window = \"0s\"");
    assert!(said.contains("restore-window cannot be \"0s\"; it is a number and a unit"), "{said}");
    let place = Place::of("data = \"x\"\ngrace = \"1h\"\nrestore-window = \"1h\"\n");
    let ran = place.run(&["config", "check", "portal.toml"], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.said());
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

const ENCLAVE: &str = "data = \"folder\"\n[enclave]\nrelying-party = \"example.com\"\n\
     origins = [\"https://a.example.com\", \"https://b.example.com\"]\n";

#[cfg(feature = "enclave")]
#[test]
fn the_enclave_is_a_section_of_the_file_and_variables_are_above_it() {
    let place = Place::of(ENCLAVE);
    let variables =
        [("PORTAL_SERVE_ENCLAVE_NAME", "Acme"), ("PORTAL_SERVE_ENCLAVE_LISTEN", "127.0.0.1:8081")];
    let show = ["config", "show", "--config", "portal.toml"];
    let shown = place.run(&[&show[..], &["--json"]].concat(), &variables).json();
    for (key, value, from) in [
        ("enclave.relying-party", "example.com", "portal.toml:3"),
        ("enclave.origins", "https://a.example.com,https://b.example.com", "portal.toml:4"),
        ("enclave.name", "Acme", "PORTAL_SERVE_ENCLAVE_NAME"),
        ("enclave.listen", "127.0.0.1:8081", "PORTAL_SERVE_ENCLAVE_LISTEN"),
        ("ceremony-rate", "60", "default"),
    ] {
        assert_eq!((&shown[key]["value"], &shown[key]["from"]), (&value.into(), &from.into()));
    }
    let text = place.run(&show, &variables).stdout;
    fs::write(place.folder.path().join("again.toml"), &text).unwrap();
    let again = ["config", "show", "--config", "again.toml", "--json"];
    let again = place.run(&again, &[]).json();
    assert_eq!(again["enclave.origins"]["value"], shown["enclave.origins"]["value"]);
}

#[cfg(feature = "enclave")]
#[test]
fn an_enclave_that_cannot_run_is_told_before_anything_is_done() {
    let wrong = |more: &str| {
        let place = Place::of(&format!("data = \"folder\"\n[enclave]\n{more}\n"));
        let said = place.refusal(&["config", "check", "portal.toml"], &[]);
        assert!(!place.folder.path().join("folder").exists());
        said
    };
    let said = wrong("origins = [\"https://example.com\"]");
    assert!(said.contains("enclave.relying-party is not"), "{said}");
    let said = wrong("relying-party = \"example.com\"");
    assert!(said.contains("name an origin"), "{said}");
    let said = wrong("relying-party = \"example.com\"\norigins = \"https://example.org\"");
    assert!(said.contains("not of the relying party's domain"), "{said}");
    let said = wrong("relying-parti = \"example.com\"");
    assert!(said.contains("portal.toml:3: there is no key \"enclave.relying-parti\""), "{said}");
    let own = "relying-party = \"localhost\"\norigins = \"http://localhost\"\n\
               listen = \"127.0.0.1:8080\"";
    assert!(wrong(own).contains("where the service listens"));
}

#[cfg(feature = "enclave")]
#[test]
fn a_service_says_where_its_enclave_listens() {
    let place = Place::of(&format!("{ENCLAVE}listen = \"{FREE_PORT}\"\n"));
    let mut command = place.command(&["serve", "--config", "portal.toml", "--listen", FREE_PORT]);
    command.args(["--json", "--until-stdin-closes"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut service = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let address = ready["enclaveUrl"].as_str().unwrap().strip_prefix("http://").unwrap();
    let origins = get(address, "/.well-known/webauthn", "x");
    assert!(origins.ends_with(r#"{"origins":["https://a.example.com","https://b.example.com"]}"#));
    drop(service.stdin.take());
    assert_eq!(service.wait().unwrap().code(), Some(0));
}

#[cfg(not(feature = "enclave"))]
#[test]
fn a_program_without_an_enclave_refuses_its_settings() {
    let said = Place::of(ENCLAVE).refusal(&["config", "check", "portal.toml"], &[]);
    assert!(said.contains("built without enclave"), "{said}");
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
