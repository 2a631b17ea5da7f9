//! A service that swaps, withholds, replays and takes back what it stores.
//!
//! Whatever it does, a device gets the same wallet or an error, and destroys no key that a backup
//! needs. What cannot be seen by one device is a service whose every answer is part of one lie: it
//! could as well delete everything in the next moment.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use backup_core::{Curve, Progress, Stage};
use backup_testkit::MemoryStore;
use portal_api::ErrorId;
use portal_client::{
    Addresses, BackUpOptions, BackedUp, Curves, Error, Notice, Payload, Portal, PortalBuilder,
    RecoverOptions, Result, Signature,
};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Method, Middle, StatusCode},
    wallets::{
        Device, TestClient, TestService, copied, memory_id, memory_method, on_runtime, unseen,
    },
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A wallet on a device that reaches its service by way of a man in the middle. All wallets keep
/// their keys in one store, which gives a key to whoever names it.
struct Scene {
    middle: Middle,
    client: TestClient,
    device: Device,
    store: MemoryStore,
    addresses: Addresses,
}

impl Scene {
    async fn begin(service: &TestService) -> Self {
        Self::sharing(service, MemoryStore::new(), Curves::ED25519).await
    }

    async fn sharing(service: &TestService, store: MemoryStore, curves: Curves) -> Self {
        let middle = Middle::before(service.address()).await;
        let client = service.client().await;
        let device = client.device();
        let builder = device.app(&middle.url()).curves(curves);
        let addresses = builder.build().unwrap().create_wallet(&unseen).await.unwrap();
        Self { middle, client, device, store, addresses }
    }

    fn builder(&self, device: &Device) -> PortalBuilder {
        let builder = device.app(&self.middle.url()).patience(Duration::from_millis(250));
        builder.method(memory_method(&self.store))
    }

    fn app(&self) -> Portal {
        self.builder(&self.device).build().unwrap()
    }

    /// The app on the first device, which destroys old keys as soon as it may.
    fn impatient_app(&self) -> Portal {
        self.builder(&self.device).grace(Duration::ZERO).build().unwrap()
    }

    fn new_app(&self) -> (Device, Portal) {
        let device = self.client.device();
        let app = self.builder(&device).build().unwrap();
        (device, app)
    }

    async fn back_up(&self, enroll_anew: bool) -> String {
        let made = back_up(&self.app(), enroll_anew, &unseen).await.unwrap();
        made.backup.as_str().to_owned()
    }

    /// What the service itself answers to this client.
    async fn get(&self, path: &str) -> Answer {
        self.middle.ask(&Asked::get(path).with_key(&self.client.key)).await
    }

    async fn envelope(&self, backup: &str) -> String {
        self.get(&envelope_path(backup)).await.text()
    }

    /// With an honest service, a device that was bought now has this wallet and signs with it.
    async fn expect_recovery(&self, what: &str) {
        self.middle.be_honest();
        let (_device, app) = self.new_app();
        let recovered = recover(&app).await;
        let recovered = recovered.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(recovered.addresses, self.addresses, "{what}");
        self.expect_signature(&app, what).await;
    }

    async fn expect_signature(&self, app: &Portal, what: &str) {
        let message = b"pay nobody";
        let signature = app.sign(Payload::Message(message)).await;
        let signature = signature.unwrap_or_else(|error| panic!("{what}: {error}"));
        let Signature::Ed25519(signature) = signature else { panic!("{what}: another curve") };
        let key = self.addresses.public_key(Curve::Ed25519).unwrap().as_bytes();
        let key = ed25519_dalek::VerifyingKey::try_from(key).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(&signature[..]).unwrap();
        key.verify_strict(message, &signature).unwrap_or_else(|_| panic!("{what}: another key"));
    }
}

async fn back_up(
    app: &Portal,
    enroll_anew: bool,
    sink: &dyn backup_core::ProgressSink,
) -> Result<BackedUp> {
    let options = BackUpOptions { enroll_anew, skip_trial: false };
    app.back_up(&memory_id(), &options, sink).await
}

async fn recover(app: &Portal) -> Result<portal_client::Recovered> {
    app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await
}

fn envelope_path(backup: &str) -> String {
    format!("/v1/backups/{backup}/envelope")
}

fn sha256(text: &str) -> Value {
    Value::from(base16ct::lower::encode_string(&Sha256::digest(text)))
}

