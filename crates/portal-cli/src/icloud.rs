//! `portal icloud`: signs the user in to iCloud, for backups in their private database.

mod account;

use std::path::PathBuf;

use backup_core::{ErrorKind, MethodId, Operation, Purpose};
use backup_methods_icloud::ICloudProblem;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

pub(crate) use self::account::Account;
use self::account::App;
use crate::{
    failure::{Failure, exit_codes},
    output::Answer,
    profile::{Profile, ProfileAt},
    secret_file,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Signs you in to iCloud, so that backups can be kept there
    ///
    /// Your browser opens a page of the app, which leads to Apple's and comes back to this machine.
    /// Afterwards `portal backup --method icloud` and `portal recover --method icloud` work, and
    /// ask when Apple wants you to sign in again: after half an hour, or after two weeks if you
    /// tick `Keep me signed in`. On a new device, sign in anew, with the same Apple Account.
    ///
    /// What is said here is kept in the profile, and need not be said again.
    #[command(after_help = concat!(
        "Examples:\n  portal icloud sign-in --container iCloud.com.example.wallet \\\n      \
         --api-token-file api-token --page https://wallet.example/icloud/callback.html\n  \
         portal icloud sign-in\n\n",
        exit_codes!()
    ))]
    SignIn(SignIn),
    /// Forgets your Apple Account on this device
    ///
    /// Backups stay as they are.
    #[command(after_help = concat!("Example:\n  portal icloud sign-out\n\n", exit_codes!()))]
    SignOut(ProfileAt),
}

#[derive(Args, Debug)]
pub(crate) struct SignIn {
    /// The app's container, as Apple's developer site has it: it begins with `iCloud.`
    #[arg(long, value_name = "ID", requires = "api_token_file", requires = "page")]
    container: Option<String>,
    /// Which half of the container: production unless you say otherwise
    #[arg(long, value_enum, requires = "container")]
    environment: Option<Environment>,
    /// The file with the API token of that half, from CloudKit Console (`-`: standard input)
    #[arg(long, value_name = "FILE", requires = "container")]
    api_token_file: Option<PathBuf>,
    /// Where `callback.html` is, as it is registered with the API token
    #[arg(long, value_name = "URL", requires = "container")]
    page: Option<String>,
    #[command(flatten)]
    profile: ProfileAt,
}

/// Which half of a container.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Environment {
    /// For trying things out
    Development,
    /// What users have
    #[default]
    Production,
}

pub(crate) async fn run(command: Command) -> Result<Answer, Failure> {
    match command {
        Command::SignIn(sign_in) => run_sign_in(sign_in).await,
        Command::SignOut(profile) => run_sign_out(&profile.open()?).await,
    }
}

/// Nothing is kept before the user has signed in, and been seen to be one.
async fn run_sign_in(sign_in: SignIn) -> Result<Answer, Failure> {
    let profile = sign_in.profile.open()?;
    let before = Account::find(&profile).unwrap_or_default();
    let app = sign_in.app(&profile)?;
    let op = Operation::new(Purpose::Enroll, profile.client());
    let signed_in = app.sign_in(&op).await?;
    let account = signed_in.keep(&profile, &profile.device_key().await?).await?;
    let mut text = "Signed in to iCloud.\n".to_owned();
    if before.is_some_and(|before| !before.is_of(&account)) {
        text += "This is another account, or another place in it, than before. Keys of earlier \
                 backups stay there, and\ntake signing in with that one to be read.\nMake a new \
                 one with `portal backup --method icloud --enroll-anew`.\n";
    }
    Ok(Answer { text, json: json!({ "signedIn": true, "user": account.user }) })
}

impl SignIn {
    fn app(self, profile: &Profile) -> Result<App, Failure> {
        let (Some(container), Some(api_token_file), Some(page)) =
            (self.container, self.api_token_file, self.page)
        else {
            return Ok(Account::of(profile)?.app);
        };
        let api_token = secret_file::read_line(&api_token_file)?;
        let environment = self.environment.unwrap_or_default();
        let app = App { container, environment, api_token, page };
        app.container()?;
        app.browser()?;
        Ok(app)
    }
}

async fn run_sign_out(profile: &Profile) -> Result<Answer, Failure> {
    Account::of(profile)?;
    account::forget(profile, &profile.device_key().await?).await?;
    Ok(Answer {
        text: "This device has forgotten your Apple Account. Backups stay as they are.".into(),
        json: json!({ "signedIn": false }),
    })
}

/// What the user can do about an error of iCloud's, if this command knows more than its text.
pub(crate) fn hint(error: &backup_core::Error) -> Option<&'static str> {
    match ICloudProblem::of(error) {
        Some(ICloudProblem::SignInNeeded) => return Some("`portal icloud sign-in` signs you in"),
        Some(ICloudProblem::OtherAccount) => {
            return Some("`portal icloud sign-in` takes the other account");
        }
        _ => {}
    }
    let is_elsewhere =
        error.kind() == ErrorKind::NotFound && error.method() == Some(&MethodId::ICLOUD);
    is_elsewhere.then_some("`portal icloud sign-in` takes another account")
}
