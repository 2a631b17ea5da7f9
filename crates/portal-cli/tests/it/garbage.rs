//! Every argument of every command, given what does not belong there. The commands and their
//! arguments are those of the help, so that a new one is among them.

#![cfg(unix)]

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Mutex,
    thread,
};

use tempfile::TempDir;

/// What no help and no message is longer than, in bytes.
const SHORT: usize = 5000;

const SERVICE: &str = "service";

/// An option `--name`, or with `None` what has its place on the command line.
type Name = Option<String>;

/// A command as its help describes it.
struct Described {
    words: Vec<String>,
    usage: String,
    /// With what their values are called, unless they take none.
    options: Vec<(String, Option<String>)>,
    /// What has its place on the command line, and whether it has to be there.
    places: Vec<(String, bool)>,
}

/// A command line with one argument that does not belong.
struct Case {
    arguments: Vec<OsString>,
    /// To whom it matters what it says of the service's folder.
    needs_service: bool,
}

#[test]
fn no_argument_of_any_command_makes_it_crash_change_anything_or_say_it_all_again() {
    let service = tempfile::tempdir().unwrap();
    let folder = service.path().join(SERVICE);
    let serve = ["serve", "--listen=127.0.0.1:0", "--until-stdin-closes", "--data"];
    let started = portal(service.path(), serve.iter().map(OsStr::new).chain([folder.as_os_str()]));
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));

    let commands = commands(&[]);
    let cases: Vec<_> = commands.iter().flat_map(Described::cases).collect();
    println!("{} commands, {} command lines", commands.len(), cases.len());
    let (left, wrong) = (Mutex::new(cases.into_iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                loop {
                    let Some(case) = left.lock().unwrap().next() else { return };
                    if let Err(why) = case.run(&folder) {
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is given: nothing has it where it belongs, but for a name of a file here and there.
fn garbage() -> Vec<OsString> {
    let bytes: [&[u8]; 10] = [
        b"",
        b"not \xff UTF-8",
        &[b'x'; 100_000],
        b"\x01\x07\x1b[31m\r\n\t\x7f",
        b"folder",
        b"binary",
        b"-1",
        b"18446744073709551616",
        b"18446744073709551615d",
        b"NaN",
    ];
    bytes.map(|bytes| OsStr::from_bytes(bytes).to_owned()).into()
}

/// What is right for an argument that a command needs beside the one that is not.
fn right(name: &str) -> &'static str {
    match name {
        "--service" => "http://127.0.0.1:1",
        "--custodian-key-file" => "custodian-key",
        "--api-key-file" => "client-key",
        "--custodian" | "--client" | "KEY" => "an-id",
        "--id" => "AAAA",
        "--method" => "password",
        "--data" => SERVICE,
        "--key-file" | "--file" | "--to" | "FILE" => "new-file",
        "--curve" => "ed25519",
        "--message" | "NAME" => "words",
        "SHELL" => "bash",
        _ => panic!("say here what is right for {name}"),
    }
}

/// This command and those below it.
fn commands(words: &[String]) -> Vec<Described> {
    let arguments = words.iter().map(OsStr::new).chain([OsStr::new("--help")]);
    let help = portal(&std::env::temp_dir(), arguments).stdout;
    let help = String::from_utf8(help).unwrap();
    let below = section(&help, "Commands:\n").into_iter().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty() && name != "help").then(|| [words, &[name.to_owned()]].concat())
    });
    let below: Vec<_> = below.flat_map(|words| commands(&words)).collect();
    [Described::read(words, &help)].into_iter().chain(below).collect()
}

/// The lines below a heading.
fn section<'a>(help: &'a str, heading: &str) -> Vec<&'a str> {
    let rest = help.split_once(heading).map_or("", |(_, rest)| rest);
    rest.lines().take_while(|line| line.is_empty() || line.starts_with(' ')).collect()
}

impl Described {
    fn read(words: &[String], help: &str) -> Self {
        let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap().to_owned();
        // Below them, text is indented further.
        let named = |heading| {
            section(help, heading).into_iter().filter_map(|line| {
                let name = line.trim_start();
                (!name.is_empty() && line.len() - name.len() <= 6).then_some(name)
            })
        };
        let options = named("\nOptions:\n").chain(named("\nOutput:\n"));
        let options = options.map(|line| {
            let at = line.find("--").unwrap_or_else(|| panic!("{words:?}: {line}"));
            let mut parts = line[at..].split([' ', '=', '[']);
            let name = parts.next().unwrap().to_owned();
            let value = line.split_once('<').map(|(_, rest)| rest.split('>').next().unwrap());
            (name, value.map(str::to_owned))
        });
        let places = named("\nArguments:\n").map(|line| {
            let name = line[1..].split([']', '>']).next().unwrap();
            (name.to_owned(), line.starts_with('<'))
        });
        let (options, mut places): (Vec<_>, Vec<_>) = (options.collect(), places.collect());
        if usage.ends_with(" <COMMAND>") {
            places.push(("COMMAND".to_owned(), false));
        }
        assert!(options.iter().any(|(name, _)| name == "--json"), "{help}");
        for word in usage.split(' ').filter_map(|word| word.strip_prefix("--")) {
            assert!(options.iter().any(|(name, _)| name[2..] == *word), "{word}: {help}");
        }
        Self { words: words.to_vec(), usage, options, places }
    }

