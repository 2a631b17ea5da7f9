//! The app as Google's authorization server knows it, and what that server answers (RFC 6749).

use std::{fmt, time::Duration};

use backup_cloud::{Waits, client, read, server};
use backup_core::{
    Error, ErrorKind, Result,
    secrecy::{ExposeSecret, SecretString},
};
use bytes::Bytes;
use reqwest::{Client, StatusCode, Url, header};
use serde::{Deserialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    DriveProblem, Scope,
    problem::{unreachable, unreadable},
};

/// The app, as it is registered in the Google Cloud console.
#[derive(Clone)]
pub struct OAuthClient {
    id: String,
    secret: Option<SecretString>,
    server: AuthServer,
}

impl OAuthClient {
    /// An app with this client id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), secret: None, server: AuthServer::google() }
    }

    /// Adds what the console calls a client secret, which Google wants from desktops and devices.
    /// It is in every copy of the app and protects nothing.
    #[must_use]
    pub fn with_secret(self, secret: impl Into<SecretString>) -> Self {
        Self { secret: Some(secret.into()), ..self }
    }

    /// The same at another server: one for tests.
    #[must_use]
    pub fn at(self, server: AuthServer) -> Self {
        Self { server, ..self }
    }
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The addresses of an authorization server.
#[derive(Clone, Debug)]
pub struct AuthServer {
    authorize: Url,
    device: Url,
    token: Url,
}

impl AuthServer {
    /// Google's.
    #[must_use]
    pub fn google() -> Self {
        let url = |text| Url::parse(text).unwrap_or_else(|_| unreachable!("it is an address"));
        Self {
            authorize: url("https://accounts.google.com/o/oauth2/v2/auth"),
            device: url("https://oauth2.googleapis.com/device/code"),
            token: url("https://oauth2.googleapis.com/token"),
        }
    }

    /// Another one: where users agree, where devices get a code, where tokens are given out.
    /// Without TLS it has to be on this machine.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if one is no such address.
    pub fn new(authorize: &str, device: &str, token: &str) -> Result<Self> {
        Ok(Self { authorize: server(authorize)?, device: server(device)?, token: server(token)? })
    }
}

/// The endpoints of one app.
#[derive(Debug)]
pub(crate) struct OAuth {
    client: OAuthClient,
    http: Client,
}

/// Tokens as they are given out (RFC 6749, 5.1).
#[derive(Deserialize)]
pub(crate) struct Granted {
    pub(crate) access_token: Zeroizing<String>,
    pub(crate) refresh_token: Option<Zeroizing<String>>,
    /// Seconds.
    pub(crate) expires_in: Option<u64>,
    scope: Option<String>,
}

impl Granted {
    /// Whether the user agreed to `scope`. A server that does not say granted what was asked.
    pub(crate) fn allows(&self, scope: Scope) -> bool {
        let granted = self.scope.as_deref();
        granted.is_none_or(|granted| granted.split(' ').any(|word| word == scope.as_str()))
    }
}

/// What is asked of an endpoint.
pub(crate) type Form<'a> = &'a [(&'a str, &'a str)];

/// Why an endpoint gave nothing.
pub(crate) enum Refused {
    /// It said why: a word of RFC 6749 or RFC 8628.
    Because(String),
    /// It did not answer.
    Silent(Error),
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Because(reason) => match reason.as_str() {
                "invalid_grant" => DriveProblem::SignInNeeded.into(),
                "access_denied" => declined(),
                _ => DriveProblem::AppRefused { reason }.into(),
            },
            Refused::Silent(error) => error,
        }
    }
}

/// The user does not want to.
pub(crate) fn declined() -> Error {
    Error::new(ErrorKind::Cancelled, "the user did not agree that the app uses Google Drive")
}

impl OAuth {
    pub(crate) fn new(client_of: OAuthClient) -> Result<Self> {
        Ok(Self { http: client(&client_of.server.token)?, client: client_of })
    }

    /// Where the user agrees, with these parameters and those of every request.
    pub(crate) fn authorize_url(&self, parameters: Form<'_>) -> String {
        let mut url = self.client.server.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.client.id)
            .append_pair("response_type", "code")
            .extend_pairs(parameters);
        url.into()
    }

    /// Asks for tokens.
    pub(crate) async fn token(&self, form: Form<'_>) -> Result<Granted, Refused> {
        let secret = self.client.secret.as_ref().map(SecretString::expose_secret);
        let secret = secret.map(|secret| ("client_secret", secret));
        let form: Vec<_> = form.iter().copied().chain(secret).collect();
        self.post(&self.client.server.token, &form).await
    }

    /// Asks for a code that the user types elsewhere.
    pub(crate) async fn device<T: DeserializeOwned>(&self, form: Form<'_>) -> Result<T, Refused> {
        self.post(&self.client.server.device, form).await
    }

    /// Repeats only what the server has not seen, or refused to look at: it may take a refresh
    /// token once.
    async fn post<T: DeserializeOwned>(&self, url: &Url, form: Form<'_>) -> Result<T, Refused> {
        let mut waits = Waits::begin(PATIENCE);
        loop {
            match self.attempt(url, form).await {
                Err(Attempt::Again) => {
                    if !waits.next(None).await {
                        return Err(Refused::Silent(unreachable()));
                    }
                }
                Err(Attempt::Refused(refused)) => return Err(refused),
                Ok(answer) => return Ok(answer),
            }
        }
    }

    async fn attempt<T: DeserializeOwned>(&self, url: &Url, form: Form<'_>) -> Result<T, Attempt> {
        let request = self
            .http
            .post(url.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(encoded(&self.client.id, form));
        let mut response = request.send().await.map_err(|error| {
            let silent = || Attempt::Refused(Refused::Silent(unreachable()));
            if error.is_connect() { Attempt::Again } else { silent() }
        })?;
        let status = response.status();
        let body = read(&mut response, MAX_ANSWER).await;
        let body = body.map_err(|_| Attempt::Refused(Refused::Silent(unreadable())))?;
        if status.is_success() {
            let answer = serde_json::from_slice(&body);
            return answer.map_err(|_| Attempt::Refused(Refused::Silent(unreadable())));
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Attempt::Again);
        }
        Err(Attempt::Refused(refusal(&body)))
    }
}

enum Attempt {
    Again,
    Refused(Refused),
}

const MAX_ANSWER: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(15);

/// A form with the client's id, in memory that is wiped.
fn encoded(client_id: &str, form: Form<'_>) -> Bytes {
    let len = form.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum::<usize>();
    let text = String::with_capacity(len + 3 * client_id.len() + 16);
    let mut form_of = form_urlencoded::Serializer::new(text);
    form_of.append_pair("client_id", client_id).extend_pairs(form);
    Bytes::from_owner(Zeroizing::new(form_of.finish().into_bytes()))
}

/// RFC 6749, 5.2. Anything but one of its words is not repeated: it may hold what was sent.
fn refusal(body: &[u8]) -> Refused {
    #[derive(Deserialize)]
    struct Answer {
        error: String,
    }
    let is_word = |word: &String| {
        word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    match serde_json::from_slice::<Answer>(body) {
        Ok(Answer { error }) if is_word(&error) => Refused::Because(error),
        _ => Refused::Silent(unreadable()),
    }
}
