//! One operation in two posts and two replies, begun again when its session is over.

use std::{io, sync::Arc};

use backup_core::Curve;
use portal_api::{
    DeviceKey, ErrorId, FirstPost, FirstReply, Nothing, PairName, PerCurve, PostFrame, ReplyFrame,
    route,
};
use portal_mpc::{
    ByCurve, Client, Context, Operation, Outgoing, PairId, Reply, SessionSecret, SignError,
    client::Started,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use crate::{
    Error, Result,
    service::{PostRequest, Service},
};

/// Does `work` on a thread that may compute and wait, so that the runtime's own threads do neither.
///
/// # Cancel safety
///
/// Dropped, the work goes on to its end on its thread, and nobody takes note of what it made.
pub(super) async fn on_thread<T: Send + 'static>(
    service: &Arc<Service>,
    work: impl FnOnce(&Service, &Handle) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (service, runtime) = (Arc::clone(service), Handle::current());
    match tokio::task::spawn_blocking(move || work(&service, &runtime)).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::Stopped(io::Error::other("the runtime is shutting down"))),
    }
}

/// Runs sessions until one comes to its end, and gives up after a few. Each has the key that `key`
/// gives then: a set that an earlier one may have made has its name for good.
pub(super) fn run<T>(
    service: &Service,
    runtime: &Handle,
    key: impl Fn() -> Result<DeviceKey>,
    session: impl Fn(&Caller<'_>) -> Result<T, Ended>,
) -> Result<T> {
    let mut sessions = 1;
    loop {
        match session(&Caller { service, runtime, key: key()? }) {
            Ok(made) => return Ok(made),
            Err(Ended::Over(_)) if sessions < SESSIONS => sessions += 1,
            Err(Ended::Over(error) | Ended::Failed(error)) => return Err(error),
        }
    }
}

/// The service, from a thread that may wait, in the name of one device key.
pub(super) struct Caller<'a> {
    service: &'a Service,
    runtime: &'a Handle,
    key: DeviceKey,
}

/// What an operation yields: for each curve its output, and the names of what it made.
pub(super) struct Outcome<O: Operation> {
    pub(super) outputs: ByCurve<O::Output<Client>>,
    names: Option<PerCurve<PairName>>,
}

/// Why a session came to nothing.
pub(super) enum Ended {
    /// It is over: another one may go on.
    Over(Error),
    Failed(Error),
}

/// How many sessions are begun for one operation.
const SESSIONS: usize = 3;

/// How often a reply that was damaged on the way is asked for again.
const REPLIES: usize = 3;

impl Caller<'_> {
    pub(super) fn key(&self) -> &DeviceKey {
        &self.key
    }

    fn context(&self) -> Context {
        portal_api::mpc_context(self.service.client(), &self.key.public())
    }

    /// Runs one session of an operation.
    pub(super) fn session<'a, O: Operation>(
        &self,
        head: &FirstPost,
        start: impl FnOnce(&Context) -> Result<(Started<'a, O>, Outgoing), O::Error>,
    ) -> Result<Outcome<O>, Ended>
    where
        O::Error: Into<SignError>,
    {
        let (state, post) = start(&self.context()).map_err(protocol::<O>)?;
        let post = self.post(route::SESSIONS, state.secret(), head, &post, None);
        let body = self.reply(&post, state.secret()).map_err(of_first_post)?;
        let (frame, reply) = open(&body, state.secret())?;
        let names = frame.head::<FirstReply>().map_err(|error| unexpected(&error))?.pairs;
        let path = route::session(&state.session_id());
        let (state, post) = state.advance(reply).map_err(protocol::<O>)?;
        let first_reply = Some(Sha256::digest(&body).into());
        let post = self.post(&path, state.secret(), &Nothing {}, &post, first_reply);
        let body = self.reply(&post, state.secret()).map_err(of_second_post)?;
        let (_, reply) = open(&body, state.secret())?;
        let outputs = state.finish(reply).map_err(protocol::<O>)?;
        Ok(Outcome { outputs, names })
    }

    fn post(
        &self,
        path: &str,
        secret: &SessionSecret,
        head: &impl Serialize,
        message: &Outgoing,
        first_reply: Option<[u8; 32]>,
    ) -> PostRequest {
        let body = PostFrame::encode(secret, head, message.as_bytes());
        self.service.post(&self.key, path, body, first_reply)
    }

    /// The reply, whole and undamaged.
    fn reply(&self, post: &PostRequest, secret: &SessionSecret) -> Result<Zeroizing<Vec<u8>>> {
        let mut replies = 1;
        loop {
            let body = self.runtime.block_on(self.service.reply(post))?;
            match open(&body, secret) {
                Err(Error::Protocol(portal_mpc::Error::Damaged)) if replies < REPLIES => {
                    replies += 1;
                }
                Err(error) => return Err(error),
                Ok(_) => return Ok(body),
            }
        }
    }
}

fn open<'a>(body: &'a [u8], secret: &SessionSecret) -> Result<(ReplyFrame<'a>, Reply<'a>)> {
    let damaged = Error::Protocol(portal_mpc::Error::Damaged);
    let frame = ReplyFrame::decode(body).map_err(|_| damaged)?;
    let reply = Reply::open(frame.message, secret)?;
    Ok((frame, reply))
}

fn protocol<O: Operation>(error: O::Error) -> Error
where
    O::Error: Into<SignError>,
{
    Error::from(error.into())
}

fn unexpected(error: &dyn std::fmt::Display) -> Error {
    Error::UnexpectedAnswer(error.to_string())
}

fn of_first_post(error: Error) -> Ended {
    if protocol_failed(&error) { Ended::Over(error) } else { Ended::Failed(error) }
}

/// By then only a session can be what is not found.
fn of_second_post(error: Error) -> Ended {
    if error.is_not_found() { Ended::Over(error) } else { of_first_post(error) }
}

fn protocol_failed(error: &Error) -> bool {
    let failed = [ErrorId::DkgFailed, ErrorId::DkgRefreshFailed, ErrorId::SignFailed];
    matches!(error, Error::Service { id, .. } if failed.contains(id))
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl<O: Operation> Outcome<O> {
    /// The name of the pair that was made on `curve`, if it is that of the pair with this id.
    pub(super) fn name(&self, curve: Curve, pair: PairId) -> Result<backup_core::SharePairId> {
        let name = self.names.as_ref().and_then(|names| names.get(curve));
        match name {
            Some(PairName(name)) if PairId::from_name(name.as_str()) == pair => Ok(name.clone()),
            _ => Err(Error::UnexpectedAnswer(format!(
                "it names the new {curve} pair otherwise than it made it"
            ))),
        }
    }
}
