//! `portal recover`: brings a wallet back on a new device.

use backup_core::BackupId;
use clap::Args;
use portal_client::{Expected, Namespace, RecoverOptions, Recovered};
use serde_json::json;

use crate::{
    address,
    backup::MethodName,
    failure::Failure,
    notices,
    output::{Answer, Output},
    password::PasswordFrom,
    profile::ProfileAt,
    set,
};

#[derive(Args, Debug)]
pub(crate) struct Recover {
    /// How you open the backup
    #[arg(long, value_enum, default_value_t)]
    method: MethodName,
    /// Which backup; the newest one unless you say otherwise
    #[arg(long, value_name = "ID")]
    backup: Option<BackupId>,
    /// An address that the wallet must have, of any chain; may be given several times
    ///
    /// A new device knows nothing of the wallet but what the service says. Give an address that
    /// you know, and another wallet is refused.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    expect: Vec<(Namespace, String)>,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    profile: ProfileAt,
}

pub(crate) async fn run(recover: Recover, output: Output) -> Result<Answer, Failure> {
    let method = recover.method.id();
    let wallet = recover.profile.open()?.wallet([recover.password.method()?]).await?;
    let expected = Some(recover.expect).filter(|addresses| !addresses.is_empty());
    let options = RecoverOptions {
        backup: recover.backup,
        expected: expected.map(Expected::Addresses),
        ..RecoverOptions::default()
    };
    Ok(answer(&wallet.recover(&method, &options, &*output.progress()).await?))
}

fn answer(recovered: &Recovered) -> Answer {
    let made_before = &recovered.replaced_device_made;
    let mut text = format!("Recovered from the backup {}.\n\n", recovered.backup);
    text += &address::as_text(&recovered.addresses);
    if !made_before.is_empty() {
        text += "\nThe device that was replaced made these backups. If it was stolen, those made \
                 since\nthen are a thief's: make one with --enroll-anew, then revoke the others.\n";
        text.extend(made_before.iter().map(|backup| format!("{}\n", set::as_text(backup))));
    }
    text += &notices::as_text(&recovered.notices);
    let json = json!({
        "backup": recovered.backup.as_str(),
        "addresses": address::as_json(&recovered.addresses),
        "replacedDeviceMade": made_before.iter().map(set::as_json).collect::<Vec<_>>(),
        "notices": notices::as_json(&recovered.notices),
    });
    Answer { text, json }
}
