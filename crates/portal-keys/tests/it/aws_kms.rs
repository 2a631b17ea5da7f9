//! AWS KMS as a provider, against moto.

use std::{env, future::Future, net::TcpListener, process::Command};

use backup_core::{DataKey, ErrorKind, KeyContext, KeyEncryption};
use backup_testkit::{KeyEncryptionFixture, MOTO_CREDENTIALS, Moto};
use portal_keys::AwsKmsKey;
use tokio::runtime::Runtime;

struct Kms {
    moto: Moto,
    runtime: Runtime,
}

impl Kms {
    fn key(&self, at: usize) -> AwsKmsKey {
        AwsKmsKey::new(&self.moto.arns()[at], Some(self.moto.url())).unwrap()
    }
}

impl KeyEncryptionFixture for Kms {
    type Provider = AwsKmsKey;

    fn new() -> Self {
        enter();
        Self { moto: Moto::start(2), runtime: Runtime::new().unwrap() }
    }

    fn provider(&self) -> AwsKmsKey {
        self.key(0)
    }

    fn with_another_key(&self) -> AwsKmsKey {
        self.key(1)
    }

    fn with_back_end_away(&self) -> Option<AwsKmsKey> {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{nobody}");
        Some(AwsKmsKey::new(&self.moto.arns()[0], Some(&url)).unwrap())
    }

    fn block_on<T>(&self, rule: impl Future<Output = T>) -> T {
        self.runtime.block_on(rule)
    }
}

mod conformance {
    backup_testkit::key_encryption_conformance!(super::Kms);
}

/// The credentials are found in the environment, as on any machine: the test runs once more in one
/// that has them.
fn enter() {
    if env::var_os(MOTO_CREDENTIALS[0].0).is_some() {
        return;
    }
    let program = env::current_exe().unwrap();
    let mut again = Command::new(program);
    again.args(env::args_os().skip(1)).envs(MOTO_CREDENTIALS).env("AWS_CONFIG_FILE", "/dev/null");
    let status = again.env("AWS_EC2_METADATA_DISABLED", "true").status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}

#[test]
fn a_key_that_never_was_is_not_found() {
    let kms = Kms::new();
    let (keys, id) = kms.moto.arns()[0].rsplit_once('/').unwrap();
    let nobodys = format!("{keys}/00000000-0000-4000-8000-000000000000");
    assert_eq!(nobodys.len(), keys.len() + 1 + id.len());
    let key = AwsKmsKey::new(&nobodys, Some(kms.moto.url())).unwrap();
    let wrapped = kms.block_on(key.wrap(&DataKey::generate().unwrap(), &KeyContext::new()));
    assert_eq!(wrapped.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_kms_that_accepts_and_never_answers_is_unavailable_before_long() {
    let kms = Kms::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let key = AwsKmsKey::new(&kms.moto.arns()[0], Some(&url)).unwrap();
    let begun = std::time::Instant::now();
    let wrapped = kms.block_on(key.wrap(&DataKey::generate().unwrap(), &KeyContext::new()));
    assert_eq!(wrapped.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
