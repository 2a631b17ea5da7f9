//! `portal status`: what there is of a wallet.

use backup_core::MethodId;
use clap::Args;
use portal_client::{Addresses, Status as Found};
use serde_json::{Value, json};

use crate::{
    address,
    failure::Failure,
    notices,
    output::Answer,
    profile::{Profile, ProfileAt},
    set,
};

#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    profile: ProfileAt,
}

pub(crate) async fn run(status: Status) -> Result<Answer, Failure> {
    let profile = status.profile.open()?;
    let found = profile.wallet(None).await?.status().await?;
    Ok(Answer { text: as_text(&profile, &found), json: as_json(&profile, &found) })
}

fn as_text(profile: &Profile, found: &Found) -> String {
    let client = profile.client();
    let mut text = format!(
        "Service    {}\nCustodian  {}\nClient     {}\nProfile    {}\n\n{}\n",
        profile.service(),
        client.custodian,
        client.client,
        profile.folder().display(),
        wallet_in_words(found),
    );
    let addresses = found.addresses.as_ref().or(found.service_addresses.as_ref());
    text += &addresses.map(address::as_text).unwrap_or_default();
    text += "\nBackups, newest first:\n";
    if found.backups.is_empty() {
        text += "none; make one with `portal backup`\n";
    }
    text.extend(found.backups.iter().map(|backup| format!("{}\n", set::as_text(backup))));
    text + &notices::as_text(&found.notices)
}

fn wallet_in_words(found: &Found) -> &'static str {
    match (&found.addresses, &found.service_addresses) {
        (Some(_), _) if found.live => "This device signs for the wallet:",
        (Some(_), _) => "Another device signs for the wallet; `portal recover` takes it back:",
        (None, Some(_)) => {
            "No wallet is on this device; `portal recover` brings it here. The service says it is:"
        }
        (None, None) => "There is no wallet; `portal wallet create` makes one.",
    }
}

fn as_json(profile: &Profile, found: &Found) -> Value {
    let client = profile.client();
    let silent = found.silent_methods.iter().map(MethodId::as_str);
    json!({
        "service": profile.service(),
        "custodian": client.custodian.as_str(),
        "client": client.client.as_str(),
        "profile": profile.folder().to_string_lossy(),
        "apiKeyFile": profile.api_key_file().to_string_lossy(),
        "live": found.live,
        "addresses": addresses(found.addresses.as_ref()),
        "serviceAddresses": addresses(found.service_addresses.as_ref()),
        "backups": found.backups.iter().map(set::as_json).collect::<Vec<_>>(),
        "methodsWithoutAsking": silent.collect::<Vec<_>>(),
        "notices": notices::as_json(&found.notices),
    })
}

fn addresses(addresses: Option<&Addresses>) -> Option<Value> {
    addresses.map(address::as_json)
}
