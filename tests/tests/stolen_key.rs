//! A stolen API key: whoever has it, and has heard all that the user's devices ever sent, tries
//! every request in every order, for as long as he likes. Nothing that the user has is lost by it.
//!
//! `PROPTEST_CASES` tries more sequences than the few of a usual run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use backup_core::{
    BackupId, BackupMethod, DataKey, EncryptionContext, Envelope, MethodId, Operation, Purpose,
    SharePairId, StoredKey, secrecy::ExposeSecret,
};
use backup_testkit::MemoryStore;
use portal_api::{
    Commit, DeviceKey, ErrorId, FirstPost, Nothing, PairName, PerCurve, PostFrame, Proof,
    Revocations, SignPayload, mpc_context, route,
};
use portal_client::{
    Addresses, ApiKey, BackUpOptions, Payload, Portal, RecoverOptions, device::DeviceStore,
};
use portal_mpc::{
    Backup, BackupShare, BackupSource, ByCurve, Client, Confirm, Curves, Generate, Outgoing,
    Recover, SessionSecret, Sign, SignRequest, StoredShare,
};
use portal_server::{clock::Clock, maintenance};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Method, Middle, StatusCode},
    wallets::{Device, TestClient, TestService, on_runtime, unseen},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A clock whose hand the test moves.
#[derive(Debug)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// A service whose clock the test moves.
struct World {
    service: TestService,
    hand: Arc<Hand>,
}

impl World {
    async fn begin() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let hand = Arc::new(Hand(AtomicU64::new(now)));
        let clock = Arc::clone(&hand);
        let service = TestService::start_with(move |options| options.clock = clock).await;
        Self { service, hand }
    }

    async fn wait(&self, seconds: u64) {
        let now = self.hand.0.fetch_add(seconds, Ordering::SeqCst) + seconds;
        maintenance::run_once(self.service.running().service(), now).await.unwrap();
    }
}

fn method(name: &str) -> MethodId {
    MethodId::new(format!("com.example.{name}")).unwrap()
}

/// The user: a device that signs, one that it replaced, and backups with two methods.
struct Victim {
    middle: Middle,
    client: TestClient,
    device: Device,
    stores: [MemoryStore; 3],
    addresses: Addresses,
    backups: Vec<String>,
    began: u64,
    before: Value,
}

/// Lets no envelope through.
struct NoEnvelope;

impl Meddler for NoEnvelope {
    fn instead(&self, asked: &Asked) -> Option<Answer> {
        let is_put = asked.is(&Method::PUT, "/envelope");
        is_put.then(|| Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, ErrorId::Error))
    }
}

impl Victim {
    /// Has done all that devices do, and left a backup half done.
    async fn live(world: &World) -> Self {
        let middle = Middle::before(world.service.address()).await;
        Self::live_behind(world, middle).await
    }

    async fn live_behind(world: &World, middle: Middle) -> Self {
        let client = world.service.client().await;
        let stores = ["one", "two", "three"].map(|name| MemoryStore::with_id(method(name)));
        let first = client.device();
        let mut victim = Self {
            middle,
            device: client.device(),
            client,
            stores,
            addresses: Addresses::new(ByCurve { secp256k1: None, ed25519: None }),
            backups: Vec::new(),
            began: world.hand.now(),
            before: Value::Null,
        };
        let app = victim.app(&first);
        victim.addresses = app.create_wallet(&unseen).await.unwrap();
        app.sign(Payload::Message(b"one")).await.unwrap();
        let one = back_up(&app, "one").await;
        let app = victim.app(&victim.device);
        recover(&app, "one").await;
        app.sign(Payload::Message(b"two")).await.unwrap();
        let (two, three) = (back_up(&app, "two").await, back_up(&app, "three").await);
        app.revoke(&method("three"), &unseen).await.unwrap();
        let pending = victim.leave_one_pending(&app).await;
        victim.backups = vec![one, two, three, pending];
        victim.before = victim.look().await;
        victim
    }

