//! The app's container, as Apple knows it.

use std::fmt;

use backup_cloud::server;
use backup_core::{Error, ErrorKind, Result};
use reqwest::Url;

/// Where an app's data is in iCloud, and what lets the app ask for it.
#[derive(Clone)]
pub struct Container {
    server: Url,
    id: String,
    environment: Environment,
    api_token: String,
}

/// Which of a container's two halves is meant. They share nothing but the schema that is deployed
/// from one to the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Environment {
    /// For trying things out: record types come to be when they are first used.
    Development,
    /// What users have. It knows the record types that were deployed to it.
    Production,
}

impl Environment {
    fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

impl Container {
    /// The container `id`, which begins with `iCloud.`, by an API token of that environment.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if they cannot be an id and a token.
    pub fn new(id: &str, environment: Environment, api_token: &str) -> Result<Self> {
        let is_of_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if !id.starts_with("iCloud.") || id.len() > 255 || !id.bytes().all(is_of_id) {
            return Err(invalid(
                "a container's id begins with `iCloud.` and has letters, digits, \
                                dots and hyphens",
            ));
        }
        let is_token = (1..=256).contains(&api_token.len());
        if !is_token || !api_token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid(
                "an API token has letters and digits, as CloudKit Console shows it",
            ));
        }
        let server = server("https://api.apple-cloudkit.com")?;
        Ok(Self { server, id: id.to_owned(), environment, api_token: api_token.to_owned() })
    }

    /// The same at another server: a double of iCloud, in tests. Without TLS it has to be on this
    /// machine.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if `url` is no such server.
    pub fn at(self, url: &str) -> Result<Self> {
        Ok(Self { server: server(url)?, ..self })
    }

    pub(crate) fn server(&self) -> &Url {
        &self.server
    }

    /// The address of an operation, with the API token.
    pub(crate) fn url(&self, operation: &str) -> Url {
        let Self { id, environment, api_token, .. } = self;
        let mut url = self.server.clone();
        url.set_path(&format!("/database/1/{id}/{}/{operation}", environment.as_str()));
        url.query_pairs_mut().clear().append_pair("ckAPIToken", api_token);
        url
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("id", &self.id)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}
