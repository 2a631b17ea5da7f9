//! A user leaves and takes the private keys along, when the business has allowed it.
//!
//! `cargo run -p portal-examples --example eject`

use std::sync::Arc;

use anyhow::Result;
use backup_core::{Curve, MethodId, async_trait, secrecy::SecretString};
use backup_methods_password::{Password, PasswordPrompt, PasswordRequest};
use portal_client::{
    BackUpOptions, EjectOptions, Error, ErrorId, Payload, Portal, custodian::enable_eject,
};
use portal_examples::{Phone, Service};

/// The app's dialog, and a user who remembers.
#[derive(Debug)]
struct Dialog;

#[async_trait]
impl PasswordPrompt for Dialog {
    async fn password(&self, _: &PasswordRequest<'_>) -> backup_core::Result<SecretString> {
        Ok(SecretString::from("seven teal lanterns drift"))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let service = Service::start().await?;
    let user = service.sign_up().await?;
    let phone = Phone::new()?;
    let app = Portal::builder(&service.url(), user.key(), phone.store(&user));
    let portal = app.method(Arc::new(Password::new(Dialog))).build()?;
    let addresses = portal.create_wallet(&|_| ()).await?;
    portal.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), &|_| ()).await?;

    let (method, options) = (MethodId::PASSWORD, EjectOptions::default());
    match portal.eject(&method, &options, &|_| ()).await {
        Err(Error::Service { id: ErrorId::StateInvalid, message, .. }) => println!("{message}"),
        other => anyhow::bail!("nobody has allowed it: {other:?}"),
    }

    println!("The business, once it knows who asks, allows it for five minutes");
    let client = &user.client.client;
    enable_eject(&service.url(), service.custodian_key(), client, None, None).await?;

    let ejected = portal.eject(&method, &options, &|_| ()).await?;
    assert_eq!(ejected.addresses, addresses);
    for curve in Curve::ALL {
        let key = ejected.keys.get(curve).expect("the wallet is on both curves");
        println!("{curve}: a key of {} characters, shown once", key.expose().len());
    }

    portal.sign(Payload::Message(b"nothing was deleted")).await?;
    println!("Nothing was deleted: now move what the wallet holds to another one");
    Ok(())
}

#[test]
fn it_runs() -> Result<()> {
    main()
}