    /// First one that is dropped, then one that stays without its envelope.
    async fn leave_one_pending(&self, app: &Portal) -> String {
        self.middle.change(|asked, answer| {
            let is_read = asked.is(&Method::GET, "/envelope");
            if is_read { answer.with_body("another") } else { answer }
        });
        let options = BackUpOptions { enroll_anew: true, ..Default::default() };
        app.back_up(&method("two"), &options, &unseen).await.unwrap_err();
        self.middle.meddle(NoEnvelope);
        let options = BackUpOptions::default();
        app.back_up(&method("one"), &options, &unseen).await.unwrap_err();
        self.middle.be_honest();
        let view = self.look().await;
        let sets = view["backups"].as_array().unwrap();
        let pending: Vec<_> = sets.iter().filter(|set| set["status"] == "PENDING").collect();
        assert_eq!(pending.len(), 1, "{view}");
        pending[0]["id"].as_str().unwrap().to_owned()
    }

    fn app(&self, device: &Device) -> Portal {
        let app = device.app(&self.middle.url()).patience(Duration::from_millis(250));
        let methods = self.stores.iter().map(|store| {
            let method: Arc<dyn BackupMethod> = Arc::new(StoredKey::new(store.clone()));
            method
        });
        methods.fold(app, portal_client::PortalBuilder::method).build().unwrap()
    }

    async fn look(&self) -> Value {
        self.middle.ask(&Asked::get(route::CLIENT).with_key(&self.client.key)).await.value()
    }

    /// Its live device signs, nothing is frozen, retired or revoked, and every method recovers.
    async fn expect_all_is_well(&self, world: &World) {
        self.expect_unchanged(world).await;
        let app = self.app(&self.device);
        app.sign(Payload::Message(b"three")).await.unwrap();
        app.finish_interrupted().await.unwrap();
        assert!(app.status().await.unwrap().live);
        app.sign(Payload::Message(b"four")).await.unwrap();
        for name in ["one", "two"] {
            let device = self.client.device();
            let app = self.app(&device);
            assert_eq!(recover(&app, name).await, self.addresses, "{name}");
            app.sign(Payload::Message(b"five")).await.unwrap();
        }
    }

