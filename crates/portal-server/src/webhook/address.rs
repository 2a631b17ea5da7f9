//! To whom a webhook's name may lead. What is checked is what is connected to.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::net;

use super::{Failure, WebhookPolicy};

/// Resolves names to addresses that a webhook may have, and to no others. There is no second look
/// between this and the connection, so that a name cannot lead elsewhere by then.
#[derive(Clone, Debug)]
pub(super) struct Guarded {
    pub(super) policy: WebhookPolicy,
    pub(super) names: Arc<dyn Names>,
}

/// What knows where names lead now.
pub(super) trait Names: fmt::Debug + Send + Sync {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// As this machine has it.
#[derive(Debug)]
pub(super) struct System;

impl Names for System {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        async move { Ok(net::lookup_host((name.as_str(), 0)).await?.collect()) }.boxed()
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, found) = (self.policy, self.names.addresses(name.as_str().to_owned()));
        Box::pin(async move {
            let mut allowed = found.await?;
            allowed.retain(|address| is_allowed(address.ip(), policy));
            if allowed.is_empty() {
                return Err(NotAllowed.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// A name leads nowhere that is allowed.
#[derive(Debug, thiserror::Error)]
#[error("no address that is allowed")]
pub(super) struct NotAllowed;

/// A base URL that may be asked, without a slash at its end.
pub(super) fn base(text: &str, policy: WebhookPolicy) -> Result<String, Failure> {
    if text.len() > MAX_URL_LEN {
        return Err(Failure::Url("it has at most 2048 characters"));
    }
    let url = Url::parse(text).map_err(|_| Failure::Url("it is no URL"))?;
    match url.scheme() {
        "https" => {}
        "http" if policy.plain_http => {}
        _ => return Err(Failure::Url("it begins with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::Url("it holds no name and no password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Failure::Url("it ends with its path"));
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if let Ok(address) = host.parse::<IpAddr>()
        && !is_allowed(address, policy)
    {
        return Err(Failure::Address);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn is_allowed(address: IpAddr, policy: WebhookPolicy) -> bool {
    policy.private_addresses || is_public(address)
}

/// Whether an address is one of the Internet at large, by the registries of IANA.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_special = match address.octets() {
        // This network, carriers' networks, protocol assignments, 6to4 relays, benchmarks,
        // reserved.
        [0 | 240..=255, ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [192, 88, 99, _] => true,
        [198, 18 | 19, ..] => true,
        _ => false,
    };
    !(is_special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

/// Of global unicast, what neither holds an IPv4 address nor is for a special purpose.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

const MAX_URL_LEN: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: WebhookPolicy = WebhookPolicy { plain_http: false, private_addresses: false };

    #[test]
    fn only_addresses_of_the_internet_at_large_are_public() {
        let private = [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fec0::1",
            "3fff::1",
        ];
        for text in private {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        let public = ["1.1.1.1", "35.203.150.117", "172.32.0.1", "100.128.0.1", "2606:4700::1111"];
        for text in public {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_base_is_https_on_a_public_address_with_nothing_but_a_path() {
        assert_eq!(base("https://a.example/hook/", NOTHING).unwrap(), "https://a.example/hook");
        assert_eq!(base("https://1.1.1.1:8443", NOTHING).unwrap(), "https://1.1.1.1:8443");
        for text in [
            "",
            "hook",
            "ftp://a.example",
            "http://a.example",
            "https://u@a.example",
            "https://:p@a.example",
            "https://a.example/?q",
            "https://a.example/#f",
            "file:///etc",
        ] {
            assert!(matches!(base(text, NOTHING), Err(Failure::Url(_))), "{text}");
        }
        let hidden = ["https://127.0.0.1", "https://2130706433", "https://0x7f.1", "https://[::1]"];
        for text in hidden {
            assert_eq!(base(text, NOTHING), Err(Failure::Address), "{text}");
        }
        let local = WebhookPolicy { plain_http: true, private_addresses: true };
        assert_eq!(base("http://127.0.0.1:9/", local).unwrap(), "http://127.0.0.1:9");
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_resolved() {
        let name = || "localhost".parse::<Name>().unwrap();
        let guarded = |policy| Guarded { policy, names: Arc::new(System) };
        assert!(guarded(NOTHING).resolve(name()).await.is_err());
        let local = WebhookPolicy { private_addresses: true, ..NOTHING };
        assert!(guarded(local).resolve(name()).await.unwrap().next().is_some());
    }
}
