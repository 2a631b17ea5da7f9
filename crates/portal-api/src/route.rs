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
