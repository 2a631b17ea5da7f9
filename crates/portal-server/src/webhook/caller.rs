//! One request to a webhook: no redirects, no proxies, no long answers.

use std::{error::Error as _, sync::Arc};

use axum::body::Bytes;
use reqwest::{Client, Response, header, redirect::Policy};
use zeroize::Zeroizing;

use super::{
    Failure, WebhookPolicy,
    address::{Guarded, Names, NotAllowed, System, base},
};

/// What sends requests.
#[derive(Debug)]
pub(super) struct Caller {
    http: Client,
    policy: WebhookPolicy,
}

impl Caller {
    pub(super) fn new(policy: WebhookPolicy) -> Result<Self, Failure> {
        Self::with_names(policy, Arc::new(System))
    }

    fn with_names(policy: WebhookPolicy, names: Arc<dyn Names>) -> Result<Self, Failure> {
        let http = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .https_only(!policy.plain_http)
            .http1_only()
            .dns_resolver(Guarded { policy, names })
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

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::{IpAddr, SocketAddr},
        sync::Mutex,
    };

    use futures_util::{FutureExt as _, future::BoxFuture};
    use reqwest::dns::{Name, Resolve as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Whose name leads elsewhere each time.
    #[derive(Debug)]
    struct Rebinding(Mutex<Vec<Vec<IpAddr>>>);

    impl Rebinding {
        fn to(answers: &[&[&str]]) -> Arc<Self> {
            let address = |text: &&str| text.parse().expect("it is an address");
            let answers = answers.iter().map(|answer| answer.iter().map(address).collect());
            Arc::new(Self(Mutex::new(answers.rev().collect())))
        }
    }

    impl Names for Rebinding {
        fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
            let next = self.0.lock().unwrap().pop().expect("nobody asks more often");
            let next = next.into_iter().map(|address| (address, 0).into()).collect();
            async move { Ok(next) }.boxed()
        }
    }

    const PUBLIC: WebhookPolicy = WebhookPolicy { plain_http: true, private_addresses: false };

    async fn asked(names: Arc<Rebinding>, policy: WebhookPolicy, port: u16) -> Failure {
        let caller = Caller::with_names(policy, names).unwrap();
        let url = format!("http://hook.example:{port}/backup");
        caller.post(&url, &[], Zeroizing::default(), 100).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_name_that_was_public_and_leads_to_this_machine_now_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for near in [&["127.0.0.1"][..], &["::ffff:127.0.0.1", "10.0.0.1"]] {
            let names = Rebinding::to(&[&["1.1.1.1"], near]);
            let guarded = Guarded { policy: PUBLIC, names: names.clone() };
            let name: Name = "hook.example".parse().unwrap();
            let first = guarded.resolve(name).await.unwrap().next().unwrap();
            assert_eq!(first.ip(), IpAddr::from([1, 1, 1, 1]));
            assert_eq!(asked(names, PUBLIC, port).await, Failure::Address);
        }
        assert!(listener.accept().now_or_never().is_none(), "somebody has connected");
    }

    /// Whoever resolves the name and then lets the system do so again connects elsewhere.
    #[tokio::test]
    async fn what_is_connected_to_is_what_was_looked_at() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let local = WebhookPolicy { private_addresses: true, ..PUBLIC };
        let asked = asked(Rebinding::to(&[&["127.0.0.1"]]), local, port);
        let (failure, ()) = tokio::join!(asked, async { drop(listener.accept().await.unwrap()) });
        assert!(matches!(failure, Failure::Unreachable(_)), "{failure}");
    }
}
