//! `portal eject`: brings a wallet's private keys together, and writes them to a file.

use std::path::{Path, PathBuf};

use backup_core::secrecy::zeroize::Zeroizing;
use clap::Args;
use portal_client::{EjectOptions, Ejected};
use serde_json::json;

use crate::{
    address,
    curve::CurveName,
    durable,
    failure::{Failure, Kind},
    notices,
    opening::Opening,
    output::{Answer, Output},
};

#[derive(Args, Debug)]
pub(crate) struct Eject {
    /// The file that the private keys are written to, for you alone; it must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Yes, from then on whoever reads this file has the wallet
    ///
    /// Two halves that never meet protect the wallet until now. Without this nothing is done.
    #[arg(long)]
    yes: bool,
    /// Of which wallet; of all, unless you say otherwise
    #[arg(long)]
    curve: Option<CurveName>,
    #[command(flatten)]
    opening: Opening,
}

pub(crate) async fn run(eject: Eject, output: Output) -> Result<Answer, Failure> {
    if !eject.yes {
        return Err(Failure::new(Kind::Usage, NOT_CONFIRMED));
    }
    let to = vacant(&eject.to)?;
    let (method, wallet) = (eject.opening.method(), eject.opening.wallet().await?);
    let only = eject.curve.map(CurveName::curve);
    let options = EjectOptions { only, open: eject.opening.options(), ..EjectOptions::default() };
    let ejected = wallet.eject(&method, &options, &*output.progress()).await?;
    durable::create(&to, text_of(&ejected).as_bytes())?;
    Ok(answer(&ejected, &to))
}

const NOT_CONFIRMED: &str = "this brings the whole private key together, and whoever reads the \
     file has the wallet; nothing was done: if you want that, say --yes";

/// The path in full, if there is nothing.
fn vacant(path: &Path) -> Result<PathBuf, Failure> {
    let full = std::path::absolute(path).map_err(|error| Failure::of_file("find", path, &error))?;
    match full.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(full),
        Err(error) => Err(Failure::of_file("find", path, &error)),
        Ok(_) => {
            let message = format!("{} exists: name a file that does not", path.display());
            Err(Failure::new(Kind::Usage, message))
        }
    }
}

/// A line for each key: its curve, and the key. No copy is left behind.
fn text_of(ejected: &Ejected) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(LONGEST));
    for (curve, key) in ejected.keys.iter() {
        for part in [curve.as_str(), " ", key.expose(), "\n"] {
            text.push_str(part);
        }
    }
    text
}

/// Two lines, with 64 digits at most.
const LONGEST: usize = 256;

fn answer(ejected: &Ejected, to: &Path) -> Answer {
    let mut text = format!(
        "The private keys are in {}: for secp256k1 in hexadecimal, for ed25519 the scalar in\n\
         base58, which is no seed. Move what the wallet holds to another one; this one is no \
         longer\nprotected by two parties.\n\n",
        to.display()
    );
    text += &address::as_text(&ejected.addresses);
    text += &notices::as_text(&ejected.notices);
    let curves: Vec<_> = ejected.keys.iter().map(|(curve, _)| curve.as_str()).collect();
    let json = json!({
        "file": to.to_string_lossy(),
        "curves": curves,
        "backup": ejected.backup.as_str(),
        "addresses": address::as_json(&ejected.addresses),
        "notices": notices::as_json(&ejected.notices),
    });
    Answer { text, json }
}
