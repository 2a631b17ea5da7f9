//! Who has the key, and all that was sent with it.

use std::sync::Arc;

use backup_core::{
    BackupId, BackupMethod, Curve, DataKey, EncryptionContext, Envelope, MethodId, Operation,
    Purpose, SharePairId, StoredKey, secrecy::ExposeSecret,
};
use backup_testkit::MemoryStore;
use portal_api::{
    Commit, Completion, DeviceKey, FirstPost, Nothing, PairName, PerCurve, PostFrame, Proof,
    ReleaseKey, Revocations, SignPayload,
    compat::{PrepareEject, wallet_id},
    mpc_context, release_statement, route,
};
use portal_client::{ApiKey, BackUpOptions, Payload, Portal, device::DeviceStore};
use portal_mpc::{
    Backup, BackupShare, BackupSource, ByCurve, Client, Confirm, Curves, Generate, Outgoing,
    Recover, SessionSecret, Sign, SignRequest, StoredShare,
};
use portal_tests::{
    forged,
    middle::{Asked, Method},
    wallets::{copied, unseen},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{
    acts::{Act, Begun},
    victim::Victim,
    world::{World, method},
};

/// Who has the key, all that was sent with it, and a wallet of his own to make messages with.
pub(crate) struct Thief {
    pub(crate) curve: Curve,
    pub(crate) key: ApiKey,
    pub(crate) context: EncryptionContext,
    pub(crate) device: DeviceKey,
    pub(crate) signing: StoredShare<Client>,
    pub(crate) backup: BackupShare<Client>,
    /// Names of the user's pairs, of the live set and of its backups.
    pub(crate) pairs: Vec<SharePairId>,
    pub(crate) backups: Vec<String>,
    /// The user's wallet, which may be ejected all the time.
    pub(crate) wallet: String,
    pub(crate) envelopes: Vec<String>,
    /// What the user's devices sent: requests that carry a body, and SHA-256 of the answer to each.
    pub(crate) heard: Vec<(Asked, [u8; 32])>,
}

impl Thief {
    pub(crate) async fn listening_to(world: &World, victim: &Victim) -> Self {
        let curve = victim.curve;
        let (signing, backup, own_envelope) = own_wallet(world, curve).await;
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
            curve,
            key: copied(&victim.client.key),
            context: victim.client.context.clone(),
            device: DeviceKey::generate().unwrap(),
            signing,
            backup,
            pairs: pairs_of(&victim.before, curve),
            backups,
            wallet: wallet_id(&victim.client.context.client, &victim.key()),
            envelopes,
            heard: heard.collect(),
        }
    }

    pub(crate) async fn act(&self, world: &World, victim: &Victim, act: &Act) {
        if let Act::Wait(seconds) = act {
            return world.wait(*seconds).await;
        }
        let answer = victim.middle.ask(&self.request(act).with_key(&self.key)).await;
        assert!(!answer.status.is_server_error(), "{act:?}: {}", answer.text());
    }

    pub(crate) fn heard(&self, at: usize) -> &(Asked, [u8; 32]) {
        &self.heard[at % self.heard.len()]
    }

    fn pair(&self, at: usize) -> &SharePairId {
        &self.pairs[at % self.pairs.len()]
    }

    pub(crate) fn backup(&self, at: usize) -> BackupId {
        BackupId::new(self.backups[at % self.backups.len()].as_str()).unwrap()
    }

    pub(crate) fn request(&self, act: &Act) -> Asked {
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
            Act::Forged(at, bit) => self.forged(at, bit),
            Act::ForgedSignedAnew(at, bit) => {
                let first_reply = Some(self.heard(at.saturating_sub(1)).1);
                self.forged(at, bit).signed_by(&self.context, &self.device, first_reply)
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
            Act::CipherText(of, text) => {
                let text = &self.envelopes[text % self.envelopes.len()];
                let path = route::backup_pair(self.pair(of));
                said(Method::PATCH, &path, &json!({ "clientCipherText": text }))
            }
            Act::PairNotice(of, key) => {
                let status = ["STORED_CLIENT_BACKUP_SHARE", "STORED_CLIENT_BACKUP_SHARE_KEY"];
                let status = status[usize::from(key)];
                let pairs = [self.pair(of).as_str()];
                let body = json!({ "backupSharePairIds": pairs, "status": status });
                said(Method::PATCH, route::BACKUP_PAIR_NOTICES, &body)
            }
            Act::SigningNotice(of) => {
                let pairs = [self.pair(of).as_str()];
                let body = json!({ "signingSharePairIds": pairs, "status": "STORED_CLIENT" });
                said(Method::PATCH, route::SIGNING_PAIR_NOTICES, &body)
            }
            Act::StoredNotice(of, key) => {
                let path = [route::STORED_SHARE, route::STORED_KEY][usize::from(key)];
                let named = ["one", "two", "three"].get(of % 4).map(|name| method(name));
                let named = named.as_ref().map(MethodId::as_str);
                said(Method::PUT, path, &json!({ "backupMethod": named, "success": true }))
            }
            Act::PrepareEject(of) => self.prepare_eject(self.pair(of)),
            Act::EjectableShares => Asked::get(route::ejectable_shares(&self.wallet)),
            Act::Ejected => {
                let body = json!({ "clientPlatform": "WEB", "clientPlatformVersion": "1" });
                said(Method::POST, route::EJECTED, &body)
            }
            Act::Store(of, text) => {
                let text = self.envelopes[text % self.envelopes.len()].clone();
                let path = route::envelope(&self.backup(of));
                let asked = Asked::with_body(Method::PUT, path, "text/plain", text);
                asked.signed_by(&self.context, &self.device, None)
            }
        }
    }

    /// A post of a session with a bit of its message changed and a right tag, which is made of the
    /// secret that it begins with. What is no such post has a bit changed.
    fn forged(&self, at: usize, bit: usize) -> Asked {
        let asked = self.heard(at).0.clone();
        let flip = |message: &mut [u8]| {
            let len = message.len().max(1);
            message[bit / 8 % len] ^= 1 << (bit % 8);
        };
        let is_post = asked.is_first_post() || asked.is_second_post();
        let forged = is_post.then(|| forged::post(&asked.body, flip)).flatten();
        let body = forged.unwrap_or_else(|| one_bit_off(&asked.body, bit));
        asked.with_other_body(body)
    }

    /// For a half of the user's, with a proof for the thief's own.
    fn prepare_eject(&self, pair: &SharePairId) -> Asked {
        let recipient = ReleaseKey::generate().unwrap().recipient();
        let statement = release_statement(&self.context, pair, &recipient);
        let request = PrepareEject {
            backup_method: None,
            backup_share_pair_id: pair.clone(),
            recipient,
            proof: Proof::from(self.backup.prove(&statement).unwrap()),
        };
        Asked::json(route::prepare_eject(&self.wallet), &request)
    }

    pub(crate) fn commit(&self, of: usize, replaces: Option<usize>) -> Asked {
        let text = self.envelopes[of % self.envelopes.len()].clone();
        let commit = Commit {
            replaces: replaces.map(|of| self.backup(of)),
            envelope_sha256: Sha256::digest(text).into(),
            opened_after_enrollment: true,
            proofs: named(self.curve, Proof::from(self.backup.prove(b"it is mine").unwrap())),
        };
        let asked = Asked::json(route::commit(&self.backup(of)), &commit);
        asked.signed_by(&self.context, &self.device, None)
    }

    /// A first post as a device makes it, with halves of the thief's own and names of the user's.
    pub(crate) fn begin(&self, operation: Begun, of: usize) -> Asked {
        let device_key = self.device.public();
        let context = mpc_context(&self.context, &device_key);
        let name = || PairName(self.pairs[of % self.pairs.len()].clone());
        let StoredShare::Live(share) = &self.signing else { panic!("the thief's own is live") };
        match operation {
            Begun::Generate => {
                let (started, post) = Generate::start(&context, only(self.curve)).unwrap();
                let curves = named(self.curve, Nothing {});
                self.post(&FirstPost::Generate { curves, device_key }, started.secret(), &post)
            }
            Begun::Recover => {
                let half = (&self.backup, self.backup.commitments());
                let (started, post) = Recover::start(&context, on(self.curve, half)).unwrap();
                let pairs = named(self.curve, name());
                self.post(&FirstPost::Recover { pairs, device_key }, started.secret(), &post)
            }
            Begun::Confirm => {
                let source = self.signing.test_source().unwrap();
                let (started, post) = Confirm::start(&context, on(self.curve, source)).unwrap();
                self.post(&FirstPost::Confirm { device_key }, started.secret(), &post)
            }
            Begun::Sign => {
                let (payload, stated) = match self.curve {
                    Curve::Ed25519 => {
                        let message = b"to the thief";
                        (Payload::Message(message), SignPayload::Message(message.to_vec()))
                    }
                    _ => (Payload::Digest(&[7; 32]), SignPayload::Digest([7; 32])),
                };
                let request = SignRequest { share, payload };
                let (started, post) = Sign::start(&context, on(self.curve, request)).unwrap();
                let payloads = named(self.curve, stated);
                self.post(&FirstPost::Sign { payloads }, started.secret(), &post)
            }
            Begun::BackUp => {
                let source = BackupSource::from(share);
                let (started, post) = Backup::start(&context, on(self.curve, source)).unwrap();
                let method = method(["one", "two"][of % 2]);
                let completion = [Completion::Commit, Completion::Notice][of / 2 % 2];
                let head = FirstPost::BackUp { backup: self.backup(of), method, completion };
                self.post(&head, started.secret(), &post)
            }
        }
    }

    pub(crate) fn post(
        &self,
        head: &FirstPost,
        secret: &SessionSecret,
        message: &Outgoing,
    ) -> Asked {
        let body = PostFrame::encode(secret, head, message.as_bytes()).to_vec();
        let asked = Asked::with_body(Method::POST, route::SESSIONS, portal_api::MEDIA_TYPE, body);
        asked.signed_by(&self.context, &self.device, None)
    }
}

