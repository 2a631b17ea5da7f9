//! `portal envelope`: looks into envelopes.

mod claims;
mod recognize;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use backup_core::{Envelope, ErrorKind};
use clap::{Args, Subcommand};

use crate::failure::{EXIT_CODES, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints what an envelope claims about itself
    ///
    /// Nothing of it is verified, and nothing is decrypted: the claims become facts only when the
    /// envelope is opened, with its secret and by someone who knows whose it should be.
    #[command(after_help = EXIT_CODES)]
    Inspect(Inspect),
}

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The file with the envelope
    file: PathBuf,
    /// Print JSON instead, for programs
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Inspect(inspect) = command;
    let bytes = read_at_most(&inspect.file, Envelope::MAX_LEN + SURROUNDING_SPACE)?;
    let envelope = parse(&inspect.file, &bytes)?;
    if inspect.json {
        println!("{:#}", claims::as_json(&envelope));
    } else {
        print!("{}", claims::as_text(&envelope));
    }
    Ok(())
}

/// Line ends that editors and shells put around an envelope.
const SURROUNDING_SPACE: usize = 16;

/// Reads one byte more than `limit` at most: enough to know that there is more.
fn read_at_most(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::of_file("read", path, &error))?;
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Envelope, Failure> {
    let text = str::from_utf8(bytes).unwrap_or_default().trim();
    Envelope::parse(text).map_err(|error| {
        let what = recognize::what_is(bytes).unwrap_or_else(|| error.to_string().into());
        let once_was_ours = error.kind() == ErrorKind::Damaged && text.starts_with(PREFIX);
        let hint = if once_was_ours { "; take another copy of the backup" } else { "" };
        Failure::NotAnEnvelope(format!("{}: {what}{hint}", path.display()))
    })
}

const PREFIX: &str = "portal-backup-";
