//! The effects of a process, written down one by one, and its death at one of them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// One effect, as it stands in a log.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// An empty file is created.
    Create(PathBuf),
    /// Bytes, in hex, are written to a file's end.
    Write(PathBuf, String),
    /// A file's bytes are made durable.
    Sync(PathBuf),
    /// A file takes another name.
    Rename(PathBuf, PathBuf),
    /// A file is removed.
    Remove(PathBuf),
    /// The names in a folder are made durable.
    SyncFolder(PathBuf),
    /// A request leaves, or an answer is acted upon, or a transaction is committed.
    Other(String),
}

impl Effect {
    /// What to call it in a report.
    #[must_use]
    pub fn name(&self) -> String {
        let file = |path: &Path| match path.file_name().and_then(|name| name.to_str()) {
            // A client's files begin with a hash.
            Some(name) => name.split_once('.').map_or(name, |(_, ending)| ending).to_owned(),
            None => String::new(),
        };
        match self {
            Self::Create(path) => format!("create {}", file(path)),
            Self::Write(path, _) => format!("write {}", file(path)),
            Self::Sync(path) => format!("sync {}", file(path)),
            Self::Rename(_, to) => format!("rename to {}", file(to)),
            Self::Remove(path) => format!("remove {}", file(path)),
            Self::SyncFolder(_) => "sync folder".to_owned(),
            Self::Other(name) => name.clone(),
        }
    }
}

/// How a process dies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Death {
    /// Before the effect of this number, counted from 0.
    pub at: usize,
    /// Or, if that writes to a file, when half of it is written.
    pub torn: bool,
}

/// Writes every effect down before it happens, and ends the process at one of them.
#[derive(Debug)]
pub struct Recorder {
    death: Option<Death>,
    log: Mutex<Log>,
}

#[derive(Debug)]
struct Log {
    file: File,
    count: usize,
}

impl Recorder {
    /// Writes to `path`, which is made, until `death`.
    ///
    /// # Errors
    ///
    /// If the file cannot be made.
    pub fn new(path: &Path, death: Option<Death>) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { death, log: Mutex::new(Log { file, count: 0 }) })
    }

    /// An effect is about to happen. Returns only if it may.
    ///
    /// # Errors
    ///
    /// If it cannot be written down.
    pub fn before(&self, effect: &Effect) -> io::Result<()> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(death) = self.death.filter(|death| death.at == log.count) {
            die(death, effect);
        }
        log.count += 1;
        let mut line = serde_json::to_string(effect)?;
        line.push('\n');
        log.file.write_all(line.as_bytes())
    }
}

/// No unwinding, no flush: the process is gone.
fn die(death: Death, effect: &Effect) -> ! {
    if let (true, Effect::Write(path, bytes)) = (death.torn, effect) {
        // What cannot be torn is not written at all.
        let _ = write_half(path, bytes);
    }
    process::abort()
}

fn write_half(path: &Path, hex: &str) -> io::Result<()> {
    let bytes = base16ct::lower::decode_vec(hex).map_err(io::Error::other)?;
    OpenOptions::new().append(true).open(path)?.write_all(&bytes[..bytes.len() / 2])
}

/// The effects that a log names. A last line that was cut short is none.
///
/// # Errors
///
/// If the log cannot be read.
pub fn read_log(path: &Path) -> Result<Vec<Effect>> {
    if !fs::exists(path)? {
        return Ok(Vec::new());
    }
    let lines = BufReader::new(File::open(path)?).lines().collect::<io::Result<Vec<_>>>()?;
    let effects = lines.iter().map(|line| serde_json::from_str(line)).collect::<Result<_, _>>();
    effects.with_context(|| format!("{} is no log of effects", path.display()))
}
