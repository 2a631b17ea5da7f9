//! What makes a new pair live: its test signature, and nothing else.

use std::fs;

use backup_core::Curve;
use portal_mpc::{
    ByCurve, Client, Confirm, Curves, Error, Generate, OnCurve, Post, Reply, Role, Server,
    SignError, StoredShare, TestSource, UnconfirmedShare,
};

use crate::common::wire::{HEADER, NONCE, flip, reseal};
use crate::common::{
    Pair, UnconfirmedPair, Witnesses, back_up, confirm, context, generate, generate_unconfirmed,
    recover, sha256, sign_and_verify, test, verify,
};

/// In a stored signing share: the pair's id and the challenge of its test.
const PAIR: std::ops::Range<usize> = 4..36;
const CHALLENGE: std::ops::Range<usize> = 37..69;
/// In the state that signs, on secp256k1: the seed of the zero shares, and, behind the gadget and
/// the choices, the first of the seeds that were chosen in the oblivious transfers.
const ZERO_SEED: usize = 231 + 3;
const TRANSFER_SEED: usize = 231 + 35 + (2 + 416 * 33) + (2 + 256) + 2;

fn run_test(pair: &UnconfirmedPair) -> Result<Witnesses, SignError> {
    test(pair.client.as_ref().map(Into::into), pair.server.as_ref().map(Into::into))
}

/// A generated and a recovered pair.
fn new_pairs(name: &str) -> [UnconfirmedPair; 2] {
    let backup = back_up(&generate(Curves::BOTH, "wallet"), "backup");
    [generate_unconfirmed(Curves::BOTH, name), recover(&backup, name)]
}

/// What a process that starts again finds.
fn stored<R: Role>(shares: &ByCurve<UnconfirmedShare<R>>) -> ByCurve<StoredShare<R>> {
    let read = |_, share: &UnconfirmedShare<R>| StoredShare::from_bytes(&share.to_bytes());
    shares.as_ref().try_map(read).unwrap()
}

fn test_sources<R: Role>(shares: &ByCurve<StoredShare<R>>) -> ByCurve<TestSource<'_, R>> {
    shares.as_ref().map(|share| share.test_source().unwrap())
}

fn is_unconfirmed<R: Role>(shares: &ByCurve<UnconfirmedShare<R>>) -> bool {
    stored(shares).iter().all(|(_, share)| matches!(share, StoredShare::Unconfirmed(_)))
}

#[test]
fn a_new_pair_generated_or_recovered_is_unconfirmed_until_it_signs_its_test() {
    for new in new_pairs("new") {
        assert!(is_unconfirmed(&new.client) && is_unconfirmed(&new.server));
        run_test(&new).unwrap();
        assert!(is_unconfirmed(&new.client) && is_unconfirmed(&new.server), "a witness is needed");
        let live = confirm(new);
        for curve in Curve::ALL {
            let bytes = live.client.get(curve).unwrap().to_bytes();
            assert!(matches!(StoredShare::<Client>::from_bytes(&bytes), Ok(StoredShare::Live(_))));
        }
        sign_and_verify(&live);
    }
}

#[test]
fn a_generated_pair_whose_server_half_is_wrong_never_becomes_live() {
    for (curve, curves) in
        [(Curve::Secp256k1, Curves::SECP256K1), (Curve::Ed25519, Curves::ED25519)]
    {
        let [ours, other] = [(); 2].map(|()| generate_unconfirmed(curves, "new"));
        let (ours_stored, other_stored) = (stored(&ours.server), stored(&other.server));
        let bytes = |shares: &ByCurve<StoredShare<Server>>| shares.get(curve).unwrap().to_bytes();
        // Sound in itself, of the right id and with the right challenge, but of another key.
        let mut wrong = bytes(&other_stored);
        for field in [PAIR, CHALLENGE] {
            wrong[field.clone()].copy_from_slice(&bytes(&ours_stored)[field]);
        }
        refuse_test(&ours, &wrong);
        if curves == Curves::SECP256K1 {
            // The right half, with state that does not sign: of the zero shares, of the transfers.
            let right = bytes(&ours_stored);
            for at in [ZERO_SEED, TRANSFER_SEED] {
                refuse_test(&ours, &flip(&right, at, 0));
            }
        }
        sign_and_verify(&confirm(ours));
    }
}

/// The client gets no witness if the server brings this share.
fn refuse_test(ours: &UnconfirmedPair, server: &[u8]) {
    let server = ByCurve::collect([StoredShare::<Server>::from_bytes(server).unwrap()]).unwrap();
    let refused = test(ours.client.as_ref().map(Into::into), test_sources(&server));
    assert!(refused.is_err(), "a pair that does not sign was confirmed");
    assert!(is_unconfirmed(&ours.client));
}

#[test]
fn the_test_of_another_pair_does_not_make_a_pair_live() {
    for ((new, again), other) in
        new_pairs("new").into_iter().zip(new_pairs("new")).zip(new_pairs("other"))
    {
        // Of another name, and of the same name but made another time.
        for tests in [run_test(&other).unwrap(), run_test(&again).unwrap()] {
            for share in stored(&new.client).iter().map(|(_, share)| share.to_bytes()) {
                let share = StoredShare::<Client>::from_bytes(&share).unwrap();
                let test = tests.0.get(share.curve()).unwrap();
                assert_eq!(share.confirm(test).unwrap_err(), Error::PairMismatch);
            }
        }
        let (tests, _) = run_test(&again).unwrap();
        assert_eq!(new.client.confirm(&tests).unwrap_err(), Error::PairMismatch);
        let one_curve = ByCurve { secp256k1: None, ..tests };
        assert_eq!(new.server.confirm(&one_curve).unwrap_err(), Error::WrongCurve);
    }
}

