//! `portal google`: signs the user in to Google, for backups in their Drive.

mod account;
mod client_file;
mod code;
mod servers;

use std::path::PathBuf;

use backup_core::{ErrorKind, MethodId, Operation, Purpose};
use backup_methods_gdrive::{DriveProblem, Place, TokenSource};
use clap::{Args, Subcommand};
use serde_json::json;

pub(crate) use self::account::Account;
use self::account::Way;
use crate::{
    failure::{Failure, exit_codes},
    output::Answer,
    profile::{Profile, ProfileAt},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Signs you in to Google, so that backups can be kept in your Drive
    ///
    /// Your browser opens, and comes back to this machine. Afterwards `portal backup --method
    /// gdrive` and `portal recover --method gdrive` work, and ask nothing until Google wants you to
    /// sign in again. On a new device, sign in anew, with the same account.
    ///
    /// What is said here is kept in the profile, and need not be said again.
    #[command(after_help = concat!(
        "Examples:\n  portal google sign-in --client-file client_secret.json\n  \
         portal google sign-in --client-file client_secret.json --by-code\n  \
         portal google sign-in\n\n",
        exit_codes!()
    ))]
    SignIn(SignIn),
    /// Forgets your Google account on this device
    ///
    /// Backups stay as they are. Google is not told: to disconnect the app there deletes what it
    /// keeps in its hidden folder.
    #[command(after_help = concat!("Example:\n  portal google sign-out\n\n", exit_codes!()))]
    SignOut(ProfileAt),
}

#[derive(Args, Debug)]
pub(crate) struct SignIn {
    /// The file of your app's OAuth client, as Google's console gives it (`-`: standard input)
    ///
    /// In the console, under Clients: one of the type `Desktop app`, or for --by-code one of the
    /// type `TVs and Limited Input devices`.
    #[arg(long, value_name = "FILE")]
    client_file: Option<PathBuf>,
    /// Sign in by a code that you type on another device, as there is no browser on this one
    #[arg(long, requires = "client_file")]
    by_code: bool,
    /// Keep new keys in a folder of this name that you see in your Drive
    ///
    /// Whoever sits at your computer can read and delete them there. They stay when you disconnect
    /// the app from your Google account.
    #[arg(long = "folder", value_name = "NAME", value_parser = account::folder_name)]
    keys_folder: Option<String>,
    /// Keep new keys in the app's hidden folder, as is done unless you say otherwise
    ///
    /// Nobody sees it. Google deletes it, and the keys with it, when you disconnect the app from
    /// your Google account: have a second backup by another method.
    #[arg(long, conflicts_with = "keys_folder")]
    hidden: bool,
    #[command(flatten)]
    profile: ProfileAt,
}

pub(crate) async fn run(command: Command) -> Result<Answer, Failure> {
    match command {
        Command::SignIn(sign_in) => run_sign_in(sign_in).await,
        Command::SignOut(profile) => run_sign_out(&profile.open()?).await,
    }
}

/// What is wanted is kept once the user has signed in: until then, nothing has changed.
async fn run_sign_in(sign_in: SignIn) -> Result<Answer, Failure> {
    let profile = sign_in.profile.open()?;
    let (before, account) = sign_in.wanted(&profile)?;
    let google = account.sign_in(&profile, &profile.device_key().await?)?;
    google.sign_in(account.place.scope()).await?;
    account.keep(&profile)?;
    let op = Operation::new(Purpose::Enroll, profile.client());
    account.method(google)?.check(&op).await?;
    Ok(signed_in(before.as_ref(), &account))
}

impl SignIn {
    /// Where keys were kept until now, and what is wanted from now on.
    fn wanted(self, profile: &Profile) -> Result<(Option<Place>, Account), Failure> {
        let before = Account::find(profile).unwrap_or_default().map(|account| account.place);
        let account = match self.client_file {
            None => Account::of(profile)?,
            // What cannot be read is made anew.
            Some(file) => Account {
                client: client_file::read(&file)?,
                way: if self.by_code { Way::Code } else { Way::Browser },
                place: before.clone().unwrap_or_default(),
            },
        };
        let place = match self.keys_folder {
            Some(name) => Place::Folder(name),
            None if self.hidden => Place::Hidden,
            None => account.place,
        };
        Ok((before, Account { place, ..account }))
    }
}

fn signed_in(before: Option<&Place>, account: &Account) -> Answer {
    let place = place_in_words(&account.place);
    let mut text = format!("Signed in to Google. New keys are kept in {place}.\n");
    if account.place == Place::Hidden {
        text += "Google deletes it when you disconnect the app: make a second backup by another \
                 method.\n";
    }
    if let Some(before) = before.filter(|before| *before != &account.place) {
        let before = place_in_words(before);
        text += &format!(
            "Keys of earlier backups stay in {before}, and take signing in with that place to be \
             read.\nMake a new one with `portal backup --method gdrive --enroll-anew`.\n"
        );
    }
    let by = match account.way {
        Way::Browser => "browser",
        Way::Code => "code",
    };
    let json = json!({ "signedIn": true, "by": by, "place": account.place_of_keys().name });
    Answer { text, json }
}

async fn run_sign_out(profile: &Profile) -> Result<Answer, Failure> {
    Account::of(profile)?.sign_in(profile, &profile.device_key().await?)?.forget().await?;
    Ok(Answer {
        text: "This device has forgotten your Google account. Backups stay as they are.".into(),
        json: json!({ "signedIn": false }),
    })
}

/// Where keys are, for a person.
fn place_in_words(place: &Place) -> String {
    match place {
        Place::Folder(name) => format!("the folder {name:?} of your Google Drive"),
        _ => "the app's hidden folder in your Google Drive".to_owned(),
    }
}

/// What the user can do about an error of Drive's, if this command knows more than its text.
pub(crate) fn hint(error: &backup_core::Error) -> Option<&'static str> {
    if DriveProblem::of(error) == Some(&DriveProblem::SignInNeeded) {
        return Some("`portal google sign-in` signs you in");
    }
    let is_elsewhere =
        error.kind() == ErrorKind::NotFound && error.method() == Some(&MethodId::GDRIVE);
    is_elsewhere.then_some(
        "`portal google sign-in` takes another account; with --folder or --hidden, the other place",
    )
}