/// The set of one curve.
pub(crate) fn only(curve: Curve) -> Curves {
    on(curve, ()).curves().unwrap()
}

/// A value on one curve.
fn on<T>(curve: Curve, value: T) -> ByCurve<T> {
    match curve {
        Curve::Ed25519 => ByCurve::ed25519(value),
        _ => ByCurve::secp256k1(value),
    }
}

/// The same, as it is written.
fn named<T>(curve: Curve, value: T) -> PerCurve<T> {
    on(curve, value).into()
}

/// A body in JSON that nobody signs.
fn said(method: Method, path: &str, body: &Value) -> Asked {
    Asked { method, ..Asked::json(path, body) }
}

pub(crate) fn one_bit_off(body: &[u8], bit: usize) -> Vec<u8> {
    let mut body = body.to_vec();
    let len = body.len().max(1);
    if let Some(byte) = body.get_mut(bit / 8 % len) {
        *byte ^= 1 << (bit % 8);
    }
    body
}

/// The names of all pairs in a view of a client.
pub(crate) fn pairs_of(view: &Value, curve: Curve) -> Vec<SharePairId> {
    let curve = curve.to_string();
    let sets = view["backups"].as_array().unwrap().iter().chain([&view["signing"]]);
    let names = sets.map(|set| set["pairs"][&curve]["id"].as_str().unwrap());
    names.map(|name| SharePairId::new(name).unwrap()).collect()
}

/// The shares of a wallet that the thief has made for himself, and an envelope of it.
pub(crate) async fn own_wallet(
    world: &World,
    curve: Curve,
) -> (StoredShare<Client>, BackupShare<Client>, String) {
    let (client, folder) = (world.service.client().await, TempDir::new().unwrap());
    let store = || {
        let key = DataKey::copied_from(&[0x22; 32]);
        DeviceStore::new(folder.path(), client.context.clone(), key)
    };
    let method: Arc<dyn BackupMethod> = Arc::new(StoredKey::new(MemoryStore::new()));
    let app = Portal::builder(&world.service.url(), copied(&client.key), store());
    let app = app.curves(only(curve)).method(Arc::clone(&method)).build().unwrap();
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
