//! The client object, and the lists of pairs.

use backup_core::MethodId;
use portal_api::{
    ErrorId,
    route::{self, Route},
};
use portal_mpc::{Curves, Namespace};
use serde_json::{Value, json};

use crate::{
    common::{DAY, Service, device::Device, http::Request},
    wallet::{generate, recover, view},
    wire::User,
};

async fn me(service: &Service, key: &str) -> Value {
    service.send(Request::get(route::ME).by(key)).await.json()
}

async fn pairs(service: &Service, device: &Device) -> (Value, Value) {
    let me = me(service, &device.api_key).await;
    let wallet = me["wallets"][0]["id"].as_str().unwrap();
    let backup = device.get(service, &route::backup_pairs(wallet)).await.json();
    let signing = device.get(service, &route::signing_pairs(wallet)).await.json();
    assert_eq!(me["wallets"][0]["backupSharePairs"], backup);
    assert_eq!(me["wallets"][0]["signingSharePairs"], signing);
    (backup, signing)
}

#[tokio::test]
async fn a_client_without_a_wallet_says_whose_it_is_and_how_backups_are_kept() {
    let service = Service::start().await;
    let client = service.create_client().await;
    let custodian = client.custodian_id.as_str();
    let expected = json!({
        "id": client.id,
        "createdAt": "2026-09-21T14:13:20.000Z",
        "address": null,
        "ejectedAt": null,
        "isAccountAbstracted": false,
        "custodian": { "id": custodian, "name": custodian },
        "environment": {
            "id": custodian,
            "name": "default",
            "backupWithPortalEnabled": true,
            "isMultiBackupEnabled": true,
        },
        "metadata": { "namespaces": {} },
        "wallets": [],
    });
    assert_eq!(me(&service, &client.client_api_key).await, expected);
}

#[tokio::test]
async fn a_path_of_portals_may_end_with_a_slash() {
    let service = Service::start().await;
    let device = service.device().await;
    let path = format!("{}/", route::ME);
    let with_slash: Value = device.get(&service, &path).await.json();
    assert_eq!(with_slash, me(&service, &device.api_key).await);
    for route in Route::ALL {
        let path = path_of_nothing(route);
        let ask = async |path: &str| {
            let method = route.method().parse().unwrap();
            service.send(Request::new(method, path)).await.status.as_u16()
        };
        let status = if route.is_portals() { ask(&path).await } else { 404 };
        assert_eq!(ask(&format!("{path}/")).await, status, "{route:?}");
        assert!(!route.is_portals() || status == 401, "{route:?}: {status}");
    }
}

