//! A business that keeps its halves, and its users' ciphertexts, on its own servers.
//!
//! `cargo run -p portal-examples --example self_managed`

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use backup_core::{EncryptionKey, KeyEncryption, MethodId};
use portal_client::{ApiKey, Portal, RecoverOptions, custodian::register_webhook};
use portal_examples::{Phone, Service, User};
use portal_keys::{KeyFile, KeyRing};
use portal_webhook::{SqliteStore, Webhook, WebhookSecret};
use tokio::net::TcpListener;

/// The one of the specification. A business makes its own, of 24 to 64 random bytes.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Starts the server of the business, and says to the service where it is.
async fn start(service: &Service, key: &ApiKey, user: &User) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let file: Arc<dyn KeyEncryption> =
        Arc::new(KeyFile::create(folder.path().join("custody.key"))?);
    let store = SqliteStore::open(&folder.path().join("shares.db")).await?;
    let (secret, ring) = (WebhookSecret::new(SECRET)?, KeyRing::new([file])?);
    let webhook = Webhook::new(user.client.custodian.clone(), secret, ring, store);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/webhook", listener.local_addr()?);
    let server = axum::serve(listener, Router::new().nest("/webhook", webhook.router()));
    tokio::spawn(server.into_future());
    register_webhook(&service.url(), key, &url, &WebhookSecret::new(SECRET)?).await?;
    Ok(folder)
}

fn app(service: &Service, user: &User, phone: &Phone) -> Result<Portal> {
    Ok(Portal::builder(&service.url(), user.key(), phone.store(user)).build()?)
}

/// Generates a share, writes it to the app's own servers, and tells the service how that went.
async fn back_up(portal: &Portal, stored: bool) -> Result<(String, EncryptionKey)> {
    let share = portal.generate_backup_share(&|_| ()).await?;
    portal.stored_client_backup_share(&MethodId::CUSTOM, stored).await?;
    println!("Stored: {stored}; backed up: {}", portal.is_wallet_backed_up(None).await?);
    Ok((share.cipher_text, share.encryption_key))
}

#[tokio::main]
async fn main() -> Result<()> {
    let service = Service::start_without_ciphertexts().await?;
    let user = service.sign_up().await?;
    let _folder = start(&service, service.custodian_key(), &user).await?;
    let phone = Phone::new()?;
    let portal = app(&service, &user, &phone)?;
    let addresses = portal.create_wallet(&|_| ()).await?;
    back_up(&portal, false).await?;
    assert!(!portal.is_wallet_backed_up(None).await?);
    let (cipher_text, key) = back_up(&portal, true).await?;
    assert!(portal.is_wallet_backed_up(None).await?);

    println!("Another phone recovers by what the business has kept");
    let phone = Phone::new()?;
    let portal = app(&service, &user, &phone)?;
    let options = RecoverOptions { cipher_text: Some(cipher_text), ..RecoverOptions::default() };
    assert_eq!(portal.recover_with_key(key, &options, &|_| ()).await?.addresses, addresses);
    Ok(())
}

#[test]
fn it_runs() -> Result<()> {
    main()
}
