//! `portal config`: how a service would run, before it does.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::{
    failure::{Failure, exit_codes},
    output::Answer,
    settings::{Flags, KeySetting, Setting, Settings},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Checks the settings of a service, and starts none
    ///
    /// It reads them as `portal serve` does: from the file, the environment and the command line.
    /// All that is wrong is told at once, with its place.
    #[command(after_help = concat!(
        "Example:\n  portal config check portal.toml\n\n", exit_codes!()
    ))]
    Check(Check),
    /// Shows the settings that a service would run with, and where each comes from
    ///
    /// What it prints can be used as a file of settings. No setting is a secret.
    #[command(after_help = concat!(
        "Example:\n  portal config show --config portal.toml\n\n", exit_codes!()
    ))]
    Show(Show),
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The file; without one, that of PORTAL_SERVE_CONFIG, if any
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The file; without one, that of PORTAL_SERVE_CONFIG, if any
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

pub(crate) fn run(command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Check(Check { file, flags }) => {
            Settings::read(file, &flags)?;
            let text = "The service can run like this.".to_owned();
            Ok(Answer { text, json: json!({ "valid": true }) })
        }
        Command::Show(Show { config, flags }) => Ok(shown(&Settings::read(config, &flags)?)),
    }
}

fn shown(settings: &Settings) -> Answer {
    let lines = Setting::ALL.into_iter().map(|key| line(settings, key));
    let lines: Vec<_> = lines.chain(settings.keys.iter().map(KeySetting::as_toml)).collect();
    let values = Setting::ALL.map(|key| (key.name().to_owned(), value(settings, key)));
    let mut json: Map<_, _> = values.into_iter().collect();
    let keys = settings.keys.iter().map(KeySetting::as_json).collect();
    json.insert("custody".to_owned(), json!({ "keys": Value::Array(keys) }));
    Answer { text: lines.join("\n"), json: Value::Object(json) }
}

/// A line of TOML. Of what is not set, one that sets nothing.
fn line(settings: &Settings, key: Setting) -> String {
    match settings.given.get(&key) {
        Some((text, source)) => {
            let quoted = Value::from(text.as_str()).to_string();
            format!("{:<40} # {source}", format!("{key} = {quoted}"))
        }
        None if key == Setting::BackupWithPortal => {
            format!("{:<40} # as it was before", format!("# {key}"))
        }
        None => format!("{:<40} # none", format!("# {key}")),
    }
}

fn value(settings: &Settings, key: Setting) -> Value {
    match settings.given.get(&key) {
        Some((text, source)) => json!({ "value": text, "from": source.to_string() }),
        None if key == Setting::BackupWithPortal => json!({ "value": null, "from": "database" }),
        None => json!({ "value": null, "from": "default" }),
    }
}