    /// Each argument, with all that does not belong.
    fn cases(&self) -> Vec<Case> {
        let options = self.options.iter().map(|(name, _)| Some(name.clone()));
        let places = (!self.places.is_empty()).then_some(None);
        let names: Vec<Name> = options.chain(places).collect();
        let of_name = |name: &Name| {
            let cases = garbage().into_iter().flat_map(|value| {
                let case = |more: &[&str]| self.case(name, &value, more);
                let is_echoed = value.len() > SHORT || value.to_str().is_none();
                [Some(case(&[])), is_echoed.then(|| case(&["--json"]))]
            });
            cases.flatten().collect::<Vec<_>>()
        };
        names.iter().flat_map(of_name).collect()
    }

    fn case(&self, name: &Name, value: &OsStr, more: &[&str]) -> Case {
        let mut arguments: Vec<OsString> = self.words.iter().map(OsString::from).collect();
        arguments.extend(self.beside(name).into_iter().chain(more.iter().map(Into::into)));
        if let Some(name) = name {
            let mut option = OsString::from(format!("{name}="));
            option.push(value);
            arguments.push(option);
        } else if !self.usage.ends_with(" <COMMAND>") {
            arguments.push("--".into());
        }
        let required = self.places.iter().filter(|(_, is_required)| *is_required);
        match name {
            Some(_) => arguments.extend(required.map(|(name, _)| right(name).into())),
            None => arguments.push(value.to_owned()),
        }
        Case { arguments, needs_service: self.words.first().is_some_and(|word| word == "admin") }
    }

    /// The options that it cannot do without, or would not end without.
    fn beside(&self, name: &Name) -> Vec<OsString> {
        let is_other = |option: &str| name.as_deref() != Some(option);
        let mut beside = Vec::new();
        for word in self.usage.split(' ') {
            // One of several, `<--one <VALUE>|--other <VALUE>>`, or one by itself.
            let option = word.strip_prefix('<').unwrap_or(word);
            let is_of_several = option.len() < word.len()
                && name.as_ref().is_some_and(|name| self.usage.contains(&format!("|{name} ")));
            if option.starts_with("--") && is_other(option) && !is_of_several {
                beside.push(format!("{option}={}", right(option)).into());
            }
        }
        let runs = match self.words.first().map(String::as_str) {
            Some("serve") => &["--until-stdin-closes", "--data=new", "--listen=127.0.0.1:0"][..],
            Some("config") if self.words.len() > 1 => &["--data=new"],
            Some("client") if self.options.iter().any(|(name, _)| name == "--profile") => {
                &["--profile=new"]
            }
            _ => &[],
        };
        let runs = runs.iter().filter(|option| is_other(option.split('=').next().unwrap()));
        beside.extend(runs.map(OsString::from));
        beside
    }
}

impl Case {
    fn run(&self, service: &Path) -> Result<(), String> {
        let folder = self.folder(service);
        let before = contents(folder.path());
        let output = portal(folder.path(), self.arguments.iter().map(OsString::as_os_str));
        let after = contents(folder.path());
        let errors = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        let is_json = self.arguments.iter().any(|argument| argument == "--json");
        let is_said = if is_json { &output.stdout } else { &output.stderr };
        let wrong = match code {
            Some(0) if before.iter().any(|(path, was)| after.get(path) != Some(was)) => {
                "changed what was there"
            }
            // It was right after all.
            Some(0) => return Ok(()),
            Some(1..=6) if before != after => "refused, and changed something",
            Some(1..=6) if is_said.len() > SHORT => "said too much",
            Some(1..=6) if said_orders(&output) => "gave orders to the terminal",
            Some(1..=6) if is_json && !is_said.starts_with(b"{\n  \"error\"") => "said no JSON",
            Some(1..=6) if !is_json && !errors.starts_with("error: ") => "said no error",
            Some(1..=6) if !is_json && !output.stdout.is_empty() => "answered",
            Some(1..=6) => return Ok(()),
            _ => "did not end as the help says",
        };
        let arguments: Vec<_> = self.arguments.iter().map(|argument| shown(argument)).collect();
        let errors: String = errors.chars().take(300).collect();
        Err(format!("{wrong}, {code:?}: {}: {errors}", arguments.join(" ")))
    }

    /// Where it is run: what is named by garbage, and by what is right.
    fn folder(&self, service: &Path) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("folder/file"), "text").unwrap();
        fs::write(path("binary"), (0..=u8::MAX).cycle().take(20_000).collect::<Vec<_>>()).unwrap();
        for (name, kind) in [("custodian-key", "pk"), ("client-key", "ck")] {
            fs::write(path(name), format!("{kind}_{}\n", "A".repeat(43))).unwrap();
        }
        if self.needs_service {
            fs::create_dir(path(SERVICE)).unwrap();
            for entry in fs::read_dir(service).unwrap() {
                let from = entry.unwrap().path();
                fs::copy(&from, path(SERVICE).join(from.file_name().unwrap())).unwrap();
            }
        }
        folder
    }
}

/// Whether there is what moves a terminal's cursor, or changes its colours.
fn said_orders(output: &Output) -> bool {
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    said.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t'))
}

/// All files and folders, but for those of the service: its database notes who opens it.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut contents = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(SERVICE) {
                folders.push(path.clone());
            }
            contents.insert(path.clone(), fs::read(&path).ok());
        }
    }
    contents
}

fn shown(argument: &OsStr) -> String {
    let text = format!("{argument:?}");
    if text.len() > 200 { format!("{}...", &text[..100]) } else { text }
}

/// Nobody's settings, profile or keychain are found.
fn portal<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a OsStr>) -> Output {
    let mut portal = Command::new(env!("CARGO_BIN_EXE_portal"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["PORTAL_", "XDG_", "DBUS_"].iter().any(|prefix| text.starts_with(prefix)) {
            portal.env_remove(&name);
        }
    }
    portal.args(arguments).current_dir(folder).env("HOME", folder).stdin(Stdio::null());
    portal.output().unwrap()
}
