//! What the wrapper checks because the crates do not.

#![allow(clippy::unwrap_in_result, clippy::unwrap_used, reason = "a failed step is a failed test")]

use backup_core::Curve;
use k256_old::Scalar;
use k256_old::elliptic_curve::PrimeField;
use portal_mpc::{
    Backup, BackupShare, ByCurve, Client, Commitments, Context, Curves, EjectError, Error,
    FormatError, FrozenShare, Generate, HoldProof, PairId, Payload, Post, PublicKey, Recover,
    Remedy, Reply, Role, Server, Sign, SignError, SignRequest, Signature, SigningShare,
    StoredShare, eject,
};

use crate::common::wire::{HEADER, NONCE, PAIR, reseal};
use crate::common::{
    BackupPair, DIGEST, MESSAGE, back_up, back_up_sources, confirm, context, generate, pair_ids,
    pair_ids_on, recover, requests, sign, sign_and_verify, try_recover,
};

/// A share that says it belongs to another pair.
fn renamed_backup<R: Role>(share: &BackupShare<R>, pair: PairId) -> BackupShare<R> {
    let mut bytes = share.to_bytes();
    bytes[4..36].copy_from_slice(pair.as_bytes());
    BackupShare::from_bytes(&bytes).unwrap()
}

fn renamed_signing<R: Role>(share: &SigningShare<R>, pair: PairId) -> SigningShare<R> {
    let mut bytes = share.to_bytes();
    bytes[4..36].copy_from_slice(pair.as_bytes());
    let StoredShare::Live(share) = StoredShare::from_bytes(&bytes).unwrap() else { panic!() };
    share
}

fn rename_all<T>(shares: &ByCurve<T>, rename: impl Fn(&T, PairId) -> T) -> ByCurve<T> {
    let ids = pair_ids_on("the same", shares);
    ByCurve {
        secp256k1: shares.secp256k1.as_ref().map(|s| rename(s, ids.secp256k1.unwrap())),
        ed25519: shares.ed25519.as_ref().map(|s| rename(s, ids.ed25519.unwrap())),
    }
}

#[test]
fn forged_commitments_are_refused_before_any_round() {
    let wallet = generate(Curves::BOTH, "wallet");
    let (backup, other) = (back_up(&wallet, "backup"), back_up(&wallet, "other"));
    for curve in Curve::ALL {
        let (ours, theirs) = (
            backup.client.get(curve).unwrap().commitments(),
            other.client.get(curve).unwrap().commitments(),
        );
        // On the line, but of another pair: the secret times G is not the commitment.
        let forged = one(curve, (backup.client.get(curve).unwrap(), theirs));
        let refused = Recover::start(&context(), forged).map(|_| ()).unwrap_err();
        assert_eq!(refused, Error::CommitmentMismatch);
        // Off the line: twice the client's less the server's is not the public key.
        let forged = Commitments::new(ours.public_key(), ours.client(), theirs.server());
        assert_eq!(forged.unwrap_err(), FormatError::Damaged);
        let forged = Commitments::new(ours.public_key(), theirs.client(), ours.server());
        assert_eq!(forged.unwrap_err(), FormatError::Damaged);
        let forged = Commitments::new(ours.client(), ours.client(), ours.server());
        assert_eq!(forged.unwrap_err(), FormatError::Damaged);
    }
}

fn one<T>(curve: Curve, value: T) -> ByCurve<T> {
    match curve {
        Curve::Ed25519 => ByCurve::ed25519(value),
        _ => ByCurve::secp256k1(value),
    }
}

#[test]
fn a_server_with_another_share_than_the_sealed_commitments_say_refuses_before_any_round() {
    let wallet = generate(Curves::BOTH, "wallet");
    let (backup, other) = (back_up(&wallet, "backup"), back_up(&wallet, "other"));
    let client = rename_all(&backup.client, renamed_backup);
    let server = rename_all(&other.server, renamed_backup);
    let refused = try_recover(&client, &server, "new").map(|_| ()).unwrap_err();
    assert_eq!(refused, Error::CommitmentMismatch);
}