    /// But for what is pending, and goes by itself after a week.
    async fn expect_unchanged(&self, world: &World) {
        let now = self.look().await;
        assert_eq!(now["signing"], self.before["signing"]);
        let completed = |view: &Value| {
            let sets = view["backups"].as_array().unwrap().clone();
            sets.into_iter().filter(|set| set["status"] == "COMPLETED").collect::<Vec<_>>()
        };
        assert_eq!(completed(&self.before).len(), 2);
        assert_eq!(completed(&now), completed(&self.before));
        if world.hand.now() < self.began + maintenance::PENDING_BACKUP_SECONDS {
            let ids = |view: &Value| {
                let sets = view["backups"].as_array().unwrap();
                sets.iter().map(|set| set["id"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(ids(&now), ids(&self.before));
        }
    }
}

async fn back_up(app: &Portal, name: &str) -> String {
    let made = app.back_up(&method(name), &BackUpOptions::default(), &unseen).await.unwrap();
    made.backup.as_str().to_owned()
}

async fn recover(app: &Portal, name: &str) -> Addresses {
    let recovered = app.recover(&method(name), &RecoverOptions::default(), &unseen).await;
    recovered.unwrap().addresses
}

/// Who has the key, all that was sent with it, and a wallet of his own to make messages with.
struct Thief {
    key: ApiKey,
    context: EncryptionContext,
    device: DeviceKey,
    signing: StoredShare<Client>,
    backup: BackupShare<Client>,
    /// Names of the user's pairs, of the live set and of its backups.
    pairs: Vec<SharePairId>,
    backups: Vec<String>,
    envelopes: Vec<String>,
    /// What the user's devices sent: requests that carry a body, and SHA-256 of the answer to each.
    heard: Vec<(Asked, [u8; 32])>,
}

impl Thief {
    async fn listening_to(world: &World, victim: &Victim) -> Self {
        let (signing, backup, own_envelope) = own_wallet(world).await;
        let heard = victim.middle.heard().into_iter();
        let heard = heard.filter(|(asked, _)| asked.method != Method::GET);
        let heard = heard.map(|(asked, answer)| (asked, Sha256::digest(&answer.body).into()));
        let mut envelopes = vec![own_envelope];
        for backup in &victim.backups {
            let path = format!("/v1/backups/{backup}/envelope");
            let asked = Asked::get(path).with_key(&victim.client.key);
            let answer = victim.middle.ask(&asked).await;
            envelopes.extend(answer.status.is_success().then(|| answer.text()));
        }
        let mut backups = victim.backups.clone();
        backups.push("of-nobody".into());
        Self {
            key: victim.client.key.clone(),
            context: victim.client.context.clone(),
            device: DeviceKey::generate().unwrap(),
            signing,
            backup,
            pairs: pairs_of(&victim.before),
            backups,
            envelopes,
            heard: heard.collect(),
        }
    }

    async fn act(&self, world: &World, victim: &Victim, act: &Act) {
        if let Act::Wait(seconds) = act {
            return world.wait(*seconds).await;
        }
        let answer = victim.middle.ask(&self.request(act).with_key(&self.key)).await;
        assert!(!answer.status.is_server_error(), "{act:?}: {}", answer.text());
    }

    fn heard(&self, at: usize) -> &(Asked, [u8; 32]) {
        &self.heard[at % self.heard.len()]
    }

    fn backup(&self, at: usize) -> BackupId {
        BackupId::new(self.backups[at % self.backups.len()].as_str()).unwrap()
    }

    fn request(&self, act: &Act) -> Asked {
        match *act {
            Act::Look | Act::Wait(_) => Asked::get(route::CLIENT),
            Act::Read(of) => Asked::get(route::envelope(&self.backup(of))),
            Act::Repeat(at) => self.heard(at).0.clone(),
            Act::RepeatElsewhere(at, of) => {
                let (asked, other) = (self.heard(at).0.clone(), &self.heard(of).0);
                Asked { method: other.method.clone(), path: other.path.clone(), ..asked }
            }
            Act::OtherBody(at, of) => {
                self.heard(at).0.clone().with_other_body(self.heard(of).0.body.clone())
            }
            Act::OneBit(at, bit) => {
                let asked = self.heard(at).0.clone();
                asked.clone().with_other_body(one_bit_off(&asked.body, bit))
            }
            Act::SignedAnew(at, after) => {
                let first_reply = after.map(|after| self.heard(after).1);
                self.heard(at).0.clone().signed_by(&self.context, &self.device, first_reply)
            }
            Act::OneBitSignedAnew(at, bit) => {
                let (asked, _) = self.heard(at).clone();
                let body = one_bit_off(&asked.body, bit);
                let asked = Asked { body: body.into(), ..asked };
                asked.signed_by(&self.context, &self.device, None)
            }
            Act::Begin(operation, of) => self.begin(operation, of),
            Act::Commit(of, replaces) => self.commit(of, replaces),
            Act::Drop(of) => {
                let asked = Asked::json(route::drop_pending(&self.backup(of)), &Nothing {});
                asked.signed_by(&self.context, &self.device, None)
            }
            Act::Revoke(of, and) => {
                let backups = vec![self.backup(of), self.backup(and)];
                let asked = Asked::json(route::REVOCATIONS, &Revocations { backups });
                asked.signed_by(&self.context, &self.device, None)
            }
            Act::Store(of, text) => {
                let text = self.envelopes[text % self.envelopes.len()].clone();
                let path = route::envelope(&self.backup(of));
                let asked = Asked::with_body(Method::PUT, path, "text/plain", text);
                asked.signed_by(&self.context, &self.device, None)
            }
        }
    }

    fn commit(&self, of: usize, replaces: Option<usize>) -> Asked {
        let text = self.envelopes[of % self.envelopes.len()].clone();
        let commit = Commit {
            replaces: replaces.map(|of| self.backup(of)),
            envelope_sha256: Sha256::digest(text).into(),
            opened_after_enrollment: true,
            proofs: PerCurve {
                secp256k1: None,
                ed25519: Some(Proof::from(self.backup.prove(b"it is mine").unwrap())),
            },
        };
        let asked = Asked::json(route::commit(&self.backup(of)), &commit);
        asked.signed_by(&self.context, &self.device, None)
    }

    /// A first post as a device makes it, with halves of the thief's own and names of the user's.
    fn begin(&self, operation: Begun, of: usize) -> Asked {
        let device_key = self.device.public();
        let context = mpc_context(&self.context, &device_key);
        let name = || Some(PairName(self.pairs[of % self.pairs.len()].clone()));
        let on_ed25519 = |ed25519| PerCurve { secp256k1: None, ed25519 };
        let StoredShare::Live(share) = &self.signing else { panic!("the thief's own is live") };
        match operation {
            Begun::Generate => {
                let (started, post) = Generate::start(&context, Curves::ED25519).unwrap();
                let curves = PerCurve { secp256k1: None, ed25519: Some(Nothing {}) };
                self.post(&FirstPost::Generate { curves, device_key }, started.secret(), &post)
            }
            Begun::Recover => {
                let half = (&self.backup, self.backup.commitments());
                let (started, post) = Recover::start(&context, ByCurve::ed25519(half)).unwrap();
                let pairs = on_ed25519(name());
                self.post(&FirstPost::Recover { pairs, device_key }, started.secret(), &post)
            }
            Begun::Confirm => {
                let source = self.signing.test_source().unwrap();
                let (started, post) = Confirm::start(&context, ByCurve::ed25519(source)).unwrap();
                self.post(&FirstPost::Confirm { device_key }, started.secret(), &post)
            }
            Begun::Sign => {
                let request = SignRequest { share, payload: Payload::Message(b"to the thief") };
                let (started, post) = Sign::start(&context, ByCurve::ed25519(request)).unwrap();
                let payload = Some(SignPayload::Message(b"to the thief".to_vec()));
                let payloads = PerCurve { secp256k1: None, ed25519: payload };
                self.post(&FirstPost::Sign { payloads }, started.secret(), &post)
            }
            Begun::BackUp => {
                let source = BackupSource::from(share);
                let (started, post) = Backup::start(&context, ByCurve::ed25519(source)).unwrap();
                let method = method(["one", "two"][of % 2]);
                let head = FirstPost::BackUp { backup: self.backup(of), method };
                self.post(&head, started.secret(), &post)
            }
        }
    }

    fn post(&self, head: &FirstPost, secret: &SessionSecret, message: &Outgoing) -> Asked {
        let body = PostFrame::encode(secret, head, message.as_bytes()).to_vec();
        let asked = Asked::with_body(Method::POST, route::SESSIONS, portal_api::MEDIA_TYPE, body);
        asked.signed_by(&self.context, &self.device, None)
    }
}

fn one_bit_off(body: &[u8], bit: usize) -> Vec<u8> {
    let mut body = body.to_vec();
    let len = body.len().max(1);
    if let Some(byte) = body.get_mut(bit / 8 % len) {
        *byte ^= 1 << (bit % 8);
    }
    body
}

/// The names of all pairs in a view of a client.
fn pairs_of(view: &Value) -> Vec<SharePairId> {
    let sets = view["backups"].as_array().unwrap().iter().chain([&view["signing"]]);
    let names = sets.map(|set| set["pairs"]["ED25519"]["id"].as_str().unwrap());
    names.map(|name| SharePairId::new(name).unwrap()).collect()
}

/// The shares of a wallet that the thief has made for himself, and an envelope of it.
async fn own_wallet(world: &World) -> (StoredShare<Client>, BackupShare<Client>, String) {
    let (client, folder) = (world.service.client().await, TempDir::new().unwrap());
    let store = || {
        let key = DataKey::copied_from(&[0x22; 32]);
        DeviceStore::new(folder.path(), client.context.clone(), key)
    };
    let method: Arc<dyn BackupMethod> = Arc::new(StoredKey::new(MemoryStore::new()));
    let app = Portal::builder(&world.service.url(), client.key.clone(), store());
    let app = app.curves(Curves::ED25519).method(Arc::clone(&method)).build().unwrap();
    app.create_wallet(&unseen).await.unwrap();
    let made = app.back_up(&method.id(), &BackUpOptions::default(), &unseen).await.unwrap();
    let (signing, wallet) = {
        let store = store();
        let operation = store.begin().unwrap();
        let pair = &operation.state().live().unwrap().pairs()[0];
        (StoredShare::from_bytes(pair.share.expose_secret()).unwrap(), pair.wallet)
    };
    let mut read = world.service.running().service().store.read().await.unwrap();
    let text = read.envelope(&client.context.client, &made.backup).await.unwrap().unwrap();
    let op = Operation::new(Purpose::Unlock, &client.context);
    let opened = Envelope::parse(&text).unwrap().open(&*method, &op, &[wallet]).await.unwrap();
    let backup = BackupShare::from_bytes(opened.shares[0].secret().expose_secret()).unwrap();
    (signing, backup, text)
}

/// What a thief does. Numbers choose among what he has.
#[derive(Clone, Debug)]
enum Act {
    Look,
    Read(usize),
    /// A request of the user's, as it was.
    Repeat(usize),
    /// The same, sent to where another one went.
    RepeatElsewhere(usize, usize),
    /// Its signature, with the body of another.
    OtherBody(usize, usize),
    /// Its signature, with a bit of its body changed.
    OneBit(usize, usize),
    /// With a signature of the thief's own, as after some reply.
    SignedAnew(usize, Option<usize>),
    OneBitSignedAnew(usize, usize),
    Begin(Begun, usize),
    Commit(usize, Option<usize>),
    Drop(usize),
    Revoke(usize, usize),
    Store(usize, usize),
    /// And maintenance runs.
    Wait(u64),
}

#[derive(Clone, Copy, Debug)]
enum Begun {
    Generate,
    Recover,
    Confirm,
    Sign,
    BackUp,
}

impl Begun {
    const ALL: [Self; 5] = [Self::Generate, Self::Recover, Self::Confirm, Self::Sign, Self::BackUp];
}

/// Just beyond each timer of the service: sessions, pending signing sets, marks of sessions,
/// pending backups, grace.
const WAITS: [u64; 7] = [1, MINUTE, 11 * MINUTE, 61 * MINUTE, DAY + MINUTE, 8 * DAY, 31 * DAY];

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let any = 0..10_000_usize;
    let one = || any.clone();
    let two = || (any.clone(), any.clone());
    let act = prop_oneof![
        1 => Just(Act::Look),
        1 => one().prop_map(Act::Read),
        4 => one().prop_map(Act::Repeat),
        3 => two().prop_map(|(at, of)| Act::RepeatElsewhere(at, of)),
        3 => two().prop_map(|(at, of)| Act::OtherBody(at, of)),
        2 => two().prop_map(|(at, bit)| Act::OneBit(at, bit)),
        3 => (one(), prop::option::of(one())).prop_map(|(at, after)| Act::SignedAnew(at, after)),
        2 => two().prop_map(|(at, bit)| Act::OneBitSignedAnew(at, bit)),
        4 => (prop::sample::select(Begun::ALL.to_vec()), one())
            .prop_map(|(op, of)| Act::Begin(op, of)),
        2 => (one(), prop::option::of(one())).prop_map(|(of, head)| Act::Commit(of, head)),
        2 => one().prop_map(Act::Drop),
        2 => two().prop_map(|(of, and)| Act::Revoke(of, and)),
        2 => two().prop_map(|(of, text)| Act::Store(of, text)),
        4 => prop::sample::select(WAITS.to_vec()).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..60)
}

#[test]
fn no_sequence_of_requests_with_a_stolen_key_takes_anything_from_its_user() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::begin());
    let cases = env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(24),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(&acts(), |acts| {
        runtime.block_on(async {
            let victim = Victim::live(&world).await;
            let thief = Thief::listening_to(&world, &victim).await;
            for act in &acts {
                thief.act(&world, &victim, act).await;
            }
            victim.expect_all_is_well(&world).await;
        });
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn every_request_that_was_heard_can_be_repeated_in_every_form_after_every_timer() {
    on_runtime(async {
        let world = World::begin().await;
        let victim = Victim::live(&world).await;
        let thief = Thief::listening_to(&world, &victim).await;
        assert!(thief.heard.len() > 25, "{} requests were heard", thief.heard.len());
        for wait in WAITS {
            for at in 0..thief.heard.len() {
                let after = Some(at.saturating_sub(1));
                let forms = [
                    Act::Repeat(at),
                    Act::SignedAnew(at, None),
                    Act::SignedAnew(at, after),
                    Act::OneBit(at, 8 * at + 5),
                    Act::OneBitSignedAnew(at, 8 * at + 5),
                    Act::OtherBody(at, at + 1),
                    Act::RepeatElsewhere(at, at + 2),
                ];
                for act in &forms {
                    thief.act(&world, &victim, act).await;
                }
            }
            for at in 0..thief.backups.len() {
                let operations = Begun::ALL.into_iter().map(|begun| Act::Begin(begun, at));
                let others = [
                    Act::Drop(at),
                    Act::Revoke(at, at + 1),
                    Act::Store(at, at),
                    Act::Commit(at, None),
                    Act::Commit(at, Some(0)),
                ];
                for act in operations.chain(others) {
                    thief.act(&world, &victim, &act).await;
                }
            }
            victim.expect_unchanged(&world).await;
            world.wait(wait).await;
        }
        victim.expect_all_is_well(&world).await;
    });
}

/// Before each post of a session arrives, sends it in forms of his own.
struct Eavesdropper {
    device: DeviceKey,
    context: EncryptionContext,
    sent: Arc<AtomicU64>,
}

impl Meddler for Eavesdropper {
    fn before(&self, asked: &Asked) -> Vec<Asked> {
        let context = &self.context;
        if !asked.is_second_post() {
            return Vec::new();
        }
        let body = one_bit_off(&asked.body, 8 * asked.body.len() - 1);
        let spoiled = Asked { body: body.clone().into(), ..asked.clone() };
        let forms = vec![
            asked.clone().with_other_body(body),
            asked.clone().signed_by(context, &self.device, None),
            spoiled.signed_by(context, &self.device, None),
            asked.clone().without_header(DeviceKey::HEADER),
        ];
        self.sent.fetch_add(forms.len().try_into().unwrap(), Ordering::SeqCst);
        forms
    }
}

#[test]
fn who_hears_a_session_cannot_end_it_or_have_its_pair_frozen() {
    on_runtime(async {
        let world = World::begin().await;
        let victim = Victim::live(&world).await;
        let sent = Arc::new(AtomicU64::new(0));
        victim.middle.meddle(Eavesdropper {
            device: DeviceKey::generate().unwrap(),
            context: victim.client.context.clone(),
            sent: Arc::clone(&sent),
        });
        victim.expect_all_is_well(&world).await;
        assert!(sent.load(Ordering::SeqCst) > 20);
    });
}
