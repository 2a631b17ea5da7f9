//! Ejects the keys of a backup that Portal's SDKs wrote, from files.

use std::{env, fs};

use anyhow::{Context, Result, bail};
use portal_import::{OnCurve, PortalCustodianShare, PortalKey, open_with_key, open_with_password};

const USAGE: &str = "eject_portal_backup CIPHER_TEXT_FILE (--key FILE | --password FILE) \
                     CUSTODIAN_SHARE_FILE…";

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [cipher_text, form, secret, custodians @ ..] = &arguments[..] else { bail!(USAGE) };
    let (cipher_text, secret) = (line(cipher_text)?, line(secret)?);
    let shares = match form.as_str() {
        "--key" => open_with_key(&cipher_text, &PortalKey::from_hex(&secret)?)?,
        "--password" => open_with_password(&cipher_text, &secret.into())?,
        _ => bail!(USAGE),
    };
    for (curve, share) in shares.iter() {
        println!("{curve}: a share of the wallet {}", share.public_key());
    }
    for path in custodians {
        let custodian = PortalCustodianShare::from_json(&line(path)?)?;
        let share = shares.get(custodian.curve()).context("the backup has no share for it")?;
        println!("{}: {}", custodian.curve(), share.eject(&custodian)?.expose());
    }
    Ok(())
}

/// What an editor put into the file, without the line feed that it added.
fn line(path: &str) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
