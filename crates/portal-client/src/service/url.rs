//! The address of the service.

use std::net::IpAddr;

use reqwest::Url;

use crate::{Error, Result};

/// The base of every address: HTTPS, or a service on this machine.
#[derive(Clone, Debug)]
pub(super) struct ServiceUrl {
    base: String,
    is_plain: bool,
}

impl ServiceUrl {
    pub(super) fn parse(text: &str, allows_plain: bool) -> Result<Self> {
        let url = Url::parse(text).map_err(|error| refused(text, &error.to_string()))?;
        let host = url.host_str().ok_or_else(|| refused(text, "it names no host"))?;
        let is_plain = match url.scheme() {
            "https" => false,
            "http" if allows_plain || is_loopback(host) => true,
            "http" => return Err(refused(text, "without TLS only a service on this machine is")),
            _ => return Err(refused(text, "it begins with neither https nor http")),
        };
        let has_more = url.query().is_some() || url.fragment().is_some();
        if has_more || !url.username().is_empty() || url.password().is_some() {
            return Err(refused(text, "it is a scheme, a host and perhaps a path, and no more"));
        }
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), is_plain })
    }

    /// Whether requests go without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The address of a path of the service.
    pub(super) fn join(&self, path: &str) -> Result<Url> {
        let url = Url::parse(&format!("{}{path}", self.base));
        let is_unchanged = |url: &Url| url.path().ends_with(path);
        url.ok().filter(is_unchanged).ok_or_else(|| {
            Error::UnexpectedAnswer("a name that it gave stands in no address".into())
        })
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn refused(text: &str, reason: &str) -> Error {
    Error::InvalidInput(format!("`{text}` is no address of a service: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_service_on_this_machine_goes_without_tls() {
        for fine in
            ["https://a.example", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:1"]
        {
            assert!(ServiceUrl::parse(fine, false).is_ok(), "{fine}");
        }
        for plain in ["http://a.example", "http://192.168.0.1", "http://localhost.example"] {
            assert!(ServiceUrl::parse(plain, false).is_err(), "{plain}");
            assert!(ServiceUrl::parse(plain, true).unwrap().is_plain(), "{plain}");
        }
        for wrong in ["", "a.example", "ftp://a.example", "https://u@a.example", "https://a/?q"] {
            assert!(ServiceUrl::parse(wrong, true).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_path_stands_behind_the_base_as_it_is() {
        let base = ServiceUrl::parse("https://a.example/portal/", false).unwrap();
        let url = base.join("/v1/backups/a%2Fb/envelope").unwrap();
        assert_eq!(url.as_str(), "https://a.example/portal/v1/backups/a%2Fb/envelope");
        assert!(base.join("/v1/backups/../envelope").is_err(), "it would be another path");
    }
}
