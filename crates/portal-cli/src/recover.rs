//! `portal recover`: brings a wallet back on a new device.

use clap::Args;
use portal_client::Recovered;
use serde_json::json;

use crate::{
    address,
    failure::Failure,
    notices,
    opening::Opening,
    output::{Answer, Output},
    set,
};

#[derive(Args, Debug)]
pub(crate) struct Recover {
    #[command(flatten)]
    opening: Opening,
}

pub(crate) async fn run(Recover { opening }: Recover, output: Output) -> Result<Answer, Failure> {
    let (method, wallet) = (opening.method(), opening.wallet().await?);
    Ok(answer(&wallet.recover(&method, &opening.options(), &*output.progress()).await?))
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
