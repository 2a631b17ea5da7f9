//! A wallet's whole life: every pair of it signs for the same key.

#![allow(clippy::unwrap_in_result, clippy::unwrap_used, reason = "a failed step is a failed test")]

use backup_core::Curve;
use portal_mpc::{Curves, SigningShare};

use crate::common::{back_up, confirm, generate, recover, sign_and_verify};

#[test]
fn generated_backed_up_and_recovered_pairs_sign_for_the_same_key() {
    let old = generate(Curves::BOTH, "old");
    sign_and_verify(&old);
    let backup = back_up(&old, "backup");
    sign_and_verify(&old);
    let new = confirm(recover(&backup, "new"));
    sign_and_verify(&new);
    for curve in Curve::ALL {
        let key = old.client.get(curve).unwrap().public_key();
        assert_eq!(backup.client.get(curve).unwrap().public_key(), key);
        assert_eq!(backup.server.get(curve).unwrap().public_key(), key);
        assert_eq!(new.client.get(curve).unwrap().public_key(), key);
        assert_eq!(new.server.get(curve).unwrap().public_key(), key);
    }
    sign_and_verify(&old);
}

#[test]
fn each_curve_works_alone() {
    for curves in [Curves::SECP256K1, Curves::ED25519] {
        let old = generate(curves, "old");
        let new = confirm(recover(&back_up(&old, "backup"), "new"));
        sign_and_verify(&new);
    }
}

#[test]
fn twenty_rounds_of_backup_and_recovery() {
    let mut pair = generate(Curves::BOTH, "0");
    let keys = pair.client.as_ref().map(SigningShare::public_key);
    for round in 1..=20 {
        let backup = back_up(&pair, &format!("backup {round}"));
        pair = confirm(recover(&backup, &format!("pair {round}")));
        sign_and_verify(&pair);
    }
    assert_eq!(pair.client.as_ref().map(SigningShare::public_key), keys);
    assert_eq!(pair.server.as_ref().map(SigningShare::public_key), keys);
}