#[test]
fn a_side_that_crashed_before_it_was_live_confirms_with_one_that_is() {
    for new in new_pairs("new") {
        let (client, server) = (stored(&new.client), stored(&new.server));
        let live = confirm(new);
        // The answer to the client was lost.
        let servers = live.server.as_ref().map(TestSource::from);
        let (ours, theirs) = test(test_sources(&client), servers).unwrap();
        assert_eq!(ours, theirs);
        let client = client.try_map(|curve, share| share.confirm(ours.get(curve).unwrap()));
        // The server was set back.
        let clients = live.client.as_ref().map(TestSource::from);
        let (_, theirs) = test(clients, test_sources(&server)).unwrap();
        let server = server.try_map(|curve, share| share.confirm(theirs.get(curve).unwrap()));
        sign_and_verify(&Pair { client: client.unwrap(), server: server.unwrap() });
    }
}

#[test]
fn what_is_live_on_one_curve_only_is_confirmed_on_both() {
    let new = generate_unconfirmed(Curves::BOTH, "new");
    let (client, mut server) = (stored(&new.client), stored(&new.server));
    let (_, tests) = run_test(&new).unwrap();
    let live = new.server.ed25519.unwrap().confirm(&tests.ed25519.unwrap()).unwrap();
    server.ed25519 = Some(StoredShare::Live(live));
    let (ours, theirs) = test(test_sources(&client), test_sources(&server)).unwrap();
    sign_and_verify(&Pair {
        client: client.try_map(|curve, share| share.confirm(ours.get(curve).unwrap())).unwrap(),
        server: server.try_map(|curve, share| share.confirm(theirs.get(curve).unwrap())).unwrap(),
    });
}

#[test]
fn a_frozen_share_signs_no_test() {
    let new = generate_unconfirmed(Curves::ED25519, "new");
    let (tests, _) = run_test(&new).unwrap();
    let frozen = confirm(new).client.ed25519.unwrap().freeze().to_bytes();
    let frozen = StoredShare::<Client>::from_bytes(&frozen).unwrap();
    assert!(frozen.test_source().is_none());
    assert_eq!(frozen.confirm(&tests.ed25519.unwrap()).unwrap_err(), Error::PairMismatch);
}

#[test]
fn a_live_share_that_was_stored_without_a_challenge_has_no_test_to_sign() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/signing-ed25519-client.bin");
    let share = StoredShare::<Client>::from_bytes(&fs::read(path).unwrap()).unwrap();
    let sources = ByCurve::ed25519(share.test_source().unwrap());
    let error = Confirm::start(&context(), sources).map(|_| ()).unwrap_err();
    assert_eq!(error, SignError::Failed(Error::PairMismatch));
}

#[test]
fn both_sides_compute_the_test_challenge_and_it_is_no_transaction() {
    for new in new_pairs("new") {
        let (client, server) = run_test(&new).unwrap();
        assert_eq!(client, server);
        for curve in Curve::ALL {
            let ours = new.client.get(curve).unwrap().to_bytes();
            let theirs = new.server.get(curve).unwrap().to_bytes();
            let challenge = &ours[CHALLENGE];
            assert_eq!(challenge, &theirs[CHALLENGE]);
            assert_ne!(challenge, [0; 32]);
            let message = [b"\xffportal-mpc/v1 test of new pair\n".as_slice(), challenge].concat();
            assert_eq!(message.len(), 64);
            let signature = client.get(curve).unwrap().signature();
            let key = new.client.get(curve).unwrap().public_key();
            verify(key.as_bytes(), &signature, &sha256(&message), &message);
        }
    }
}

#[test]
fn both_sides_add_a_nonce_to_the_challenge_of_a_generated_pair() {
    let ids = crate::common::pair_ids("new");
    for forged in [None, Some(HEADER), Some(HEADER + NONCE - 1)] {
        let (started, post) = Generate::start(&context(), Curves::BOTH).unwrap();
        let received = Post::open(post.as_bytes(), started.secret()).unwrap();
        let (answered, reply) = Generate::answer(&context(), ids, received).unwrap();
        let mut reply = reply.as_bytes().to_vec();
        assert_ne!(reply[HEADER..HEADER + NONCE], [0; NONCE]);
        if let Some(at) = forged {
            reply = reseal(&flip(&reply, at, 0), started.secret());
        }
        let reply = Reply::open(&reply, started.secret()).unwrap();
        let (advanced, post) = started.advance(reply).unwrap();
        let received = Post::open(post.as_bytes(), advanced.secret()).unwrap();
        let (server, reply) = answered.finish(received).unwrap();
        let reply = Reply::open(reply.as_bytes(), advanced.secret()).unwrap();
        let new = Pair { client: advanced.finish(reply).unwrap(), server };
        for curve in Curve::ALL {
            let ours = new.client.get(curve).unwrap().to_bytes();
            let theirs = new.server.get(curve).unwrap().to_bytes();
            assert_eq!(ours[CHALLENGE] == theirs[CHALLENGE], forged.is_none());
        }
        assert_eq!(run_test(&new).is_ok(), forged.is_none());
    }
}
