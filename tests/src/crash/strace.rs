//! What a process really did to the files of a folder, by the system calls that `strace` saw.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use backup_testkit::{Disk, FileEffect};

/// Every call that changes a file, or makes a change durable.
const CALLS: &str = "trace=openat,open,creat,write,writev,pwrite64,pwritev,pwritev2,fallocate,\
                     ftruncate,truncate,fsync,fdatasync,sync_file_range,copy_file_range,\
                     rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat";

/// A command that runs `program` and writes its system calls to `log`. It lives as long as the
/// program.
#[must_use]
pub fn command(program: &Path, log: &Path) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "16777216", "-e", "signal=none"])
        .args(["-e", CALLS, "-o"])
        .args([log.as_os_str(), OsStr::new("--"), program.as_os_str()]);
    command
}

/// What was done to the files of `folder`, in order, as far as `happens` lets it, beginning with
/// what `disk` holds: the effects one by one, and the disk after them.
///
/// # Errors
///
/// If the log has a call that nobody here understands: then nothing is known.
pub fn replay(
    log: &str,
    folder: &Path,
    disk: &mut Disk,
    happens: impl Fn(&FileEffect) -> bool,
) -> Result<Vec<FileEffect>> {
    let mut effects = Vec::new();
    for call in calls(log) {
        let of_call = of_call(&call, folder, disk).with_context(|| format!("in {}", call.name))?;
        for effect in of_call.into_iter().filter(&happens) {
            disk.apply(&effect);
            effects.push(effect);
        }
    }
    Ok(effects)
}

/// A call that succeeded.
#[derive(Debug, Eq, PartialEq)]
struct Call<'a> {
    name: &'a str,
    arguments: Vec<String>,
    result: String,
}

/// The calls that came to their end, in that order.
fn calls(log: &str) -> Vec<Call<'_>> {
    let mut unfinished = BTreeMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((process, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(begun) = text.strip_suffix("<unfinished ...>") {
            unfinished.insert(process, begun);
        } else if let Some(resumed) = text.strip_prefix("<... ") {
            let begun = unfinished.remove(process).unwrap_or_default();
            let rest = resumed.split_once("resumed>").map_or("", |(_, rest)| rest);
            calls.extend(parse(begun, rest));
        } else {
            calls.extend(parse(text, ""));
        }
    }
    calls
}

/// Bytes and names are in hex, so neither quotes nor commas nor parentheses are in them.
fn parse<'a>(begun: &'a str, rest: &str) -> Option<Call<'a>> {
    let (name, arguments) = begun.split_once('(')?;
    let all = format!("{arguments}{rest}");
    let (arguments, result) = all.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let arguments = arguments.split(", ").map(|argument| argument.trim().to_owned()).collect();
    let has_failed = result.starts_with('-') || result.starts_with('?');
    (!has_failed).then(|| Call { name, arguments, result: result.to_owned() })
}

fn of_call(call: &Call<'_>, folder: &Path, disk: &Disk) -> Result<Vec<FileEffect>> {
    let argument = |index: usize| call.arguments.get(index).map_or("", String::as_str);
    let name = |path: PathBuf| name_in(folder, &path);
    let at = |index: usize| path_at(argument(index), argument(index + 1));
    let effects = match call.name {
        "openat" => opened(name(at(0)?), argument(2), disk),
        "open" => opened(name(path(argument(0))?), argument(1), disk),
        "write" => match name(of_descriptor(argument(0))?) {
            Some(name) => vec![FileEffect::Write(name, written(argument(1), &call.result)?)],
            None => Vec::new(),
        },
        "pwrite64" => match name(of_descriptor(argument(0))?) {
            Some(name) => {
                let bytes = written(argument(1), &call.result)?;
                vec![FileEffect::WriteAt(name, argument(3).parse()?, bytes)]
            }
            None => Vec::new(),
        },
        "ftruncate" => match name(of_descriptor(argument(0))?) {
            Some(name) => vec![FileEffect::SetLen(name, argument(1).parse()?)],
            None => Vec::new(),
        },
        "fsync" | "fdatasync" => match of_descriptor(argument(0))? {
            path if path == folder => vec![FileEffect::SyncFolder],
            path => name(path).map(FileEffect::Sync).into_iter().collect(),
        },
        "rename" => of_two(name(path(argument(0))?), name(path(argument(1))?), FileEffect::Rename)?,
        "renameat" | "renameat2" => of_two(name(at(0)?), name(at(2)?), FileEffect::Rename)?,
        "link" => of_two(name(path(argument(0))?), name(path(argument(1))?), FileEffect::Link)?,
        "linkat" => of_two(name(at(0)?), name(at(2)?), FileEffect::Link)?,
        "unlink" => name(path(argument(0))?).map(FileEffect::Remove).into_iter().collect(),
        "unlinkat" => name(at(0)?).map(FileEffect::Remove).into_iter().collect(),
        "mkdir" | "mkdirat" => Vec::new(),
        other if call.arguments.iter().any(|argument| is_about(argument, folder)) => {
            bail!("{other} changes a file, and this does not know how")
        }
        _ => Vec::new(),
    };
    Ok(effects)
}

