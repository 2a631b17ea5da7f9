//! Both sides of every operation, run against each other as over a network: bytes in, bytes out,
//! and the server's state through its stored form between the posts.

#![allow(unreachable_pub, reason = "modules of a test are reached by nobody else")]

pub mod wire;

use backup_core::Curve;
use portal_mpc::server::Answered;
use portal_mpc::{
    Backup, BackupShare, BackupSource, ByCurve, Client, Confirm, Context, Curves, Error, Generate,
    PairId, Payload, Post, Recover, Reply, Server, Sign, SignError, SignRequest, Signature,
    SigningShare, TestSignature, TestSource, UnconfirmedShare,
};
use sha2::Digest;

/// Both sides' shares.
pub struct Pair<C, S> {
    pub client: ByCurve<C>,
    pub server: ByCurve<S>,
}

pub type SigningPair = Pair<SigningShare<Client>, SigningShare<Server>>;
pub type BackupPair = Pair<BackupShare<Client>, BackupShare<Server>>;
pub type UnconfirmedPair = Pair<UnconfirmedShare<Client>, UnconfirmedShare<Server>>;

pub fn context() -> Context {
    Context::new("custodian/client", [7; 32])
}

pub fn pair_ids(name: &str) -> ByCurve<PairId> {
    ByCurve::both(
        PairId::from_name(&format!("{name}/secp256k1")),
        PairId::from_name(&format!("{name}/ed25519")),
    )
}

/// Ids for these curves only.
pub fn pair_ids_on<T>(name: &str, like: &ByCurve<T>) -> ByCurve<PairId> {
    let ids = pair_ids(name);
    ByCurve {
        secp256k1: ids.secp256k1.filter(|_| like.secp256k1.is_some()),
        ed25519: ids.ed25519.filter(|_| like.ed25519.is_some()),
    }
}

pub fn generate(curves: Curves, name: &str) -> SigningPair {
    confirm(generate_unconfirmed(curves, name))
}

pub fn generate_unconfirmed(curves: Curves, name: &str) -> UnconfirmedPair {
    let ids = pair_ids(name);
    let ids = ByCurve {
        secp256k1: ids.secp256k1.filter(|_| curves.contains(Curve::Secp256k1)),
        ed25519: ids.ed25519.filter(|_| curves.contains(Curve::Ed25519)),
    };
    let (started, post) = Generate::start(&context(), curves).unwrap();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let (answered, reply) = Generate::answer(&context(), ids, received).unwrap();
    let stored = answered.to_bytes();
    let reply = Reply::open(reply.as_bytes(), started.secret()).unwrap();
    let (advanced, post) = started.advance(reply).unwrap();
    let received = Post::open(post.as_bytes(), advanced.secret()).unwrap();
    let answered = Answered::<Generate>::from_bytes(&stored).unwrap();
    let (server, reply) = answered.finish(received).unwrap();
    let reply = Reply::open(reply.as_bytes(), advanced.secret()).unwrap();
    Pair { client: advanced.finish(reply).unwrap(), server }
}

pub fn back_up(pair: &SigningPair, name: &str) -> BackupPair {
    back_up_sources(
        pair.client.as_ref().map(Into::into),
        pair.server.as_ref().map(Into::into),
        name,
    )
    .unwrap()
}

pub fn back_up_sources(
    client: ByCurve<BackupSource<'_, Client>>,
    server: ByCurve<BackupSource<'_, Server>>,
    name: &str,
) -> Result<BackupPair, Error> {
    let (started, post) = Backup::start(&context(), client)?;
    let received = Post::open(post.as_bytes(), started.secret())?;
    let ids = pair_ids_on(name, &server);
    let (answered, reply) = Backup::answer(&context(), server, ids, received)?;
    let stored = answered.to_bytes();
    let reply = Reply::open(reply.as_bytes(), started.secret())?;
    let (advanced, post) = started.advance(reply)?;
    let received = Post::open(post.as_bytes(), advanced.secret())?;
    let answered = Answered::<Backup>::from_bytes(&stored).unwrap();
    let (shares, reply) = answered.finish(server, received)?;
    let reply = Reply::open(reply.as_bytes(), advanced.secret())?;
    Ok(Pair { client: advanced.finish(reply)?, server: shares })
}

pub fn recover(pair: &BackupPair, name: &str) -> UnconfirmedPair {
    try_recover(&pair.client, &pair.server, name).unwrap()
}

pub fn try_recover(
    client: &ByCurve<BackupShare<Client>>,
    server: &ByCurve<BackupShare<Server>>,
    name: &str,
) -> Result<UnconfirmedPair, Error> {
    let sealed = client.as_ref().map(|share| (share, share.commitments()));
    let (started, post) = Recover::start(&context(), sealed)?;
    let received = Post::open(post.as_bytes(), started.secret())?;
    let ids = pair_ids_on(name, server);
    let (answered, reply) = Recover::answer(&context(), server.as_ref(), ids, received)?;
    let stored = answered.to_bytes();
    let reply = Reply::open(reply.as_bytes(), started.secret())?;
    let (advanced, post) = started.advance(reply)?;
    let received = Post::open(post.as_bytes(), advanced.secret())?;
    let answered = Answered::<Recover>::from_bytes(&stored).unwrap();
    let (shares, reply) = answered.finish(server.as_ref(), received)?;
    let reply = Reply::open(reply.as_bytes(), advanced.secret())?;
    Ok(Pair { client: advanced.finish(reply)?, server: shares })
}

