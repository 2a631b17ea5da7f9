//! `portal completions` and `portal man`: what shells and manuals know of this command.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use crate::{
    Cli,
    failure::{Failure, Kind},
    output::Answer,
};

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// The command whose page it is, such as `backup revoke`; without one, `portal` itself
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) fn completions(Completions { shell }: &Completions) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut Cli::command(), NAME, &mut script);
    answer("completions", script)
}

pub(crate) fn man(Man { command }: &Man) -> Result<Answer, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(described(command)?)
        .render(&mut page)
        .map_err(|error| Failure::failed(format!("cannot write the page: {error}")))?;
    answer("page", page)
}

/// The command of these words.
fn described(words: &[String]) -> Result<clap::Command, Failure> {
    let mut command = Cli::command();
    command.build();
    let mut name = NAME.to_owned();
    for word in words {
        let found = command.find_subcommand(word).cloned();
        command = found.ok_or_else(|| {
            let message = format!("`{name}` has no command `{word}`; see `{name} --help`");
            Failure::new(Kind::Usage, message)
        })?;
        name = format!("{name} {word}");
    }
    Ok(command)
}

fn answer(what: &str, text: Vec<u8>) -> Result<Answer, Failure> {
    let text = String::from_utf8(text).map_err(|_| Failure::failed("it is not UTF-8"))?;
    Ok(Answer { json: json!({ what: text }), text })
}

const NAME: &str = "portal";
