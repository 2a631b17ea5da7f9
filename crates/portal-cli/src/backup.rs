//! `portal backup`: makes backups, and destroys them.

use backup_core::MethodId;
use clap::{Args, Subcommand, ValueEnum};
use portal_client::{BackUpOptions, BackedUp};
use serde_json::json;

#[cfg(feature = "gdrive")]
use crate::google;
#[cfg(feature = "icloud")]
use crate::icloud;
#[cfg(feature = "keychain")]
use crate::keychain;
#[cfg(feature = "passkey")]
use crate::passkey;
use crate::{
    failure::{Failure, exit_codes},
    notices,
    output::{Answer, Output},
    password::PasswordFrom,
    profile::{Profile, ProfileAt},
};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Backup {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    make: Make,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Destroys all backups of a method
    ///
    /// Their halves at the service are destroyed at once, and what is left of them opens nothing:
    /// do this when somebody may have learned your password. It is refused if the wallet would be
    /// left without a backup that was seen to work, by another method.
    #[command(after_help = concat!(
        "Example:\n  portal backup revoke --method password\n\n", exit_codes!()
    ))]
    Revoke(Revoke),
}

#[derive(Args, Debug)]
struct Make {
    /// How you will open the backup on a new device
    #[arg(long, value_enum, default_value_t)]
    method: MethodName,
    /// Choose a new password, or make a new key, even though the device can go on with the last one
    #[arg(long)]
    enroll_anew: bool,
    /// Do not try out whether the new password opens the backup
    ///
    /// Then it does not count as one that works, and no older one goes because of it.
    #[arg(long)]
    skip_trial: bool,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
struct Revoke {
    /// Whose backups
    #[arg(long, value_enum)]
    method: MethodName,
    #[command(flatten)]
    profile: ProfileAt,
}

/// How a user opens a backup.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum MethodName {
    /// By a password that only you know
    #[default]
    Password,
    /// By a key in the keychain of your system
    ///
    /// It recovers nothing on a device that does not have the same keychain: most are not copied
    /// to another device by themselves.
    #[cfg(feature = "keychain")]
    Keychain,
    /// By a key in your Google Drive, after `portal google sign-in`
    ///
    /// It recovers the wallet wherever you sign in with the same account. Google deletes keys in
    /// the app's hidden folder when you disconnect the app.
    #[cfg(feature = "gdrive")]
    Gdrive,
    /// By a key in your iCloud, after `portal icloud sign-in`
    ///
    /// It recovers the wallet wherever you sign in with the same Apple Account. It is gone when you
    /// delete this app's data in your iCloud settings.
    #[cfg(feature = "icloud")]
    #[value(name = "icloud")]
    ICloud,
    /// By a key that the service releases to your passkey, after `portal passkey set-up`
    ///
    /// It recovers the wallet wherever you have the passkey, or another one that was added to it.
    #[cfg(feature = "passkey")]
    Passkey,
    /// By a key that your passkey makes, and no service ever has, after `portal passkey set-up`
    ///
    /// It recovers the wallet wherever you have this very passkey: have a second backup by another
    /// method. Not every passkey can do it; you are told before anything is made.
    #[cfg(feature = "passkey")]
    PasskeyPrf,
}

impl MethodName {
    pub(crate) fn id(self) -> MethodId {
        match self {
            Self::Password => MethodId::PASSWORD,
            #[cfg(feature = "keychain")]
            Self::Keychain => keychain::method().id(),
            #[cfg(feature = "gdrive")]
            Self::Gdrive => MethodId::GDRIVE,
            #[cfg(feature = "icloud")]
            Self::ICloud => MethodId::ICLOUD,
            #[cfg(feature = "passkey")]
            Self::Passkey => MethodId::PASSKEY,
            #[cfg(feature = "passkey")]
            Self::PasskeyPrf => passkey::prf_id(),
        }
    }

    /// Fails if the method takes what the profile does not have.
    pub(crate) fn check(self, profile: &Profile) -> Result<(), Failure> {
        #[cfg(feature = "gdrive")]
        if matches!(self, Self::Gdrive) {
            google::Account::of(profile)?;
        }
        #[cfg(feature = "icloud")]
        if matches!(self, Self::ICloud) {
            icloud::Account::of(profile)?;
        }
        #[cfg(feature = "passkey")]
        if matches!(self, Self::Passkey | Self::PasskeyPrf) {
            passkey::SetUp::of(profile)?;
        }
        let _ = (self, profile);
        Ok(())
    }

    /// What the user knows or has, in a sentence.
    fn secret(self) -> &'static str {
        match self {
            Self::Password => "the password that you chose",
            #[cfg(feature = "keychain")]
            Self::Keychain => "the key in your keychain",
            #[cfg(feature = "gdrive")]
            Self::Gdrive => "the key in your Google Drive",
            #[cfg(feature = "icloud")]
            Self::ICloud => "the key in your iCloud",
            #[cfg(feature = "passkey")]
            Self::Passkey | Self::PasskeyPrf => "your passkey",
        }
    }
}

pub(crate) async fn run(backup: Backup, output: Output) -> Result<Answer, Failure> {
    match backup.command {
        Some(Command::Revoke(revoke)) => run_revoke(&revoke, output).await,
        None => run_make(&backup.make, output).await,
    }
}

async fn run_make(make: &Make, output: Output) -> Result<Answer, Failure> {
    let method = make.method.id();
    let profile = make.profile.open()?;
    make.method.check(&profile)?;
    let wallet = profile.wallet([make.password.method()?]).await?;
    let options = BackUpOptions {
        enroll_anew: make.enroll_anew,
        skip_trial: make.skip_trial,
        ..BackUpOptions::default()
    };
    let made = wallet.back_up(&method, &options, &*output.progress()).await?;
    Ok(answer(make.method, &made))
}

fn answer(method: MethodName, made: &BackedUp) -> Answer {
    let BackedUp { backup, enrolled, proved, .. } = made;
    let secret = method.secret();
    let outcome = match (enrolled, proved) {
        (true, true) => format!("It was tried out: {secret} opens it."),
        (false, true) => {
            format!("It opens with {secret}, as the backups before; that was tried out.")
        }
        (_, false) => "It was not tried out. Older backups stay until one was.".to_owned(),
    };
    let method = method.id();
    Answer {
        text: format!("Backup {backup}\n{outcome}\n{}", notices::as_text(&made.notices)),
        json: json!({
            "backup": backup.as_str(),
            "method": method.as_str(),
            "enrolled": enrolled,
            "proved": proved,
            "notices": notices::as_json(&made.notices),
        }),
    }
}

async fn run_revoke(revoke: &Revoke, output: Output) -> Result<Answer, Failure> {
    let method = revoke.method.id();
    let wallet = revoke.profile.open()?.wallet(None).await?;
    wallet.revoke(&method, &*output.progress()).await?;
    Ok(Answer {
        text: format!("All backups of the method {method} are destroyed."),
        json: json!({ "revoked": method.as_str() }),
    })
}