#[test]
fn pair_ids_are_compared_first() {
    let wallet = generate(Curves::BOTH, "wallet");
    let (backup, other) = (back_up(&wallet, "backup"), back_up(&wallet, "other"));
    let refused = try_recover(&backup.client, &other.server, "new").map(|_| ()).unwrap_err();
    assert_eq!(refused, Error::PairMismatch);
    for curve in Curve::ALL {
        let (client, custodian) = (&backup.client.get(curve), &other.server.get(curve));
        if let (Some(client), Some(custodian)) = (client, custodian) {
            assert_eq!(eject(client, custodian).unwrap_err(), EjectError::PairMismatch);
        }
    }
}

#[test]
fn no_mixed_pair_signs_or_ejects() {
    let old = generate(Curves::BOTH, "old");
    let (first, second) = (back_up(&old, "first"), back_up(&old, "second"));
    let (new, other) = (confirm(recover(&first, "new")), confirm(recover(&second, "other")));
    let pairs = [&old, &new, &other];
    for (i, client) in pairs.iter().enumerate() {
        for (j, server) in pairs.iter().enumerate().filter(|(j, _)| *j != i) {
            let refused = sign(&client.client, &server.server).unwrap_err();
            assert_eq!(refused, SignError::Failed(Error::PairMismatch), "{i} and {j}");
            for curve in Curve::ALL {
                let client = only(curve, rename_all(&client.client, renamed_signing));
                let server = only(curve, rename_all(&server.server, renamed_signing));
                let refused = sign(&client, &server).unwrap_err();
                assert_eq!(refused.remedy(), Remedy::StartOver, "{i} and {j} on {curve}");
            }
        }
    }
    for (client, custodian) in [(&first, &second), (&second, &first)] {
        let client = rename_all(&client.client, renamed_backup);
        let custodian = rename_all(&custodian.server, renamed_backup);
        for curve in Curve::ALL {
            let (client, custodian) = (client.get(curve).unwrap(), custodian.get(curve).unwrap());
            assert_eq!(eject(client, custodian).unwrap_err(), EjectError::WrongKey);
        }
    }
}

fn only<T>(curve: Curve, values: ByCurve<T>) -> ByCurve<T> {
    match curve {
        Curve::Ed25519 => ByCurve { secp256k1: None, ..values },
        _ => ByCurve { ed25519: None, ..values },
    }
}

#[test]
fn the_client_proves_that_it_holds_its_half() {
    let wallet = generate(Curves::BOTH, "wallet");
    let (backup, other) = (back_up(&wallet, "backup"), back_up(&wallet, "other"));
    for curve in Curve::ALL {
        let (client, custodian) =
            (backup.client.get(curve).unwrap(), backup.server.get(curve).unwrap());
        let stored = custodian.commitments().to_bytes();
        let commitments = Commitments::from_bytes(&stored).unwrap();
        assert_eq!(commitments, client.commitments());
        let proof = client.prove(b"commit 1").unwrap();
        let held = commitments.verify(client.pair(), b"commit 1", &proof).unwrap();
        assert_eq!((held.pair(), held.commitments()), (client.pair(), commitments));

        let bad = |commitments: &Commitments, pair, statement: &[u8], proof: &HoldProof| {
            assert_eq!(commitments.verify(pair, statement, proof), Err(Error::BadProof));
        };
        let wrong = other.client.get(curve).unwrap();
        bad(&commitments, client.pair(), b"commit 2", &proof);
        bad(&commitments, wrong.pair(), b"commit 1", &proof);
        bad(&wrong.commitments(), client.pair(), b"commit 1", &proof);
        let of_another_half = wrong.prove(b"commit 1").unwrap();
        bad(&commitments, client.pair(), b"commit 1", &of_another_half);
        let mut bytes = *proof.as_bytes();
        bytes[40] ^= 1;
        bad(&commitments, client.pair(), b"commit 1", &HoldProof::from_bytes(&bytes).unwrap());
    }
}

