//! A device: its key, its halves, and the requests that it signs.

use backup_core::{
    BackupId, ClientBackupShare, ClientId, EncryptionContext, Envelope, MethodId, Operation, Point,
    Purpose, Sealer, SharePairId, StoredKey, secrecy::SecretSlice,
};
use backup_testkit::MemoryStore;
use portal_api::{
    ClientView, Commit, Completion, CreatedClient, DeviceKey, PerCurve, Revocations, SignedRequest,
    content_digest, hold_statement, route,
};
use portal_mpc::{BackupShare, ByCurve, Client, PublicKey, StoredShare};
use portal_server::{
    random,
    service::Service as Shared,
    store::{NewBackupSet, NewSigningSet, SealedPair, lifecycle_sets},
};
use reqwest::Method;
use sha2::{Digest, Sha256};

use super::{
    Service,
    http::{Answer, Request},
    protocol::{self, SigningPair},
};

/// A device with a wallet on Ed25519.
pub struct Device {
    pub context: EncryptionContext,
    pub api_key: String,
    pub key: DeviceKey,
    pair: SigningPair,
}

/// A backup set that a device has begun.
pub struct Begun {
    pub id: BackupId,
    pub pair: SharePairId,
    pub envelope: Envelope,
    pub client: BackupShare<Client>,
}

impl Device {
    /// The custodian's half of a set, as it is stored.
    pub async fn custodians_half(&self, service: &Service, backup: &BackupId) -> SealedPair {
        let mut view = service.running.service().store.read().await.unwrap();
        let halves = view.custodian_halves(&self.context.client, backup).await.unwrap().unwrap();
        halves.ed25519.unwrap().sealed().unwrap().clone()
    }

    /// A device as `generate` and `confirm` leave it.
    pub async fn with_wallet(shared: &Shared, created: &CreatedClient) -> Self {
        let client = ClientId::new(created.id.as_str()).unwrap();
        let context = EncryptionContext::new(created.custodian_id.clone(), client);
        let key = DeviceKey::generate().unwrap();
        let id = SharePairId::new(random::name().unwrap()).unwrap();
        let pair = protocol::signing_pair(id.as_str());
        let server = portal_mpc::SigningShare::to_bytes(&pair.server);
        let server = StoredShare::from_bytes(&server).unwrap();
        let sealed = shared.custody.seal_signing(&context, &id, &server).await.unwrap();
        let set = NewSigningSet {
            device_key: key.public(),
            replaces: None,
            recovered_from: None,
            pairs: ByCurve::ed25519(sealed),
        };
        let mut write = shared.store.write().await.unwrap();
        write.insert_signing_set(&context.client, &set, shared.now()).await.unwrap();
        write.make_live(&context.client, &key.public()).await.unwrap();
        write.commit().await.unwrap();
        Self { context, api_key: created.client_api_key.to_string(), key, pair }
    }

    /// What another device of the client leaves, that has recovered the wallet since.
    pub async fn on_another(&self, shared: &Shared) -> Self {
        let created = CreatedClient {
            custodian_id: self.context.custodian.clone(),
            id: self.context.client.to_string(),
            client_api_key: self.api_key.clone().into(),
            client_session_token: String::new().into(),
            is_account_abstracted: false,
        };
        Self::with_wallet(shared, &created).await
    }

    pub fn wallet(&self) -> PublicKey {
        self.pair.client.public_key()
    }

    /// An enrolment: everything that it seals carries one slot.
    pub async fn enroll(&self, method: MethodId) -> Sealer {
        let method = StoredKey::new(MemoryStore::with_id(method));
        let op = Operation::new(Purpose::Enroll, &self.context);
        Sealer::enroll(&method, &op).await.unwrap()
    }

    /// A pending set as `backUp` leaves it, and its envelope.
    pub async fn begin(&self, shared: &Shared, sealer: &Sealer) -> Begun {
        self.begin_for(shared, sealer, Completion::Commit).await
    }

    /// The same, to be completed in this way.
    pub async fn begin_for(
        &self,
        shared: &Shared,
        sealer: &Sealer,
        completion: Completion,
    ) -> Begun {
        let id = SharePairId::new(random::name().unwrap()).unwrap();
        let pair = protocol::backup_pair(&self.pair, id.as_str());
        let backup = BackupId::generate().unwrap();
        let sealed = shared.custody.seal_backup(&self.context, &id, &pair.server).await.unwrap();
        let set = NewBackupSet {
            id: backup.clone(),
            method: sealer.method().clone(),
            completion,
            device_key: self.key.public(),
            pairs: ByCurve::ed25519(sealed.into()),
        };
        self.insert(shared, &set).await;
        let pair_id = id.clone();
        let share = client_share(id, &pair.client);
        let envelope = sealer.seal(&backup, &[share]).unwrap();
        Begun { id: backup, pair: pair_id, envelope, client: pair.client }
    }