type Change = Box<dyn Fn(&Asked, Answer) -> Answer + Send + Sync>;

/// Answers a question for this envelope with that text.
fn returning(backup: &str, text: &str) -> Change {
    let (path, text) = (envelope_path(backup), text.to_owned());
    Box::new(move |asked, answer| {
        if asked.is(&Method::GET, &path) {
            return Answer::new(StatusCode::OK, "text/plain", text.clone());
        }
        answer
    })
}

/// Says that there is no such envelope.
fn withholding(backup: &str) -> Change {
    let path = envelope_path(backup);
    Box::new(move |asked, answer| {
        let refused = asked.is(&Method::GET, &path);
        if refused { Answer::refusal(StatusCode::NOT_FOUND, ErrorId::NotFound) } else { answer }
    })
}

/// Changes what there is of the client.
fn claiming(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Change {
    Box::new(
        move |asked, answer| {
            if asked.is(&Method::GET, "/v1/client") { answer.edited(&edit) } else { answer }
        },
    )
}

/// Changes one of the client's backups.
fn claiming_of(backup: &str, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Change {
    let backup = backup.to_owned();
    claiming(move |view| {
        let sets = view["backups"].as_array_mut().unwrap();
        sets.iter_mut().filter(|set| set["id"] == backup.as_str()).for_each(&edit);
    })
}

fn both(one: Change, other: Change) -> Change {
    Box::new(move |asked, answer| other(asked, one(asked, answer)))
}

/// Returns another text for this backup, and names its hash.
fn naming(backup: &str, text: &str) -> Change {
    let hash = sha256(text);
    let renamed = claiming_of(backup, move |set| set["envelopeSha256"] = hash.clone());
    both(returning(backup, text), renamed)
}

/// What becomes of a recovery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Comes {
    FromHead,
    FromOlder,
    ToNothing,
}

use Comes::{FromHead, FromOlder, ToNothing};

/// Two wallets of two clients with two backups each, the older and the head.
struct Two {
    ours: Scene,
    theirs: Scene,
    older: String,
    head: String,
    their_head: String,
}

impl Two {
    async fn begin(service: &TestService, curves: Curves) -> Self {
        let store = MemoryStore::new();
        let ours = Scene::sharing(service, store.clone(), curves).await;
        let theirs = Scene::sharing(service, store, curves).await;
        let (older, head) = (ours.back_up(false).await, ours.back_up(true).await);
        let their_head = theirs.back_up(false).await;
        Self { ours, theirs, older, head, their_head }
    }

    async fn lies(&self) -> Vec<(&'static str, Change, Comes)> {
        let Self { ours, theirs, older, head, their_head } = self;
        let [old_text, text] = [ours.envelope(older).await, ours.envelope(head).await];
        let their_text = theirs.envelope(their_head).await;
        let their_view = theirs.get("/v1/client").await.value();
        let (their_set, their_signing) = (their_view["backups"][0].clone(), &their_view["signing"]);
        let their_pairs = their_set["pairs"].clone();
        let damaged = damage(&text);
        let swapped_ids = {
            let (older, head) = (older.clone(), head.clone());
            claiming(move |view| {
                for set in view["backups"].as_array_mut().unwrap() {
                    let other = if set["id"] == head.as_str() { &older } else { &head };
                    set["id"] = other.as_str().into();
                }
            })
        };
        let all_theirs = {
            let (view, set) = (their_view.clone(), their_set.clone());
            claiming(move |ours| {
                ours["signing"] = view["signing"].clone();
                ours["backups"] = json!([set]);
            })
        };
        let their_keys = {
            let (signing, pairs) = (their_signing.clone(), their_pairs.clone());
            claiming(move |view| {
                view["signing"]["pairs"] = signing["pairs"].clone();
                for set in view["backups"].as_array_mut().unwrap() {
                    set["pairs"] = pairs.clone();
                }
            })
        };
        let other_client = theirs.client.context.client.as_str().to_owned();
        vec![
            ("another client's envelope", returning(head, &their_text), FromOlder),
            ("another client's, and its hash", naming(head, &their_text), FromOlder),
            ("the older envelope for the head", returning(head, &old_text), FromOlder),
            ("the older one, and its hash", naming(head, &old_text), FromOlder),
            ("the head withheld", withholding(head), FromOlder),
            ("all withheld", both(withholding(head), withholding(older)), ToNothing),
            ("a damaged head", returning(head, &damaged), FromOlder),
            ("a damaged head, and its hash", naming(head, &damaged), FromOlder),
            ("an empty head", naming(head, ""), FromOlder),
            ("the head cut short", naming(head, &text[..text.len() / 2]), FromOlder),
            ("the ids of two sets swapped", swapped_ids, ToNothing),
            ("another wallet's keys", their_keys, ToNothing),
            (
                "another wallet's keys and envelope",
                {
                    let pairs = their_pairs.clone();
                    let keys = claiming_of(head, move |set| set["pairs"] = pairs.clone());
                    both(naming(head, &their_text), keys)
                },
                FromOlder,
            ),
            (
                "another client's wallet and backup",
                { both(all_theirs, returning(their_head, &their_text)) },
                ToNothing,
            ),
            (
                "another client's id",
                { claiming(move |view| view["id"] = other_client.as_str().into()) },
                ToNothing,
            ),
            (
                "another custodian's id",
                { claiming(|view| view["custodianId"] = "somebody-else".into()) },
                ToNothing,
            ),
            (
                "the older set called the head",
                {
                    let older = older.clone();
                    claiming(move |view| {
                        for set in view["backups"].as_array_mut().unwrap() {
                            set["head"] = (set["id"] == older.as_str()).into();
                        }
                    })
                },
                FromOlder,
            ),
            (
                "both called the head",
                {
                    claiming(|view| {
                        for set in view["backups"].as_array_mut().unwrap() {
                            set["head"] = true.into();
                        }
                    })
                },
                FromHead,
            ),
            ("no backup at all", claiming(|view| view["backups"] = json!([])), ToNothing),
            ("no client at all", claiming(|view| *view = json!({})), ToNothing),
            (
                "the head's pairs those of the older",
                {
                    let older = older.clone();
                    claiming(move |view| {
                        let sets = view["backups"].as_array_mut().unwrap();
                        let at = |sets: &[Value]| {
                            let found = sets.iter().find(|set| set["id"] == older.as_str());
                            found.unwrap()["pairs"].clone()
                        };
                        let pairs = at(sets);
                        sets.iter_mut().for_each(|set| set["pairs"] = pairs.clone());
                    })
                },
                FromHead,
            ),
        ]
    }

    /// A device that was bought now, and knows nothing, is told this lie.
    async fn recover_under(&self, what: &str, lie: Change, comes: Comes) {
        let Self { ours, older, head, .. } = self;
        let (_device, app) = ours.new_app();
        ours.middle.change(lie);
        let recovered = recover(&app).await;
        ours.middle.be_honest();
        let (came, addresses) = match recovered {
            Ok(recovered) => {
                assert_eq!(recovered.addresses, ours.addresses, "{what}: another wallet");
                ours.expect_signature(&app, what).await;
                let from = recovered.backup.as_str();
                assert!(from == older || from == head, "{what}: {from}");
                let came = if from == older { FromOlder } else { FromHead };
                (came, Some(recovered.addresses))
            }
            Err(error) => {
                println!("{what}: {error}");
                (ToNothing, None)
            }
        };
        assert_eq!(came, comes, "{what}");
        assert_eq!(app.addresses().await.unwrap(), addresses, "{what}");
    }
}

/// The text with a bit of its second half changed.
fn damage(text: &str) -> String {
    let at = text.len() * 3 / 4;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

#[test]
fn whatever_is_returned_for_a_backup_the_same_wallet_comes_back_or_none() {
    on_runtime(async {
        let service = TestService::start().await;
        let two = Two::begin(&service, Curves::ED25519).await;
        for (what, lie, comes) in two.lies().await {
            two.recover_under(what, lie, comes).await;
        }
        two.ours.expect_recovery("after all lies").await;
    });
}

#[test]
fn on_both_curves_halves_of_another_wallet_are_refused() {
    on_runtime(async {
        let service = TestService::start().await;
        let two = Two::begin(&service, Curves::BOTH).await;
        let their_keys = {
            let theirs = two.theirs.get("/v1/client").await.value();
            claiming_of(&two.head, move |set| {
                let pairs = &theirs["backups"][0]["pairs"];
                set["pairs"]["SECP256K1"] = pairs["SECP256K1"].clone();
            })
        };
        two.recover_under("another key on one curve", their_keys, FromOlder).await;
        two.ours.expect_recovery("on both curves").await;
    });
}

/// Asks for another client's things in the place of this one's, and calls them by its ids.
struct Impostor {
    context: backup_core::EncryptionContext,
    key: portal_client::ApiKey,
}

impl Meddler for Impostor {
    fn forwarded(&self, asked: &Asked) -> Asked {
        asked.clone().with_key(&self.key)
    }

    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        if !asked.is(&Method::GET, "/v1/client") {
            return answer;
        }
        answer.edited(|view| {
            view["custodianId"] = self.context.custodian.as_str().into();
            view["id"] = self.context.client.as_str().into();
        })
    }
}

#[test]
fn another_clients_everything_under_this_ones_name_is_refused() {
    on_runtime(async {
        let service = TestService::start().await;
        let two = Two::begin(&service, Curves::ED25519).await;
        let (ours, key) = (&two.ours, copied(&two.theirs.client.key));
        let (_device, new) = ours.new_app();
        let kept = ours.store.len();
        ours.middle.meddle(Impostor { context: ours.client.context.clone(), key });
        let error = recover(&new).await.unwrap_err();
        assert!(error.backup_kind().is_some() || matches!(error, Error::Damaged(_)), "{error}");
        assert_eq!(new.addresses().await.unwrap(), None);
        let app = ours.impatient_app();
        let told = app.status().await.unwrap();
        assert!(!told.live && told.addresses.as_ref() == Some(&ours.addresses));
        assert!(matches!(back_up(&app, false, &unseen).await, Err(Error::NotLive)));
        assert!(matches!(app.create_wallet(&unseen).await, Err(Error::WalletExists)));
        app.sign(Payload::Message(b"m")).await.unwrap_err();
        app.finish_interrupted().await.unwrap();
        assert_eq!(ours.store.len(), kept, "nothing was deleted");
        ours.middle.be_honest();
        ours.expect_signature(&ours.app(), "the live device").await;
        ours.expect_recovery("after the impostor").await;
    });
}

/// What a service says it has done, and has not.
#[derive(Clone, Copy, Debug)]
enum Pretended {
    /// The envelope is not stored.
    Stored,
    /// It is not stored, and returned from memory.
    StoredAndReadBack,
    /// The set is not committed.
    Committed,
    /// All three.
    Everything,
    /// Another set's envelope is stored in its place.
    ReadBackOther,
    /// Another set is committed.
    CommittedOther,
    /// The backup is dropped between its commit and the answer.
    CommittedAndLost,
}

impl Pretended {
    const ALL: [Self; 7] = [
        Self::Stored,
        Self::StoredAndReadBack,
        Self::Committed,
        Self::Everything,
        Self::ReadBackOther,
        Self::CommittedOther,
        Self::CommittedAndLost,
    ];

    const fn drops_envelope(self) -> bool {
        matches!(self, Self::Stored | Self::StoredAndReadBack | Self::Everything)
    }

    const fn drops_commit(self) -> bool {
        matches!(self, Self::Committed | Self::Everything)
    }
}

/// A service that says so.
struct Pretender {
    pretended: Pretended,
    envelope: Mutex<Option<String>>,
}

impl Meddler for Pretender {
    fn instead(&self, asked: &Asked) -> Option<Answer> {
        if asked.is(&Method::PUT, "/envelope") {
            let text = String::from_utf8(asked.body.to_vec()).unwrap();
            *self.envelope.lock().unwrap() = Some(text);
            return self.pretended.drops_envelope().then(Answer::no_content);
        }
        let is_commit = asked.is(&Method::POST, "/commit");
        (is_commit && self.pretended.drops_commit()).then(|| committed(asked))
    }

    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        let kept = self.envelope.lock().unwrap().clone();
        let is_read = asked.is(&Method::GET, "/envelope");
        match (self.pretended, kept) {
            (Pretended::StoredAndReadBack | Pretended::Everything, Some(text)) if is_read => {
                Answer::new(StatusCode::OK, "text/plain", text)
            }
            (Pretended::ReadBackOther, Some(text)) if is_read => answer.with_body(damage(&text)),
            (Pretended::CommittedOther, _) if asked.is(&Method::POST, "/commit") => {
                answer.edited(|set| set["id"] = "another".into())
            }
            (Pretended::CommittedAndLost, Some(_)) if asked.is(&Method::GET, "/v1/client") => {
                answer.edited(|view| view["backups"] = json!([]))
            }
            _ => answer,
        }
    }
}

