//! `portal envelope`: looks into envelopes.

mod claims;
mod recognize;

use std::path::{Path, PathBuf};

use backup_core::{Envelope, ErrorKind};
use clap::{Args, Subcommand};

use crate::{
    bounded_file::read_beyond,
    failure::{Failure, Kind, exit_codes},
    output::Answer,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints what an envelope claims about itself
    ///
    /// Nothing of it is verified, and nothing is decrypted: the claims become facts only when the
    /// envelope is opened, with its secret and by someone who knows whose it should be.
    #[command(after_help = concat!(
        "Examples:\n  portal envelope inspect backup.txt\n  portal envelope inspect --json \
         backup.txt\n\n",
        exit_codes!()
    ))]
    Inspect(Inspect),
}

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The file with the envelope (`-`: standard input)
    file: PathBuf,
}

pub(crate) fn run(command: &Command) -> Result<Answer, Failure> {
    let Command::Inspect(Inspect { file }) = command;
    let bytes = read_beyond(file, Envelope::MAX_LEN + SURROUNDING_SPACE)
        .map_err(|error| Failure::of_file("read", file, &error))?;
    let envelope = parse(file, &bytes)?;
    Ok(Answer { text: claims::as_text(&envelope), json: claims::as_json(&envelope) })
}

/// Line ends that editors and shells put around an envelope.
const SURROUNDING_SPACE: usize = 16;

fn parse(path: &Path, bytes: &[u8]) -> Result<Envelope, Failure> {
    let text = str::from_utf8(bytes).unwrap_or_default().trim();
    Envelope::parse(text).map_err(|error| {
        let what = recognize::what_is(bytes).unwrap_or_else(|| error.to_string().into());
        let once_was_ours = error.kind() == ErrorKind::Damaged && text.starts_with(PREFIX);
        let hint = if once_was_ours { "; take another copy of the backup" } else { "" };
        Failure::new(Kind::Damaged, format!("{}: {what}{hint}", path.display()))
    })
}

const PREFIX: &str = "portal-backup-";
