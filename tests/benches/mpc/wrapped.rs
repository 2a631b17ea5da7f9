//! The operations as an app and a server run them: bytes in, bytes out, and the server's state
//! through its stored form.

use portal_mpc::server::Answered;
use portal_mpc::{
    Backup, BackupShare, ByCurve, Client, Confirm, Context, Curves, Generate, PairId, Payload,
    Post, Recover, Reply, Role, Server, Sign, SignRequest, Signature, SigningShare, TestSignature,
    UnconfirmedShare,
};

pub(crate) type SigningPair = (ByCurve<SigningShare<Client>>, ByCurve<SigningShare<Server>>);
pub(crate) type BackupPair = (ByCurve<BackupShare<Client>>, ByCurve<BackupShare<Server>>);
pub(crate) type Unconfirmed =
    (ByCurve<UnconfirmedShare<Client>>, ByCurve<UnconfirmedShare<Server>>);

/// Runs one operation: how each side starts, answers and finishes is all that differs.
macro_rules! run {
    ($operation:ty, $start:expr, $answer:expr, $finish:expr) => {{
        // Each message and state is dropped where its receiver is done with it.
        let (started, sent) = $start.expect("an honest client");
        let post = Post::open(sent.as_bytes(), started.secret()).expect("undamaged");
        let (answered, reply) = $answer(post).expect("an honest server");
        drop(sent);
        let state = answered.to_bytes();
        drop(answered);
        let received = Reply::open(reply.as_bytes(), started.secret()).expect("undamaged");
        let (advanced, sent) = started.advance(received).expect("an honest client");
        drop(reply);
        let post = Post::open(sent.as_bytes(), advanced.secret()).expect("undamaged");
        let answered = Answered::<$operation>::from_bytes(&state).expect("as it was stored");
        let (server, reply) = $finish(answered, post).expect("an honest server");
        drop(sent);
        let reply = Reply::open(reply.as_bytes(), advanced.secret()).expect("undamaged");
        ((advanced.finish(reply).expect("an honest client"), server), state.len())
    }};
}

fn context() -> Context {
    Context::new("bench", [1; 32])
}

fn ids(name: &str) -> ByCurve<PairId> {
    ByCurve::both(format!("{name} 1"), format!("{name} 2")).map(|name| PairId::from_name(&name))
}

pub(crate) fn generate(curves: Curves) -> Unconfirmed {
    generating(curves).0
}

fn generating(curves: Curves) -> (Unconfirmed, usize) {
    let context = context();
    run!(
        Generate,
        Generate::start(&context, curves),
        |post| Generate::answer(&context, ids("signing"), post),
        |state: Answered<Generate>, post| state.finish(post)
    )
}

pub(crate) fn back_up(pair: &SigningPair) -> BackupPair {
    backing_up(pair).0
}

fn backing_up((client, server): &SigningPair) -> (BackupPair, usize) {
    let context = context();
    run!(
        Backup,
        Backup::start(&context, client.as_ref()),
        |post| Backup::answer(&context, server.as_ref(), ids("backup"), post),
        |state: Answered<Backup>, post| state.finish(server.as_ref(), post)
    )
}

pub(crate) fn recover(pair: &BackupPair) -> Unconfirmed {
    recovering(pair).0
}

fn recovering((client, server): &BackupPair) -> (Unconfirmed, usize) {
    let context = context();
    let sealed = client.as_ref().map(|share| (share, share.commitments()));
    run!(
        Recover,
        Recover::start(&context, sealed),
        |post| Recover::answer(&context, server.as_ref(), ids("recovered"), post),
        |state: Answered<Recover>, post| state.finish(server.as_ref(), post)
    )
}

/// Both sides' witnesses.
type Tests = (ByCurve<TestSignature>, ByCurve<TestSignature>);

pub(crate) fn confirm((client, server): &Unconfirmed) -> Tests {
    let context = context();
    run!(
        Confirm,
        Confirm::start(&context, client.as_ref()),
        |post| Confirm::answer(&context, server.as_ref(), post),
        |state: Answered<Confirm>, post| state.finish(server.as_ref(), post)
    )
    .0
}

/// A new wallet whose pairs have signed their tests.
pub(crate) fn wallet(curves: Curves) -> SigningPair {
    let new = generate(curves);
    let (client, server) = confirm(&new);
    let live = "the pair that signed";
    (new.0.confirm(&client).expect(live), new.1.confirm(&server).expect(live))
}

/// Both sides' signatures.
type Signatures = (ByCurve<Signature>, ByCurve<Signature>);

pub(crate) fn sign(pair: &SigningPair, digest: &[u8; 32], message: &[u8]) -> Signatures {
    signing(pair, digest, message).0
}

fn signing(
    (client, server): &SigningPair,
    digest: &[u8; 32],
    message: &[u8],
) -> (Signatures, usize) {
    let context = context();
    run!(
        Sign,
        Sign::start(&context, requests(client, digest, message)),
        |post| Sign::answer(&context, requests(server, digest, message), post),
        |state: Answered<Sign>, post| state.finish(requests(server, digest, message), post)
    )
}

fn requests<'a, R: Role>(
    shares: &'a ByCurve<SigningShare<R>>,
    digest: &'a [u8; 32],
    message: &'a [u8],
) -> ByCurve<SignRequest<'a, R>> {
    let request = |payload| move |share| SignRequest { share, payload };
    ByCurve {
        secp256k1: shares.secp256k1.as_ref().map(request(Payload::Digest(digest))),
        ed25519: shares.ed25519.as_ref().map(request(Payload::Message(message))),
    }
}

pub(crate) fn backup_sizes((client, _): &BackupPair) -> (usize, usize) {
    let size = |share: Option<&BackupShare<Client>>| share.map_or(0, |s| s.to_bytes().len());
    (size(client.secp256k1.as_ref()), size(client.ed25519.as_ref()))
}

pub(crate) fn signing_sizes((client, _): &SigningPair) -> (usize, usize) {
    let size = |share: Option<&SigningShare<Client>>| share.map_or(0, |s| s.to_bytes().len());
    (size(client.secp256k1.as_ref()), size(client.ed25519.as_ref()))
}

pub(crate) fn state_sizes(
    wallet: &SigningPair,
    backup: &BackupPair,
    digest: &[u8; 32],
    message: &[u8],
) -> [(&'static str, usize); 4] {
    [
        ("generate", generating(Curves::BOTH).1),
        ("sign", signing(wallet, digest, message).1),
        ("back up", backing_up(wallet).1),
        ("recover", recovering(backup).1),
    ]
}