/// The answer to a commit, as the service would have given it.
fn committed(asked: &Asked) -> Answer {
    let commit: Value = serde_json::from_slice(&asked.body).unwrap();
    let backup = asked.path.split('/').nth(3).unwrap();
    let set = json!({
        "id": backup, "method": memory_id().as_str(), "status": "COMPLETED", "head": true,
        "proved": true, "createdAt": 1, "completedAt": 1, "retiresAt": null,
        "deviceKey": "A".repeat(43), "envelopeSha256": commit["envelopeSha256"], "pairs": {},
    });
    Answer::json(StatusCode::OK, &set)
}

#[test]
fn a_backup_that_was_not_stored_and_committed_is_never_called_done() {
    on_runtime(async {
        let service = TestService::start().await;
        for pretended in Pretended::ALL {
            for (earlier, enroll_anew) in [(false, false), (true, false), (true, true)] {
                let scene = Scene::begin(&service).await;
                if earlier {
                    scene.back_up(false).await;
                }
                let what = format!("{pretended:?}, after one: {earlier}, anew: {enroll_anew}");
                pretend(&scene, pretended, enroll_anew, &what).await;
                scene.middle.be_honest();
                let app = scene.impatient_app();
                app.finish_interrupted().await.unwrap();
                scene.expect_signature(&app, &what).await;
                if earlier {
                    scene.expect_recovery(&what).await;
                    continue;
                }
                back_up(&app, false, &unseen).await.unwrap_or_else(|e| panic!("{what}: {e}"));
                scene.expect_recovery(&what).await;
            }
        }
    });
}

