//! Which backup a command opens, and how.

use backup_core::{BackupId, MethodId};
use clap::Args;
use portal_client::{Expected, Namespace, Portal, RecoverOptions};

use crate::{
    address, backup::MethodName, failure::Failure, password::PasswordFrom, profile::ProfileAt,
};

#[derive(Args, Debug)]
pub(crate) struct Opening {
    /// How you open the backup
    #[arg(long, value_enum, default_value_t)]
    method: MethodName,
    /// Which backup; the newest one unless you say otherwise
    #[arg(long, value_name = "ID")]
    backup: Option<BackupId>,
    /// An address that the wallet must have, of any chain; may be given several times
    ///
    /// A new device knows nothing of the wallet but what the service says. Give an address that
    /// you know, and another wallet is refused.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    expect: Vec<(Namespace, String)>,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    profile: ProfileAt,
}

impl Opening {
    pub(crate) fn method(&self) -> MethodId {
        self.method.id()
    }

    pub(crate) async fn wallet(&self) -> Result<Portal, Failure> {
        let profile = self.profile.open()?;
        self.method.check(&profile)?;
        profile.wallet([self.password.method()?]).await
    }

    pub(crate) fn options(self) -> RecoverOptions {
        let expected = Some(self.expect).filter(|addresses| !addresses.is_empty());
        RecoverOptions {
            backup: self.backup,
            expected: expected.map(Expected::Addresses),
            ..RecoverOptions::default()
        }
    }
}
