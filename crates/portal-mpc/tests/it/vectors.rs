//! Stored forms: golden vectors, which are never changed again, and what is no stored form.

#![allow(clippy::unwrap_in_result, clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::PathBuf;

use backup_core::Curve;
use portal_mpc::server::Answered;
use portal_mpc::{
    Backup, BackupShare, ByCurve, Client, Commitments, Confirm, FormatError, Generate, HoldProof,
    OnCurve, PairId, PublicKey, Recover, Role, Server, Sign, StoredShare, eject,
};

use crate::common::{Pair, confirm, recover, sign_and_verify};

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", name].iter().collect()
}

fn vector(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn backup<R: Role>(name: &str) -> BackupShare<R> {
    let bytes = vector(name);
    let share = BackupShare::from_bytes(&bytes).unwrap();
    assert_eq!(*share.to_bytes(), bytes, "{name}");
    assert_eq!(share.pair(), PairId::from_name(&format!("vectors/{}", share.curve())));
    share
}

fn signing<R: Role>(name: &str) -> StoredShare<R> {
    let bytes = vector(name);
    let share = StoredShare::<R>::from_bytes(&bytes).unwrap();
    assert_eq!(*share.to_bytes(), bytes, "{name}");
    share
}

#[test]
fn backup_shares_of_version_1_recover_the_wallet() {
    let pair = Pair {
        client: ByCurve::both(
            backup::<Client>("backup-secp256k1-client.bin"),
            backup::<Client>("backup-ed25519-client.bin"),
        ),
        server: ByCurve::both(
            backup::<Server>("backup-secp256k1-server.bin"),
            backup::<Server>("backup-ed25519-server.bin"),
        ),
    };
    let new = confirm(recover(&pair, "new"));
    sign_and_verify(&new);
    for (curve, share) in new.client.iter() {
        let name = format!("commitments-{}.bin", curve.as_str().to_lowercase());
        let commitments = Commitments::from_bytes(&vector(&name)).unwrap();
        assert_eq!(commitments.to_bytes(), vector(&name));
        assert_eq!(commitments.public_key(), share.public_key());
        assert_eq!(pair.client.get(curve).unwrap().commitments(), commitments);
    }
}

#[test]
fn backup_shares_of_version_1_eject_the_private_keys() {
    let text = String::from_utf8(vector("private-keys.txt")).unwrap();
    let mut keys = text.lines();
    for curve in ["secp256k1", "ed25519"] {
        let client = backup::<Client>(&format!("backup-{curve}-client.bin"));
        let server = backup::<Server>(&format!("backup-{curve}-server.bin"));
        assert_eq!(eject(&client, &server).unwrap().expose(), keys.next().unwrap());
    }
    assert_eq!(keys.next(), None);
}

#[test]
fn signing_shares_of_version_1_sign() {
    let live = |stored| {
        let StoredShare::Live(share) = stored else { panic!("not live") };
        share
    };
    let live_server = |stored| {
        let StoredShare::Live(share) = stored else { panic!("not live") };
        share
    };
    sign_and_verify(&Pair {
        client: ByCurve::both(
            live(signing::<Client>("signing-secp256k1-client.bin")),
            live(signing::<Client>("signing-ed25519-client.bin")),
        ),
        server: ByCurve::both(
            live_server(signing::<Server>("signing-secp256k1-server.bin")),
            live_server(signing::<Server>("signing-ed25519-server.bin")),
        ),
    });
    assert!(matches!(signing::<Client>("frozen-ed25519-client.bin"), StoredShare::Frozen(_)));
    let unconfirmed = signing::<Server>("unconfirmed-ed25519-server.bin");
    assert!(matches!(unconfirmed, StoredShare::Unconfirmed(_)));
}

#[test]
fn a_backup_share_has_at_most_200_bytes() {
    assert_eq!(vector("backup-secp256k1-client.bin").len(), 198);
    assert_eq!(vector("backup-ed25519-client.bin").len(), 132);
    const { assert!(BackupShare::<Client>::MAX_LEN <= 200) }
}

#[test]
fn what_is_damaged_is_no_share() {
    for name in ["backup-secp256k1-client.bin", "backup-ed25519-client.bin"] {
        let bytes = vector(name);
        let refuse = |bytes: &[u8]| BackupShare::<Client>::from_bytes(bytes).unwrap_err();
        for len in 0..bytes.len() {
            assert_eq!(refuse(&bytes[..len]), FormatError::Malformed, "{name}, {len} bytes");
        }
        assert_eq!(refuse(&[&bytes[..], &[0]].concat()), FormatError::Malformed);
        assert_eq!(refuse(&crate::common::wire::flip(&bytes, 0, 1)), FormatError::Version(3));
        for at in 1..4 {
            assert_eq!(refuse(&crate::common::wire::flip(&bytes, at, 7)), FormatError::WrongKind);
        }
        let points = if name.contains("ed25519") { 36..132 } else { 36..134 };
        for at in points {
            let error = refuse(&crate::common::wire::flip(&bytes, at, at.to_le_bytes()[0]));
            assert!(matches!(error, FormatError::Malformed | FormatError::Damaged), "{name}, {at}");
        }
        let error = BackupShare::<Server>::from_bytes(&bytes).unwrap_err();
        assert_eq!(error, FormatError::WrongKind, "a share of the other party");
        let error = StoredShare::<Client>::from_bytes(&bytes).unwrap_err();
        assert_eq!(error, FormatError::WrongKind, "a share of another kind");
    }
}

#[test]
fn what_is_damaged_is_no_signing_share() {
    for name in ["signing-secp256k1-client.bin", "signing-ed25519-client.bin"] {
        let bytes = vector(name);
        let refuse = |bytes: &[u8]| StoredShare::<Client>::from_bytes(bytes).unwrap_err();
        for len in (0..bytes.len()).step_by(bytes.len() / 50 + 1) {
            assert_eq!(refuse(&bytes[..len]), FormatError::Malformed);
        }
        refuse(&[&bytes[..], &[0]].concat());
        let mut condition = bytes.clone();
        condition[36] = 4;
        assert_eq!(refuse(&condition), FormatError::Malformed);
        condition[36] = 3;
        assert_eq!(refuse(&condition), FormatError::Malformed, "unconfirmed without a challenge");
        for at in 69..101 {
            refuse(&crate::common::wire::flip(&bytes, at, 2));
        }
    }
}

/// Anything at all may be given to a parser.
#[test]
fn no_bytes_make_a_parser_panic() {
    let mut noise = Vec::new();
    let mut seed = 1_u64;
    for round in 0..4000_usize {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
        noise.truncate(round % 211);
        noise.extend_from_slice(&seed.to_le_bytes());
        for head in [[1, 1, 1, 1], [1, 1, 2, 2], [1, 2, 1, 1], [1, 2, 2, 1], [1, 3, 3, 3]] {
            let bytes = [&head[..], &noise].concat();
            parse_all(&bytes);
        }
    }
}

fn parse_all(bytes: &[u8]) {
    let _ = BackupShare::<Client>::from_bytes(bytes);
    let _ = BackupShare::<Server>::from_bytes(bytes);
    let _ = StoredShare::<Client>::from_bytes(bytes);
    let _ = StoredShare::<Server>::from_bytes(bytes);
    let _ = Commitments::from_bytes(bytes);
    let _ = HoldProof::from_bytes(bytes);
    let _ = Answered::<Generate>::from_bytes(bytes);
    let _ = Answered::<Sign>::from_bytes(bytes);
    let _ = Answered::<Backup>::from_bytes(bytes);
    let _ = Answered::<Recover>::from_bytes(bytes);
    let _ = Answered::<Confirm>::from_bytes(bytes);
    for curve in Curve::ALL {
        let _ = PublicKey::from_bytes(curve, bytes);
    }
}