async fn pretend(scene: &Scene, pretended: Pretended, enroll_anew: bool, what: &str) {
    let seen = Mutex::new(Vec::new());
    let sink = |progress: Progress| seen.lock().unwrap().push(progress);
    scene.middle.meddle(Pretender { pretended, envelope: Mutex::default() });
    let made = back_up(&scene.impatient_app(), enroll_anew, &sink).await;
    let error = made.map(drop).expect_err(what);
    println!("{what}: {error}");
    let is_done = seen.lock().unwrap().contains(&Progress::Stage(Stage::Done));
    assert!(!is_done, "{what}: it was called done");
}

/// All files of a folder.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A service whose days are kept.
struct Days {
    service: TestService,
    copies: tempfile::TempDir,
}

impl Days {
    async fn begin() -> Self {
        let copies = tempfile::tempdir().unwrap();
        Self { service: TestService::start().await, copies }
    }

    async fn keep(&mut self, day: &str, middle: &Middle) {
        self.service.stop().await;
        copy(self.service.folder(), &self.copies.path().join(day));
        self.go_on(middle).await;
    }

    async fn restore(&mut self, day: &str, middle: &Middle) {
        self.service.stop().await;
        for entry in fs::read_dir(self.service.folder()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for entry in fs::read_dir(self.copies.path().join(day)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), self.service.folder().join(entry.file_name())).unwrap();
        }
        self.go_on(middle).await;
    }

    async fn go_on(&mut self, middle: &Middle) {
        self.service.start_again().await;
        middle.forward_to(self.service.address());
    }
}

