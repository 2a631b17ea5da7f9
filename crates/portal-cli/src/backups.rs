//! `portal backups`: what there is of a wallet's backups, and the removal of what is superseded.

use std::io::{self, IsTerminal, Write};

use backup_core::BackupId;
use clap::{Args, Subcommand};
use portal_client::{Inventory, KeptKey, KeyState, ListedBackup, Notice};
use serde_json::{Value, json};

use crate::{
    date,
    failure::{self, Failure, Kind, exit_codes},
    notices,
    output::{Answer, Output, printable},
    profile::{KeysPlace, Profile, ProfileAt},
    set,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the backups, and the keys that methods keep for them
    ///
    /// To look into your keychain may take its password.
    #[command(after_help = concat!("Example:\n  portal backups list\n\n", exit_codes!()))]
    List(List),
    /// Removes backups that newer ones have superseded, after asking
    ///
    /// They go by themselves after a while; this does not wait for it. Their halves at the service
    /// are destroyed, and the keys that only they needed. The newest backup of each method stays,
    /// and so does everything that this device does not know to be superseded.
    ///
    /// The while is there for a reason: a service that had to go back to an older copy of its
    /// database may not have your newest backup, and then the one before it recovers the wallet.
    #[command(after_help = concat!(
        "Examples:\n  portal backups remove\n  portal backups remove --yes\n\n", exit_codes!()
    ))]
    Remove(Remove),
}

#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
pub(crate) struct Remove {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    profile: ProfileAt,
}

pub(crate) async fn run(command: Command, output: Output) -> Result<Answer, Failure> {
    match command {
        Command::List(list) => {
            let profile = list.profile.open()?;
            let found = profile.wallet(None).await?.inventory().await?;
            listed(&profile, &found)
        }
        Command::Remove(remove) => run_remove(remove, output).await,
    }
}

async fn run_remove(remove: Remove, output: Output) -> Result<Answer, Failure> {
    let profile = remove.profile.open()?;
    let wallet = profile.wallet(None).await?;
    let Inventory { backups, keys, mut notices, .. } = wallet.inventory().await?;
    let superseded: Vec<_> = backups.iter().filter(|listed| listed.superseded).collect();
    let chosen: Vec<BackupId> = superseded.iter().map(|listed| listed.backup.id.clone()).collect();
    let goes = |key: &&KeptKey| match key.state {
        KeyState::Unneeded => true,
        _ => !key.opens.is_empty() && key.opens.iter().all(|id| chosen.contains(id)),
    };
    let unneeded: Vec<_> = keys.iter().filter(goes).collect();
    if superseded.is_empty() && unneeded.is_empty() {
        return Ok(removed("There is nothing to remove.", &[], 0, &notices));
    }
    if !remove.yes {
        let mut lines: Vec<_> = superseded.iter().map(|listed| line(listed)).collect();
        for key in unneeded {
            lines.push(key_line(key, &profile.place_of_keys(&key.method)?, &backups));
        }
        confirm(lines, output).await?;
    }
    let mut done = wallet.remove_superseded(&chosen).await?;
    notices.append(&mut done.notices);
    let text = format!("Removed {} backups and {} keys.", done.backups.len(), done.keys);
    Ok(removed(&text, &done.backups, done.keys, &notices))
}

fn removed(text: &str, backups: &[BackupId], keys: usize, notices: &[Notice]) -> Answer {
    let backups: Vec<_> = backups.iter().map(BackupId::as_str).collect();
    let json = json!({
        "removed": backups,
        "keysRemoved": keys,
        "notices": notices::as_json(notices),
    });
    Answer { text: format!("{text}\n{}", notices::as_text(notices)), json }
}

