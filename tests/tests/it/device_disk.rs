//! All that a device ever writes to its disk, decrypted: which of its secrets are there, and which
//! never are.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use aes_gcm::{Aes256Gcm, KeyInit, aead::Aead};
use backup_core::{
    EncryptionContext, Envelope, KeyPrefix, KeyStore, Operation, Purpose, StoredKey,
    secrecy::ExposeSecret,
};
use backup_testkit::{MemoryStore, Secrets};
use hkdf::Hkdf;
use portal_client::{
    BackUpOptions, Curves, Effect, Payload, Portal, RecoverOptions, device::DeviceStore,
};
use portal_tests::{
    middle::Middle,
    wallets::{TestClient, TestService, copied, memory_id, memory_method, on_runtime, unseen},
};
use sha2::Sha256;
use tempfile::TempDir;

/// The key that the app's keychain has for the device's files.
const DATA_KEY: [u8; 32] = [0x2f; 32];

/// What was written to files of each kind, as it was before it was encrypted.
#[derive(Debug, Default)]
struct Written {
    states: Vec<Vec<u8>>,
    journals: Vec<Vec<u8>>,
}

/// What a device kept a file for, by the label and the first line that `docs/format.md` has.
const KINDS: [(&[u8], &[u8]); 2] = [
    (b"portal-backup/1 device state", b"portal-device-1\n"),
    (b"portal-backup/1 device journal", b"portal-journal-1\n"),
];

impl Written {
    fn add(&mut self, client: &EncryptionContext, file: &[u8]) {
        let [state, journal] = KINDS.map(|(label, first_line)| {
            let body = file.strip_prefix(first_line)?;
            Some(decrypted(label, client, body))
        });
        assert!(state.is_some() != journal.is_some(), "a file of neither kind");
        self.states.extend(state);
        self.journals.extend(journal);
    }

    /// Of everything, what was written since.
    fn count(&self) -> usize {
        self.states.len() + self.journals.len()
    }
}

/// A salt of 32 bytes, a commitment of 32, and what AES-256-GCM made.
fn decrypted(label: &[u8], client: &EncryptionContext, body: &[u8]) -> Vec<u8> {
    let (salt, rest) = body.split_at(32);
    let (_, ciphertext) = rest.split_at(32);
    let facts =
        [label, salt, client.custodian.as_str().as_bytes(), client.client.as_str().as_bytes()];
    let facts: Vec<u8> = facts
        .iter()
        .flat_map(|fact| {
            let len = u16::try_from(fact.len()).unwrap().to_be_bytes();
            [&len[..], fact].concat()
        })
        .collect();
    let mut key = [0; 64];
    Hkdf::<Sha256>::new(None, &DATA_KEY).expand(&facts, &mut key).unwrap();
    let cipher = Aes256Gcm::new_from_slice(&key[..32]).unwrap();
    cipher.decrypt(&[0; 12].into(), ciphertext).expect("it is what this device wrote")
}

/// A device all of whose writes are seen.
struct Seen {
    folder: TempDir,
    written: Arc<Mutex<Written>>,
}

impl Seen {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), written: Arc::default() }
    }

    fn app(&self, url: &str, client: &TestClient, store: &MemoryStore, curves: Curves) -> Portal {
        let (written, context) = (Arc::clone(&self.written), client.context.clone());
        let observer = move |effect: Effect<'_>| {
            if let Effect::Write(_, bytes) = effect {
                written.lock().unwrap().add(&context, bytes);
            }
            Ok(())
        };
        let app = Portal::builder(url, copied(&client.key), store_of(self.folder.path(), client));
        let app = app.method(memory_method(store)).curves(curves);
        app.observed_by(Arc::new(observer)).build().unwrap()
    }
}

fn store_of(folder: &Path, client: &TestClient) -> DeviceStore {
    let key = backup_core::DataKey::copied_from(&DATA_KEY);
    DeviceStore::new(folder, client.context.clone(), key)
}