#[test]
fn a_service_set_back_behind_the_last_enrolment_is_noticed_and_no_key_goes() {
    on_runtime(async {
        let mut days = Days::begin().await;
        let scene = Scene::begin(&days.service).await;
        let older = scene.back_up(false).await;
        days.keep("yesterday", &scene.middle).await;
        scene.back_up(true).await;
        days.restore("yesterday", &scene.middle).await;
        let app = scene.impatient_app();
        let rolled_back = Notice::RolledBack { method: memory_id() };
        assert!(app.status().await.unwrap().notices.contains(&rolled_back));
        assert!(app.finish_interrupted().await.unwrap().contains(&rolled_back));
        scene.expect_signature(&app, "the live device").await;
        assert_eq!(scene.store.len(), 2, "nothing was deleted");
        let (_device, new) = scene.new_app();
        let recovered = recover(&new).await.unwrap();
        assert_eq!((recovered.backup.as_str(), &recovered.addresses), (&*older, &scene.addresses));
    });
}

#[test]
fn a_service_set_back_behind_the_wallet_has_nothing_destroyed_and_no_other_wallet_made() {
    on_runtime(async {
        let mut days = Days::begin().await;
        let empty = Middle::before(days.service.address()).await;
        let client = days.service.client().await;
        days.keep("yesterday", &empty).await;
        let (device, store) = (client.device(), MemoryStore::new());
        let middle = empty;
        let first = device.app(&middle.url()).build().unwrap();
        let addresses = first.create_wallet(&unseen).await.unwrap();
        let scene = Scene { middle, client, device, store, addresses };
        scene.back_up(false).await;
        days.keep("today", &scene.middle).await;
        days.restore("yesterday", &scene.middle).await;
        let app = scene.impatient_app();
        assert!(matches!(app.create_wallet(&unseen).await, Err(Error::RolledBack(_))));
        assert!(matches!(back_up(&app, false, &unseen).await, Err(Error::RolledBack(_))));
        app.sign(Payload::Message(b"m")).await.unwrap_err();
        app.finish_interrupted().await.unwrap();
        assert_eq!(app.addresses().await.unwrap().as_ref(), Some(&scene.addresses));
        assert_eq!(scene.store.len(), 1, "nothing was deleted");
        days.restore("today", &scene.middle).await;
        scene.expect_signature(&app, "the service has its data again").await;
        scene.expect_recovery("the service has its data again").await;
    });
}