/// Asks at the terminal, if there is somebody to ask, whether what `lines` name may go.
async fn confirm(lines: Vec<String>, output: Output) -> Result<(), Failure> {
    if output.json || !io::stdin().is_terminal() {
        let message = "there is nobody to ask; nothing was removed: if you want that, say --yes";
        return Err(Failure::new(Kind::Usage, message));
    }
    let answer = tokio::task::spawn_blocking(move || {
        let mut out = io::stderr().lock();
        write!(out, "{}\nRemove these? [y/N] ", printable(&lines.join("\n")))?;
        out.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    match answer.await.map_err(io::Error::other).and_then(|answer| answer) {
        Ok(answer) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(()),
        _ => Err(Failure::failed("nothing was removed, as you did not say yes")),
    }
}

fn listed(profile: &Profile, found: &Inventory) -> Result<Answer, Failure> {
    let keys = found.keys.iter().map(|key| Ok((key, profile.place_of_keys(&key.method)?)));
    let keys: Vec<_> = keys.collect::<Result<_, Failure>>()?;
    let mut text = "At the service, newest first:\n".to_owned();
    text.extend(found.backups.iter().map(|listed| format!("{}\n", line(listed))));
    if found.backups.is_empty() {
        text += "none; make one with `portal backup`\n";
    }
    if !keys.is_empty() {
        text += "\nKept by methods:\n";
        let lines = keys.iter().map(|(key, place)| key_line(key, place, &found.backups));
        text.extend(lines.map(|line| format!("{line}\n")));
    }
    let unanswered = found.unanswered.iter().map(|(_, error)| {
        let hint = failure::hint(error).map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("Not asked: {error}{hint}.\n")
    });
    text.extend(unanswered);
    text += &notices::as_text(&found.notices);
    Ok(Answer { text, json: as_json(found, &keys) })
}

fn line(listed: &ListedBackup) -> String {
    let size = listed
        .envelope_len
        .map_or_else(|| "no ciphertext".to_owned(), |len| format!("{len} bytes"));
    let state = if listed.superseded { ", superseded" } else { "" };
    format!("{}, {size}{state}", set::as_text(&listed.backup))
}

fn key_line(key: &KeptKey, place: &KeysPlace, backups: &[ListedBackup]) -> String {
    let made = backups.iter().filter(|listed| key.opens.contains(&listed.backup.id));
    let made: Vec<_> = made.map(|listed| date::as_text(listed.backup.created_at)).collect();
    let state = match key.state {
        KeyState::OpensBackup => format!("a key that opens what was made on {}", made.join(", ")),
        KeyState::Enrolled => "a key of this device's, of which no backup is at the service".into(),
        KeyState::Unneeded => {
            "a key that no backup needs; `portal backups remove` removes it".into()
        }
        _ => "a key that no backup above names; nothing here removes it".into(),
    };
    format!("{} in {}: {state}", key.method, place.words)
}

fn as_json(found: &Inventory, keys: &[(&KeptKey, KeysPlace)]) -> Value {
    let backups = found.backups.iter().map(|listed| {
        let mut json = set::as_json(&listed.backup);
        json["place"] = "service".into();
        json["size"] = listed.envelope_len.into();
        json["superseded"] = listed.superseded.into();
        json
    });
    let keys = keys.iter().map(|(key, place)| {
        let state = match key.state {
            KeyState::OpensBackup => "opensBackup",
            KeyState::Enrolled => "enrolled",
            KeyState::Unneeded => "unneeded",
            _ => "unknown",
        };
        let opens: Vec<_> = key.opens.iter().map(BackupId::as_str).collect();
        let method = key.method.as_str();
        json!({ "method": method, "place": place.name, "state": state, "opens": opens })
    });
    let unanswered = found
        .unanswered
        .iter()
        .map(|(method, error)| json!({ "method": method.as_str(), "reason": error.to_string() }));
    json!({
        "backups": backups.collect::<Vec<_>>(),
        "keys": keys.collect::<Vec<_>>(),
        "unanswered": unanswered.collect::<Vec<_>>(),
        "notices": notices::as_json(&found.notices),
    })
}
