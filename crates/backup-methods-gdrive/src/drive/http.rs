//! Sends a request until it is answered, and takes nothing that was cut short for an answer.

use std::time::Duration;

use backup_cloud::{NoAnswer, Waits, client, read, retry_after, server};
use backup_core::{Error, ErrorKind, Result};
use bytes::Bytes;
use reqwest::{
    Client, Method, Url,
    header::{self, HeaderValue},
};
use zeroize::Zeroizing;

use super::refusal::{Failure, refusal};
use crate::{AccessToken, problem::unreachable};

/// One call.
pub(super) struct Request {
    method: Method,
    path: &'static str,
    /// What the path ends with.
    pub(super) id: Option<String>,
    query: Vec<(&'static str, String)>,
    pub(super) body: Option<Body>,
    /// Longest answer, in bytes.
    pub(super) max_len: usize,
}

pub(super) struct Body {
    pub(super) content_type: String,
    pub(super) bytes: Bytes,
}

impl Request {
    pub(super) fn new(method: Method, path: &'static str) -> Self {
        Self { method, path, id: None, query: Vec::new(), body: None, max_len: 1024 * 1024 }
    }

    /// Sets a parameter.
    pub(super) fn with(&mut self, name: &'static str, value: &str) {
        self.query.retain(|(known, _)| *known != name);
        self.query.push((name, value.to_owned()));
    }
}

/// A server that speaks as Drive does.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    base: Url,
    patience: Duration,
}

const GOOGLE: &str = "https://www.googleapis.com";
const MAX_REFUSAL: usize = 64 * 1024;

impl Http {
    pub(crate) fn google() -> Result<Self> {
        Self::new(GOOGLE)
    }

    pub(crate) fn new(base: &str) -> Result<Self> {
        let base = server(base)?;
        Ok(Self { client: client(&base)?, base, patience: Duration::from_secs(30) })
    }

    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) async fn send(
        &self,
        request: &Request,
        token: &AccessToken,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut waits = Waits::begin(self.patience);
        loop {
            match self.attempt(request, token).await {
                Err(Failure::Passing { error, retry_after }) => {
                    if !waits.next(retry_after).await {
                        return Err(Failure::Final(error));
                    }
                }
                answer => return answer,
            }
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        token: &AccessToken,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut builder = self
            .client
            .request(request.method.clone(), self.url(request))
            .query(&request.query)
            .header(header::AUTHORIZATION, bearer(token)?);
        if let Some(Body { content_type, bytes }) = &request.body {
            builder = builder.header(header::CONTENT_TYPE, content_type).body(bytes.clone());
        }
        let mut response = builder.send().await.map_err(|_| passing())?;
        let status = response.status();
        if status.is_success() {
            return read(&mut response, request.max_len).await.map_err(|why| match why {
                NoAnswer::CutShort => passing(),
                NoAnswer::TooLong => Failure::TooLong,
            });
        }
        let retry_after = retry_after(response.headers());
        // A refusal says the same without its text.
        let body = read(&mut response, MAX_REFUSAL).await.unwrap_or_default();
        Err(refusal(status.as_u16(), retry_after, &body))
    }

    fn url(&self, request: &Request) -> Url {
        let mut url = self.base.clone();
        url.set_path(request.path);
        if let Some(id) = &request.id {
            let mut segments = url.path_segments_mut().expect("it is an address of HTTP");
            segments.pop_if_empty().push(id);
        }
        url
    }
}

fn passing() -> Failure {
    Failure::Passing { error: unreachable(), retry_after: None }
}

fn bearer(token: &AccessToken) -> Result<HeaderValue> {
    let value = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&value).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "the access token has characters that no token has")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
