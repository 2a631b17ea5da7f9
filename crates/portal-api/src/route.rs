//! The paths of the service.

use std::fmt::Write as _;

use backup_core::BackupId;
use portal_mpc::SessionId;

/// Whether the service is up.
pub const HEALTH: &str = "/health";
/// A custodian's clients.
pub const CUSTODIAN_CLIENTS: &str = "/api/v3/custodians/me/clients";
/// What there is of a client.
pub const CLIENT: &str = "/v1/client";
/// First posts.
pub const SESSIONS: &str = "/v1/sessions";
/// Backup sets.
pub const BACKUPS: &str = "/v1/backups";
/// Revocations of completed sets.
pub const REVOCATIONS: &str = "/v1/revocations";

/// Every route of the service. Its router is made of [`ALL`](Self::ALL) and of nothing else, and
/// so are the tests of what every route refuses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Route {
    /// Whether the service is up.
    Health,
    /// A custodian makes a client.
    CreateClient,
    /// What there is of a client.
    Client,
    /// A session begins.
    FirstPost,
    /// A session ends.
    SecondPost,
    /// The envelope of a set is stored.
    StoreEnvelope,
    /// The envelope of a set is read.
    Envelope,
    /// A set is completed.
    Commit,
    /// A pending set goes.
    DropPending,
    /// Completed sets go.
    Revoke,
}

impl Route {
    /// All of them. What is not here is not served.
    pub const ALL: [Self; 10] = [
        Self::Health,
        Self::CreateClient,
        Self::Client,
        Self::FirstPost,
        Self::SecondPost,
        Self::StoreEnvelope,
        Self::Envelope,
        Self::Commit,
        Self::DropPending,
        Self::Revoke,
    ];

    /// Its path, with what stands for an id in braces.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Health => HEALTH,
            Self::CreateClient => CUSTODIAN_CLIENTS,
            Self::Client => CLIENT,
            Self::FirstPost => SESSIONS,
            Self::SecondPost => "/v1/sessions/{session}",
            Self::StoreEnvelope | Self::Envelope => "/v1/backups/{backup}/envelope",
            Self::Commit => "/v1/backups/{backup}/commit",
            Self::DropPending => "/v1/backups/{backup}/drop",
            Self::Revoke => REVOCATIONS,
        }
    }

    /// Whether it only reads, and takes no body.
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Self::Health | Self::Client | Self::Envelope)
    }
}

/// Second posts of a session.
#[must_use]
pub fn session(id: &SessionId) -> String {
    format!("{SESSIONS}/{id}")
}

/// The envelope of a set.
#[must_use]
pub fn envelope(backup: &BackupId) -> String {
    format!("{BACKUPS}/{}/envelope", segment(backup.as_str()))
}

/// The commit of a set.
#[must_use]
pub fn commit(backup: &BackupId) -> String {
    format!("{BACKUPS}/{}/commit", segment(backup.as_str()))
}

/// The end of a pending set.
#[must_use]
pub fn drop_pending(backup: &BackupId) -> String {
    format!("{BACKUPS}/{}/drop", segment(backup.as_str()))
}

/// Percent-encodes what is not unreserved (RFC 3986, section 2.3).
fn segment(id: &str) -> String {
    id.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            write!(text, "%{byte:02X}").expect("a string takes all that is written");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_of_a_path_whatever_is_in_it() {
        let backup = BackupId::new("a/../b?c#%é".replace('é', "~")).unwrap();
        assert_eq!(envelope(&backup), "/v1/backups/a%2F..%2Fb%3Fc%23%25~/envelope");
    }
}