#[test]
fn a_service_set_back_behind_a_recovery_lets_the_new_device_recover_again() {
    on_runtime(async {
        let mut days = Days::begin().await;
        let scene = Scene::begin(&days.service).await;
        scene.back_up(false).await;
        days.keep("yesterday", &scene.middle).await;
        let (_device, new) = scene.new_app();
        recover(&new).await.unwrap();
        days.restore("yesterday", &scene.middle).await;
        let status = new.status().await.unwrap();
        assert!(!status.live && status.notices.contains(&Notice::NotLive));
        assert!(matches!(new.sign(Payload::Message(b"m")).await, Err(Error::NotLive)));
        assert_eq!(recover(&new).await.unwrap().addresses, scene.addresses);
        scene.expect_signature(&new, "after recovering again").await;
    });
}

/// What a live device is told of its two backups, of two enrolments, and whether it can tell.
async fn lies_to_the_live(scene: &Scene, older: &str, head: &str) -> Vec<(&'static str, Change)> {
    let [old_text, text] = [scene.envelope(older).await, scene.envelope(head).await];
    let without = |backup: &str| {
        let backup = backup.to_owned();
        claiming(move |view| {
            let sets = view["backups"].as_array_mut().unwrap();
            sets.retain(|set| set["id"] != backup.as_str());
            sets.iter_mut().for_each(|set| set["head"] = true.into());
        })
    };
    let swapped = claiming(|view| {
        for set in view["backups"].as_array_mut().unwrap() {
            set["head"] = (set["head"] == false).into();
        }
    });
    vec![
        ("the head is denied", without(head)),
        ("both are denied", claiming(|view| view["backups"] = json!([]))),
        ("the older is called the head", swapped),
        ("the older envelope for the head", naming(head, &old_text)),
        ("each other's envelopes", both(naming(head, &old_text), naming(older, &text))),
        ("the head's envelope for the older", naming(older, &text)),
        ("the head withheld", withholding(head)),
        ("the head damaged", naming(head, &damage(&text))),
        ("both withheld", both(withholding(head), withholding(older))),
        ("the older withheld", withholding(older)),
        (
            "all proved long ago",
            claiming(|view| {
                for set in view["backups"].as_array_mut().unwrap() {
                    (set["proved"], set["completedAt"]) = (true.into(), 1.into());
                    set["retiresAt"] = 2.into();
                }
            }),
        ),
    ]
}

#[test]
fn whatever_a_live_device_is_told_no_key_goes_that_the_services_backups_need() {
    on_runtime(async {
        let service = TestService::start().await;
        for at in 0.. {
            let scene = Scene::begin(&service).await;
            let (older, head) = (scene.back_up(false).await, scene.back_up(true).await);
            let mut lies = lies_to_the_live(&scene, &older, &head).await;
            if at >= lies.len() {
                return;
            }
            let (what, lie) = lies.swap_remove(at);
            scene.middle.change(lie);
            let app = scene.impatient_app();
            let _ = app.status().await;
            let told = app.finish_interrupted().await;
            println!("{what}: {told:?}");
            scene.expect_signature(&app, what).await;
            assert_eq!(scene.store.len(), 2, "{what}: a key is gone that a backup needs");
            let _ = back_up(&app, false, &unseen).await;
            let _ = app.finish_interrupted().await;
            assert!(scene.store.len() >= 2, "{what}: a key is gone that a backup needs");
            scene.middle.be_honest();
            for backup in [&older, &head] {
                let (_device, new) = scene.new_app();
                let backup = Some(backup_core::BackupId::new(backup.as_str()).unwrap());
                let options = RecoverOptions { backup, ..Default::default() };
                let recovered = new.recover(&memory_id(), &options, &unseen).await;
                let recovered = recovered.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(recovered.addresses, scene.addresses, "{what}");
            }
        }
    });
}

