//! Where Google is. Tests put servers of this machine in its place, and nobody puts another there.

use backup_methods_gdrive::AuthServer;

use crate::{
    cloud::{not_for_users, test_server, warn_of_test_server},
    failure::Failure,
};

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
        let alone = |name| not_for_users(name, "is for tests, and goes with its sibling only");
        match (test_server(DRIVE)?, test_server(ACCOUNTS)?) {
            (None, None) => Ok(None),
            (Some(drive), Some(accounts)) => Ok(Some(Self { drive, accounts })),
            (Some(_), None) => Err(alone(DRIVE)),
            (None, Some(_)) => Err(alone(ACCOUNTS)),
        }
    }

    pub(super) fn drive(&self) -> &str {
        &self.drive
    }

    pub(super) fn accounts(&self) -> Result<AuthServer, Failure> {
        warn_of_test_server("Google", &self.accounts);
        let [authorize, device, token] =
            ["authorize", "device/code", "token"].map(|path| format!("{}/{path}", self.accounts));
        Ok(AuthServer::new(&authorize, &device, &token)?)
    }
}
