//! A service of its own, and devices of one user, all of them processes of the real binary.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "seven teal lanterns drift";
pub(crate) const FREE_PORT: &str = "127.0.0.1:0";
pub(crate) const WRONG: &str = "open sesame please";

/// A folder with a service that runs until this is dropped.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    pub(crate) custodian_key_file: PathBuf,
    /// What commands find in their environment.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    service: Child,
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn portal() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
    command.env_remove("PORTAL_PROFILE").env_remove("PORTAL_LOG");
    command
}

impl World {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), Vec::new())
    }

    /// The same, in a folder in which the service and all commands find this environment.
    pub(crate) fn start_in(folder: TempDir, environment: Vec<(&'static str, OsString)>) -> Self {
        let (service, ready) = serve(&folder.path().join("service"), FREE_PORT, &environment);
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        let (url, custodian_key_file) = (text("url"), text("custodianKeyFile").into());
        let world = Self { folder, url, custodian_key_file, environment, service };
        world.write("password", PASSWORD);
        world.write("wrong", WRONG);
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: &str) {
        fs::write(self.path(name), contents).unwrap();
    }

    /// Runs a command in the world's folder, with the profile of this name.
    pub(crate) fn run(&self, profile: &str, arguments: &[&str]) -> Ran {
        Ran::of(self.command(profile, arguments).output().unwrap())
    }

    /// The same, not run yet.
    pub(crate) fn command(&self, profile: &str, arguments: &[&str]) -> Command {
        let mut command = portal();
        command.current_dir(self.folder.path()).args(arguments);
        command.envs(self.environment.iter().cloned());
        command.env("PORTAL_PROFILE", self.path(profile));
        command
    }

    /// The JSON of a command that has to succeed.
    pub(crate) fn json(&self, profile: &str, arguments: &[&str]) -> Value {
        let ran = self.run(profile, &[arguments, &["--json"]].concat());
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        ran.json()
    }

    pub(crate) fn new_client(&self, profile: &str) -> Value {
        let key_file = self.custodian_key_file.to_str().unwrap();
        self.json(
            profile,
            &["client", "new", "--service", &self.url, "--custodian-key-file", key_file],
        )
    }

    /// Takes a client to another profile, with the API key in this file.
    pub(crate) fn import_client(&self, profile: &str, client: &Value, api_key_file: &str) -> Value {
        let text = |name: &str| client[name].as_str().unwrap();
        self.json(
            profile,
            &[
                "client",
                "import",
                "--service",
                &self.url,
                "--custodian",
                text("custodian"),
                "--client",
                text("client"),
                "--api-key-file",
                api_key_file,
            ],
        )
    }

    /// Ends the service as its operator does, and says how it ended.
    pub(crate) fn stop_service(&mut self) -> Option<i32> {
        drop(self.service.stdin.take());
        self.service.wait().unwrap().code()
    }

    /// Starts it again where it was.
    pub(crate) fn restart_service(&mut self) {
        let address = self.url.strip_prefix("http://").unwrap();
        (self.service, _) = serve(&self.path("service"), address, &self.environment);
    }
}

/// Starts a service that ends when its standard input is closed.
pub(crate) fn serve(data: &Path, listen: &str, environment: &[(&str, OsString)]) -> (Child, Value) {
    let mut service = portal()
        .envs(environment.iter().cloned())
        .args(["serve", "--json", "--until-stdin-closes", "--listen", listen, "--data"])
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {line:?}"));
    (service, ready)
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.service.stdin.take());
        let _ = self.service.wait();
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output, which must be one JSON object and nothing else.
    pub(crate) fn json(&self) -> Value {
        let json: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr));
        assert!(json.is_object(), "{json}");
        json
    }

    pub(crate) fn error_kind(&self) -> String {
        self.json()["error"]["kind"].as_str().unwrap().to_owned()
    }

    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}