/// Commits, and says nothing of it.
struct Silent;

impl Meddler for Silent {
    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        let is_commit = asked.is(&Method::POST, "/commit");
        let silence = || Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, ErrorId::Error);
        if is_commit { silence() } else { answer }
    }
}

#[test]
fn a_service_that_denies_a_commit_has_no_key_destroyed_that_the_backup_needs() {
    on_runtime(async {
        let service = TestService::start().await;
        type Denial = fn(&mut Value);
        let denials: [(&str, Denial); 5] = [
            ("it was never made", |view| view["backups"] = json!([])),
            ("it is pending", |view| view["backups"][0]["status"] = "PENDING".into()),
            ("it has no envelope", |view| {
                view["backups"][0]["status"] = "PENDING".into();
                view["backups"][0]["envelopeSha256"] = Value::Null;
            }),
            ("it is pending, with another envelope", |view| {
                view["backups"][0]["status"] = "PENDING".into();
                view["backups"][0]["envelopeSha256"] = sha256("another");
            }),
            ("it has another envelope", |view| {
                view["backups"][0]["envelopeSha256"] = sha256("another");
            }),
        ];
        for (what, denial) in denials {
            let scene = Scene::begin(&service).await;
            let app = scene.impatient_app();
            scene.middle.meddle(Silent);
            let error = back_up(&app, false, &unseen).await.unwrap_err();
            assert!(matches!(error, Error::Service { status: 503, .. }), "{what}: {error}");
            scene.middle.change(claiming(denial));
            for _ in 0..2 {
                println!("{what}: {:?}", app.finish_interrupted().await);
            }
            assert_eq!(scene.store.len(), 1, "{what}: the key is gone");
            scene.expect_recovery(what).await;
        }
    });
}

/// What becomes of the replies of sessions.
#[derive(Clone, Copy, Debug)]
enum Replies {
    CutShort,
    OneBitChanged,
    Empty,
    /// The reply to another session's post of the same operation.
    OfAnotherSession,
    /// The first reply again, for the second one.
    Duplicated,
    Withheld,
}

impl Replies {
    const ALL: [Self; 6] = [
        Self::CutShort,
        Self::OneBitChanged,
        Self::Empty,
        Self::OfAnotherSession,
        Self::Duplicated,
        Self::Withheld,
    ];
}

/// Spoils the replies to first or second posts, until a certain number of first posts has passed.
struct Spoiler {
    replies: Replies,
    of_second: bool,
    /// Replies to the first and second posts of an earlier session.
    earlier: [Answer; 2],
    first: Mutex<Option<Answer>>,
}

impl Meddler for Spoiler {
    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        if asked.is_first_post() {
            *self.first.lock().unwrap() = Some(answer.clone());
        }
        let is_due = if self.of_second { asked.is_second_post() } else { asked.is_first_post() };
        if !is_due || !answer.status.is_success() {
            return answer;
        }
        let body = answer.body.clone();
        match self.replies {
            Replies::CutShort => answer.with_body(body.slice(..body.len() / 2)),
            Replies::OneBitChanged => {
                let mut bytes = body.to_vec();
                *bytes.last_mut().unwrap() ^= 1;
                answer.with_body(bytes)
            }
            Replies::Empty => answer.with_body(""),
            Replies::OfAnotherSession => self.earlier[usize::from(self.of_second)].clone(),
            Replies::Duplicated => self.first.lock().unwrap().clone().unwrap(),
            Replies::Withheld => Answer::refusal(StatusCode::NOT_FOUND, ErrorId::NotFound),
        }
    }
}

/// What a device does while replies are spoiled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Doing {
    Creating,
    Signing,
    BackingUp,
    Recovering,
}

