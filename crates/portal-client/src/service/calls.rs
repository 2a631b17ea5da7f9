//! What is asked of the service, one function each.

use std::sync::atomic::{AtomicBool, Ordering};

use backup_core::{BackupId, EncryptionContext, Envelope, MethodId};
use portal_api::{
    BackupSetView, ClientView, Commit, DeviceKey, MAX_HEAD_LEN, MEDIA_TYPE, Nothing, ReleasedHalf,
    Revocations,
    compat::{PrepareEject, PreparedEject, StoredNotice, wallet_id},
    route,
};
use portal_mpc::PublicKey;
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{
    http::Http,
    request::{Request, Signer},
};
use crate::{Error, Result, TraceId};

/// The service, as one client asks it.
#[derive(Debug)]
pub(crate) struct Service {
    http: Http,
    client: EncryptionContext,
    /// Whether the service has said that the API key is this client's.
    is_known: AtomicBool,
}

impl Service {
    pub(crate) fn new(http: Http, client: EncryptionContext) -> Self {
        Self { http, client, is_known: AtomicBool::new(false) }
    }

    /// The same, for requests of this name.
    pub(crate) fn traced(&self, trace: TraceId) -> Self {
        let is_known = AtomicBool::new(self.is_known());
        Self { http: self.http.traced(trace), client: self.client.clone(), is_known }
    }

    /// The client that asks.
    pub(crate) fn client(&self) -> &EncryptionContext {
        &self.client
    }

    /// What there is of the client, which is the one that this device keeps.
    pub(crate) async fn look(&self) -> Result<ClientView> {
        let view: ClientView = parse(&self.http.send(&Request::get(route::CLIENT, LONG)).await?)?;
        if view.custodian_id != self.client.custodian || view.id != self.client.client {
            return Err(Error::OtherClient {
                found_custodian: view.custodian_id,
                found_client: view.id,
            });
        }
        self.is_known.store(true, Ordering::Release);
        Ok(view)
    }

    /// Whether a look has shown that the API key is this client's.
    pub(crate) fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Acquire)
    }

    /// A post of a session.
    pub(crate) fn post(
        &self,
        key: &DeviceKey,
        path: &str,
        body: Zeroizing<Vec<u8>>,
        first_reply: Option<[u8; 32]>,
    ) -> PostRequest {
        let request = Request::with_body(Method::POST, path, MEDIA_TYPE, body);
        let signer = Signer { client: &self.client, key, first_reply };
        PostRequest(request.signed_by(&signer).answered_within(LONGEST_REPLY))
    }

    /// The reply to a post, which may be asked for again.
    pub(crate) async fn reply(&self, post: &PostRequest) -> Result<Zeroizing<Vec<u8>>> {
        self.http.send(&post.0).await
    }

    /// Stores a set's envelope.
    pub(crate) async fn store_envelope(
        &self,
        key: &DeviceKey,
        backup: &BackupId,
        envelope: &str,
    ) -> Result<()> {
        let body = Zeroizing::new(envelope.as_bytes().to_vec());
        let path = route::envelope(backup);
        let request = Request::with_body(Method::PUT, path, "text/plain", body);
        self.http.send(&request.signed_by(&self.signer(key))).await.map(drop)
    }

    /// A set's envelope, as whoever recovers gets it.
    pub(crate) async fn envelope(&self, backup: &BackupId) -> Result<String> {
        let request = Request::get(route::envelope(backup), Envelope::MAX_LEN);
        let body = self.http.send(&request).await?;
        String::from_utf8(body.to_vec()).map_err(|_| Error::Damaged("it is not text".into()))
    }

    pub(crate) async fn commit(
        &self,
        key: &DeviceKey,
        backup: &BackupId,
        commit: &Commit,
    ) -> Result<BackupSetView> {
        parse(&self.post_json(key, &route::commit(backup), commit).await?)
    }

    pub(crate) async fn drop_pending(&self, key: &DeviceKey, backup: &BackupId) -> Result<()> {
        self.post_json(key, &route::drop_pending(backup), &Nothing {}).await.map(drop)
    }

    pub(crate) async fn revoke(&self, key: &DeviceKey, backups: Vec<BackupId>) -> Result<()> {
        self.post_json(key, route::REVOCATIONS, &Revocations { backups }).await.map(drop)
    }

    /// That an app has stored, or has not stored, its half of what waits for its word.
    pub(crate) async fn stored_share(&self, method: &MethodId, success: bool) -> Result<()> {
        let notice = StoredNotice { backup_method: Some(method.clone()), success };
        self.http.send(&json(Method::PUT, route::STORED_SHARE, &notice)).await.map(drop)
    }

    /// That the custodian allows ejecting the wallet with this key now.
    pub(crate) async fn expect_ejectable(&self, wallet: &PublicKey) -> Result<()> {
        let path = route::ejectable_shares(&wallet_id(&self.client.client, wallet));
        self.http.send(&Request::get(path, LONG)).await.map(drop)
    }

    /// The custodian's half of a backup.
    pub(crate) async fn prepare_eject(
        &self,
        wallet: &PublicKey,
        request: &PrepareEject,
    ) -> Result<ReleasedHalf> {
        let path = route::prepare_eject(&wallet_id(&self.client.client, wallet));
        let body = self.http.send(&json(Method::POST, &path, request)).await?;
        let PreparedEject { share } = parse(&body)?;
        parse(share.as_bytes())
    }

    async fn post_json(
        &self,
        key: &DeviceKey,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let request = json(Method::POST, path, body).signed_by(&self.signer(key));
        self.http.send(&request).await
    }

    fn signer<'a>(&'a self, key: &'a DeviceKey) -> Signer<'a> {
        Signer { client: &self.client, key, first_reply: None }
    }
}

/// A post that can be sent again, byte for byte.
#[derive(Debug)]
pub(crate) struct PostRequest(Request);

pub(crate) fn json(method: Method, path: &str, body: &impl Serialize) -> Request {
    let body = serde_json::to_vec(body).expect("what is sent is plain structs");
    Request::with_body(method, path, "application/json", Zeroizing::new(body))
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error::UnexpectedAnswer(format!("its JSON is not as expected at {line}:{column}"))
    })
}

/// More than a client with thousands of sets has.
const LONG: usize = 4 * 1024 * 1024;

/// The longest of the protocols' messages is below 300 KB.
const LONGEST_REPLY: usize = MAX_HEAD_LEN + 512 * 1024;
