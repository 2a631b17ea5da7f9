//! `portal passkey`: where the user is asked for passkeys, and which ones open their backups.

mod set_up;

use std::net::Ipv4Addr;

use backup_cloud::server;
use backup_core::{BackupMethod, MethodId, Operation, Purpose};
use backup_methods_passkey::{
    CredentialId, EnclaveProblem, HeldPasskey, PasskeyEnclave, PasskeyPrf, RelyingParty, Status,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

pub(crate) use self::set_up::SetUp;
use crate::{
    date,
    failure::{Failure, Kind, exit_codes},
    output::Answer,
    profile::{Profile, ProfileAt},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says where you are asked for passkeys, and for which domain they are
    ///
    /// A passkey belongs to a domain, and is asked for by a page there, in your browser.
    /// Afterwards `portal backup` and `portal recover` work with `--method passkey`, whose keys the
    /// service keeps and releases to your passkey, and with `--method passkey-prf`, whose key your
    /// passkey makes itself.
    ///
    /// Nothing needs to be said where the service has its page at the address that this profile
    /// knows it by. On a new device, say the same as before.
    #[command(after_help = concat!(
        "Examples:\n  portal passkey set-up\n  portal passkey set-up --enclave \
         https://passkeys.example.com --domain example.com --name Acme\n\n",
        exit_codes!()
    ))]
    SetUp(Settings),
    /// Lists your passkeys at the service, and how many keys each may have
    #[command(after_help = concat!("Example:\n  portal passkey list\n\n", exit_codes!()))]
    List(ProfileAt),
    /// Makes another passkey that opens your backups
    ///
    /// You make the new one first, and then confirm with one that opens them already. Either will
    /// do from then on, so that you may lose one of them.
    #[command(after_help = concat!(
        "Examples:\n  portal passkey add\n  portal passkey add --account \"Alice's key ring\"\n\n",
        exit_codes!()
    ))]
    Add(Add),
    /// Lets a passkey open your backups, after another one has confirmed that it may
    ///
    /// It finishes what `portal passkey add` has begun.
    #[command(after_help = concat!("Example:\n  portal passkey grant --id ID\n\n", exit_codes!()))]
    Grant(One),
    /// Calls a passkey otherwise
    #[command(after_help = concat!(
        "Example:\n  portal passkey rename --id ID \"Alice's old phone\"\n\n", exit_codes!()
    ))]
    Rename(Rename),
    /// Removes a passkey at the service, after another one has confirmed that it may go
    ///
    /// Do this when you have lost it. It is refused if a backup would be left that no passkey
    /// opens. What your device or browser keeps of it, it keeps.
    #[command(after_help = concat!("Example:\n  portal passkey remove --id ID\n\n", exit_codes!()))]
    Remove(One),
}