impl Doing {
    const ALL: [Self; 4] = [Self::Creating, Self::Signing, Self::BackingUp, Self::Recovering];
}

/// The first and the second reply of an operation that another client has done.
async fn earlier(service: &TestService, doing: Doing) -> [Answer; 2] {
    let scene = Scene::begin(service).await;
    match doing {
        Doing::Creating => {}
        Doing::Signing => scene.expect_signature(&scene.app(), "an earlier session").await,
        Doing::BackingUp => drop(scene.back_up(false).await),
        Doing::Recovering => {
            scene.back_up(false).await;
            let before = scene.middle.heard().len();
            scene.expect_recovery("an earlier session").await;
            let heard = scene.middle.heard().split_off(before);
            return replies(&heard, false);
        }
    }
    replies(&scene.middle.heard(), doing != Doing::Creating)
}

/// The replies of the last, or of the first, session that was heard.
fn replies(heard: &[(Asked, Answer)], last: bool) -> [Answer; 2] {
    let of = |is: fn(&Asked) -> bool| {
        let mut of_kind = heard.iter().filter(|(asked, _)| is(asked)).map(|(_, answer)| answer);
        let found = if last { of_kind.next_back() } else { of_kind.next() };
        found.unwrap().clone()
    };
    [of(Asked::is_first_post), of(Asked::is_second_post)]
}

#[test]
fn spoiled_replies_of_sessions_change_nothing_for_good() {
    on_runtime(async {
        let service = Arc::new(TestService::start().await);
        for doing in Doing::ALL {
            let earlier = earlier(&service, doing).await;
            for replies in Replies::ALL {
                for of_second in [false, true] {
                    if matches!(replies, Replies::Duplicated) && !of_second {
                        continue;
                    }
                    let earlier = earlier.clone();
                    let spoiler = Spoiler { replies, of_second, earlier, first: Mutex::default() };
                    spoil(&service, doing, spoiler).await;
                }
            }
        }
    });
}

async fn spoil(service: &TestService, doing: Doing, spoiler: Spoiler) {
    let what = format!("{doing:?}, {:?}, second: {}", spoiler.replies, spoiler.of_second);
    if doing == Doing::Creating {
        return spoil_creation(service, spoiler, &what).await;
    }
    let scene = Scene::begin(service).await;
    if doing != Doing::BackingUp {
        scene.back_up(false).await;
    }
    let app = scene.app();
    let (_device, new) = scene.new_app();
    scene.middle.meddle(spoiler);
    let result = match doing {
        Doing::Signing => app.sign(Payload::Message(b"m")).await.map(drop),
        Doing::BackingUp => back_up(&app, false, &unseen).await.map(drop),
        _ => recover(&new).await.map(drop),
    };
    println!("{what}: {:?}", result.as_ref().expect_err(&what).to_string());
    scene.middle.be_honest();
    let finished = if doing == Doing::Recovering { &new } else { &app };
    finished.finish_interrupted().await.unwrap();
    let status = app.status().await.unwrap();
    assert!(!status.notices.iter().any(|told| matches!(told, Notice::Frozen { .. })), "{what}");
    if doing == Doing::Recovering {
        if !status.live {
            scene.expect_signature(&new, &what).await;
        }
    } else {
        scene.expect_signature(&app, &what).await;
        back_up(&app, false, &unseen).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    scene.expect_recovery(&what).await;
}

async fn spoil_creation(service: &TestService, spoiler: Spoiler, what: &str) {
    let middle = Middle::before(service.address()).await;
    let client = service.client().await;
    let (device, store) = (client.device(), MemoryStore::new());
    let builder = device.app(&middle.url()).patience(Duration::from_millis(250));
    let app = builder.method(memory_method(&store)).build().unwrap();
    middle.meddle(spoiler);
    let error = app.create_wallet(&unseen).await.expect_err(what);
    println!("{what}: {error}");
    middle.be_honest();
    app.finish_interrupted().await.unwrap();
    let addresses = match app.addresses().await.unwrap() {
        Some(addresses) => addresses,
        None => app.create_wallet(&unseen).await.unwrap_or_else(|e| panic!("{what}: {e}")),
    };
    let scene = Scene { middle, client, device, store, addresses };
    scene.expect_signature(&scene.app(), what).await;
    scene.back_up(false).await;
    scene.expect_recovery(what).await;
}