/// The scalars of the device's halves of all backups, and the keys that open them.
async fn of_backups(service: &TestService, client: &TestClient, store: &MemoryStore) -> Secrets {
    let mut secrets = Secrets::new();
    let op = Operation::new(Purpose::Unlock, &client.context);
    for name in store.list(&op, &KeyPrefix::of(&client.context)).await.unwrap() {
        secrets = secrets.with_key(store.get(&op, &name).await.unwrap().expose());
    }
    let method = StoredKey::new(store.clone());
    let mut read = service.running().service().store.read().await.unwrap();
    for row in read.backups(&client.context.client).await.unwrap() {
        let text = read.envelope(&client.context.client, &row.set.id).await.unwrap().unwrap();
        let envelope = Envelope::parse(&text).unwrap();
        let wallets: Vec<_> = envelope.header().wallets.iter().map(|pair| pair.wallet).collect();
        for share in &envelope.open(&method, &op, &wallets).await.unwrap().shares {
            // The scalar stands after head and pair.
            secrets = secrets.with_key(share.secret().expose_secret()[36..68].try_into().unwrap());
        }
    }
    secrets
}

/// The scalars and the device key of the live set.
fn of_live_set(folder: &Path, client: &TestClient) -> Secrets {
    let store = store_of(folder, client);
    let operation = store.begin().unwrap();
    let live = operation.state().live().unwrap();
    let secrets = Secrets::new().with_key(live.device_key().expose_secret());
    live.pairs().iter().fold(secrets, |secrets, pair| {
        secrets.with_key(pair.share.expose_secret()[69..101].try_into().unwrap())
    })
}

#[test]
fn a_device_writes_no_secret_of_a_session_or_backup_and_its_journal_no_secret_at_all() {
    on_runtime(async {
        let service = TestService::start().await;
        let middle = Middle::before(service.address()).await;
        let (client, store) = (service.client().await, MemoryStore::new());
        let (first, second) = (Seen::new(), Seen::new());
        let app = first.app(&middle.url(), &client, &store, Curves::ED25519);
        app.create_wallet(&unseen).await.unwrap();
        for enroll_anew in [false, false, true] {
            let options = BackUpOptions { enroll_anew, ..Default::default() };
            app.back_up(&memory_id(), &options, &unseen).await.unwrap();
        }
        let of_first = of_live_set(first.folder.path(), &client);
        let app = second.app(&middle.url(), &client, &store, Curves::ED25519);
        app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
        let of_second = of_live_set(second.folder.path(), &client);
        let of_backups = of_backups(&service, &client, &store).await;
        let mut of_sessions = Secrets::new();
        let heard = middle.heard();
        let posts = heard.iter().map(|(asked, _)| asked);
        let mut posts = posts.filter(|asked| asked.is_first_post() || asked.is_second_post());
        for post in &mut posts {
            of_sessions = of_sessions.with_key(post.body[..32].try_into().unwrap());
        }
        for (device, of_live_set) in [(&first, &of_first), (&second, &of_second)] {
            let written = device.written.lock().unwrap();
            assert!(!written.states.is_empty());
            let last = written.states.last().unwrap();
            assert!(of_live_set.found_in(last).is_some(), "what is looked for would be found");
            for text in written.states.iter().chain(&written.journals) {
                of_sessions.assert_absent(text, "a file of the device");
                of_backups.assert_absent(text, "a file of the device");
            }
            for text in &written.journals {
                of_live_set.assert_absent(text, "a journal");
            }
        }
        assert!(first.written.lock().unwrap().journals.len() > 5, "backups were journaled");
    });
}

/// Nonces live as long as a signature is made, and in memory.
#[test]
fn signing_writes_nothing_to_the_devices_disk() {
    on_runtime(async {
        let service = TestService::start().await;
        let (client, store) = (service.client().await, MemoryStore::new());
        let device = Seen::new();
        let app = device.app(&service.url(), &client, &store, Curves::BOTH);
        app.create_wallet(&unseen).await.unwrap();
        let before = device.written.lock().unwrap().count();
        assert!(before > 0);
        app.sign(Payload::Message(b"one")).await.unwrap();
        app.sign(Payload::Digest(&[7; 32])).await.unwrap();
        assert_eq!(device.written.lock().unwrap().count(), before);
    });
}