/// The server sees the client's fragment of a secp256k1 refresh before it makes its own: it can
/// cancel it, so that the new share is the old one.
#[test]
fn a_refresh_that_a_rushing_server_cancels_is_refused() {
    let wallet = generate(Curves::SECP256K1, "wallet");
    let (started, post) = Backup::start(&context(), wallet.client.as_ref()).unwrap();
    let at = HEADER + NONCE + PAIR;
    let slope = read_scalar(&post.as_bytes()[at..at + 32]) * half();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let ids = pair_ids_on("backup", &wallet.server);
    let (_, reply) = Backup::answer(&context(), wallet.server.as_ref(), ids, received).unwrap();
    let mut forged = reply.as_bytes().to_vec();
    let at = HEADER + PAIR;
    forged[at..at + 32].copy_from_slice(&(-slope).to_repr());
    let forged = reseal(&forged, started.secret());
    let reply = Reply::open(&forged, started.secret()).unwrap();
    assert_eq!(started.advance(reply).map(|_| ()).unwrap_err(), Error::Unchanged);

    let backup = back_up(&wallet, "backup");
    let sealed = backup.client.as_ref().map(|share| (share, share.commitments()));
    let (started, post) = Recover::start(&context(), sealed).unwrap();
    let at = HEADER + NONCE + PAIR + 66;
    let slope = read_scalar(&post.as_bytes()[at..at + 32]) * half();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let ids = pair_ids_on("new", &backup.server);
    let (_, reply) = Recover::answer(&context(), backup.server.as_ref(), ids, received).unwrap();
    let mut forged = reply.as_bytes().to_vec();
    let at = HEADER + NONCE + PAIR;
    forged[at..at + 32].copy_from_slice(&(-slope).to_repr());
    let forged = reseal(&forged, started.secret());
    let reply = Reply::open(&forged, started.secret()).unwrap();
    assert_eq!(started.advance(reply).map(|_| ()).unwrap_err(), Error::Unchanged);
}

fn read_scalar(bytes: &[u8]) -> Scalar {
    Scalar::from_repr(<[u8; 32]>::try_from(bytes).unwrap().into()).unwrap()
}

fn half() -> Scalar {
    Scalar::from(2_u64).invert().unwrap()
}

/// Where the list of rows of the oblivious-transfer extension begins in the first message of a
/// signature: parties, binding, commitment and nonce stand before its length.
const ROWS: usize = 2 + 32 + 32 + 32;

#[test]
fn a_cheating_client_freezes_only_signing_and_a_recovery_leads_out() {
    let pair = generate(Curves::SECP256K1, "pair");
    let (started, post) = Sign::start(&context(), requests(&pair.client)).unwrap();
    let at = HEADER + NONCE + PAIR + 32 + ROWS + 3 + 17;
    let mut cheat = post.as_bytes().to_vec();
    cheat[at] ^= 1;
    let cheat = reseal(&cheat, started.secret());
    let received = Post::open(&cheat, started.secret()).unwrap();
    let error = Sign::answer(&context(), requests(&pair.server), received).map(|_| ()).unwrap_err();
    let SignError::Frozen(frozen) = error else { panic!("{error}") };
    assert_eq!(error.remedy(), Remedy::Frozen);
    assert_eq!(frozen.curve, Curve::Secp256k1);
    assert_eq!(frozen.pair, pair_ids("pair").secp256k1.unwrap());

    let public_key = pair.client.get(Curve::Secp256k1).unwrap().public_key();
    let stored = pair.server.secp256k1.unwrap().freeze().to_bytes();
    let StoredShare::Frozen(server) = StoredShare::<Server>::from_bytes(&stored).unwrap() else {
        panic!("a frozen share is stored as frozen");
    };
    let client = pair.client.as_ref().map(Into::into);
    let backup = back_up_sources(client, ByCurve::secp256k1((&server).into()), "backup").unwrap();
    let new = confirm(recover(&backup, "new"));
    assert_eq!(new.client.get(Curve::Secp256k1).unwrap().public_key(), public_key);
    sign_and_verify(&new);
}

