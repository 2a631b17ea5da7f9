//! A signed-in user: calls one after the other, each with the token that the last one brought.

use std::{sync::Arc, time::Duration};

use backup_cloud::{MemoryTokens, NoAnswer, TokenStore, Waits};
use backup_core::{ErrorKind, Operation, Result};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::{
    ICloudProblem, SignIn, WebAuthToken,
    http::{Exchange, Http, Request},
    refusal::{Failure, refusal, unreachable, unreadable},
    user,
};

/// Whether the user may be asked to sign in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asking<'a> {
    With(&'a Operation<'a>),
    Never,
}

#[derive(Debug)]
pub(crate) struct Session {
    line: Arc<Line>,
    sign_in: Arc<dyn SignIn>,
    /// Held while the user is asked, so that they are asked once.
    signing_in: Mutex<()>,
    patience: Duration,
    /// The record name of the only user who may sign in, if that is known.
    user: Option<String>,
}

/// What calls go through, one at a time.
#[derive(Debug)]
struct Line {
    http: Http,
    tokens: Arc<dyn TokenStore>,
    turn: Mutex<()>,
}

/// How often a token that is refused is looked for again, or asked for again, in one call.
const MOST_TOKENS: usize = 4;

impl Session {
    pub(crate) fn new(http: Http, tokens: Arc<dyn TokenStore>, sign_in: Arc<dyn SignIn>) -> Self {
        let line = Arc::new(Line { http, tokens, turn: Mutex::default() });
        let patience = Duration::from_secs(30);
        Self { line, sign_in, signing_in: Mutex::default(), patience, user: None }
    }

    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(crate) fn of_user(self, user: String) -> Self {
        Self { user: Some(user), ..self }
    }

    pub(crate) fn expected_user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(crate) fn asks(&self) -> bool {
        self.sign_in.asks()
    }

    /// Sends a request until it is answered; signs the user in if it takes that.
    ///
    /// Every request of this crate can be repeated: what was done already is found done.
    pub(crate) async fn call(
        &self,
        asking: Asking<'_>,
        request: Request,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let request = Arc::new(request);
        let (mut waits, mut tokens) = (Waits::begin(self.patience), 0);
        loop {
            let failure = match self.round_trip(&request).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            match failure {
                Failure::Passing { error, retry_after } => {
                    if !waits.next(retry_after).await {
                        return Err(Failure::Final(error));
                    }
                }
                Failure::SignIn { page, .. } if tokens < MOST_TOKENS => {
                    tokens += 1;
                    if let Some(page) = page {
                        self.sign_in(asking, &page).await?;
                        (waits, tokens) = (Waits::begin(self.patience), MOST_TOKENS);
                    }
                }
                failure => return Err(failure),
            }
        }
    }

    /// A task of its own: whoever drops the call does not lose the token in its answer.
    async fn round_trip(&self, request: &Arc<Request>) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let (line, request) = (self.line.clone(), request.clone());
        let task = tokio::spawn(async move { line.round_trip(&request).await });
        task.await.unwrap_or_else(|_| Err(unreachable().into()))
    }

    async fn sign_in(&self, asking: Asking<'_>, page: &str) -> Result<()> {
        let asked = match asking {
            Asking::With(op) if self.asks() => Some(op),
            Asking::Never if self.asks() => return Err(ICloudProblem::SignInNeeded.into()),
            _ => None,
        };
        let _alone = self.signing_in.lock().await;
        if self.line.kept().await?.is_some() {
            return Ok(());
        }
        let token = match asked {
            Some(op) => op.ask(self.sign_in.sign_in(page)).await?,
            None => self.sign_in.sign_in(page).await?,
        };
        let token = self.of_expected_user(token).await?;
        self.line.tokens.save(token.secret()).await
    }

    /// Who has signed in is looked at before anything is kept of them: no key is put into the
    /// iCloud of somebody else.
    async fn of_expected_user(&self, token: WebAuthToken) -> Result<WebAuthToken> {
        let Some(expected) = &self.user else { return Ok(token) };
        let tokens = Arc::new(MemoryTokens::holding(token.secret().clone()));
        let line = Line { http: self.line.http.clone(), tokens, turn: Mutex::default() };
        let answer = line.round_trip(&user::request()).await?;
        if user::read(&answer)? != *expected {
            return Err(ICloudProblem::OtherAccount.into());
        }
        line.kept().await?.ok_or_else(|| ICloudProblem::SignInNeeded.into())
    }
}

impl Line {
    /// The next token is durable before anything is made of the answer.
    async fn round_trip(&self, request: &Request) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let _turn = self.turn.lock().await;
        let token = self.kept().await?;
        let Exchange { next, reply } = self.http.send(request, token.as_ref()).await;
        if let (Some(_), Some(next)) = (&token, &next) {
            self.tokens.save(next.secret()).await?;
        }
        let failure = match reply {
            Ok(reply) if (200..300).contains(&reply.status) => return Ok(reply.body),
            Ok(reply) => refusal(&reply),
            Err(NoAnswer::CutShort) => Failure::Passing { error: unreachable(), retry_after: None },
            Err(NoAnswer::TooLong) => unreadable().into(),
        };
        match (failure, token) {
            (failure @ Failure::SignIn { .. }, Some(refused)) => {
                self.forget(&refused).await?;
                Err(failure)
            }
            // It was the app's own token that was looked at.
            (Failure::SignIn { was_refused: true, .. }, None) => {
                let reason = "AUTHENTICATION_FAILED".to_owned();
                Err(Failure::Final(ICloudProblem::AppRefused { reason }.into()))
            }
            (Failure::SignIn { page: None, .. }, None) => Err(unreadable().into()),
            (failure, _) => Err(failure),
        }
    }

    /// Forgets a token that was refused, unless another process has a newer one.
    async fn forget(&self, refused: &WebAuthToken) -> Result<()> {
        let is_it =
            |kept: &WebAuthToken| kept.expose().as_bytes().ct_eq(refused.expose().as_bytes());
        match self.kept().await? {
            Some(newer) if !bool::from(is_it(&newer)) => Ok(()),
            _ => self.tokens.clear().await,
        }
    }

    /// What was kept, if it can be read: what is damaged is replaced by signing in again.
    async fn kept(&self) -> Result<Option<WebAuthToken>> {
        let kept = self.tokens.load().await;
        match kept.and_then(|kept| kept.map(WebAuthToken::kept).transpose()) {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
            kept => kept,
        }
    }
}
