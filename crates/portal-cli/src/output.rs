//! What a command prints: text for a person, or one JSON object for a program.

use std::io::{self, IsTerminal, Write};

use backup_core::ProgressSink;
use clap::Args;
use serde_json::Value;

use crate::{failure::Failure, progress};

/// How a command talks.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    /// Print one JSON object instead of text, for programs; an error, too
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Do not show progress
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
}

/// The outcome of a command, in both forms.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Output {
    /// Whom an operation tells how it goes.
    pub(crate) fn progress(self) -> Box<dyn ProgressSink> {
        if self.json || self.quiet {
            return Box::new(progress::Nobody);
        }
        if io::stderr().is_terminal() {
            return Box::new(progress::Spinner::default());
        }
        Box::new(progress::Lines)
    }

    /// Tells a person something that is no outcome; a program is not told.
    pub(crate) fn note(self, line: &str) {
        if !self.json && !self.quiet {
            say(line);
        }
    }

    pub(crate) fn answer(self, answer: &Answer) {
        if self.json {
            print(&format!("{:#}", answer.json));
        } else {
            print(&answer.text);
        }
    }

    /// Says in one line that a service is ready.
    pub(crate) fn ready(self, answer: &Answer) {
        if self.json {
            print(&answer.json.to_string());
        } else {
            print(&answer.text);
        }
    }

    pub(crate) fn failure(self, failure: &Failure) {
        if self.json {
            print(&format!("{:#}", failure.as_json()));
        } else {
            say(&format!("error: {failure}"));
        }
    }
}

/// Prints a line at once. Whoever no longer reads has not asked for it.
pub(crate) fn print(line: &str) {
    print_to(io::stdout().lock(), line);
}

/// The same, beside what a command answers.
pub(crate) fn say(line: &str) {
    print_to(io::stderr().lock(), line);
}

fn print_to(mut out: impl Write, line: &str) {
    let line = printable(line.trim_end());
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// With all written out by which text would give orders to a terminal: it may be a service's, or
/// stand in a file that somebody sent.
pub(crate) fn printable(text: &str) -> String {
    let is_order = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_order(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
