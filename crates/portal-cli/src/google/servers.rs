//! Where Google is. Tests put servers of this machine in its place, and nobody puts another there.

use std::env;

use backup_methods_gdrive::AuthServer;

use crate::failure::{Failure, Kind};

/// Servers that stand for Google's in a test.
pub(super) struct Servers {
    drive: String,
    accounts: String,
}

const DRIVE: &str = "PORTAL_TEST_GOOGLE_DRIVE";
const ACCOUNTS: &str = "PORTAL_TEST_GOOGLE_ACCOUNTS";

impl Servers {
    /// Those that the environment names, both or none.
    pub(super) fn for_tests() -> Result<Option<Self>, Failure> {
        let named = [DRIVE, ACCOUNTS].map(|name| env::var_os(name).map(|value| (name, value)));
        let [Some(drive), Some(accounts)] = named else {
            if let Some((name, _)) = named.into_iter().flatten().next() {
                return Err(refused(name, "is for tests, and goes with its sibling only"));
            }
            return Ok(None);
        };
        Ok(Some(Self { drive: here(drive)?, accounts: here(accounts)? }))
    }

    pub(super) fn drive(&self) -> &str {
        &self.drive
    }

    /// The warning is for somebody whose environment was set by another.
    pub(super) fn accounts(&self) -> Result<AuthServer, Failure> {
        eprintln!("warning: {} is asked in place of Google, for a test", self.accounts);
        let [authorize, device, token] =
            ["authorize", "device/code", "token"].map(|path| format!("{}/{path}", self.accounts));
        Ok(AuthServer::new(&authorize, &device, &token)?)
    }
}

/// `http://127.0.0.1:` and a port, and nothing else that could stand for one.
fn here((name, value): (&'static str, std::ffi::OsString)) -> Result<String, Failure> {
    let address = value.into_string().ok();
    let address = address.filter(|address| {
        let port = address.strip_prefix("http://127.0.0.1:");
        port.is_some_and(|port| port.parse().is_ok_and(|number: u16| number.to_string() == port))
    });
    address.ok_or_else(|| refused(name, "is for tests, and takes http://127.0.0.1:PORT only"))
}

fn refused(name: &str, why: &str) -> Failure {
    Failure::new(Kind::Usage, format!("the variable {name} {why}; unset it"))
}
