//! Posts and replies of one session, one at a time, so that a test can do to them what it likes.

use backup_core::{ClientId, EncryptionContext};
use portal_api::{
    CreatedClient, DeviceKey, ErrorBody, ErrorId, FirstPost, FirstReply, MEDIA_TYPE, Nothing,
    PostFrame, ReplyFrame, SignedRequest, content_digest, route,
};
use portal_mpc::{
    ByCurve, Client, Operation, Outgoing, Reply, SessionId, SessionSecret,
    client::{Advanced, Started},
};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use super::common::{
    Service,
    http::{Answer, Request},
};

/// A client, as its devices know it.
pub struct User {
    pub context: EncryptionContext,
    pub api_key: String,
}

/// A post that is not signed yet.
#[derive(Clone)]
pub struct Post {
    pub path: String,
    pub body: Vec<u8>,
    pub first_reply: Option<[u8; 32]>,
}

/// A session whose first post has not been sent.
pub struct Begun<'a, O: Operation> {
    pub started: Started<'a, O>,
    pub post: Post,
}

/// A session whose first reply has come.
pub struct Continued<'a, O: Operation> {
    pub advanced: Advanced<'a, O>,
    pub post: Post,
    pub reply: FirstReply,
}

impl User {
    pub async fn new(service: &Service) -> Self {
        let CreatedClient { custodian_id, id, client_api_key, .. } = service.create_client().await;
        let client = ClientId::new(id).unwrap();
        let context = EncryptionContext::new(custodian_id, client);
        Self { context, api_key: client_api_key.to_string() }
    }
}

impl Post {
    pub fn first(head: &FirstPost, secret: &SessionSecret, message: &[u8]) -> Self {
        let body = PostFrame::encode(secret, head, message).to_vec();
        Self { path: route::SESSIONS.to_owned(), body, first_reply: None }
    }

    pub fn second(
        session: &SessionId,
        secret: &SessionSecret,
        message: &[u8],
        first_reply: &[u8],
    ) -> Self {
        let body = PostFrame::encode(secret, &Nothing {}, message).to_vec();
        let first_reply = Some(Sha256::digest(first_reply).into());
        Self { path: route::session(session), body, first_reply }
    }

    /// The request with key, digest and signature.
    pub fn signed(&self, user: &User, key: &DeviceKey) -> Request<'_> {
        let signature = key.sign(&SignedRequest {
            client: &user.context,
            method: "POST",
            path: &self.path,
            body: &self.body,
            first_reply: self.first_reply,
        });
        Request::post(&self.path)
            .body(MEDIA_TYPE, self.body.clone())
            .by(&user.api_key)
            .with("content-digest", content_digest(&self.body))
            .with("x-portal-device-signature", signature.to_string())
    }

    pub async fn send(&self, service: &Service, user: &User, key: &DeviceKey) -> Answer {
        service.send(self.signed(user, key)).await
    }

    /// Sends it several times at once.
    pub async fn send_at_once(
        &self,
        service: &Service,
        user: &User,
        key: &DeviceKey,
        times: usize,
    ) -> Vec<Answer> {
        let mut posts = JoinSet::new();
        for _ in 0..times {
            let (http, url) = (reqwest::Client::new(), service.url(&self.path));
            let Request { headers, body, .. } = self.signed(user, key);
            let request = Request { headers, body, ..Request::post("") };
            posts.spawn(async move { request.send(&http, &url).await });
        }
        posts.join_all().await
    }

    pub fn head(&self) -> &[u8] {
        let (len, rest) = self.body[SessionSecret::LEN..].split_first_chunk().unwrap();
        &rest[..usize::try_from(u32::from_be_bytes(*len)).unwrap()]
    }

    pub fn message(&self) -> &[u8] {
        &self.body[SessionSecret::LEN + 4 + self.head().len()..]
    }

    /// The same with another message.
    pub fn with_message(&self, message: &[u8]) -> Self {
        let len = self.body.len() - self.message().len();
        Self { body: [&self.body[..len], message].concat(), ..self.clone() }
    }

    /// The same with one bit of its last byte, which is in the tag, flipped.
    pub fn damaged(&self) -> Self {
        let mut damaged = self.clone();
        *damaged.body.last_mut().unwrap() ^= 1;
        damaged
    }

    /// A post that says the same in other bytes: a space in the head.
    pub fn said_otherwise(&self) -> Self {
        let (secret, rest) = self.body.split_at(SessionSecret::LEN);
        let (len, rest) = rest.split_first_chunk().unwrap();
        let len = u32::from_be_bytes(*len) + 1;
        let (brace, rest) = rest.split_at(1);
        let body = [secret, &len.to_be_bytes(), brace, b" ", rest].concat();
        Self { body, ..self.clone() }
    }
}

impl<'a, O: Operation> Begun<'a, O> {
    pub fn new(head: &FirstPost, (started, message): (Started<'a, O>, Outgoing)) -> Self {
        let post = Post::first(head, started.secret(), message.as_bytes());
        Self { started, post }
    }

    pub fn advance(self, answer: &Answer) -> Result<Continued<'a, O>, O::Error> {
        assert_eq!(answer.headers["content-type"], MEDIA_TYPE);
        let frame = ReplyFrame::decode(&answer.body).unwrap();
        let reply = frame.head().unwrap();
        let message = Reply::open(frame.message, self.started.secret()).unwrap();
        let (advanced, message) = self.started.advance(message)?;
        let (id, secret) = (advanced.session_id(), advanced.secret());
        let post = Post::second(&id, secret, message.as_bytes(), &answer.body);
        Ok(Continued { advanced, post, reply })
    }

    /// Sends the first post, and reads the reply.
    pub async fn open(
        self,
        service: &Service,
        user: &User,
        key: &DeviceKey,
    ) -> Result<Continued<'a, O>, ErrorId>
    where
        O::Error: std::fmt::Debug,
    {
        let answer = succeeded(self.post.send(service, user, key).await)?;
        Ok(self.advance(&answer).unwrap())
    }

    /// Both posts.
    pub async fn run(
        self,
        service: &Service,
        user: &User,
        key: &DeviceKey,
    ) -> Result<(ByCurve<O::Output<Client>>, FirstReply), ErrorId>
    where
        O::Error: std::fmt::Debug,
    {
        let continued = self.open(service, user, key).await?;
        let reply = continued.reply.clone();
        continued.close(service, user, key).await.map(|outputs| (outputs, reply))
    }
}

impl<O: Operation> Continued<'_, O> {
    pub fn finish(self, answer: &Answer) -> Result<ByCurve<O::Output<Client>>, O::Error> {
        let frame = ReplyFrame::decode(&answer.body).unwrap();
        frame.head::<Nothing>().unwrap();
        let message = Reply::open(frame.message, self.advanced.secret()).unwrap();
        self.advanced.finish(message)
    }

    /// Sends the second post, and reads the reply.
    pub async fn close(
        self,
        service: &Service,
        user: &User,
        key: &DeviceKey,
    ) -> Result<ByCurve<O::Output<Client>>, ErrorId>
    where
        O::Error: std::fmt::Debug,
    {
        let answer = succeeded(self.post.send(service, user, key).await)?;
        Ok(self.finish(&answer).unwrap())
    }
}

/// The answer, or the kind of error that it is.
pub fn succeeded(answer: Answer) -> Result<Answer, ErrorId> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let ErrorBody { error } = serde_json::from_slice(&answer.body).unwrap();
    Err(error.id)
}
