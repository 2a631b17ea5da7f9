//! Both parties in one process, on Ed25519: for shares as the sessions make them.

use portal_mpc::{
    Backup, BackupShare, ByCurve, Client, Confirm, Context, Curves, Generate, PairId, Post, Reply,
    Server, SigningShare, UnconfirmedShare,
};

/// Both halves of a pair that signs.
pub struct Pair<C, S> {
    pub client: C,
    pub server: S,
}

pub type SigningPair = Pair<SigningShare<Client>, SigningShare<Server>>;
pub type BackupPair = Pair<BackupShare<Client>, BackupShare<Server>>;

fn context() -> Context {
    Context::new("wallet", "device")
}

fn named(name: &str) -> ByCurve<PairId> {
    ByCurve::ed25519(PairId::from_name(name))
}

/// A pair as `generate` and `confirm` make it.
pub fn signing_pair(name: &str) -> SigningPair {
    let (started, post) = Generate::start(&context(), Curves::ED25519).unwrap();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let (answered, reply) = Generate::answer(&context(), named(name), received).unwrap();
    let reply = Reply::open(reply.as_bytes(), started.secret()).unwrap();
    let (advanced, post) = started.advance(reply).unwrap();
    let received = Post::open(post.as_bytes(), advanced.secret()).unwrap();
    let (server, reply) = answered.finish(received).unwrap();
    let reply = Reply::open(reply.as_bytes(), advanced.secret()).unwrap();
    confirmed(advanced.finish(reply).unwrap(), server)
}

/// A backup pair of it.
pub fn backup_pair(pair: &SigningPair, name: &str) -> BackupPair {
    let (client, server) = (&pair.client, &pair.server);
    let (started, post) = Backup::start(&context(), ByCurve::ed25519(client)).unwrap();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let (answered, reply) =
        Backup::answer(&context(), ByCurve::ed25519(server), named(name), received).unwrap();
    let reply = Reply::open(reply.as_bytes(), started.secret()).unwrap();
    let (advanced, post) = started.advance(reply).unwrap();
    let received = Post::open(post.as_bytes(), advanced.secret()).unwrap();
    let (server, reply) = answered.finish(ByCurve::ed25519(server), received).unwrap();
    let reply = Reply::open(reply.as_bytes(), advanced.secret()).unwrap();
    let client = advanced.finish(reply).unwrap();
    Pair { client: client.ed25519.unwrap(), server: server.ed25519.unwrap() }
}

fn confirmed(
    client: ByCurve<UnconfirmedShare<Client>>,
    server: ByCurve<UnconfirmedShare<Server>>,
) -> SigningPair {
    let (ours, theirs) = (client.ed25519.unwrap(), server.ed25519.unwrap());
    let (started, post) = Confirm::start(&context(), ByCurve::ed25519(&ours)).unwrap();
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let (answered, reply) =
        Confirm::answer(&context(), ByCurve::ed25519(&theirs), received).unwrap();
    let reply = Reply::open(reply.as_bytes(), started.secret()).unwrap();
    let (advanced, post) = started.advance(reply).unwrap();
    let received = Post::open(post.as_bytes(), advanced.secret()).unwrap();
    let (server, reply) = answered.finish(ByCurve::ed25519(&theirs), received).unwrap();
    let reply = Reply::open(reply.as_bytes(), advanced.secret()).unwrap();
    let client = advanced.finish(reply).unwrap();
    Pair {
        client: ours.confirm(&client.ed25519.unwrap()).unwrap(),
        server: theirs.confirm(&server.ed25519.unwrap()).unwrap(),
    }
}