#[test]
fn a_cheating_server_freezes_the_clients_share() {
    let pair = generate(Curves::SECP256K1, "pair");
    let (started, post) = Sign::start(&context(), requests(&pair.client)).unwrap();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let (_, reply) = Sign::answer(&context(), requests(&pair.server), received).unwrap();
    let mut cheat = reply.as_bytes().to_vec();
    cheat[HEADER + ROWS + 3 + 1000] ^= 1;
    let cheat = reseal(&cheat, started.secret());
    let reply = Reply::open(&cheat, started.secret()).unwrap();
    let error = started.advance(reply).map(|_| ()).unwrap_err();
    assert!(matches!(error, SignError::Frozen(_)), "{error}");
    let frozen: FrozenShare<Client> = pair.client.secp256k1.unwrap().freeze();
    let server = pair.server.as_ref().map(Into::into);
    back_up_sources(ByCurve::secp256k1((&frozen).into()), server, "backup").unwrap();
}

/// The crate bans a counterparty for a list of the wrong length. Such a message is refused before
/// it gets there.
#[test]
fn wrong_dimensions_freeze_nothing() {
    let pair = generate(Curves::SECP256K1, "pair");
    let (started, post) = Sign::start(&context(), requests(&pair.client)).unwrap();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let (_, reply) = Sign::answer(&context(), requests(&pair.server), received).unwrap();
    // Four rows of 416 scalars, each with its length in two bytes. One scalar moves from the second
    // to the first: as many bytes, each scalar sound, and nothing wrong but the dimensions.
    let row = HEADER + 26_753 + SECOND_ROWS;
    let (first_end, scalar) = (row + 2 + 416 * 33, 33);
    let reply = reply.as_bytes();
    let wrong = [
        &reply[..row],
        &[0xa1, 0x03],
        &reply[row + 2..first_end],
        &reply[first_end + 2..first_end + 2 + scalar],
        &[0x9f, 0x03],
        &reply[first_end + 2 + scalar..],
    ]
    .concat();
    let wrong = reseal(&wrong, started.secret());
    let reply = Reply::open(&wrong, started.secret()).unwrap();
    let error = started.advance(reply).map(|_| ()).unwrap_err();
    let expected = Error::Misbehaved("a message has the wrong dimensions");
    assert_eq!(error, SignError::Failed(expected));
}

/// Where the rows of the multiplication begin in the second message of a signature: parties,
/// binding, two points, a scalar, two points, a salt and the number of rows stand before them.
const SECOND_ROWS: usize = 2 + 32 + 2 * 34 + 33 + 2 * 34 + 65 + 1;

#[test]
fn the_server_signs_what_it_was_given_and_not_what_the_client_states() {
    let pair = generate(Curves::BOTH, "pair");
    let (started, post) = Sign::start(&context(), requests(&pair.client)).unwrap();
    for (digest, message) in [(&[1; 32], MESSAGE), (&DIGEST, b"another".as_slice())] {
        let other = ByCurve {
            secp256k1: pair
                .server
                .secp256k1
                .as_ref()
                .map(|share| SignRequest { share, payload: Payload::Digest(digest) }),
            ed25519: pair
                .server
                .ed25519
                .as_ref()
                .map(|share| SignRequest { share, payload: Payload::Message(message) }),
        };
        let received = Post::open(post.as_bytes(), started.secret()).unwrap();
        let error = Sign::answer(&context(), other, received).map(|_| ()).unwrap_err();
        assert_eq!(error, SignError::Failed(Error::PayloadMismatch));
    }
}