/// Both sides' witnesses of the test signature.
pub type Witnesses = (ByCurve<TestSignature>, ByCurve<TestSignature>);

pub fn test(
    client: ByCurve<TestSource<'_, Client>>,
    server: ByCurve<TestSource<'_, Server>>,
) -> Result<Witnesses, SignError> {
    let (started, post) = Confirm::start(&context(), client)?;
    let received = Post::open(post.as_bytes(), started.secret())?;
    let (answered, reply) = Confirm::answer(&context(), server, received)?;
    let stored = answered.to_bytes();
    let reply = Reply::open(reply.as_bytes(), started.secret())?;
    let (advanced, post) = started.advance(reply)?;
    let received = Post::open(post.as_bytes(), advanced.secret())?;
    let answered = Answered::<Confirm>::from_bytes(&stored).unwrap();
    let (ours, reply) = answered.finish(server, received)?;
    let reply = Reply::open(reply.as_bytes(), advanced.secret())?;
    Ok((advanced.finish(reply)?, ours))
}

pub fn confirm(pair: UnconfirmedPair) -> SigningPair {
    let sources = (pair.client.as_ref().map(Into::into), pair.server.as_ref().map(Into::into));
    let (client, server) = test(sources.0, sources.1).unwrap();
    Pair {
        client: pair.client.confirm(&client).unwrap(),
        server: pair.server.confirm(&server).unwrap(),
    }
}

pub const DIGEST: [u8; 32] = [0x5a; 32];
pub const MESSAGE: &[u8] = b"a message of any length";

pub fn requests<R: portal_mpc::Role>(
    shares: &ByCurve<SigningShare<R>>,
) -> ByCurve<SignRequest<'_, R>> {
    ByCurve {
        secp256k1: shares
            .secp256k1
            .as_ref()
            .map(|share| SignRequest { share, payload: Payload::Digest(&DIGEST) }),
        ed25519: shares
            .ed25519
            .as_ref()
            .map(|share| SignRequest { share, payload: Payload::Message(MESSAGE) }),
    }
}

/// Both sides' signatures.
pub type Signatures = (ByCurve<Signature>, ByCurve<Signature>);

pub fn sign(
    client: &ByCurve<SigningShare<Client>>,
    server: &ByCurve<SigningShare<Server>>,
) -> Result<Signatures, SignError> {
    let (started, post) = Sign::start(&context(), requests(client))?;
    let received = Post::open(post.as_bytes(), started.secret())?;
    let (answered, reply) = Sign::answer(&context(), requests(server), received)?;
    let stored = answered.to_bytes();
    let reply = Reply::open(reply.as_bytes(), started.secret())?;
    let (advanced, post) = started.advance(reply)?;
    let received = Post::open(post.as_bytes(), advanced.secret())?;
    let answered = Answered::<Sign>::from_bytes(&stored).unwrap();
    let (ours, reply) = answered.finish(requests(server), received)?;
    let reply = Reply::open(reply.as_bytes(), advanced.secret())?;
    Ok((advanced.finish(reply)?, ours))
}

/// Signs, and verifies both sides' signatures by crates that the library does not use for it.
pub fn sign_and_verify(pair: &SigningPair) {
    let (client, server) = sign(&pair.client, &pair.server).unwrap();
    assert_eq!(client, server);
    for (curve, signature) in client.iter() {
        let key = pair.client.get(curve).unwrap().public_key();
        verify(key.as_bytes(), signature, &DIGEST, MESSAGE);
    }
}

/// Verifies under the public key: k256 of another generation, strict Ed25519.
pub fn verify(key: &[u8], signature: &Signature, digest: &[u8; 32], message: &[u8]) {
    match signature {
        Signature::Ecdsa(signature) => {
            use k256_old::ecdsa::signature::hazmat::PrehashVerifier;
            use k256_old::ecdsa::{RecoveryId, VerifyingKey};
            let parsed = k256_old::ecdsa::Signature::from_slice(signature.as_bytes()).unwrap();
            assert!(parsed.normalize_s().is_none(), "s is not low");
            let key = VerifyingKey::from_sec1_bytes(key).unwrap();
            key.verify_prehash(digest, &parsed).unwrap();
            let id = RecoveryId::from_byte(signature.recovery_id()).unwrap();
            assert_eq!(VerifyingKey::recover_from_prehash(digest, &parsed, id).unwrap(), key);
        }
        Signature::Ed25519(bytes) => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(key.try_into().unwrap()).unwrap();
            let signature = ed25519_dalek::Signature::from_bytes(bytes);
            key.verify_strict(message, &signature).unwrap();
        }
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}