/// With a name for everything that it names.
fn path_of_nothing(route: Route) -> String {
    let parts = route.path().split('/');
    parts
        .map(|part| if part.starts_with('{') { "nothing" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn wallets_of_both_curves_have_addresses_and_ids_that_outlive_a_recovery() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let new = generate(&service, &user, Curves::BOTH).await.unwrap();
    assert_eq!(me(&service, &user.api_key).await["wallets"], json!([]));
    let lost = new.confirm(&service, &user).await.unwrap();
    let before = me(&service, &user.api_key).await;
    let keys = lost.public_keys();
    let (evm, ed25519) = (keys.secp256k1.unwrap(), keys.ed25519.unwrap());
    let named = &before["metadata"]["namespaces"];
    assert_eq!(named["eip155"]["address"], evm.address(Namespace::Eip155).unwrap());
    assert_eq!(before["address"], named["eip155"]["address"]);
    assert_eq!(named["tron"]["address"], evm.address(Namespace::Tron).unwrap());
    assert_eq!(named["bip122"]["address"], evm.address(Namespace::Bip122Mainnet).unwrap());
    let testnet = &named["bip122"]["bitcoin"]["p2wpkh"]["testnet"];
    assert_eq!(*testnet, evm.address(Namespace::Bip122Testnet).unwrap());
    assert_eq!(named["solana"]["address"], ed25519.address(Namespace::Solana).unwrap());
    assert_eq!(named["stellar"]["curve"], "ED25519");
    let public_key = before["wallets"][0]["publicKey"].as_str().unwrap();
    let public_key: Value = serde_json::from_str(public_key).unwrap();
    assert_eq!(public_key["compressed"], evm.to_string());
    let [x, y] = evm.coordinates();
    assert_eq!((public_key["x"].as_str(), public_key["y"].as_str()), (Some(&*x), Some(&*y)));

    let backup = lost.back_up(&service, &user).await;
    let found = recover(&service, &user, &backup).await.unwrap();
    let waiting = me(&service, &user.api_key).await;
    let statuses = |wallet: &Value| {
        let pairs = wallet["signingSharePairs"].as_array().unwrap();
        pairs.iter().map(|pair| pair["status"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&waiting["wallets"][0]), ["incomplete", "completed"]);
    found.confirm(&service, &user).await.unwrap();
    let after = me(&service, &user.api_key).await;
    for at in [0, 1] {
        assert_eq!(after["wallets"][at]["id"], before["wallets"][at]["id"]);
        assert_eq!(statuses(&after["wallets"][at]), ["completed"]);
    }
    assert_ne!(after["wallets"][0]["id"], after["wallets"][1]["id"]);
    assert_eq!(after["metadata"], before["metadata"]);
    let set = &view(&service, &user).await.backups[0];
    let shown = &after["wallets"][1]["backupSharePairs"];
    assert_eq!(shown[0]["id"], set.pairs.ed25519.as_ref().unwrap().id.as_str());
}

#[tokio::test]
async fn of_each_method_the_newest_completed_pair_is_shown_and_what_is_pending() {
    let service = Service::start().await;
    let device = service.device().await;
    let password = device.enroll(MethodId::PASSWORD).await;
    let drive = device.enroll(MethodId::GDRIVE).await;
    let first = device.back_up(&service, &password, None, true).await;
    service.wait(DAY).await;
    device.back_up(&service, &drive, None, true).await;
    device.back_up(&service, &password, Some(&first), false).await;
    let begun = device.begin(service.running.service(), &password).await;
    let (backup, signing) = pairs(&service, &device).await;
    let shown: Vec<_> = backup.as_array().unwrap().iter().collect();
    let said = |at: usize| (shown[at]["backupMethod"].as_str(), shown[at]["status"].as_str());
    assert_eq!(shown.len(), 3);
    assert_eq!(said(0), (Some("PASSWORD"), Some("incomplete")));
    assert_eq!(said(1), (Some("PASSWORD"), Some("completed")));
    assert_eq!(said(2), (Some("GDRIVE"), Some("completed")));
    let sets = device.view(&service).await.backups;
    assert_eq!(sets.len(), 4);
    assert_eq!(sets[0].id, begun.id);
    for at in 0..3 {
        assert_eq!(shown[at]["id"], sets[at].pairs.ed25519.as_ref().unwrap().id.as_str());
    }
    assert_eq!(shown[1]["createdAt"], "2026-09-22T14:13:20.000Z");
    assert_eq!(signing.as_array().unwrap().len(), 1);
    assert_eq!(signing[0]["status"], "completed");
}

#[tokio::test]
async fn the_pairs_of_another_clients_wallet_or_of_none_are_not_found() {
    let service = Service::start().await;
    let (device, other) = (service.device().await, service.device().await);
    let me = me(&service, &device.api_key).await;
    let wallet = me["wallets"][0]["id"].as_str().unwrap();
    for path in [route::backup_pairs(wallet), route::signing_pairs(wallet)] {
        assert!(device.get(&service, &path).await.status.is_success());
        other.get(&service, &path).await.is_error(404, ErrorId::NotFound);
    }
    device.get(&service, &route::backup_pairs("none")).await.is_error(404, ErrorId::NotFound);
}
