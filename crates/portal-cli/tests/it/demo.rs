//! The real binary's `demo`.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

fn portal() -> Command {
    Command::new(env!("CARGO_BIN_EXE_portal"))
}

#[test]
fn the_demo_ends_with_everything_held_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = portal().arg("demo").env("TMPDIR", folder.path()).output().unwrap();
    let (said, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("Everything held."), "{said}");
    let addresses: Vec<_> = said.lines().filter(|line| line.contains("Your addresses: ")).collect();
    assert_eq!(addresses.len(), 2, "{said}");
    assert_eq!(format!("{}, as before.", addresses[0]), addresses[1]);
    assert_eq!(said.matches("The signatures verified").count(), 2, "{said}");
    assert!(errors.is_empty(), "{errors}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// What the demo says of one of its steps, which have numbers.
fn step<'a>(said: &'a str, title: &str) -> &'a str {
    let (_, rest) = said.split_once(title).unwrap_or_else(|| panic!("no {title}: {said}"));
    rest.split("\n\n").next().unwrap()
}

#[test]
fn each_step_of_the_demo_shows_what_it_is_for_with_its_progress() {
    let said = portal().arg("demo").output().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    let titles: Vec<_> = said.lines().filter(|line| line.starts_with(char::is_numeric)).collect();
    assert_eq!(titles.len(), 8, "{said}");
    for (number, title) in (1..).zip(titles) {
        assert!(title.starts_with(&format!("{number}. ")), "{title}");
    }
    let expect = |title: &str, parts: &[&str]| {
        let mut rest = step(&said, title);
        for part in parts {
            let (_, after) =
                rest.split_once(part).unwrap_or_else(|| panic!("{title}: {part}: {said}"));
            rest = after;
        }
    };
    expect(
        " make a wallet, of which nobody ever has the key",
        &[
            "... Generating share",
            "... Done",
            "Made on two curves at once",
            "Your addresses: 0x",
            "once on each curve",
            "The signatures verified",
        ],
    );
    expect(
        "the wallet is backed up",
        &[
            "... waiting for you",
            "Choose a password",
            "... Encrypting share",
            "... Storing share",
            "... waiting for you",
            "Enter your password",
            "... Decrypting share",
            "... Done",
        ],
    );
    expect(
        "A year later",
        &["... Encrypting share", "... Storing share", "... Done", "Nobody was asked"],
    );
    let silent = step(&said, "A year later");
    assert!(!silent.contains("waiting for you") && !silent.contains("> *"), "{silent}");
    expect("You lose the device", &["Its folder is gone"]);
    expect("tries a wrong password", &["... waiting for you", "> *", "Refused"]);
    let refused = step(&said, "tries a wrong password");
    assert!(
        !refused.contains("... Decrypting share") && !refused.contains("... Done"),
        "{refused}"
    );
    expect(
        "On your new device",
        &[
            "Wrong password.",
            "... Recovering signing share",
            "... Done",
            "Your addresses: 0x",
            ", as before.",
            "once on each curve",
            "The signatures verified",
        ],
    );
}

#[test]
fn the_demo_shows_no_password() {
    let output = portal().arg("demo").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    for word in ["teal", "sesame"] {
        assert!(!said.contains(word), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn without_a_place_for_files_the_demo_fails_and_says_so() {
    let output = portal().arg("demo").env("TMPDIR", "/nonexistent").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("error: cannot make a temporary folder"), "{errors}");
}

#[test]
fn for_programs_the_demo_prints_one_object() {
    let output = portal().args(["demo", "--json"]).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["held"], true);
    let address = |name: &str| json["addresses"][name].as_str().unwrap();
    let signed = json["signed"].as_array().unwrap();
    assert_eq!(signed.len(), 2, "before the loss and after the recovery");
    for signed in signed {
        let text = |name: &str| signed[name].as_str().unwrap();
        let bytes = |name: &str| base16ct::lower::decode_vec(text(name)).unwrap();
        let message = text("message").as_bytes();
        assert_eq!(
            ethereum_signer(message, &bytes("secp256k1")),
            address("ethereum").to_lowercase()
        );
        let key = bs58::decode(address("solana")).into_vec().unwrap();
        let key = ed25519_dalek::VerifyingKey::try_from(&key[..]).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(&bytes("ed25519")).unwrap();
        key.verify_strict(message, &signature).unwrap();
    }
    assert_ne!(signed[0], signed[1]);
}

/// The address that signed SHA-256 of a message, by a signature of r, s and recovery id.
fn ethereum_signer(message: &[u8], signature: &[u8]) -> String {
    use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
    use sha3::Digest;

    let (recovery_id, signature) = signature.split_last().unwrap();
    let recovery_id = RecoveryId::from_byte(*recovery_id).unwrap();
    let signature = Signature::from_slice(signature).unwrap();
    let digest = sha2::Sha256::digest(message);
    let key = VerifyingKey::recover_from_prehash(&digest, &signature, recovery_id).unwrap();
    let hash = sha3::Keccak256::digest(&key.to_sec1_point(false).as_bytes()[1..]);
    format!("0x{}", base16ct::lower::encode_string(&hash[12..]))
}

/// The demo talks to a process that is not its own: the same program, told to serve.
#[cfg(target_os = "linux")]
#[test]
fn the_service_of_the_demo_is_a_process_of_its_own_that_serves() {
    let folder = tempfile::tempdir().unwrap();
    let (mut demo, _) = demo_with_service(folder.path());
    let id = demo.id().to_string();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let status = fs::read_to_string(path.join("status")).ok()?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().to_owned();
        (parent == id).then(|| fs::read(path.join("cmdline")).unwrap_or_default())
    });
    let commands: Vec<_> = processes.collect();
    let serves = |command: &Vec<u8>| command.split(|byte| *byte == 0).any(|part| part == b"serve");
    assert!(commands.iter().any(serves), "{commands:?}");
    demo.kill().unwrap();
    demo.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn interrupted_the_demo_cleans_up_and_its_service_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut demo, service) = demo_with_service(folder.path());
    let id = demo.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(130));
    assert!(TcpStream::connect(&service).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_service_of_a_demo_that_was_killed_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (mut demo, service) = demo_with_service(folder.path());
    demo.kill().unwrap();
    demo.wait().unwrap();
    let begin = Instant::now();
    while TcpStream::connect(&service).is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(30), "the service is still there");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A demo that has just started its service, and the address of that.
fn demo_with_service(folder: &Path) -> (Child, String) {
    let mut demo =
        portal().arg("demo").env("TMPDIR", folder).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let address = lines.map(Result::unwrap).find_map(|line| {
        let rest = line.split_once("It answers at http://")?.1;
        Some(rest.split_once(' ')?.0.to_owned())
    });
    (demo, address.unwrap())
}