    /// An envelope that says that it is of this set, by whoever does not have its backup key.
    pub fn forged(&self, sealer: &Sealer, begun: &Begun) -> String {
        let pair = protocol::backup_pair(&self.pair, begun.pair.as_str());
        let share = client_share(begun.pair.clone(), &pair.client);
        sealer.seal(&begun.id, &[share]).unwrap().as_str().to_owned()
    }

    async fn insert(&self, shared: &Shared, set: &NewBackupSet) {
        let mut write = shared.store.write().await.unwrap();
        let sets = lifecycle_sets(&write.backups(&self.context.client).await.unwrap());
        for gone in portal_server::lifecycle::displaced(&sets, &set.method) {
            write.delete_backup(&self.context.client, &gone.id).await.unwrap();
        }
        write.insert_backup(&self.context, set, shared.now()).await.unwrap();
        write.commit().await.unwrap();
    }

    /// Begins a set, stores its envelope and commits it.
    pub async fn back_up(
        &self,
        service: &Service,
        sealer: &Sealer,
        replaces: Option<&BackupId>,
        opened: bool,
    ) -> BackupId {
        let begun = self.begin(service.running.service(), sealer).await;
        self.store(service, &begun).await.is_done();
        let commit = self.commit_of(&begun, replaces, opened);
        let answer = self.commit(service, &begun.id, &commit).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        begun.id
    }

    pub fn commit_of(
        &self,
        begun: &Begun,
        replaces: Option<&BackupId>,
        opened_after_enrollment: bool,
    ) -> Commit {
        let statement = hold_statement(&self.context, &begun.id, &begun.envelope);
        let proof = begun.client.prove(&statement).unwrap().into();
        Commit {
            replaces: replaces.cloned(),
            envelope_sha256: Sha256::digest(begun.envelope.as_str()).into(),
            opened_after_enrollment,
            proofs: PerCurve { secp256k1: None, ed25519: Some(proof) },
        }
    }

    pub async fn store(&self, service: &Service, begun: &Begun) -> Answer {
        self.put_envelope(service, &begun.id, begun.envelope.as_str()).await
    }

    pub async fn put_envelope(&self, service: &Service, id: &BackupId, text: &str) -> Answer {
        let path = route::envelope(id);
        let request = Request::new(Method::PUT, &path).body("text/plain", text);
        service.send(self.signed(request)).await
    }

    pub async fn commit(&self, service: &Service, id: &BackupId, commit: &Commit) -> Answer {
        let body = serde_json::to_string(commit).unwrap();
        self.post(service, &route::commit(id), &body).await
    }

    pub async fn drop_pending(&self, service: &Service, id: &BackupId) -> Answer {
        self.post(service, &route::drop_pending(id), "{}").await
    }

    pub async fn revoke(&self, service: &Service, ids: &[&BackupId]) -> Answer {
        let backups = ids.iter().map(|&id| id.clone()).collect();
        let body = serde_json::to_string(&Revocations { backups }).unwrap();
        self.post(service, route::REVOCATIONS, &body).await
    }

    pub async fn post(&self, service: &Service, path: &str, body: &str) -> Answer {
        service.send(self.signed(Request::post(path).json(body))).await
    }

    pub async fn get(&self, service: &Service, path: &str) -> Answer {
        service.send(Request::get(path).by(&self.api_key)).await
    }

    pub async fn view(&self, service: &Service) -> ClientView {
        self.get(service, route::CLIENT).await.json()
    }

    /// The ids of its backup sets, newest first.
    pub async fn backups(&self, service: &Service) -> Vec<BackupId> {
        self.view(service).await.backups.into_iter().map(|set| set.id).collect()
    }

    /// The request with the API key, digest and signature.
    pub fn signed<'a>(&self, request: Request<'a>) -> Request<'a> {
        let signature = self.key.sign(&SignedRequest {
            client: &self.context,
            method: request.method.as_str(),
            path: request.path,
            body: &request.body,
            first_reply: None,
        });
        let digest = content_digest(&request.body);
        request
            .by(&self.api_key)
            .with("content-digest", digest)
            .with("x-portal-device-signature", signature.to_string())
    }
}

/// The client's half, as it goes into an envelope.
pub fn client_share(id: SharePairId, share: &BackupShare<Client>) -> ClientBackupShare {
    let point = |key: PublicKey| Point::new(backup_core::Curve::Ed25519, key.as_bytes()).unwrap();
    let commitments = share.commitments();
    let secret = SecretSlice::from(share.to_bytes().to_vec());
    let (wallet, client) = (point(commitments.public_key()), point(commitments.client()));
    ClientBackupShare::new(id, wallet, client, point(commitments.server()), secret).unwrap()
}
