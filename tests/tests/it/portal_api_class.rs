//! Portal's own API class, as it is published for React Native, against the service: every route
//! of backups, in both modes; and of ejecting, which the class alone cannot do.

#![allow(dead_code, unreachable_pub, reason = "some modules are those of the service's own tests")]

#[path = "../../../crates/portal-server/tests/it/common/mod.rs"]
mod common;
#[path = "../../../crates/portal-server/tests/it/wallet.rs"]
mod wallet;
#[path = "../../../crates/portal-server/tests/it/wire.rs"]
mod wire;

mod app;

use backup_core::{BackupId, Curve, Sealer};
use portal_api::{BackupSetView, BackupStatus, Completion, compat::BackupStage, route};
use portal_mpc::{Curves, Namespace};
use reqwest::Method;
use serde_json::{Value, json};

use self::{
    app::App,
    common::{Service, http::Request},
    wallet::{BackedUp, Wallet, generate, recover, view},
    wire::User,
};

/// A user with a wallet of both curves, and a backup that waits for its app's word.
struct Scene {
    service: Service,
    user: User,
    wallet: Wallet,
    pending: BackedUp,
}

impl Scene {
    async fn begin(backup_with_portal: bool) -> Self {
        let managed = Some(backup_with_portal);
        let service = Service::start_with(|options| options.backup_with_portal = managed).await;
        let user = User::new(&service).await;
        let new = generate(&service, &user, Curves::BOTH).await.unwrap();
        let wallet = new.confirm(&service, &user).await.unwrap();
        let id = BackupId::generate().unwrap();
        let begun = wallet.backing_up_for(&user, &id, Completion::Notice);
        let (shares, reply) = begun.run(&service, &user, &wallet.key).await.unwrap();
        let pending = BackedUp { id, names: reply.pairs.unwrap(), shares };
        Self { service, user, wallet, pending }
    }

    fn app(&self) -> App {
        App::new(self.service.running.address().port(), &self.user.api_key)
    }

    fn pairs(&self) -> [&str; 2] {
        Curve::ALL.map(|curve| self.pending.names.get(curve).unwrap().0.as_str())
    }

    fn cipher_text(&self) -> String {
        let (sealer, _) = Sealer::without_slot(&self.user.context).unwrap();
        let envelope = sealer.seal(&self.pending.id, &self.pending.to_be_sealed()).unwrap();
        envelope.as_str().to_owned()
    }

    async fn stages(&self) -> Vec<BackupStage> {
        let mut read = self.service.running.service().store.read().await.unwrap();
        let backups = read.backups(&self.user.context.client).await.unwrap();
        backups[0].stages.iter().map(|(_, stage)| *stage).collect()
    }

    async fn is_completed(&self) -> bool {
        let backups = view(&self.service, &self.user).await.backups;
        let is_it = |set: &BackupSetView| set.id == self.pending.id;
        backups.iter().any(|set| is_it(set) && set.status == BackupStatus::Completed)
    }
}

