//! Writes the golden vectors that do not exist yet; those that exist are never touched. It seals by
//! `docs/format.md`, and not by this crate.
//!
//! `cargo run -p portal-webhook --example make_webhook_vectors`

#![allow(clippy::unwrap_used, reason = "run by hand, by whoever adds a vector")]

use std::{fs, path::Path, sync::Arc};

use backup_core::{
    ClientId, Curve, CustodianId, KeyEncryption, Point, SharePairId, secrecy::SecretSlice,
};
use portal_keys::{KeyFile, KeyRing, SealedShare, ShareContext, ShareRole};
use serde_json::json;
use sha2::{Digest, Sha256};

#[tokio::main]
async fn main() {
    for (name, kind, pair) in [
        ("half", "half", "pair-1"),
        ("half-without-pair", "half", ""),
        ("cipher-text", "cipher text", "pair-1"),
        ("cipher-text-without-pair", "cipher text", ""),
    ] {
        write(name, kind, pair).await;
    }
}

async fn write(name: &str, kind: &str, pair: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let path = path.with_extension("json");
    if path.exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    let key: Arc<dyn KeyEncryption> = Arc::new(KeyFile::create(&key_file).unwrap());
    let value = format!("the value of {name}");
    let context = context(kind, pair);
    let bytes = SecretSlice::from(value.clone().into_bytes());
    let sealed = SealedShare::seal(&bytes, &context, &KeyRing::new([key]).unwrap()).await.unwrap();
    let vector = json!({
        "key_file": fs::read_to_string(key_file).unwrap(),
        "custodian": "acme",
        "client": "alice",
        "kind": kind,
        "method": "GDRIVE",
        "pair": pair,
        "sealed": sealed.encode().iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "value": value,
    });
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, serde_json::to_string_pretty(&vector).unwrap() + "\n").unwrap();
}

fn context(kind: &str, pair: &str) -> ShareContext {
    let mut facts = Vec::new();
    for fact in ["portal-webhook/1", kind, "GDRIVE", pair] {
        facts.extend((fact.len() as u64).to_be_bytes());
        facts.extend(fact.as_bytes());
    }
    let pair = if pair.is_empty() { "portal-webhook.unnamed" } else { pair };
    ShareContext {
        custodian: CustodianId::new("acme").unwrap(),
        client: ClientId::new("alice").unwrap(),
        wallet: Point::new(Curve::Ed25519, &Sha256::digest(facts)).unwrap(),
        pair: SharePairId::new(pair).unwrap(),
        role: ShareRole::CustodianBackup,
    }
}
