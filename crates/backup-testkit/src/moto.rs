//! A KMS like that of AWS, for a test: moto, on this machine.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A running moto with keys in it. It ends when this is dropped, and its keys are gone then.
#[derive(Debug)]
pub struct Moto {
    server: Child,
    url: String,
    arns: Vec<String>,
}

impl Moto {
    /// Starts one, and makes so many symmetric keys.
    #[must_use]
    pub fn start(keys: usize) -> Self {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/venv/bin/python");
        let mut server = Command::new(&python)
            .args(["-c", PROGRAM, &keys.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; {SET_UP}", python.display()));
        let stdout = server.stdout.take().expect("its output is a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("it says where it is");
        let mut words = line.split_whitespace().map(str::to_owned);
        let url = words.next().unwrap_or_else(|| panic!("moto does not start; {SET_UP}"));
        Self { server, url, arns: words.collect() }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The names of its keys.
    #[must_use]
    pub fn arns(&self) -> &[String] {
        &self.arns
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What a program finds its credentials by. moto takes any.
pub const MOTO_CREDENTIALS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// It ends with its input, so that it does not outlive a test that is killed.
const PROGRAM: &str = r#"
import sys, boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
kms = boto3.client("kms", endpoint_url=url, region_name="eu-west-1",
                   aws_access_key_id="test", aws_secret_access_key="test")
arns = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(int(sys.argv[1]))]
print(url, *arns, flush=True)
sys.stdin.read()
"#;

const SET_UP: &str = "`cargo xtask setup` installs what is missing";
