//! Writes the golden vectors that are missing; those that exist are never changed.
//!
//! `cargo run -p portal-mpc --example write_vectors`

#![allow(clippy::unwrap_used, reason = "it fails like a test, whose helpers it uses")]

#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/it/common/mod.rs"]
mod common;

use std::{fs, path::PathBuf};

use backup_core::Curve;
use common::{back_up, generate, recover};
use portal_mpc::{ByCurve, Curves, PairId, eject};

fn main() {
    let write = |name: &str, bytes: &[u8]| {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", name].iter().collect();
        if !path.exists() {
            fs::write(path, bytes).unwrap();
        }
    };
    let old = generate(Curves::BOTH, "old");
    let ids = ByCurve::both("vectors/SECP256K1", "vectors/ED25519").map(PairId::from_name);
    let renamed = |mut bytes: Vec<u8>, curve| {
        bytes[4..36].copy_from_slice(ids.get(curve).unwrap().as_bytes());
        bytes
    };
    let shares = back_up(&old, "backup");
    let mut keys = String::new();
    for curve in Curve::ALL {
        let name = curve.as_str().to_lowercase();
        let (client, server) =
            (shares.client.get(curve).unwrap(), shares.server.get(curve).unwrap());
        write(&format!("backup-{name}-client.bin"), &renamed(client.to_bytes().to_vec(), curve));
        write(&format!("backup-{name}-server.bin"), &renamed(server.to_bytes().to_vec(), curve));
        write(&format!("commitments-{name}.bin"), &client.commitments().to_bytes());
        keys += &format!("{}\n", eject(client, server).unwrap().expose());
        let (client, server) = (old.client.get(curve).unwrap(), old.server.get(curve).unwrap());
        write(&format!("signing-{name}-client.bin"), &client.to_bytes());
        write(&format!("signing-{name}-server.bin"), &server.to_bytes());
    }
    write("private-keys.txt", keys.as_bytes());
    let new = recover(&shares, "new");
    write("unconfirmed-ed25519-server.bin", &new.server.ed25519.unwrap().to_bytes());
    let frozen = old.client.ed25519.unwrap().freeze();
    write("frozen-ed25519-client.bin", &frozen.to_bytes());
}
