//! The passkey enclave, as it is set.

use std::net::SocketAddr;

use portal_server::Options;

use super::{Setting, Settings};

/// What was set of it. Without a relying party there is no enclave.
#[derive(Debug, Default)]
pub(super) struct EnclaveSettings {
    relying_party: Option<String>,
    name: Option<String>,
    origins: Vec<String>,
    cors: Vec<String>,
    listen: Option<SocketAddr>,
}

impl EnclaveSettings {
    /// Takes one of them over, unless it is none that is allowed.
    pub(super) fn set(&mut self, key: Setting, text: &str) -> Option<()> {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        match key {
            Setting::EnclaveRelyingParty => self.relying_party = Some(filled(text)?),
            Setting::EnclaveName => self.name = Some(filled(text)?),
            Setting::EnclaveOrigins => self.origins = super::ids(text)?,
            Setting::EnclaveCors => self.cors = super::ids(text)?,
            _ => self.listen = super::unless_off(text, |text| text.parse().ok())?,
        }
        Some(())
    }
}

impl Settings {
    /// Puts the enclave among the options, if there is one and it can run like this.
    pub(super) fn take_enclave(&mut self, wrong: &mut Vec<String>) {
        let set =
            Setting::ALL.into_iter().find(|key| key.is_enclaves() && self.given.contains_key(key));
        let Some(set) = set else { return };
        let EnclaveSettings { relying_party, name, origins, cors, listen } = &self.enclave;
        let Some(relying_party) = relying_party else {
            wrong.push(format!("{set} is given, and {} is not", Setting::EnclaveRelyingParty));
            return;
        };
        if *listen == Some(self.options.listen) && self.options.listen.port() != 0 {
            wrong.push(format!("{} is where the service listens", Setting::EnclaveListen));
        }
        let name = name.as_ref().unwrap_or(relying_party);
        let enclave = (relying_party.clone(), name.clone(), &origins[..], &cors[..], *listen);
        if let Err(message) = run_enclave(&mut self.options, enclave) {
            wrong.push(format!("the enclave cannot run like this: {message}"));
        }
    }
}

/// Relying party, name, origins, the origins of pages, and where it listens.
type Enclave<'a> = (String, String, &'a [String], &'a [String], Option<SocketAddr>);

#[cfg(feature = "enclave")]
fn run_enclave(options: &mut Options, enclave: Enclave<'_>) -> Result<(), String> {
    let (relying_party, name, origins, cors, listen) = enclave;
    let mut enclave = portal_server::EnclaveOptions::new(relying_party, &[]);
    enclave.name = name;
    enclave.origins = origins.to_vec();
    enclave.cors = cors.to_vec();
    enclave.listen = listen;
    enclave.check().map_err(|error| error.to_string())?;
    options.enclave = Some(enclave);
    Ok(())
}

#[cfg(not(feature = "enclave"))]
fn run_enclave(_: &mut Options, _: Enclave<'_>) -> Result<(), String> {
    Err("this program was built without enclave; build it with that feature".to_owned())
}
