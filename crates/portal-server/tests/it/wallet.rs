//! A wallet on a device: what it is made of, and the five operations on it.

use backup_core::{
    BackupId, ClientBackupShare, MethodId, Point, Sealer, SharePairId, secrecy::SecretSlice,
};
use portal_api::{
    ClientView, Commit, Completion, DeviceKey, ErrorId, FirstPost, Nothing, PairName, PerCurve,
    SignPayload, SignedRequest, content_digest, hold_statement, mpc_context, route,
};
use portal_mpc::{
    Backup, BackupShare, ByCurve, Client, Confirm, Curves, Generate, OnCurve, Payload, PublicKey,
    Recover, Sign, SignRequest, SigningShare, UnconfirmedShare,
};
use reqwest::Method;
use sha2::{Digest, Sha256};

use super::{
    common::{
        Service,
        http::{Answer, Request},
    },
    wire::{Begun, User},
};

pub const MESSAGE: &[u8] = b"what is signed";

pub const DIGEST: [u8; 32] = [0x5a; 32];

/// The device's halves of a set that waits for its confirmation.
pub struct New {
    pub key: DeviceKey,
    pub shares: ByCurve<UnconfirmedShare<Client>>,
}

/// The device's halves of a live set.
pub struct Wallet {
    pub key: DeviceKey,
    pub shares: ByCurve<SigningShare<Client>>,
}

/// The device's halves of a backup set.
pub struct BackedUp {
    pub id: BackupId,
    pub names: PerCurve<PairName>,
    pub shares: ByCurve<BackupShare<Client>>,
}

pub fn device_key() -> DeviceKey {
    DeviceKey::generate().unwrap()
}

pub fn generating(user: &User, key: &DeviceKey, curves: Curves) -> Begun<'static, Generate> {
    let context = mpc_context(&user.context, &key.public());
    let on = |curve| curves.contains(curve).then_some(Nothing {});
    let curves_named = PerCurve {
        secp256k1: on(backup_core::Curve::Secp256k1),
        ed25519: on(backup_core::Curve::Ed25519),
    };
    let head = FirstPost::Generate { curves: curves_named, device_key: key.public() };
    Begun::new(&head, Generate::start(&context, curves).unwrap())
}

pub async fn generate(service: &Service, user: &User, curves: Curves) -> Result<New, ErrorId> {
    let key = device_key();
    let (shares, _) = generating(user, &key, curves).run(service, user, &key).await?;
    Ok(New { key, shares })
}

/// A wallet on Ed25519, live.
pub async fn live(service: &Service, user: &User) -> Wallet {
    let new = generate(service, user, Curves::ED25519).await.unwrap();
    new.confirm(service, user).await.unwrap()
}

pub fn recovering<'a>(user: &User, key: &DeviceKey, backup: &'a BackedUp) -> Begun<'a, Recover> {
    let context = mpc_context(&user.context, &key.public());
    let shares = backup.shares.as_ref().map(|share| (share, share.commitments()));
    let head = FirstPost::Recover { pairs: backup.names.clone(), device_key: key.public() };
    Begun::new(&head, Recover::start(&context, shares).unwrap())
}

pub async fn recover(service: &Service, user: &User, backup: &BackedUp) -> Result<New, ErrorId> {
    let key = device_key();
    let (shares, _) = recovering(user, &key, backup).run(service, user, &key).await?;
    Ok(New { key, shares })
}

pub async fn view(service: &Service, user: &User) -> ClientView {
    service.send(Request::get(route::CLIENT).by(&user.api_key)).await.json()
}

impl New {
    pub fn confirming(&self, user: &User) -> Begun<'_, Confirm> {
        let context = mpc_context(&user.context, &self.key.public());
        let head = FirstPost::Confirm { device_key: self.key.public() };
        Begun::new(&head, Confirm::start(&context, self.shares.as_ref()).unwrap())
    }

    pub async fn confirm(self, service: &Service, user: &User) -> Result<Wallet, ErrorId> {
        let (tests, _) = self.confirming(user).run(service, user, &self.key).await?;
        Ok(Wallet { key: self.key, shares: self.shares.confirm(&tests).unwrap() })
    }
}

