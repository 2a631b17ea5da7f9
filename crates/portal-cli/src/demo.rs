//! `portal demo`: a wallet, a backup, a lost device and a recovery, with a real service.

mod device;
mod narrator;
mod scripted;
mod service;
mod verify;

use std::{path::Path, time::Instant};

use backup_core::MethodId;
use portal_client::{Addresses, BackUpOptions, Namespace, Payload, Portal, RecoverOptions};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::{
    device::{Device, Login},
    narrator::Narrator,
    scripted::{MISTYPED, PASSWORD, TOO_SHORT, WRONG},
    service::Service,
};
use crate::{
    address,
    failure::{Failure, Kind},
    output::{Answer, Output},
    signals::Signals,
    wallet,
};

/// Whatever happens, the service has ended and the folder is gone when this returns.
pub(crate) async fn run(output: Output, mut signals: Signals) -> Result<Answer, Failure> {
    let begin = Instant::now();
    let narrator = Narrator::new(output.json);
    narrator.tell(INTRODUCTION);
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::failed(format!("cannot make a temporary folder: {error}")))?;
    narrator.step("A business runs the service: a process of its own, reached over HTTP only");
    let service = signals.unless_interrupted(Service::start(folder.path())).await?;
    narrator.say_time(&format!("It answers at {}", service.url));
    let told = signals.unless_interrupted(story(&narrator, &service, folder.path())).await;
    let stopped = service.stop().await;
    let Told { addresses, signed } = told?;
    stopped?;
    folder.close().map_err(|error| Failure::failed(format!("cannot clean up: {error}")))?;
    let seconds = begin.elapsed().as_secs_f64();
    let addresses = address::as_json(&addresses);
    Ok(Answer {
        text: format!("\n   Everything held. That took {seconds:.1} s."),
        json: json!({
            "held": true,
            "addresses": addresses,
            "signed": signed.map(|signed| signed.json()),
            "seconds": seconds,
        }),
    })
}

/// What the story ended with: whoever reads it can verify all of it once more.
struct Told {
    addresses: Addresses,
    /// Before the loss, and after the recovery.
    signed: [Signed; 2],
}

/// A message that was signed on both curves.
struct Signed {
    message: &'static str,
    on_ethereum: Vec<u8>,
    on_solana: Vec<u8>,
}

impl Signed {
    fn json(&self) -> Value {
        let hex = |bytes: &[u8]| base16ct::lower::encode_string(bytes);
        json!({
            "message": self.message,
            "secp256k1": hex(&self.on_ethereum),
            "ed25519": hex(&self.on_solana),
        })
    }
}

const INTRODUCTION: &str = "\
This demo makes a wallet, backs it up, loses the device, and brings the wallet back.

The private key of such a wallet is in no single place. It exists as two halves, called shares: one
on your device and one at a service, and both must take part to sign. Lose the device, and your half
is gone, unless it was backed up.

What is real here: the wallet, the service, the encryption, the password hashing, and every check.
What is not:       the person who types, and the machines. Each device is a folder of this one.";

/// Runs in order; whatever does not hold ends it.
async fn story(narrator: &Narrator, service: &Service, folder: &Path) -> Result<Told, Failure> {
    narrator.step("The business makes a client for you, its user");
    let login = Login::of_new_user(service).await?;
    narrator.say_time("All your app gets is your ids, and a key to ask the service with");

    narrator.step("Your device and the service make a wallet, of which nobody ever has the key");
    let device = Device::buy(folder.join("your-device"), narrator)?;
    let app = device.start_app(&login, &[])?;
    let addresses = app.create_wallet(narrator).await?;
    narrator.say_time("Made on two curves at once");
    narrator.say(&format!("Your addresses: {}", shown(&addresses)?.join(" and ")));
    let before = sign(&app, &addresses, "a payment before the loss", narrator).await?;

    narrator.step("You choose a password, and the wallet is backed up");
    let app = device.start_app(&login, &[TOO_SHORT, PASSWORD, PASSWORD])?;
    app.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), narrator).await?;
    narrator.say_time("The second time it was tried out, by the way of a recovery: it opened");
    narrator.say("One half is encrypted under your password, the other is with the custodian.");

    narrator.step("A year later it is backed up again, without a password");
    let app = device.start_app(&login, &[])?;
    let last = app.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), narrator).await?;
    narrator.say_time("Nobody was asked: the device can add backups, but it cannot open them");

    narrator.step("You lose the device");
    drop(app);
    device.lose()?;
    narrator.say("Its folder is gone. There is what you remember, and what the service keeps.");

    narrator.step("Somebody who got hold of your login tries a wrong password on a new device");
    let device = Device::buy(folder.join("another-device"), narrator)?;
    refuse_wrong_password(&device, &login, narrator).await?;
    device.lose()?;

    narrator.step("On your new device you mistype the password once, then enter it right");
    let device = Device::buy(folder.join("your-new-device"), narrator)?;
    let app = device.start_app(&login, &[MISTYPED, PASSWORD])?;
    let recovered = app.recover(&MethodId::PASSWORD, &RecoverOptions::default(), narrator).await?;
    narrator.say_time("Both halves of the backup made new shares for device and service");
    expect(recovered.backup == last.backup, "another backup was opened than the newest one")?;
    expect(recovered.addresses == addresses, "another wallet came back")?;
    narrator.say(&format!(
        "Your addresses: {}, as before.",
        shown(&recovered.addresses)?.join(" and ")
    ));
    let after = sign(&app, &addresses, "a payment after the recovery", narrator).await?;
    Ok(Told { addresses, signed: [before, after] })
}

/// Signs on both curves, and verifies both signatures with nothing but the addresses.
async fn sign(
    app: &Portal,
    addresses: &Addresses,
    message: &'static str,
    narrator: &Narrator,
) -> Result<Signed, Failure> {
    let digest: [u8; 32] = Sha256::digest(message).into();
    let on_ethereum = wallet::bytes_of(&app.sign(Payload::Digest(&digest)).await?);
    let on_solana = wallet::bytes_of(&app.sign(Payload::Message(message.as_bytes())).await?);
    narrator.say_time("Signed by device and service together, once on each curve");
    let [ethereum, solana] = shown(addresses)?;
    expect(
        verify::is_of_ethereum(&ethereum, &digest, &on_ethereum)
            && verify::is_of_solana(&solana, message.as_bytes(), &on_solana),
        "a signature is not of this wallet's address",
    )?;
    narrator.say("The signatures verified, with nothing but the addresses to go by.");
    Ok(Signed { message, on_ethereum, on_solana })
}

async fn refuse_wrong_password(
    device: &Device,
    login: &Login,
    narrator: &Narrator,
) -> Result<(), Failure> {
    let app = device.start_app(login, &[WRONG])?;
    let options = RecoverOptions { attempts: Some(1), ..RecoverOptions::default() };
    match app.recover(&MethodId::PASSWORD, &options, narrator).await.map_err(Failure::from) {
        Err(failure) if failure.kind() == Kind::Unauthorized => {
            narrator.say_time("Refused, and every further guess costs as much");
            Ok(())
        }
        Err(failure) => Err(failure),
        Ok(_) => Err(Failure::failed("a wrong password opened the backup; report this")),
    }
}

/// The addresses on Ethereum and on Solana.
fn shown(addresses: &Addresses) -> Result<[String; 2], Failure> {
    let on_both = addresses.address(Namespace::Eip155).zip(addresses.address(Namespace::Solana));
    on_both.map(Into::into).ok_or_else(|| Failure::failed("an address is missing; report this"))
}

fn expect(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::failed(format!("{otherwise}; report this"))) }
}
