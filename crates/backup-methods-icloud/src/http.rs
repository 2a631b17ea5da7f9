//! One request to Apple and its answer.

use std::time::Duration;

use backup_cloud::{NoAnswer, client, read, retry_after};
use backup_core::Result;
use bytes::Bytes;
use reqwest::{
    Client, Response,
    header::{self, HeaderMap},
};
use zeroize::Zeroizing;

use crate::{Container, WebAuthToken};

/// One call.
#[derive(Debug)]
pub(crate) struct Request {
    /// The database and what is done there: `private/records/modify`.
    pub(crate) operation: &'static str,
    /// A dictionary. Without one, something is only read.
    pub(crate) body: Option<Bytes>,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// What came back, whole or not, and the token that is good from now on.
pub(crate) struct Exchange {
    pub(crate) next: Option<WebAuthToken>,
    pub(crate) reply: Result<Reply, NoAnswer>,
}

/// Where Apple's answers carry the next token. The reference says that they do, and not where.
const NEXT_TOKEN: &str = "x-apple-cloudkit-web-auth-token";
/// The longest answer: a page of 200 records, each a name and a version, is a tenth of it.
const MAX_ANSWER: usize = 1024 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    container: Container,
}

impl Http {
    pub(crate) fn new(container: Container) -> Result<Self> {
        Ok(Self { client: client(container.server())?, container })
    }

    /// Sends a request once. No cause of a failure is kept: it would hold the address, and that
    /// the token.
    pub(crate) async fn send(&self, request: &Request, token: Option<&WebAuthToken>) -> Exchange {
        let mut url = self.container.url(request.operation);
        if let Some(token) = token {
            url.query_pairs_mut().append_pair("ckWebAuthToken", token.expose());
        }
        let builder = match &request.body {
            Some(body) => self.client.post(url).body(body.clone()),
            None => self.client.get(url),
        };
        match builder.header(header::CONTENT_TYPE, "application/json").send().await {
            Ok(response) => exchange(response).await,
            Err(_) => Exchange { next: None, reply: Err(NoAnswer::CutShort) },
        }
    }
}

/// The next token counts even if the rest of the answer is lost.
async fn exchange(mut response: Response) -> Exchange {
    let next = next_token(response.headers());
    let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
    let body = read(&mut response, MAX_ANSWER).await;
    Exchange { next, reply: body.map(|body| Reply { status, retry_after, body }) }
}

fn next_token(headers: &HeaderMap) -> Option<WebAuthToken> {
    WebAuthToken::new(headers.get(NEXT_TOKEN)?.to_str().ok()?).ok()
}