#[tokio::test]
async fn the_class_finds_the_client_its_wallets_and_their_pairs() {
    let scene = Scene::begin(true).await;
    let calls = json!([
        ["getClient"],
        ["getSigningSharesMetadata"],
        ["getSigningSharesMetadata", "eip155:1"],
        ["getBackupSharesMetadata"],
        ["getBackupSharesMetadata", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"],
    ]);
    let [client, signing, evm, backups, solana] = scene.app().returned(&calls).await;
    let keys = scene.wallet.public_keys();
    let address = keys.secp256k1.unwrap().address(Namespace::Eip155).unwrap();
    assert_eq!(client["id"], scene.user.context.client.as_str());
    assert_eq!(client["metadata"]["namespaces"]["eip155"]["address"], address);
    assert_eq!(client["environment"]["backupWithPortalEnabled"], true);
    assert_eq!(client["wallets"].as_array().unwrap().len(), 2);
    for wallet in client["wallets"].as_array().unwrap() {
        let key: Value = serde_json::from_str(wallet["publicKey"].as_str().unwrap()).unwrap();
        for coordinate in ["x", "y"] {
            let decimal = key[coordinate].as_str().unwrap();
            assert!(decimal.len() > 60 && decimal.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }
    assert_eq!(signing.as_array().unwrap().len(), 2);
    assert_eq!(evm, client["wallets"][0]["signingSharePairs"]);
    assert_eq!(evm[0]["status"], "completed");
    assert_eq!((backups, solana), (json!([]), json!([])), "only its device knows of it");
}

#[tokio::test]
async fn where_the_service_keeps_ciphertexts_the_class_completes_a_backup_that_recovers() {
    let scene = Scene::begin(true).await;
    let ([one, other], text) = (scene.pairs(), scene.cipher_text());
    let app = scene.app();
    let calls = json!([["storedClientBackupSharesKey", [one, other]]]);
    assert_eq!(app.returned(&calls).await, [Value::Null]);
    assert_eq!(scene.stages().await, [BackupStage::ClientKey; 2]);

    let calls = json!([["storedClientBackupShares", [one, other]]]);
    assert_eq!(app.thrown(&calls).await, [409], "there is no ciphertext yet");
    let calls = json!([["storeClientCipherText", one, text]]);
    assert_eq!(app.returned(&calls).await, [true]);
    assert!(!scene.is_completed().await);
    let calls = json!([["storeClientCipherText", other, text]]);
    assert_eq!(app.returned(&calls).await, [true]);
    assert!(scene.is_completed().await);

    let calls = json!([
        ["getClientCipherText", one],
        ["getClientCipherText", other],
        ["getBackupSharesMetadata"],
        ["storedClientBackupShares", [one, other]],
    ]);
    let [of_one, of_other, backups, again] = app.returned(&calls).await;
    assert_eq!((of_one.as_str(), of_other.as_str()), (Some(&*text), Some(&*text)));
    assert_eq!(again, Value::Null);
    let backups = backups.as_array().unwrap();
    assert_eq!(backups.len(), 2);
    for pair in backups {
        assert_eq!(
            (&pair["backupMethod"], &pair["status"]),
            (&"CUSTOM".into(), &"completed".into())
        );
        assert!([one, other].contains(&pair["id"].as_str().unwrap()));
    }
    let found = recover(&scene.service, &scene.user, &scene.pending).await.unwrap();
    let found = found.confirm(&scene.service, &scene.user).await.unwrap();
    assert_eq!(found.public_keys(), scene.wallet.public_keys());
}

#[tokio::test]
async fn where_apps_keep_ciphertexts_the_class_completes_a_backup_by_its_word() {
    let scene = Scene::begin(false).await;
    let ([one, other], text) = (scene.pairs(), scene.cipher_text());
    let app = scene.app();
    let calls = json!([["getClient"], ["storedClientBackupShareKey", true, "CUSTOM"]]);
    let [client, _] = app.returned(&calls).await;
    assert_eq!(client["environment"]["backupWithPortalEnabled"], false);
    assert_eq!(scene.stages().await, [BackupStage::ClientKey; 2]);

    let calls = json!([["storeClientCipherText", one, text], ["getClientCipherText", other]]);
    assert_eq!(app.thrown(&calls).await, [409, 404]);
    let calls = json!([["storedClientBackupShare", false, "CUSTOM"]]);
    assert_eq!(app.returned(&calls).await, [Value::Null]);
    assert!(!scene.is_completed().await);
    let calls = json!([["storedClientBackupShare", true, "custom"]]);
    assert_eq!(app.returned(&calls).await, [Value::Null]);
    assert!(scene.is_completed().await);
    let found = recover(&scene.service, &scene.user, &scene.pending).await.unwrap();
    let found = found.confirm(&scene.service, &scene.user).await.unwrap();
    assert_eq!(found.public_keys(), scene.wallet.public_keys());
}

#[tokio::test]
async fn where_apps_keep_ciphertexts_the_class_completes_a_backup_by_the_names_of_its_pairs() {
    let scene = Scene::begin(false).await;
    let [one, other] = scene.pairs();
    let app = scene.app();
    let calls = json!([["storedClientBackupShares", [one]]]);
    assert_eq!(app.returned(&calls).await, [Value::Null]);
    assert!(!scene.is_completed().await);
    let calls = json!([["storedClientBackupShares", [one, other]]]);
    assert_eq!(app.returned(&calls).await, [Value::Null]);
    assert!(scene.is_completed().await);
}

#[tokio::test]
async fn the_class_is_told_that_its_signing_pairs_are_with_it_and_which_are_not_there() {
    let scene = Scene::begin(true).await;
    let app = scene.app();
    let [pairs] = app.returned(&json!([["getSigningSharesMetadata"]])).await;
    let named = pairs.as_array().unwrap().iter().map(|pair| pair["id"].clone());
    let named: Vec<_> = named.collect();
    let calls = json!([["storedClientSigningShares", named]]);
    assert_eq!(app.returned(&calls).await, [Value::Null]);
    let calls = json!([
        ["storedClientSigningShares", ["gone"]],
        ["storedClientBackupSharesKey", ["gone"]],
        ["storedClientBackupShare", true, "GDRIVE"],
    ]);
    assert_eq!(app.thrown(&calls).await, [404, 404, 409]);
}

/// Portal releases a half for the API key. Ours wants a proof besides, which the class has not
/// (`docs/decisions/0010`): it is refused, whether or not the custodian allows ejecting.
#[tokio::test]
async fn the_class_gets_no_half_and_tells_of_an_eject_only_when_there_can_have_been_one() {
    let scene = Scene::begin(true).await;
    let (app, [one, other], text) = (scene.app(), scene.pairs(), scene.cipher_text());
    let calls = json!([
        ["storeClientCipherText", one, text],
        ["storeClientCipherText", other, text],
        ["getClient"],
    ]);
    let [_, _, client] = app.returned(&calls).await;
    let wallet = client["wallets"][0]["id"].as_str().unwrap();
    let calls = json!([["prepareClientEject", wallet, "CUSTOM"], ["ejectClient"]]);
    assert_eq!(app.thrown(&calls).await, [400, 409]);

    let (key, client) = (scene.service.custodian_key(), scene.user.context.client.as_str());
    let enable = route::enable_eject(client);
    let allowed = json!({ "walletId": wallet }).to_string();
    let allow = Request::new(Method::PATCH, &enable).by(&key).json(&allowed);
    assert!(scene.service.send(allow).await.status.is_success());
    assert_eq!(app.thrown(&calls).await, [400, 409], "the API key alone is no reason");

    let halves = route::ejectable_shares_of_custodian(client, wallet);
    assert!(scene.service.send(Request::get(&halves).by(&key)).await.status.is_success());
    let [told] = app.returned(&json!([["ejectClient"]])).await;
    assert_eq!(told, Value::Null);
    let [client] = app.returned(&json!([["getClient"]])).await;
    assert!(client["ejectedAt"].is_string());
}

#[tokio::test]
async fn the_classs_statistics_succeed() {
    let scene = Scene::begin(true).await;
    let calls = json!([
        ["identify", { "name": "somebody" }],
        ["track", "Wallet Recovered", { "chain": "eip155:1" }],
    ]);
    let succeeded = json!({ "success": true });
    assert_eq!(scene.app().returned(&calls).await, [succeeded.clone(), succeeded]);
}

#[tokio::test]
async fn the_class_with_a_key_of_nobody_is_refused() {
    let scene = Scene::begin(true).await;
    let app = App::new(scene.service.running.address().port(), "ck_nobodys");
    assert_eq!(app.thrown(&json!([["identify"], ["track", "x"]])).await, [401, 401]);
}
