//! A phone is lost, and its wallet is not: created, backed up under a password, recovered.
//!
//! `cargo run -p portal-examples --example recover`

use std::sync::Arc;

use anyhow::Result;
use backup_core::{MethodId, Progress, async_trait, secrecy::SecretString};
use backup_methods_password::{Password, PasswordPrompt, PasswordRequest, Why};
use portal_client::{BackUpOptions, Expected, Payload, Portal, RecoverOptions};
use portal_examples::{Phone, Service, User};

/// The app's dialog. A real one shows a field, and an error of the kind `Cancelled` closes it.
#[derive(Debug)]
struct Dialog;

#[async_trait]
impl PasswordPrompt for Dialog {
    async fn password(&self, request: &PasswordRequest<'_>) -> backup_core::Result<SecretString> {
        match request.why {
            Why::Choose { .. } => println!("    (the user chooses a password)"),
            _ => println!("    (the user enters it)"),
        }
        Ok(SecretString::from("seven teal lanterns drift"))
    }
}

fn app(service: &Service, user: &User, phone: &Phone) -> Result<Portal> {
    let app = Portal::builder(&service.url(), user.key(), phone.store(user));
    Ok(app.method(Arc::new(Password::new(Dialog))).build()?)
}

fn show(progress: Progress) {
    if let Progress::Stage(stage) = progress {
        println!("    {stage}");
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let service = Service::start().await?;
    let user = service.sign_up().await?;

    println!("A wallet is made");
    let phone = Phone::new()?;
    let portal = app(&service, &user, &phone)?;
    let addresses = portal.create_wallet(&show).await?;

    println!("It is backed up, and the backup is opened once to see that it works");
    let made = portal.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), &show).await?;
    assert!(made.proved);
    drop((portal, phone));

    println!("The phone is at the bottom of a lake. On another one the wallet is recovered");
    let phone = Phone::new()?;
    let portal = app(&service, &user, &phone)?;
    let expected = Some(Expected::from(addresses.clone()));
    let options = RecoverOptions { expected, ..RecoverOptions::default() };
    let recovered = portal.recover(&MethodId::PASSWORD, &options, &show).await?;
    assert_eq!(recovered.addresses, addresses);

    portal.sign(Payload::Message(b"a transaction on ed25519")).await?;
    println!("It has the addresses that it had, and signs");
    Ok(())
}

#[test]
fn it_runs() -> Result<()> {
    main()
}
