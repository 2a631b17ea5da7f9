//! An app that keeps ciphertext and key itself: generate the share, write both, and say so.
//!
//! `cargo run -p portal-examples --example own_key`

use anyhow::Result;
use backup_core::{EncryptionKey, MethodId, Progress};
use portal_client::{Portal, RecoverOptions};
use portal_examples::{Phone, Service, User};

/// Where the app keeps what it was given: the ciphertext on its servers, the key apart from it.
struct Kept {
    cipher_text: String,
    key: EncryptionKey,
}

fn app(service: &Service, user: &User, phone: &Phone) -> Result<Portal> {
    Ok(Portal::builder(&service.url(), user.key(), phone.store(user)).build()?)
}

/// Generates a share, writes it, and tells the service how that went.
async fn back_up(portal: &Portal, servers_answer: bool) -> Result<Option<Kept>> {
    let share = portal.generate_backup_share(&show).await?;
    let kept = servers_answer
        .then_some(Kept { cipher_text: share.cipher_text, key: share.encryption_key });
    portal.stored_client_backup_share(&MethodId::CUSTOM, kept.is_some()).await?;
    Ok(kept)
}

fn show(progress: Progress) {
    if let Progress::Stage(stage) = progress {
        println!("    {stage}");
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let service = Service::start_without_ciphertexts().await?;
    let user = service.sign_up().await?;
    let phone = Phone::new()?;
    let portal = app(&service, &user, &phone)?;
    let addresses = portal.create_wallet(&show).await?;

    println!("The app's servers do not answer: the backup does not count");
    assert!(back_up(&portal, false).await?.is_none());
    assert!(!portal.is_wallet_backed_up(None).await?);

    println!("The next one is stored, and counts");
    let Some(Kept { cipher_text, key }) = back_up(&portal, true).await? else {
        anyhow::bail!("the servers answered");
    };
    assert!(portal.is_wallet_backed_up(None).await?);

    println!("Another phone recovers with what the app has kept");
    let phone = Phone::new()?;
    let portal = app(&service, &user, &phone)?;
    let options = RecoverOptions { cipher_text: Some(cipher_text), ..RecoverOptions::default() };
    let recovered = portal.recover_with_key(key, &options, &show).await?;
    assert_eq!(recovered.addresses, addresses);
    Ok(())
}

#[test]
fn it_runs() -> Result<()> {
    main()
}