#[derive(Args, Debug)]
pub(crate) struct Settings {
    /// The address of the passkey service; that of the profile's service unless you say otherwise
    #[arg(long, value_name = "URL")]
    enclave: Option<String>,
    /// The address of the passkey service whose page asks you, if it has another one for that
    #[arg(long, value_name = "URL")]
    page: Option<String>,
    /// The domain that passkeys belong to; the page's own unless you say otherwise
    #[arg(long)]
    domain: Option<String>,
    /// What your browser says that a passkey is for; the domain unless you say otherwise
    #[arg(long)]
    name: Option<String>,
    /// How new passkeys are called, to tell yours apart; by your client's id unless you say
    /// otherwise
    #[arg(long, value_name = "NAME", value_parser = passkey_name)]
    account: Option<String>,
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// How it is called, to tell it from the others
    #[arg(long, value_name = "NAME", value_parser = passkey_name)]
    account: Option<String>,
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
pub(crate) struct One {
    /// Which passkey, as `portal passkey list` has it
    #[arg(long, value_parser = passkey_id, allow_hyphen_values = true)]
    id: CredentialId,
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
pub(crate) struct Rename {
    #[command(flatten)]
    one: One,
    /// Its new name: 1 to 64 bytes
    #[arg(value_parser = passkey_name)]
    name: String,
}

/// The method whose key the passkey makes itself.
pub(crate) fn prf_id() -> MethodId {
    MethodId::new(PasskeyPrf::ID).expect("the id of a method is one")
}

pub(crate) async fn run(command: Command) -> Result<Answer, Failure> {
    match command {
        Command::SetUp(settings) => run_set_up(settings).await,
        Command::List(profile) => run_list(&profile.open()?).await,
        Command::Add(add) => run_add(add).await,
        Command::Grant(one) => run_grant(&one).await,
        Command::Rename(rename) => run_rename(&rename).await,
        Command::Remove(one) => run_remove(&one).await,
    }
}

/// Nothing is kept before the service has answered.
async fn run_set_up(settings: Settings) -> Result<Answer, Failure> {
    let profile = settings.profile.open()?;
    let before = SetUp::find(&profile).unwrap_or_default();
    let set_up = settings.wanted(&profile)?;
    set_up.enclave(&profile.api_key()?)?.check(&confirming(&profile)).await?;
    set_up.keep(&profile)?;
    let domain = set_up.relying_party.id();
    let mut text = format!("Passkeys are for {domain}, and asked for at {}.\n", set_up.page);
    if let Some(before) = before.filter(|before| before.relying_party.id() != domain) {
        text += &format!(
            "Backups with passkeys for {} take setting up with that domain to be opened.\n",
            before.relying_party.id()
        );
    }
    let json = json!({ "enclave": set_up.enclave, "page": set_up.page, "domain": domain });
    Ok(Answer { text, json })
}

impl Settings {
    fn wanted(self, profile: &Profile) -> Result<SetUp, Failure> {
        let enclave = self.enclave.unwrap_or_else(|| profile.service().to_owned());
        let page = self.page.unwrap_or_else(|| enclave.clone());
        let host = server(&page)?.host_str().unwrap_or_default().to_owned();
        let is_named = host.parse::<Ipv4Addr>().is_err() && !host.starts_with('[');
        let domain = self.domain.or(is_named.then_some(host)).ok_or_else(|| no_domain(&page))?;
        let name = self.name.as_ref().unwrap_or(&domain);
        let relying_party = RelyingParty::new(&domain, name)?;
        let account = self.account.unwrap_or_else(|| profile.client().client.to_string());
        Ok(SetUp { enclave, page, relying_party, account })
    }
}

fn no_domain(page: &str) -> Failure {
    let message = format!(
        "{page} has no name that passkeys could belong to; say another one with --page, such as \
         http://localhost:8080, or the domain with --domain"
    );
    Failure::new(Kind::Usage, message)
}

async fn run_list(profile: &Profile) -> Result<Answer, Failure> {
    let passkeys = enclave_of(profile, None)?.passkeys().await?;
    let mut text: String = passkeys.iter().map(in_words).collect();
    if passkeys.is_empty() {
        text += "none; `portal backup --method passkey` makes the first\n";
    }
    let passkeys: Vec<_> = passkeys.iter().map(as_json).collect();
    Ok(Answer { text, json: json!({ "passkeys": passkeys }) })
}

fn in_words(passkey: &HeldPasskey) -> String {
    let HeldPasskey { id, name, added_at, keys, .. } = passkey;
    let added = date::as_text(*added_at);
    let opens = match keys.len() {
        0 => "opens nothing".to_owned(),
        1 => "has 1 key".to_owned(),
        keys => format!("has {keys} keys"),
    };
    format!("{id}  {name:?}, added {added}, {opens}\n")
}

fn as_json(passkey: &HeldPasskey) -> Value {
    let HeldPasskey { id, name, added_at, keys, .. } = passkey;
    json!({ "id": id, "name": name, "addedAt": added_at, "keys": keys.len() })
}

async fn run_add(add: Add) -> Result<Answer, Failure> {
    let profile = add.profile.open()?;
    let enclave = enclave_of(&profile, add.account)?;
    if enclave.status().await? != Status::WithCredential {
        let message = "no passkey of yours opens a backup yet, so none can let another one do so; \
                       begin with `portal backup --method passkey`";
        return Err(Failure::new(Kind::State, message));
    }
    let op = confirming(&profile);
    let id = enclave.register_passkey(&op).await?;
    enclave.grant(&op, &id).await.map_err(|error| {
        let unfinished = format!(
            "the new passkey is there and opens nothing yet; `portal passkey grant --id {id}` has \
             it do so"
        );
        Failure::from(error).at(&unfinished)
    })?;
    Ok(Answer {
        text: format!("The new passkey opens your backups: {id}"),
        json: json!({ "added": id }),
    })
}

async fn run_grant(One { id, profile }: &One) -> Result<Answer, Failure> {
    let profile = profile.open()?;
    enclave_of(&profile, None)?.grant(&confirming(&profile), id).await?;
    Ok(Answer {
        text: format!("This passkey opens what the one opens that confirmed: {id}"),
        json: json!({ "granted": id }),
    })
}

async fn run_rename(Rename { one, name }: &Rename) -> Result<Answer, Failure> {
    let profile = one.profile.open()?;
    enclave_of(&profile, None)?.rename(&confirming(&profile), &one.id, name).await?;
    Ok(Answer {
        text: format!("The passkey is called {name:?} now."),
        json: json!({ "renamed": one.id, "name": name }),
    })
}

async fn run_remove(One { id, profile }: &One) -> Result<Answer, Failure> {
    let profile = profile.open()?;
    enclave_of(&profile, None)?.remove(&confirming(&profile), id).await?;
    Ok(Answer {
        text: "The passkey opens nothing any more.".to_owned(),
        json: json!({ "removed": id }),
    })
}

/// The passkey service, asked for this profile. `account` is how a new passkey is called.
fn enclave_of(profile: &Profile, account: Option<String>) -> Result<PasskeyEnclave, Failure> {
    let mut set_up = SetUp::of(profile)?;
    set_up.account = account.unwrap_or(set_up.account);
    set_up.enclave(&profile.api_key()?)
}

fn confirming(profile: &Profile) -> Operation<'_> {
    Operation::new(Purpose::Unlock, profile.client())
}

fn passkey_id(text: &str) -> Result<CredentialId, String> {
    text.parse().map_err(|error: backup_core::Error| error.to_string())
}

/// What the service takes as one, and a user can tell from others.
fn passkey_name(name: &str) -> Result<String, &'static str> {
    if name.trim().is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
        return Err("a passkey's name is 1 to 64 bytes, without line ends");
    }
    Ok(name.to_owned())
}

/// What the user can do about an error of a passkey's, if this command knows more than its text.
pub(crate) fn hint(error: &backup_core::Error) -> Option<&'static str> {
    match EnclaveProblem::of(error)? {
        EnclaveProblem::NoPasskey => Some("`portal backup --method passkey` makes one"),
        EnclaveProblem::NotAllowed => Some("`portal passkey list` shows which ones have keys"),
        EnclaveProblem::ForeignRelyingParty => {
            Some("`portal passkey set-up` takes another --domain")
        }
        _ => None,
    }
}
