//! `portal wallet`: makes, shows and uses a wallet.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use portal_client::{Addresses, Payload, Signature};
use portal_mpc::OnCurve;
use serde_json::json;

use crate::{
    address, bounded_file,
    curve::CurveName,
    failure::{Failure, Kind, exit_codes},
    output::{Answer, Output},
    profile::ProfileAt,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a wallet: a key on each curve, of which this device and the service have a half each
    ///
    /// The whole key exists nowhere, not even while it is made. Without this device nothing is
    /// signed; so back the wallet up before you put anything into it.
    #[command(after_help = concat!(
        "Example:\n  portal wallet create\n  portal backup\n\n", exit_codes!()
    ))]
    Create(Create),
    /// Prints the wallet's addresses
    ///
    /// They are those that this device knows; the service is not asked.
    #[command(after_help = concat!("Example:\n  portal wallet show\n\n", exit_codes!()))]
    Show(Show),
    /// Signs together with the service, and prints the signature in hexadecimal
    ///
    /// On secp256k1 (Ethereum, Bitcoin) a digest of 32 bytes is signed as it is: whoever builds a
    /// transaction hashes it. The signature is r, s and the recovery id, 65 bytes; the recovery id
    /// is 0 or 1, to which Ethereum's message signatures add 27. On ed25519 (Solana) a message is
    /// signed; the signature is 64 bytes. Both sides verify it before it is printed.
    #[command(after_help = concat!(
        "Examples:\n  portal wallet sign --curve ed25519 --message 'hello'\n  portal wallet sign \
         --curve ed25519 --message-file transaction.bin\n  portal wallet sign --curve secp256k1 \
         --digest \"$(sha256sum < file | cut -c 1-64)\"\n\n",
        exit_codes!()
    ))]
    Sign(Sign),
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// Which of the wallet's keys signs
    #[arg(long)]
    curve: CurveName,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// Sign this text, on ed25519
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Sign the bytes of this file (`-`: standard input), on ed25519
    #[arg(long, value_name = "FILE")]
    message_file: Option<PathBuf>,
    /// Sign this digest, on secp256k1: 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = parse_digest)]
    digest: Option<[u8; 32]>,
}

pub(crate) async fn run(command: Command, output: Output) -> Result<Answer, Failure> {
    match command {
        Command::Create(create) => {
            let wallet = create.profile.open()?.wallet(None).await?;
            let addresses = wallet.create_wallet(&*output.progress()).await?;
            output.note("The wallet is made. Back it up now: portal backup");
            Ok(show(&addresses))
        }
        Command::Show(show) => run_show(&show).await,
        Command::Sign(sign) => run_sign(sign).await,
    }
}

async fn run_show(show_what: &Show) -> Result<Answer, Failure> {
    let addresses = show_what.profile.open()?.wallet(None).await?.addresses().await?;
    addresses.as_ref().map(show).ok_or_else(|| portal_client::Error::NoWallet.into())
}

/// A wallet, by its addresses.
fn show(addresses: &Addresses) -> Answer {
    let json = json!({ "addresses": address::as_json(addresses) });
    Answer { text: address::as_text(addresses), json }
}

async fn run_sign(sign: Sign) -> Result<Answer, Failure> {
    let message = sign.what.message()?;
    let payload = match (sign.curve, &sign.what.digest, &message) {
        (CurveName::Secp256k1, Some(digest), _) => Payload::Digest(digest),
        (CurveName::Ed25519, _, Some(message)) => Payload::Message(message),
        (CurveName::Secp256k1, ..) => return Err(wrong_payload("secp256k1 signs a --digest")),
        (CurveName::Ed25519, ..) => {
            return Err(wrong_payload("ed25519 signs a --message or a --message-file"));
        }
    };
    let signature = sign.profile.open()?.wallet(None).await?.sign(payload).await?;
    let hex = base16ct::lower::encode_string(&bytes_of(&signature));
    let json = json!({ "curve": signature.curve().as_str(), "signature": hex });
    Ok(Answer { text: hex, json })
}

impl What {
    fn message(&self) -> Result<Option<Vec<u8>>, Failure> {
        match (&self.message, &self.message_file) {
            (Some(text), _) => Ok(Some(text.clone().into_bytes())),
            (_, Some(path)) => bounded_file::read(path, MAX_MESSAGE_LEN).map(Some),
            _ => Ok(None),
        }
    }
}

const MAX_MESSAGE_LEN: usize = portal_api::SignPayload::MAX_MESSAGE_LEN;

/// r, s and the recovery id, or R and S.
pub(crate) fn bytes_of(signature: &Signature) -> Vec<u8> {
    match signature {
        Signature::Ecdsa(ecdsa) => [&ecdsa.as_bytes()[..], &[ecdsa.recovery_id()]].concat(),
        Signature::Ed25519(bytes) => bytes.to_vec(),
    }
}

fn parse_digest(text: &str) -> Result<[u8; 32], &'static str> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let mut digest = [0; 32];
    match base16ct::mixed::decode(text, &mut digest).map(<[u8]>::len) {
        Ok(32) => Ok(digest),
        _ => Err("a digest has 64 hexadecimal digits"),
    }
}

fn wrong_payload(message: &str) -> Failure {
    Failure::new(Kind::Usage, format!("{message}; see `portal wallet sign --help`"))
}
