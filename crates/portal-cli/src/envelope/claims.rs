//! What an envelope claims about itself, for people and for programs.

use std::fmt::Write;

use backup_core::{Envelope, KeySlot, SealedWallet};
use serde_json::{Value, json};

/// For people. Ids are visible ASCII and parameters are escaped, so nothing here moves a cursor.
pub(super) fn as_text(envelope: &Envelope) -> String {
    let header = envelope.header();
    let mut text = String::from(
        "What this envelope says about itself. Nothing of it is verified: anybody could have\n\
         written it, and only opening the envelope shows whether it is true.\n\n",
    );
    let length = format!("{} characters", envelope.as_str().len());
    let sealing_key = hex(&header.sealing_public_key);
    let params = header.slot.as_ref().map(|slot| slot.params().as_bytes().escape_ascii());
    let parameters = params.map_or_else(
        || "none: it opens with a key that the app keeps".to_owned(),
        |params| params.to_string().replace("\\\"", "\""),
    );
    for (name, value) in [
        ("format", FORMAT),
        ("length", &length),
        ("custodian", header.context.custodian.as_str()),
        ("client", header.context.client.as_str()),
        ("backup", header.backup.as_str()),
        ("sealing key", &sealing_key),
        ("method", header.method.as_str()),
        ("parameters", &parameters),
    ] {
        line(&mut text, name, value);
    }
    for SealedWallet { wallet, pair } in &header.wallets {
        let curve = wallet.curve();
        line(&mut text, "wallet", &format!("{curve}, public key {}", hex(wallet.as_bytes())));
        line(&mut text, "", &format!("share pair {}", pair.as_str()));
    }
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    writeln!(text, "  {name:<12} {value}").expect("a string takes any text");
}

/// For programs.
pub(super) fn as_json(envelope: &Envelope) -> Value {
    let header = envelope.header();
    json!({
        "verified": false,
        "format": FORMAT,
        "length": envelope.as_str().len(),
        "custodian": header.context.custodian.as_str(),
        "client": header.context.client.as_str(),
        "backup": header.backup.as_str(),
        "sealingKey": hex(&header.sealing_public_key),
        "method": header.method.as_str(),
        "slot": header.slot.as_ref().map(slot_as_json),
        "wallets": header.wallets.iter().map(wallet_as_json).collect::<Vec<_>>(),
    })
}

/// Most methods have JSON parameters. Whatever else there is, is shown in hexadecimal.
fn slot_as_json(slot: &KeySlot) -> Value {
    let params = slot.params().as_bytes();
    match serde_json::from_slice::<Value>(params) {
        Ok(params) => json!({ "parameters": params }),
        Err(_) => json!({ "parametersHex": hex(params) }),
    }
}

fn wallet_as_json(sealed: &SealedWallet) -> Value {
    json!({
        "curve": sealed.wallet.curve().as_str(),
        "publicKey": hex(sealed.wallet.as_bytes()),
        "sharePair": sealed.pair.as_str(),
    })
}

const FORMAT: &str = "portal-backup-1";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
