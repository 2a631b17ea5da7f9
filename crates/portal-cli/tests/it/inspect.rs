//! The real binary's `envelope inspect`.
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use backup_core::{
    BackupId, ClientBackupShare, ClientId, Curve, CustodianId, EncryptionContext, Operation, Point,
    Purpose, Sealer, SharePairId, secrecy::SecretSlice, secrecy::SecretString,
};
use backup_methods_password::{GivenPassword, Password};
use serde_json::Value;

#[test]
fn an_envelopes_claims_are_printed_as_unverified() {
    let output = inspect(envelope_with_password().as_bytes(), &[]);
    let said = stdout(&output);
    assert!(output.status.success());
    for expected in [
        "Nothing of it is verified",
        "business-1",
        "user-1",
        "backup-1",
        "PASSWORD",
        r#""algorithm":"argon2id","memory_kib":131072"#,
        "SECP256K1, public key 0707",
        "share pair pair-1",
    ] {
        assert!(said.contains(expected), "{expected} is not in {said}");
    }
}

#[test]
fn programs_get_json() {
    let output = inspect(envelope_with_password().as_bytes(), &["--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["verified"], false);
    assert_eq!(json["method"], "PASSWORD");
    assert_eq!(json["slot"]["parameters"]["passes"], 3);
    assert_eq!(json["wallets"][0]["curve"], "SECP256K1");
    assert_eq!(json["wallets"][0]["sharePair"], "pair-1");
}

#[test]
fn an_envelope_without_a_slot_says_so() {
    let (sealer, _) = Sealer::without_slot(&context()).unwrap();
    let envelope = seal(&sealer);
    assert!(stdout(&inspect(envelope.as_bytes(), &[])).contains("a key that the app keeps"));
    let json: Value =
        serde_json::from_slice(&inspect(envelope.as_bytes(), &["--json"]).stdout).unwrap();
    assert_eq!(json["slot"], Value::Null);
}

#[test]
fn a_line_end_after_the_envelope_does_not_matter() {
    let (sealer, _) = Sealer::without_slot(&context()).unwrap();
    assert!(inspect(format!("{}\r\n", seal(&sealer)).as_bytes(), &[]).status.success());
}

#[test]
fn what_is_no_envelope_exits_with_6_and_is_called_what_it_is() {
    let hex = "0a".repeat(300);
    let too_long = "x".repeat(100_000);
    for (contents, expected) in [
        (&b""[..], "the file is empty"),
        (&[0xff, 0xfe, 0], "binary data"),
        (hex.as_bytes(), "Portal's SDKs"),
        (b"hello", "begins with `portal-backup-1.`"),
        (b"portal-backup-1.AAUA", "cut short; take another copy"),
        (b"portal-backup-1.!", "characters that do not belong"),
        (b"portal-backup-2.AAAA", "update"),
        (too_long.as_bytes(), "longer than any backup"),
    ] {
        let output = inspect(contents, &[]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(6), "{errors}");
        assert!(errors.starts_with("error: ") && errors.contains(expected), "{errors}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_file_that_is_not_there_exits_with_1_and_names_the_path() {
    let output = run(Path::new("/no/such/file"), &[]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("/no/such/file") && errors.contains("check the path"), "{errors}");
}

fn inspect(contents: &[u8], options: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup");
    fs::write(&path, contents).unwrap();
    run(&path, options)
}

fn run(path: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(["envelope", "inspect"])
        .arg(path)
        .args(options)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn context() -> EncryptionContext {
    EncryptionContext::new(
        CustodianId::new("business-1").unwrap(),
        ClientId::new("user-1").unwrap(),
    )
}

fn envelope_with_password() -> String {
    let prompt = GivenPassword::new(SecretString::from("seven teal lanterns drift"));
    let context = context();
    let op = Operation::new(Purpose::Enroll, &context);
    let sealer = futures_executor::block_on(Sealer::enroll(&Password::new(prompt), &op)).unwrap();
    seal(&sealer)
}

fn seal(sealer: &Sealer) -> String {
    let point = Point::new(Curve::Secp256k1, &[7; 33]).unwrap();
    let secret = SecretSlice::from(vec![9; 32]);
    let pair = SharePairId::new("pair-1").unwrap();
    let share = ClientBackupShare::new(pair, point, point, point, secret).unwrap();
    sealer.seal(&BackupId::new("backup-1").unwrap(), &[share]).unwrap().as_str().to_owned()
}
