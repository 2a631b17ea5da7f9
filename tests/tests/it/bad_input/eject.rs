//! What the routes for ejecting are asked for, when it does not belong.

use backup_core::SharePairId;
use portal_api::{ReleaseKey, route};
use portal_tests::middle::{Asked, Method};
use serde_json::json;

use super::{requests::said, scene::Scene};

type Requests = Vec<(&'static str, Asked)>;

impl Scene {
    /// The wallet of the client, by the name that Portal's routes have for it.
    pub(crate) fn wallet(&self) -> String {
        portal_api::compat::wallet_id(&self.context().client, &self.public_key)
    }
}

/// In good form, and with a proof of nothing.
pub(crate) fn prepared(scene: &Scene) -> Requests {
    let ask = |wallet: &str, pair: &SharePairId| {
        let body = json!({
            "backupMethod": portal_tests::wallets::memory_id().as_str(),
            "backupSharePairId": pair.as_str(),
            "recipient": ReleaseKey::generate().unwrap().recipient(),
            "proof": "A".repeat(86),
        });
        Asked::json(route::prepare_eject(wallet), &body)
    };
    vec![
        ("a half of a wallet that may not be ejected", ask(&scene.wallet(), &scene.completed_pair)),
        ("a half of no wallet", ask("of-nobody", &scene.completed_pair)),
        ("a half of a pending backup", ask(&scene.wallet(), &scene.pending_pair)),
    ]
}

pub(crate) fn ejected() -> Requests {
    let body = json!({ "clientPlatform": "RUST", "clientPlatformVersion": "1" });
    vec![("what cannot have been ejected", Asked::json(route::EJECTED, &body))]
}

pub(crate) fn enabled(scene: &Scene) -> Requests {
    let path = route::enable_eject(scene.context().client.as_str());
    let (wallet, soon) = (scene.wallet(), "2020-01-01T00:00:00.000Z");
    let ask = |path: &str, body| said(Method::PATCH, path, &body);
    vec![
        ("a wallet of nobody", ask(&path, json!({ "walletId": "of-nobody" }))),
        ("a client of nobody", ask(&route::enable_eject("nobody"), json!({ "walletId": wallet }))),
        ("a time that is over", ask(&path, json!({ "walletId": wallet, "ejectableUntil": soon }))),
    ]
}