fn opened(name: Option<String>, flags: &str, disk: &Disk) -> Vec<FileEffect> {
    let Some(name) = name else { return Vec::new() };
    let has = |flag: &str| flags.split('|').any(|other| other == flag);
    match disk.has(&name) {
        false if has("O_CREAT") => vec![FileEffect::Create(name)],
        true if has("O_TRUNC") => vec![FileEffect::SetLen(name, 0)],
        _ => Vec::new(),
    }
}

fn of_two(
    from: Option<String>,
    to: Option<String>,
    effect: fn(String, String) -> FileEffect,
) -> Result<Vec<FileEffect>> {
    match (from, to) {
        (Some(from), Some(to)) => Ok(vec![effect(from, to)]),
        (None, None) => Ok(Vec::new()),
        _ => bail!("a file goes from one folder to another"),
    }
}

fn name_in(folder: &Path, path: &Path) -> Option<String> {
    let name = path.file_name().filter(|_| path.parent() == Some(folder))?;
    Some(name.to_string_lossy().into_owned())
}

fn is_about(argument: &str, folder: &Path) -> bool {
    let quoted = path(argument).ok();
    let path = quoted.or_else(|| of_descriptor(argument).ok());
    path.is_some_and(|path| path.starts_with(folder))
}

/// `AT_FDCWD<folder>` or a descriptor's number, and a path.
fn path_at(folder: &str, relative: &str) -> Result<PathBuf> {
    Ok(of_descriptor(folder)?.join(path(relative)?))
}

fn of_descriptor(descriptor: &str) -> Result<PathBuf> {
    let hex = descriptor.split_once('<').and_then(|(_, rest)| rest.strip_suffix('>'));
    Ok(to_path(&unescape(hex.unwrap_or_default())?))
}

fn path(quoted: &str) -> Result<PathBuf> {
    Ok(to_path(&unquote(quoted)?))
}

fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

fn written(quoted: &str, count: &str) -> Result<Vec<u8>> {
    let mut bytes = unquote(quoted)?;
    bytes.truncate(count.parse()?);
    Ok(bytes)
}

fn unquote(quoted: &str) -> Result<Vec<u8>> {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    unescape(inner.with_context(|| format!("{quoted} is not a whole string"))?)
}

fn unescape(hex: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(hex.len() / 4);
    let mut rest = hex;
    while let Some(escaped) = rest.strip_prefix("\\x") {
        let (digits, after) = escaped.split_at_checked(2).context("half a byte")?;
        bytes.push(u8::from_str_radix(digits, 16)?);
        rest = after;
    }
    // What strace names itself, such as `socket:[123]`, is no file.
    Ok(if rest.is_empty() { bytes } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    fn log() -> String {
        let (file, other, folder) = (hex("/d/a"), hex("/d/b"), hex("/d"));
        let here = format!("AT_FDCWD<{}>", hex("/"));
        [
            format!("7  openat({here}, \"{file}\", O_RDWR|O_CREAT, 0600) = 3<{file}>"),
            format!("7  pwrite64(3<{file}>, \"{}\", 3, 2 <unfinished ...>", hex("xyz")),
            format!("8  openat({here}, \"{}\", O_RDWR|O_CREAT, 0600) = 4<>", hex("/e/a")),
            "7  <... pwrite64 resumed>)        = 3".to_owned(),
            format!("7  fdatasync(3<{file}>)       = 0"),
            format!("7  rename(\"{file}\", \"{other}\") = 0"),
            format!("7  unlink(\"{file}\") = -1 ENOENT (No such file or directory)"),
            format!("7  fsync(5<{folder}>) = 0"),
            format!("7  fsync(5<{folder}> <unfinished ...>"),
        ]
        .join("\n")
    }

    #[test]
    fn what_was_done_to_a_folder_is_read_and_nothing_else() {
        let mut disk = Disk::default();
        let effects = replay(&log(), Path::new("/d"), &mut disk, |_| true).unwrap();
        let a = || "a".to_owned();
        let expected = [
            FileEffect::Create(a()),
            FileEffect::WriteAt(a(), 2, b"xyz".to_vec()),
            FileEffect::Sync(a()),
            FileEffect::Rename(a(), "b".to_owned()),
            FileEffect::SyncFolder,
        ];
        assert_eq!(effects, expected);
        assert_eq!(disk.files()["b"], b"\0\0xyz");
    }

    #[test]
    fn a_call_that_is_not_understood_is_an_error_if_it_is_about_the_folder() {
        let call = |path: &str| format!("7  fallocate(3<{}>, 0, 0, 9) = 0", hex(path));
        let read = |path| replay(&call(path), Path::new("/d"), &mut Disk::default(), |_| true);
        assert!(read("/d/a").is_err());
        assert!(read("/e/a").is_ok());
    }
}