impl Wallet {
    pub fn confirming(&self, user: &User) -> Begun<'_, Confirm> {
        let context = mpc_context(&user.context, &self.key.public());
        let head = FirstPost::Confirm { device_key: self.key.public() };
        Begun::new(&head, Confirm::start(&context, self.shares.as_ref()).unwrap())
    }

    pub fn public_keys(&self) -> ByCurve<PublicKey> {
        self.shares.as_ref().map(SigningShare::public_key)
    }

    pub fn signing(&self, user: &User) -> Begun<'_, Sign> {
        let context = mpc_context(&user.context, &self.key.public());
        let ByCurve { secp256k1, ed25519 } = self.shares.as_ref();
        let payloads = PerCurve {
            secp256k1: secp256k1.map(|_| SignPayload::Digest(DIGEST)),
            ed25519: ed25519.map(|_| SignPayload::Message(MESSAGE.to_vec())),
        };
        let requests = ByCurve {
            secp256k1: secp256k1
                .map(|share| SignRequest { share, payload: Payload::Digest(&DIGEST) }),
            ed25519: ed25519.map(|share| SignRequest { share, payload: Payload::Message(MESSAGE) }),
        };
        let head = FirstPost::Sign { payloads };
        Begun::new(&head, Sign::start(&context, requests).unwrap())
    }

    /// Signs; the device's side verifies the signature.
    pub async fn sign(&self, service: &Service, user: &User) -> Result<(), ErrorId> {
        self.signing(user).run(service, user, &self.key).await.map(drop)
    }

    pub fn backing_up(&self, user: &User, id: &BackupId) -> Begun<'_, Backup> {
        self.backing_up_for(user, id, Completion::Commit)
    }

    /// The same, to be completed in this way.
    pub fn backing_up_for(
        &self,
        user: &User,
        id: &BackupId,
        completion: Completion,
    ) -> Begun<'_, Backup> {
        let context = mpc_context(&user.context, &self.key.public());
        let method = MethodId::CUSTOM;
        let head = FirstPost::BackUp { backup: id.clone(), method, completion };
        Begun::new(&head, Backup::start(&context, self.shares.as_ref()).unwrap())
    }

    /// Makes a pending backup set.
    pub async fn begin_backup(
        &self,
        service: &Service,
        user: &User,
        id: &str,
    ) -> Result<BackedUp, ErrorId> {
        let id = BackupId::new(id).unwrap();
        let (shares, reply) = self.backing_up(user, &id).run(service, user, &self.key).await?;
        Ok(BackedUp { id, names: reply.pairs.unwrap(), shares })
    }

    /// Stores its envelope and commits it, without having opened it.
    pub async fn complete(
        &self,
        service: &Service,
        user: &User,
        backup: &BackedUp,
        replaces: Option<&BackupId>,
    ) {
        let (sealer, _) = Sealer::without_slot(&user.context).unwrap();
        let envelope = sealer.seal(&backup.id, &backup.to_be_sealed()).unwrap();
        let path = route::envelope(&backup.id);
        let put = Request::new(Method::PUT, &path).body("text/plain", envelope.as_str());
        self.send(service, user, put).await.is_done();
        let statement = hold_statement(&user.context, &backup.id, &envelope);
        let commit = Commit {
            replaces: replaces.cloned(),
            envelope_sha256: Sha256::digest(envelope.as_str()).into(),
            opened_after_enrollment: false,
            proofs: backup.shares.as_ref().map(|s| s.prove(&statement).unwrap().into()).into(),
        };
        let path = route::commit(&backup.id);
        let commit = Request::post(&path).json(&serde_json::to_string(&commit).unwrap());
        let answer = self.send(service, user, commit).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }

    /// A completed backup set, the first of its method.
    pub async fn back_up(&self, service: &Service, user: &User) -> BackedUp {
        let backup = self.begin_backup(service, user, "b1").await.unwrap();
        self.complete(service, user, &backup, None).await;
        backup
    }

    async fn send(&self, service: &Service, user: &User, request: Request<'_>) -> Answer {
        let signature = self.key.sign(&SignedRequest {
            client: &user.context,
            method: request.method.as_str(),
            path: request.path,
            body: &request.body,
            first_reply: None,
        });
        let digest = content_digest(&request.body);
        let signed = request
            .by(&user.api_key)
            .with("content-digest", digest)
            .with("x-portal-device-signature", signature.to_string());
        service.send(signed).await
    }
}

impl BackedUp {
    pub fn to_be_sealed(&self) -> Vec<ClientBackupShare> {
        let shares = self.shares.iter();
        shares.map(|(curve, share)| sealed(&self.names.get(curve).unwrap().0, share)).collect()
    }
}

fn sealed(pair: &SharePairId, share: &BackupShare<Client>) -> ClientBackupShare {
    let point = |key: PublicKey| Point::new(key.curve(), key.as_bytes()).unwrap();
    let commitments = share.commitments();
    let (wallet, client) = (point(commitments.public_key()), point(commitments.client()));
    let secret = SecretSlice::from(share.to_bytes().to_vec());
    ClientBackupShare::new(pair.clone(), wallet, client, point(commitments.server()), secret)
        .unwrap()
}
