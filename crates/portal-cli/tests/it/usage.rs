//! Command lines, right and wrong, where no service is needed.
use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["demo"],
    &["serve"],
    &["config"],
    &["config", "check"],
    &["config", "show"],
    &["admin"],
    &["admin", "custodians"],
    &["admin", "custodians", "create"],
    &["admin", "custodians", "list"],
    &["admin", "custodians", "name"],
    &["admin", "clients"],
    &["admin", "clients", "list"],
    &["admin", "webhooks"],
    &["admin", "webhooks", "list"],
    &["admin", "audit"],
    &["admin", "audit", "verify"],
    &["admin", "audit", "export"],
    &["admin", "custody"],
    &["admin", "custody", "make-key"],
    &["admin", "custody", "rewrap"],
    &["admin", "custody", "verify"],
    &["admin", "keys"],
    &["admin", "keys", "create"],
    &["admin", "keys", "list"],
    &["admin", "keys", "revoke"],
    &["client"],
    &["client", "new"],
    &["client", "import"],
    &["client", "enable-eject"],
    &["wallet"],
    &["wallet", "create"],
    &["wallet", "show"],
    &["wallet", "sign"],
    &["backup"],
    &["backup", "revoke"],
    &["backups"],
    &["backups", "list"],
    &["backups", "remove"],
    #[cfg(feature = "gdrive")]
    &["google"],
    #[cfg(feature = "gdrive")]
    &["google", "sign-in"],
    #[cfg(feature = "gdrive")]
    &["google", "sign-out"],
    #[cfg(feature = "icloud")]
    &["icloud"],
    #[cfg(feature = "icloud")]
    &["icloud", "sign-in"],
    #[cfg(feature = "icloud")]
    &["icloud", "sign-out"],
    #[cfg(feature = "passkey")]
    &["passkey"],
    #[cfg(feature = "passkey")]
    &["passkey", "set-up"],
    #[cfg(feature = "passkey")]
    &["passkey", "list"],
    #[cfg(feature = "passkey")]
    &["passkey", "add"],
    #[cfg(feature = "passkey")]
    &["passkey", "grant"],
    #[cfg(feature = "passkey")]
    &["passkey", "rename"],
    #[cfg(feature = "passkey")]
    &["passkey", "remove"],
    &["recover"],
    &["eject"],
    &["status"],
    &["envelope"],
    &["envelope", "inspect"],
    &["completions"],
    &["man"],
];

#[test]
fn the_help_of_every_command_has_an_example_and_the_exit_codes() {
    for command in COMMANDS {
        let output = portal(&[command, &["--help"][..]].concat());
        let help = stdout(&output);
        assert!(output.status.success(), "{command:?}");
        assert!(help.contains("Example"), "{command:?}: {help}");
        assert!(help.contains("Exit codes:"), "{command:?}: {help}");
        let example = ["portal"].iter().chain(*command).copied().collect::<Vec<_>>().join(" ");
        assert!(help.contains(&format!("  {example}")), "{example}: {help}");
    }
}

#[test]
fn every_command_is_among_those_whose_help_is_read() {
    for command in COMMANDS {
        let help = stdout(&portal(&[command, &["-h"][..]].concat()));
        let listed = help.split("Commands:\n").nth(1).into_iter().flat_map(|rest| {
            rest.lines().take_while(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        });
        for line in listed {
            let name = line.split_whitespace().next().unwrap();
            let full: Vec<_> = command.iter().copied().chain([name]).collect();
            assert!(name == "help" || COMMANDS.contains(&full.as_slice()), "{full:?}");
        }
    }
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    let digest = "5a".repeat(32);
    for arguments in [
        &["dmeo"][..],
        &["serve"],
        &["serve", "--data", "x", "--grace", "30"],
        &["serve", "--data", "x", "--listen", "nowhere"],
        &["client", "new", "--service", "http://localhost:1"],
        &["wallet", "sign", "--curve", "ed25519"],
        &["wallet", "sign", "--curve", "secp256k1", "--digest", "5a"],
        &["wallet", "sign", "--curve", "ed25519", "--message", "x", "--digest", &digest],
        &["wallet", "sign", "--curve", "ed25519", "--digest", &digest],
        &["wallet", "sign", "--curve", "secp256k1", "--message", "x"],
        &["backup", "--method", "hope"],
        &["recover", "--expect", "somewhere"],
    ] {
        let output = portal(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.starts_with("error: "), "{arguments:?}: {errors}");

        let output = portal(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(json(&output)["error"]["kind"], "usage", "{arguments:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_service_that_is_not_there_exits_with_4() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    fs::write(&key_file, format!("pk_{}\n", "A".repeat(43))).unwrap();
    let (key_file, profile) = (key_file.to_str().unwrap(), folder.path().join("profile"));
    let profile = profile.to_str().unwrap();
    let output = portal(&[
        "client",
        "new",
        "--json",
        "--service",
        "http://127.0.0.1:1",
        "--custodian-key-file",
        key_file,
        "--profile",
        profile,
    ]);
    assert_eq!(output.status.code(), Some(4), "{}", stdout(&output));
    assert_eq!(json(&output)["error"]["kind"], "unavailable");
    assert!(!fs::exists(profile).unwrap());
}

#[test]
fn a_key_file_that_holds_no_key_exits_with_6_and_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    fs::write(&key_file, "no key at all\n").unwrap();
    let profile = folder.path().join("profile");
    let output = portal(&[
        "client",
        "new",
        "--service",
        "http://127.0.0.1:1",
        "--custodian-key-file",
        key_file.to_str().unwrap(),
        "--profile",
        profile.to_str().unwrap(),
    ]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{errors}");
    assert!(!errors.contains("no key at all"), "{errors}");
}

#[test]
fn every_shell_gets_completions_of_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let output = portal(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        let script = stdout(&output);
        for word in COMMANDS.iter().copied().flatten() {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

/// What is typed, and what bash makes of it with the script that it was given.
#[test]
#[cfg(unix)]
fn bash_completes_a_command_and_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("portal.bash");
    fs::write(&script, portal(&["completions", "bash"]).stdout).unwrap();
    let completed = |typed: &[&str]| {
        let command = r#". "$1"; shift; complete -p portal >&2; COMP_WORDS=(portal "$@")
            COMP_CWORD=$#; _portal portal "${!#}" portal; printf '%s\n' "${COMPREPLY[@]}""#;
        let mut bash = Command::new("bash");
        let output = bash.args(["-c", command, "bash"]).arg(&script).args(typed).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        stdout(&output).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed(&["reco"]), ["recover"]);
    assert_eq!(completed(&["wallet", "cr"]), ["create"]);
    assert_eq!(completed(&["serve", "--metr"]), ["--metrics"]);
    assert!(completed(&["hopeless"]).concat().is_empty());
}

#[test]
fn every_command_has_a_page_in_the_manual_and_what_is_none_has_not() {
    for command in COMMANDS {
        let output = portal(&[&["man"], *command].concat());
        assert!(output.status.success(), "{command:?}");
        let page = stdout(&output);
        let title = ["portal"].iter().chain(*command).copied().collect::<Vec<_>>().join("-");
        assert!(page.contains(&format!(".TH {title} ")), "{command:?}: {page}");
        assert!(page.contains("Exit codes:"), "{command:?}");
    }
    let output = portal(&["man", "hope"]);
    assert_eq!(output.status.code(), Some(2));
}

fn portal(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(arguments)
        .env_remove("PORTAL_PROFILE")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stdout(output)))
}
