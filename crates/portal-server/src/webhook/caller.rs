//! One request to a webhook: no redirects, no proxies, no long answers.

use std::error::Error as _;

use axum::body::Bytes;
use reqwest::{Client, Response, header, redirect::Policy};
use zeroize::Zeroizing;

use super::{
    Failure, WebhookPolicy,
    address::{Guarded, NotAllowed, base},
};

/// What sends requests.
#[derive(Debug)]
pub(super) struct Caller {
    http: Client,
    policy: WebhookPolicy,
}

impl Caller {
    pub(super) fn new(policy: WebhookPolicy) -> Result<Self, Failure> {
        let http = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .https_only(!policy.plain_http)
            .http1_only()
            .dns_resolver(Guarded(policy))
            .user_agent(concat!("portal-server/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| Failure::Unreachable("the service has no root certificates"))?;
        Ok(Self { http, policy })
    }

    /// The base URL, if it may be asked.
    pub(super) fn base(&self, url: &str) -> Result<String, Failure> {
        base(url, self.policy)
    }

    /// The body of a successful answer. The one of the request is erased when it was sent.
    pub(super) async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, Zeroizing<String>)],
        body: Zeroizing<Vec<u8>>,
        longest: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut request = self.http.post(url).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            let value = header::HeaderValue::from_str(value);
            let mut value = value.map_err(|_| Failure::Unreachable("a header cannot be made"))?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        let sent = request.body(Bytes::from_owner(body)).send().await;
        let response = sent.map_err(|error| unreachable(&error))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(Failure::Redirected);
        }
        if !status.is_success() {
            return Err(Failure::Refused(status.as_u16()));
        }
        read(response, longest).await
    }
}

async fn read(mut response: Response, longest: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if response.content_length().is_some_and(|length| length > longest as u64) {
        return Err(Failure::TooLong);
    }
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > longest {
            return Err(Failure::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Neither addresses nor anything that came from there.
fn unreachable(error: &reqwest::Error) -> Failure {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<NotAllowed>() {
            return Failure::Address;
        }
        source = cause.source();
    }
    if error.is_timeout() {
        Failure::Late
    } else if error.is_connect() {
        Failure::Unreachable("there is no connection")
    } else {
        Failure::Unreachable("the connection broke, or it speaks no HTTP")
    }
}
