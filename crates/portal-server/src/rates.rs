//! How often one caller may ask, by source address and by API key: told before anything is done.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request},
    http::HeaderMap,
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use crate::{
    auth,
    error::{ApiError, ApiResult},
    limits::Limits,
    metrics::Reason,
};

/// How often all callers have asked.
#[derive(Debug)]
pub(crate) struct Rates {
    addresses: Option<Rate>,
    keys: Option<Rate>,
    ceremonies: Option<Rate>,
    proxies: usize,
}

/// What one kind of caller may ask for. Callers are told apart by a hash that is short, so that
/// there is an end to what is kept of them however many there are, and whose key is random, so that
/// nobody can choose whom to share a limit with.
#[derive(Debug)]
struct Rate {
    limiter: DefaultKeyedRateLimiter<u16>,
    hasher: RandomState,
    clock: DefaultClock,
    reason: Reason,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let rate = |per_minute: Option<NonZeroU32>, reason| {
            per_minute.map(|per_minute| Rate::new(per_minute, reason))
        };
        Self {
            addresses: rate(limits.address_rate, Reason::AddressRate),
            keys: rate(limits.key_rate, Reason::KeyRate),
            ceremonies: rate(limits.ceremony_rate, Reason::CeremonyRate),
            proxies: limits.proxies,
        }
    }

    /// Counts a request. The API key is the one that it came with, whether or not it exists.
    ///
    /// # Errors
    ///
    /// `ERROR` (429).
    pub(crate) fn count(&self, request: &Request) -> ApiResult<()> {
        if let Some(rate) = &self.addresses
            && let Some(address) = self.address(request)
        {
            rate.count(&address)?;
        }
        match (&self.keys, auth::bearer(request.headers())) {
            (Some(rate), Some(key)) => rate.count(key),
            _ => Ok(()),
        }
    }

    /// Counts a request to begin or to finish a ceremony of a passkey, besides.
    ///
    /// # Errors
    ///
    /// `ERROR` (429).
    pub(crate) fn count_ceremony(&self, request: &Request) -> ApiResult<()> {
        match (&self.ceremonies, auth::bearer(request.headers())) {
            (Some(rate), Some(key)) => rate.count(key),
            _ => Ok(()),
        }
    }

    /// Where it comes from. What is said of that counts only as far as our proxies have said it.
    fn address(&self, request: &Request) -> Option<IpAddr> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let forwarded = forwarded(request.headers(), self.proxies);
        let address = forwarded.or_else(|| peer.map(|ConnectInfo(peer)| peer.ip()));
        address.map(network)
    }
}

impl Rate {
    fn new(per_minute: NonZeroU32, reason: Reason) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_minute(per_minute)),
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
            reason,
        }
    }

    fn count<T: Hash + ?Sized>(&self, caller: &T) -> ApiResult<()> {
        let [first, second, ..] = self.hasher.hash_one(caller).to_le_bytes();
        let checked = self.limiter.check_key(&u16::from_le_bytes([first, second]));
        checked.map_err(|until| {
            ApiError::too_often(self.reason, whole_seconds(until.wait_time_from(self.clock.now())))
        })
    }
}

/// The address that the outermost of so many proxies has seen. Each adds the one it sees at the
/// end; what stands before that is the caller's own word.
fn forwarded(headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let from_the_end = proxies.checked_sub(1)?;
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let mut entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    let entry = entries.nth(from_the_end)?.trim();
    entry.parse().ok().or_else(|| entry.parse().ok().map(|address: SocketAddr| address.ip()))
}

/// Whoever has one address of version 6 has the 64 bits behind it too.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn rates(key_rate: u32, address_rate: u32, proxies: usize) -> Rates {
        let (key_rate, address_rate) = (NonZeroU32::new(key_rate), NonZeroU32::new(address_rate));
        Rates::new(&Limits { key_rate, address_rate, proxies, ..Limits::default() })
    }

    fn request(peer: &str, headers: &[(&'static str, &str)]) -> Request {
        let mut request = Request::new(Body::empty());
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        request.extensions_mut().insert(ConnectInfo(peer));
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn an_address_is_sent_away_when_it_has_asked_too_often_and_others_are_not() {
        let rates = rates(0, 3, 0);
        for _ in 0..3 {
            rates.count(&request("192.0.2.1", &[])).unwrap();
        }
        let error = rates.count(&request("192.0.2.1", &[])).unwrap_err();
        assert_eq!(error.status().as_u16(), 429);
        rates.count(&request("192.0.2.2", &[])).unwrap();
    }

    #[test]
    fn a_key_is_one_however_it_is_written_and_wherever_it_comes_from() {
        let rates = rates(2, 0, 0);
        rates.count(&request("192.0.2.1", &[("authorization", "Bearer ck_a")])).unwrap();
        rates.count(&request("192.0.2.2", &[("authorization", "bearer   ck_a")])).unwrap();
        let third = request("192.0.2.3", &[("authorization", "Bearer ck_a")]);
        assert_eq!(rates.count(&third).unwrap_err().status().as_u16(), 429);
        rates.count(&request("192.0.2.3", &[("authorization", "Bearer ck_b")])).unwrap();
        rates.count(&request("192.0.2.3", &[])).unwrap();
    }

    #[test]
    fn what_a_caller_says_of_its_address_counts_only_behind_proxies() {
        let said = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "a, 198.51.100.7")];
        let request = request("192.0.2.1", &said);
        let address = |proxies| rates(1, 1, proxies).address(&request).unwrap().to_string();
        assert_eq!(address(0), "192.0.2.1");
        assert_eq!(address(1), "198.51.100.7");
        assert_eq!(address(2), "192.0.2.1", "what is no address is the peer's");
        assert_eq!(address(3), "203.0.113.9");
        assert_eq!(address(4), "192.0.2.1");
    }

    #[test]
    fn a_network_of_version_6_is_one_caller() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn however_many_ask_there_is_an_end_to_what_is_kept_of_them() {
        let rates = rates(1, 1, 0);
        let rate = rates.keys.as_ref().unwrap();
        for caller in 0..300_000_u32 {
            let _ = rate.count(&caller);
        }
        assert!(rate.limiter.len() <= usize::from(u16::MAX) + 1, "{}", rate.limiter.len());
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_that_are_enough() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_500, 60)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }
}
