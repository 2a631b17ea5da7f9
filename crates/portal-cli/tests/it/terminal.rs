//! The real binary at a terminal, which `script` of the system's base packages makes.
#![cfg(target_os = "linux")]

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::world::{PASSWORD, WRONG, World};

#[test]
fn a_password_is_asked_for_at_the_terminal_and_not_shown() {
    let world = World::start();
    world.new_client("one");
    world.json("one", &["wallet", "create"]);
    let mut terminal = Terminal::running(&world, "one", "backup");
    terminal.answer("New password: ", "too short\n");
    terminal.answer("New password: ", &format!("{PASSWORD}\n"));
    terminal.answer("(attempt 1 of 3): ", &format!("{PASSWORD}\n"));
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("Refused: "), "{shown}");
    assert!(!shown.contains("too short") && !shown.contains("teal"), "{shown}");
    assert_eq!(world.json("one", &["status"])["backups"][0]["proved"], true);
}

#[test]
fn a_recovery_asks_for_the_password_at_the_terminal_and_does_not_show_it() {
    let world = World::start();
    let client = world.new_client("one");
    let created = world.json("one", &["wallet", "create"]);
    world.json("one", &["backup", "--password-file", "password"]);
    std::fs::copy(world.path("one").join("api-key"), world.path("api-key")).unwrap();
    world.import_client("two", &client, "api-key");
    let mut terminal = Terminal::running(&world, "two", "recover");
    terminal.answer("(attempt 1 of 3): ", &format!("{WRONG}\n"));
    terminal.answer("(attempt 2 of 3): ", &format!("{PASSWORD}\n"));
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("sesame") && !shown.contains("teal"), "{shown}");
    let status = world.json("two", &["status"]);
    assert_eq!(status["live"], true);
    assert_eq!(status["addresses"], created["addresses"]);
}

#[test]
fn ctrl_c_at_the_question_of_a_recovery_exits_with_130_and_changes_nothing() {
    let world = World::start();
    let client = world.new_client("one");
    world.json("one", &["wallet", "create"]);
    world.json("one", &["backup", "--password-file", "password"]);
    std::fs::copy(world.path("one").join("api-key"), world.path("api-key")).unwrap();
    world.import_client("two", &client, "api-key");
    let mut terminal = Terminal::running(&world, "two", "recover");
    terminal.answer("(attempt 1 of 3): ", "seven\x03");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(130), "{shown}");
    assert!(!shown.contains("seven"), "{shown}");
    assert_eq!(world.json("two", &["status"])["live"], false);
    assert_eq!(world.json("one", &["status"])["live"], true);
}

#[test]
fn ctrl_c_at_the_question_exits_with_130_and_changes_nothing() {
    let world = World::start();
    world.new_client("one");
    world.json("one", &["wallet", "create"]);
    let mut terminal = Terminal::running(&world, "one", "backup");
    terminal.answer("New password: ", "seven\x03");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(130), "{shown}");
    assert!(!shown.contains("seven"), "{shown}");
    assert_eq!(world.json("one", &["status"])["backups"], serde_json::json!([]));
}

#[test]
fn what_is_superseded_is_removed_when_the_user_says_yes_and_not_otherwise() {
    let world = World::start();
    world.new_client("one");
    world.json("one", &["wallet", "create"]);
    let mut backups = vec![world.json("one", &["backup", "--password-file", "password"])];
    backups.push(world.json("one", &["backup"]));
    let left = || world.json("one", &["status"])["backups"].as_array().unwrap().len();
    for no in ["n\n", "\n", "of course not\n", "\x04"] {
        let mut terminal = Terminal::running(&world, "one", "backups remove");
        terminal.answer("[y/N] ", no);
        let (code, shown) = terminal.end();
        assert_eq!(code, Some(1), "{no:?}: {shown}");
        assert!(shown.contains("nothing was removed"), "{no:?}: {shown}");
        assert!(shown.contains("superseded"), "what is to go is not shown: {shown}");
        assert_eq!(left(), 2, "{no:?}");
    }
    let mut terminal = Terminal::running(&world, "one", "backups remove");
    terminal.answer("[y/N] ", "y\n");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    let kept = &world.json("one", &["status"])["backups"];
    assert_eq!((left(), &kept[0]["id"]), (1, &backups[1]["backup"]));
}

/// A terminal with one command in it.
struct Terminal {
    script: Child,
    shown: Vec<u8>,
}

impl Terminal {
    fn running(world: &World, profile: &str, command: &str) -> Self {
        let command = format!("'{}' {command}", env!("CARGO_BIN_EXE_portal"));
        let script = Command::new("script")
            .args(["--quiet", "--return", "--flush", "--command", &command, "/dev/null"])
            .env("PORTAL_PROFILE", world.path(profile))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`script` is missing: apt-get install bsdutils");
        Self { script, shown: Vec::new() }
    }

    /// Types `answer`, no faster than a person could, when `question` is shown anew.
    fn answer(&mut self, question: &str, answer: &str) {
        let from = self.shown.len();
        while !String::from_utf8_lossy(&self.shown[from..]).contains(question) {
            let mut byte = [0];
            let read = self.script.stdout.as_mut().unwrap().read(&mut byte).unwrap();
            assert_eq!(read, 1, "{question:?} was not asked: {}", self.text());
            self.shown.push(byte[0]);
        }
        thread::sleep(Duration::from_millis(300));
        let stdin = self.script.stdin.as_mut().unwrap();
        stdin.write_all(answer.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// The exit code, and all that was shown.
    fn end(mut self) -> (Option<i32>, String) {
        let mut stdout = self.script.stdout.take().unwrap();
        stdout.read_to_end(&mut self.shown).unwrap();
        drop(self.script.stdin.take());
        (self.script.wait().unwrap().code(), self.text())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }
}