#[test]
fn the_second_step_takes_the_shares_and_payloads_of_the_first() {
    let (pair, other) = (generate(Curves::ED25519, "pair"), generate(Curves::ED25519, "other"));
    let (started, post) = Sign::start(&context(), requests(&pair.client)).unwrap();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let (answered, reply) = Sign::answer(&context(), requests(&pair.server), received).unwrap();
    let reply = Reply::open(reply.as_bytes(), started.secret()).unwrap();
    let (advanced, post) = started.advance(reply).unwrap();
    let stored = answered.to_bytes();
    let received = || Post::open(post.as_bytes(), advanced.secret()).unwrap();
    let wrong = answered.finish(requests(&other.server), received()).map(|_| ()).unwrap_err();
    assert_eq!(wrong, SignError::Failed(Error::WrongSession));
    let answered = portal_mpc::server::Answered::<Sign>::from_bytes(&stored).unwrap();
    let (signatures, _) = answered.finish(requests(&pair.server), received()).unwrap();
    assert!(matches!(signatures.get(Curve::Ed25519), Some(Signature::Ed25519(_))));
}

#[test]
fn the_context_and_the_curves_are_part_of_the_session() {
    let (started, post) = Generate::start(&context(), Curves::ED25519).unwrap();
    for context in [Context::new("another", [7; 32]), Context::new("custodian/client", [8; 32])] {
        let received = Post::open(post.as_bytes(), started.secret()).unwrap();
        let ids = ByCurve::ed25519(PairId::from_name("new"));
        let error = Generate::answer(&context, ids, received).map(|_| ()).unwrap_err();
        assert_eq!(error, Error::WrongSession);
    }
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let error = Generate::answer(&context(), pair_ids("new"), received).map(|_| ()).unwrap_err();
    assert_eq!(error, Error::WrongSession);
}

#[test]
fn a_new_pair_has_a_new_id() {
    let wallet = generate(Curves::BOTH, "wallet");
    for name in ["wallet", "same"] {
        let (started, post) = Backup::start(&context(), wallet.client.as_ref()).unwrap();
        let received = Post::open(post.as_bytes(), started.secret()).unwrap();
        let mut ids = pair_ids(name);
        if name == "same" {
            ids.ed25519 = ids.secp256k1;
        }
        let answer = Backup::answer(&context(), wallet.server.as_ref(), ids, received);
        assert_eq!(answer.map(|_| ()).unwrap_err(), Error::PairIdReused);
    }
}

#[test]
fn shares_of_another_curve_are_refused() {
    let wallet = generate(Curves::BOTH, "wallet");
    let swapped = ByCurve::both(
        wallet.client.ed25519.as_ref().unwrap(),
        wallet.client.secp256k1.as_ref().unwrap(),
    );
    let error = Backup::start(&context(), swapped).map(|_| ()).unwrap_err();
    assert_eq!(error, Error::WrongCurve);
    let none: ByCurve<PublicKey> = ByCurve { secp256k1: None, ed25519: None };
    assert_eq!(none.curves().unwrap_err(), Error::WrongCurve);
}

#[test]
fn ejected_keys_are_the_wallets() {
    let wallet = generate(Curves::BOTH, "wallet");
    let BackupPair { client, server } = back_up(&wallet, "backup");
    let key = eject(client.get(Curve::Secp256k1).unwrap(), server.get(Curve::Secp256k1).unwrap());
    let key = key.unwrap();
    let scalar = base16ct::lower::decode_vec(key.expose()).unwrap();
    let secret = k256_old::SecretKey::from_slice(&scalar).unwrap();
    let public = wallet.client.get(Curve::Secp256k1).unwrap().public_key();
    assert_eq!(secret.public_key().to_sec1_bytes().as_ref(), public.as_bytes());
    assert_eq!(key.expose().len(), 64);
    assert_eq!(format!("{key:?}"), "PrivateKey(<redacted>)");

    let key = eject(client.get(Curve::Ed25519).unwrap(), server.get(Curve::Ed25519).unwrap());
    let scalar: [u8; 32] =
        bs58::decode(key.unwrap().expose()).into_vec().unwrap().try_into().unwrap();
    let scalar = curve25519_dalek::Scalar::from_canonical_bytes(scalar).unwrap();
    let point = curve25519_dalek::EdwardsPoint::mul_base(&scalar).compress();
    let public = wallet.client.get(Curve::Ed25519).unwrap().public_key();
    assert_eq!(point.as_bytes(), public.as_bytes());
}
