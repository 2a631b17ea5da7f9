//! Every message of every round, damaged, replayed, swapped and forged: an error, and both sides
//! able to start again.

#![allow(clippy::unwrap_in_result, clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::ops::Range;

use backup_core::Curve;
use portal_mpc::client::{Advanced, Started};
use portal_mpc::server::Answered;
use portal_mpc::{
    Backup, ByCurve, Client, Confirm, Curves, Error, Generate, Operation, Outgoing, Post, Recover,
    Reply, Server, SessionSecret, Sign,
};

use crate::common::wire::{HEADER, NONCE, PAIR, TAG, flip, positions, reseal};
use crate::common::{
    BackupPair, SigningPair, UnconfirmedPair, back_up, context, generate, generate_unconfirmed,
    pair_ids_on, recover, requests, sign_and_verify, test,
};

/// An operation between fixed shares, as something that can be run again and again.
trait Run {
    type Op: Operation;

    fn start(&self) -> (Started<'_, Self::Op>, Outgoing);
    fn answer(&self, post: Post<'_>) -> Result<(Answered<Self::Op>, Outgoing), String>;
    fn finish(
        &self,
        state: Answered<Self::Op>,
        post: Post<'_>,
    ) -> Result<(ServerEnd<Self>, Outgoing), String>;

    /// What the sender of a message chooses freely: another choice is as good.
    fn free(&self, _step: usize) -> Range<usize> {
        0..0
    }

    /// Whether what both sides ended with works.
    fn works(&self, client: ClientEnd<Self>, server: ServerEnd<Self>) -> bool;
}

type ClientEnd<T> = ByCurve<<<T as Run>::Op as Operation>::Output<Client>>;
type ServerEnd<T> = ByCurve<<<T as Run>::Op as Operation>::Output<Server>>;

struct Generating(Curves);
struct BackingUp(SigningPair);
struct Recovering(BackupPair);
struct Signing(SigningPair);
struct Confirming(UnconfirmedPair);

fn text<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

impl Run for Generating {
    type Op = Generate;

    fn start(&self) -> (Started<'_, Generate>, Outgoing) {
        Generate::start(&context(), self.0).unwrap()
    }

    fn answer(&self, post: Post<'_>) -> Result<(Answered<Generate>, Outgoing), String> {
        let ids = crate::common::pair_ids("new");
        let ids = ByCurve {
            secp256k1: ids.secp256k1.filter(|_| self.0.contains(Curve::Secp256k1)),
            ed25519: ids.ed25519.filter(|_| self.0.contains(Curve::Ed25519)),
        };
        text(Generate::answer(&context(), ids, post))
    }

    fn finish(
        &self,
        state: Answered<Generate>,
        post: Post<'_>,
    ) -> Result<(ServerEnd<Self>, Outgoing), String> {
        text(state.finish(post))
    }

    /// Two points are always on a line: with another fragment, key generation on secp256k1 makes
    /// another key, as unknown to either side as the first.
    fn free(&self, step: usize) -> Range<usize> {
        match step {
            0 if self.0.contains(Curve::Secp256k1) => HEADER + NONCE..HEADER + NONCE + 32,
            1 if self.0.contains(Curve::Secp256k1) => {
                HEADER + NONCE + PAIR..HEADER + NONCE + PAIR + 32
            }
            _ => 0..0,
        }
    }

    fn works(&self, client: ClientEnd<Self>, server: ServerEnd<Self>) -> bool {
        test(client.as_ref().map(Into::into), server.as_ref().map(Into::into)).is_ok()
    }
}

impl Run for BackingUp {
    type Op = Backup;

    fn start(&self) -> (Started<'_, Backup>, Outgoing) {
        Backup::start(&context(), self.0.client.as_ref()).unwrap()
    }

    fn answer(&self, post: Post<'_>) -> Result<(Answered<Backup>, Outgoing), String> {
        let ids = pair_ids_on("new", &self.0.server);
        text(Backup::answer(&context(), self.0.server.as_ref(), ids, post))
    }

    fn finish(
        &self,
        state: Answered<Backup>,
        post: Post<'_>,
    ) -> Result<(ServerEnd<Self>, Outgoing), String> {
        text(state.finish(self.0.server.as_ref(), post))
    }

    fn works(&self, client: ClientEnd<Self>, server: ServerEnd<Self>) -> bool {
        client
            .iter()
            .all(|(curve, share)| share.commitments() == server.get(curve).unwrap().commitments())
            && crate::common::try_recover(&client, &server, "after").is_ok()
    }
}

impl Run for Recovering {
    type Op = Recover;

    fn start(&self) -> (Started<'_, Recover>, Outgoing) {
        let sealed = self.0.client.as_ref().map(|share| (share, share.commitments()));
        Recover::start(&context(), sealed).unwrap()
    }

    fn answer(&self, post: Post<'_>) -> Result<(Answered<Recover>, Outgoing), String> {
        let ids = pair_ids_on("new", &self.0.server);
        text(Recover::answer(&context(), self.0.server.as_ref(), ids, post))
    }

    fn finish(
        &self,
        state: Answered<Recover>,
        post: Post<'_>,
    ) -> Result<(ServerEnd<Self>, Outgoing), String> {
        text(state.finish(self.0.server.as_ref(), post))
    }

    fn works(&self, client: ClientEnd<Self>, server: ServerEnd<Self>) -> bool {
        test(client.as_ref().map(Into::into), server.as_ref().map(Into::into)).is_ok()
    }
}

impl Run for Signing {
    type Op = Sign;

    fn start(&self) -> (Started<'_, Sign>, Outgoing) {
        Sign::start(&context(), requests(&self.0.client)).unwrap()
    }

    fn answer(&self, post: Post<'_>) -> Result<(Answered<Sign>, Outgoing), String> {
        text(Sign::answer(&context(), requests(&self.0.server), post))
    }

    fn finish(
        &self,
        state: Answered<Sign>,
        post: Post<'_>,
    ) -> Result<(ServerEnd<Self>, Outgoing), String> {
        text(state.finish(requests(&self.0.server), post))
    }

    fn works(&self, client: ClientEnd<Self>, server: ServerEnd<Self>) -> bool {
        client == server
    }
}

impl Run for Confirming {
    type Op = Confirm;

    fn start(&self) -> (Started<'_, Confirm>, Outgoing) {
        Confirm::start(&context(), self.0.client.as_ref()).unwrap()
    }

    fn answer(&self, post: Post<'_>) -> Result<(Answered<Confirm>, Outgoing), String> {
        text(Confirm::answer(&context(), self.0.server.as_ref(), post))
    }

    fn finish(
        &self,
        state: Answered<Confirm>,
        post: Post<'_>,
    ) -> Result<(ServerEnd<Self>, Outgoing), String> {
        text(state.finish(self.0.server.as_ref(), post))
    }

    fn works(&self, client: ClientEnd<Self>, server: ServerEnd<Self>) -> bool {
        client == server
    }
}

/// The four messages of an honest session.
fn honest<R: Run>(run: &R) -> [Vec<u8>; 4] {
    let (started, post) = run.start();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let (state, reply) = run.answer(received).unwrap();
    let first = Reply::open(reply.as_bytes(), started.secret()).unwrap();
    let (advanced, second) = started.advance(first).map_err(|_| "advance").unwrap();
    let received = Post::open(second.as_bytes(), advanced.secret()).unwrap();
    let (server, last) = run.finish(state, received).unwrap();
    let reply_2 = Reply::open(last.as_bytes(), advanced.secret()).unwrap();
    let client = advanced.finish(reply_2).map_err(|_| "finish").unwrap();
    assert!(run.works(client, server), "an honest session works");
    [&post, &reply, &second, &last].map(|message| message.as_bytes().to_vec())
}

/// Damage on the way: every message is refused before it touches any state, so the same session
/// goes on when the right bytes come.
fn damaged<R: Run>(run: &R) {
    let (started, post) = run.start();
    refuse_damaged(post.as_bytes(), started.secret(), |bytes, secret| {
        Post::open(bytes, secret).map(|_| ())
    });
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let (state, reply) = run.answer(received).unwrap();
    refuse_damaged(reply.as_bytes(), started.secret(), |bytes, secret| {
        Reply::open(bytes, secret).map(|_| ())
    });
    let first = Reply::open(reply.as_bytes(), started.secret()).unwrap();
    let (advanced, second) = started.advance(first).map_err(|_| "advance").unwrap();
    refuse_damaged(second.as_bytes(), advanced.secret(), |bytes, secret| {
        Post::open(bytes, secret).map(|_| ())
    });
    let received = Post::open(second.as_bytes(), advanced.secret()).unwrap();
    let (server, last) = run.finish(state, received).unwrap();
    refuse_damaged(last.as_bytes(), advanced.secret(), |bytes, secret| {
        Reply::open(bytes, secret).map(|_| ())
    });
    let reply = Reply::open(last.as_bytes(), advanced.secret()).unwrap();
    let client = advanced.finish(reply).map_err(|_| "finish").unwrap();
    assert!(run.works(client, server));
}

fn refuse_damaged(
    message: &[u8],
    secret: &SessionSecret,
    open: impl Fn(&[u8], &SessionSecret) -> Result<(), Error>,
) {
    let refuse = |bytes: &[u8]| {
        let error = open(bytes, secret).unwrap_err();
        assert!(matches!(error, Error::Damaged | Error::Version(_)), "{error}");
    };
    for len in (0..message.len().min(HEADER + TAG + 1)).chain([message.len() - 1]) {
        refuse(&message[..len]);
    }
    refuse(&[message, &[0]].concat());
    refuse(&[message, message].concat());
    let all_over = positions(0, message.len(), 60);
    let ends = (0..HEADER).chain(message.len() - TAG..message.len()).map(|at| (at, 3));
    for (at, bit) in all_over.chain(ends) {
        refuse(&flip(message, at, bit));
    }
    let other = SessionSecret::from_bytes(&[1; 32]);
    assert_eq!(open(message, &other).unwrap_err(), Error::Damaged);
}

/// Sound messages at the wrong place.
fn misplaced<R: Run>(run: &R) {
    let (ours, post) = run.start();
    let (theirs, their_post) = run.start();
    let (secret, their_secret) = (copy(ours.secret()), copy(theirs.secret()));
    // Swapped between sessions, under either secret.
    assert_eq!(Post::open(their_post.as_bytes(), &secret).unwrap_err(), Error::Damaged);
    let (state, reply) = run.answer(Post::open(post.as_bytes(), &secret).unwrap()).unwrap();
    let stored = state.to_bytes();
    let received = Post::open(their_post.as_bytes(), &their_secret).unwrap();
    let (_, their_reply) = run.answer(received).unwrap();
    let swapped = Reply::open(their_reply.as_bytes(), &their_secret).unwrap();
    assert!(ours.advance(swapped).is_err(), "a reply of another session");
    // The first post again, where the second belongs.
    let replayed = Post::open(post.as_bytes(), &secret).unwrap();
    assert!(run.finish(state, replayed).is_err(), "the first post as the second");
    // A post as a reply, and the other way round.
    assert_eq!(Reply::open(post.as_bytes(), &secret).unwrap_err(), Error::WrongSession);
    assert_eq!(Post::open(reply.as_bytes(), &secret).unwrap_err(), Error::WrongSession);
    // Another session's second post, and the first reply again where the second belongs.
    let swapped = Reply::open(their_reply.as_bytes(), &their_secret).unwrap();
    let (advanced, their_second) = theirs.advance(swapped).map_err(|_| "advance").unwrap();
    let received = Post::open(their_second.as_bytes(), &their_secret).unwrap();
    let state = Answered::<R::Op>::from_bytes(&stored).unwrap();
    assert!(run.finish(state, received).is_err(), "a post of another session");
    let replayed = Reply::open(their_reply.as_bytes(), &their_secret).unwrap();
    assert!(advanced.finish(replayed).is_err(), "the first reply as the second");
    let second = Post::open(their_second.as_bytes(), &their_secret).unwrap();
    assert!(run.answer(second).is_err(), "the second post as the first");
}

fn copy(secret: &SessionSecret) -> SessionSecret {
    SessionSecret::from_bytes(secret.expose())
}

/// Bytes that the other side itself made wrong, with a right tag: an error at the latest when the
/// result is first used, and never a panic.
fn forged<R: Run>(run: &R, count: usize) {
    let lengths = honest(run).map(|message| message.len());
    for (step, len) in lengths.into_iter().enumerate().filter(|(_, len)| *len > HEADER + TAG) {
        let free = run.free(step);
        let chosen = positions(HEADER, len - TAG, count).filter(|(at, _)| !free.contains(at));
        for (at, bit) in chosen {
            assert!(!survives(run, step, at, bit), "step {step}, byte {at}, bit {bit}");
        }
    }
    honest(run);
}

/// Whether a session works in which one message was forged.
fn survives<R: Run>(run: &R, step: usize, at: usize, bit: u8) -> bool {
    forge(run, step, at, bit).unwrap_or(false)
}

fn forge<R: Run>(run: &R, forged: usize, at: usize, bit: u8) -> Option<bool> {
    let (started, post) = run.start();
    let secret = copy(started.secret());
    let send = |step: usize, message: &Outgoing| {
        let bytes = message.as_bytes();
        if step == forged { reseal(&flip(bytes, at, bit), &secret) } else { bytes.to_vec() }
    };
    let sent = send(0, &post);
    let received = Post::open(&sent, &secret).unwrap();
    let (state, reply) = run.answer(received).ok()?;
    let sent = send(1, &reply);
    let reply = Reply::open(&sent, &secret).unwrap();
    let (advanced, post): (Advanced<'_, R::Op>, _) = started.advance(reply).ok()?;
    let sent = send(2, &post);
    let received = Post::open(&sent, &secret).unwrap();
    let (server, reply) = run.finish(state, received).ok()?;
    let sent = send(3, &reply);
    let reply = Reply::open(&sent, &secret).unwrap();
    let client = advanced.finish(reply).ok()?;
    Some(run.works(client, server))
}

fn attack<R: Run>(run: &R, forgeries: usize) {
    damaged(run);
    misplaced(run);
    forged(run, forgeries);
}

#[test]
fn generate_on_secp256k1() {
    attack(&Generating(Curves::SECP256K1), 2);
}

#[test]
fn generate_on_ed25519() {
    attack(&Generating(Curves::ED25519), 100);
}

#[test]
fn back_up_on_secp256k1() {
    attack(&BackingUp(generate(Curves::SECP256K1, "pair")), 6);
}

#[test]
fn back_up_on_ed25519() {
    attack(&BackingUp(generate(Curves::ED25519, "pair")), 100);
}

#[test]
fn recover_on_secp256k1() {
    let pair = generate(Curves::SECP256K1, "pair");
    attack(&Recovering(back_up(&pair, "backup")), 2);
    sign_and_verify(&pair);
}

#[test]
fn recover_on_ed25519() {
    attack(&Recovering(back_up(&generate(Curves::ED25519, "pair"), "backup")), 100);
}

#[test]
fn sign_on_secp256k1() {
    attack(&Signing(generate(Curves::SECP256K1, "pair")), 40);
}

#[test]
fn sign_on_ed25519() {
    attack(&Signing(generate(Curves::ED25519, "pair")), 100);
}

#[test]
fn confirm_on_both_curves() {
    let pair = generate(Curves::BOTH, "pair");
    attack(&Confirming(generate_unconfirmed(Curves::BOTH, "new")), 30);
    attack(&Confirming(recover(&back_up(&pair, "backup"), "new")), 30);
}

#[test]
fn generate_and_back_up_on_both_curves_at_once() {
    damaged(&Generating(Curves::BOTH));
    let pair = BackingUp(generate(Curves::BOTH, "pair"));
    damaged(&pair);
    misplaced(&pair);
}
