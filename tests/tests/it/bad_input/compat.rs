//! What Portal's own routes are asked for, when it does not belong.

use backup_core::SharePairId;
use portal_api::route;
use portal_tests::middle::{Asked, Method};
use serde_json::{Value, json};

use super::{requests::said, scene::Scene};

type Requests = Vec<(&'static str, Asked)>;

pub(crate) fn cipher_text(pair: &SharePairId, text: &str) -> Asked {
    said(Method::PATCH, &route::backup_pair(pair), &json!({ "clientCipherText": text }))
}

pub(crate) fn cipher_texts(scene: &Scene, envelope: &str) -> Requests {
    let nobodys = SharePairId::new("of-nobody").unwrap();
    let at = envelope.len() - 8;
    let instead = if &envelope[at..=at] == "A" { "B" } else { "A" };
    let other = [&envelope[..at], instead, &envelope[at + 1..]].concat();
    vec![
        ("another set's ciphertext", cipher_text(&scene.pending_pair, envelope)),
        ("a ciphertext of Portal's", cipher_text(&scene.pending_pair, &"0a".repeat(100))),
        ("no ciphertext", cipher_text(&scene.pending_pair, "")),
        ("a ciphertext for nothing", cipher_text(&nobodys, envelope)),
        ("a ciphertext for a signing pair", cipher_text(&scene.pair, envelope)),
        ("another ciphertext for a completed pair", cipher_text(&scene.completed_pair, &other)),
    ]
}

pub(crate) fn reads(scene: &Scene) -> Requests {
    let nobodys = SharePairId::new("of-nobody").unwrap();
    vec![
        (
            "a ciphertext that is not stored yet",
            Asked::get(route::cipher_text(&scene.pending_pair)),
        ),
        ("the ciphertext of nothing", Asked::get(route::cipher_text(&nobodys))),
        ("the ciphertext of a signing pair", Asked::get(route::cipher_text(&scene.pair))),
    ]
}

pub(crate) fn backup_pairs(scene: &Scene) -> Requests {
    let notice = |pairs: &[&str], status: &str| {
        let body = json!({ "backupSharePairIds": pairs, "status": status });
        said(Method::PATCH, route::BACKUP_PAIR_NOTICES, &body)
    };
    let (share, key) = ("STORED_CLIENT_BACKUP_SHARE", "stored_client_backup_share_key");
    let (pending, completed) = (scene.pending_pair.as_str(), scene.completed_pair.as_str());
    vec![
        ("a notice of a set that is to be committed", notice(&[pending], share)),
        ("a notice of its key", notice(&[pending], key)),
        ("a notice that goes backwards", notice(&[completed], key)),
        ("a notice of nothing", notice(&[], share)),
        ("a notice of an unknown pair", notice(&["of-nobody"], share)),
        ("a notice of one that is unknown", notice(&[completed, "of-nobody"], share)),
        ("a notice of a signing pair", notice(&[scene.pair.as_str()], share)),
    ]
}

pub(crate) fn signing_pairs(scene: &Scene) -> Requests {
    let notice = |pairs: &[&str], status: &str| {
        let body = json!({ "signingSharePairIds": pairs, "status": status });
        said(Method::PATCH, route::SIGNING_PAIR_NOTICES, &body)
    };
    let signing = scene.pair.as_str();
    vec![
        ("a notice that goes backwards", notice(&[signing], "STORED_DATABASE")),
        ("a notice of nothing", notice(&[], "STORED_CLIENT")),
        ("a notice of an unknown pair", notice(&["of-nobody"], "STORED_CLIENT")),
        ("a notice of a backup pair", notice(&[scene.pending_pair.as_str()], "STORED_CLIENT")),
    ]
}

pub(crate) fn stored(path: &str) -> Requests {
    let notice = |body: Value| said(Method::PUT, path, &body);
    let pending = portal_tests::wallets::memory_id();
    let pending = json!({ "backupMethod": pending.as_str(), "success": true });
    vec![
        ("a notice of a set that is to be committed", notice(pending)),
        (
            "a notice of a method without a backup",
            notice(json!({ "backupMethod": "gdrive", "success": true })),
        ),
        ("a notice of no method", notice(json!({ "success": true }))),
        (
            "a notice of an unknown method",
            notice(json!({ "backupMethod": "UNKNOWN", "success": true })),
        ),
    ]
}
