//! Everything secret of a wallet that a test can come by.

use std::path::Path;

use backup_core::{
    Envelope, KeyPrefix, KeyStore, Operation, Purpose, StoredKey, secrecy::ExposeSecret,
};
use backup_testkit::{MemoryStore, Secrets};
use portal_tests::wallets::{TestClient, memory_id};

use super::{
    requests::STRANGER,
    scene::{DATA_KEY, PASSWORD, Scene, device_store},
};

/// All of it, and names for nothing in it.
pub(crate) async fn of(
    scene: &Scene,
    client: &TestClient,
    folders: &[&Path],
    store: &MemoryStore,
) -> Secrets {
    let custodian = scene.custodian_key();
    let mut secrets = Secrets::new()
        .with_text(PASSWORD)
        .with_text(client.key.expose())
        .with_text(&client.key.expose()[3..])
        .with_text(&custodian.expose()[3..])
        .with_text(&STRANGER[3..])
        .with_key(&DATA_KEY);
    for folder in folders {
        let store = device_store(client, folder);
        let operation = store.begin().unwrap();
        let Some(live) = operation.state().live() else { continue };
        secrets = secrets.with_key(live.device_key().expose_secret());
        for pair in live.pairs() {
            secrets = with_all(secrets, pair.share.expose_secret());
        }
    }
    let op = Operation::new(Purpose::Unlock, &client.context);
    let prefix = KeyPrefix::of(&client.context);
    for name in store.list(&op, &prefix).await.unwrap() {
        secrets = secrets.with_key(store.get(&op, &name).await.unwrap().expose());
    }
    secrets = with_shares(secrets, scene, client, store).await;
    for (asked, _) in scene.middle.heard() {
        if asked.is_first_post() || asked.is_second_post() {
            let (secret, _) = asked.body.split_first_chunk::<32>().unwrap();
            secrets = secrets.with_key(secret);
        }
    }
    secrets
}

/// Of a stored signing share, the scalar, which stands after head, pair, condition and challenge;
/// and a part of what more the share of one curve has.
fn with_all(secrets: Secrets, share: &[u8]) -> Secrets {
    let more = share.get(share.len() / 2..).filter(|rest| share.len() > 400 && rest[0] != rest[1]);
    let secrets = secrets.with_key(share[69..101].try_into().unwrap());
    more.into_iter().fold(secrets, |secrets, rest| secrets.with_key(rest[..32].try_into().unwrap()))
}

/// The halves of all backups, of the client and of the custodian.
async fn with_shares(
    mut secrets: Secrets,
    scene: &Scene,
    client: &TestClient,
    store: &MemoryStore,
) -> Secrets {
    let service = scene.service.running().service();
    let mut read = service.store.read().await.unwrap();
    let op = Operation::new(Purpose::Unlock, &client.context);
    let method = StoredKey::new(store.clone());
    for row in read.backups(&client.context.client).await.unwrap() {
        let halves = read.custodian_halves(&client.context.client, &row.set.id).await.unwrap();
        for (_, half) in halves.unwrap().iter() {
            let half = half.sealed().unwrap();
            let half = service.custody.verify_backup(&client.context, half).await.unwrap();
            secrets = with_scalar(secrets, &half.to_bytes());
        }
        let text = read.envelope(&client.context.client, &row.set.id).await.unwrap();
        let Some(envelope) = text.map(|text| Envelope::parse(&text).unwrap()) else { continue };
        if envelope.header().method != memory_id() {
            continue;
        }
        let wallets: Vec<_> =
            envelope.header().wallets.iter().map(|sealed| sealed.wallet).collect();
        let opened = envelope.open(&method, &op, &wallets).await.unwrap();
        for share in &opened.shares {
            secrets = with_scalar(secrets, share.secret().expose_secret());
        }
    }
    secrets
}

/// Of a stored backup share, the scalar: it stands after head and pair.
fn with_scalar(secrets: Secrets, share: &[u8]) -> Secrets {
    secrets.with_key(share[36..68].try_into().unwrap())
}
