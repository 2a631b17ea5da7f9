//! The paths of the service.

mod rules;

use std::fmt::Write as _;

use backup_core::{BackupId, SharePairId};
use portal_mpc::SessionId;

pub use self::rules::{Asker, Body};

/// Whether the service is up.
pub const HEALTH: &str = "/health";
/// Whether requests may be sent to the service.
pub const READY: &str = "/ready";
/// The description of all routes.
pub const DESCRIPTION: &str = "/openapi.json";
/// Where a custodian keeps its halves itself.
pub const WEBHOOK: &str = "/api/v1/custodians/webhook";
/// The same, in Portal's shorter form.
pub const WEBHOOK_SHORT: &str = "/api/webhook";
/// Halves that a custodian has erased.
pub const ERASED_PAIRS: &str = "/api/v1/custodians/webhook/erased-pairs";
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
/// What Portal's SDKs know of a client.
pub const ME: &str = "/api/v3/clients/me";
/// Notices about backup pairs.
pub const BACKUP_PAIR_NOTICES: &str = "/api/v3/clients/me/backup-share-pairs";
/// Notices about signing pairs.
pub const SIGNING_PAIR_NOTICES: &str = "/api/v3/clients/me/signing-share-pairs";
/// A notice that the client's half of a method's pending backup is stored.
pub const STORED_SHARE: &str = "/api/v2/clients/me/wallet/stored-client-backup-share";
/// The same, in its older form.
pub const STORED_SHARE_V1: &str = "/api/v1/clients/me/wallet/stored-client-backup-share";
/// A notice that the key of a method's pending backup is stored.
pub const STORED_KEY: &str = "/api/v2/clients/me/wallet/stored-client-backup-share-key";
/// Who a user is, for statistics that are not kept.
pub const IDENTIFY: &str = "/api/v1/analytics/identify";
/// What a user did, for statistics that are not kept.
pub const TRACK: &str = "/api/v1/analytics/track";
/// The passkeys of a client, and whatever else the passkey enclave has.
pub const PASSKEYS: &str = "/passkeys";
/// Which origins may use the passkeys of this domain.
pub const RELATED_ORIGINS: &str = "/.well-known/webauthn";

/// A notice that a wallet was ejected.
pub const EJECTED: &str = "/api/v3/clients/me/eject";

/// Every route of the service. Its router is made of [`ALL`](Self::ALL) and of nothing else, and
/// so are the tests of what every route refuses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Route {
    /// Whether the service is up.
    Health,
    /// Whether requests may be sent to the service.
    Ready,
    /// What all routes are.
    Description,
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
    /// What Portal's SDKs know of a client.
    ClientObject,
    /// The backup pairs of a wallet.
    BackupPairs,
    /// The signing pairs of a wallet.
    SigningPairs,
    /// The ciphertext of a backup pair is stored.
    StoreCipherText,
    /// The ciphertext of a backup pair is read.
    CipherText,
    /// An app tells how far backup pairs have come.
    BackupPairNotice,
    /// An app tells how far signing pairs have come.
    SigningPairNotice,
    /// An app tells that it has stored the client's half of what is pending.
    StoredShare,
    /// The same, in its older form.
    StoredShareV1,
    /// An app tells that it has stored the key of what is pending.
    StoredKey,
    /// An app tells who its user is.
    Identify,
    /// An app tells what its user did.
    Track,
    /// The custodian's half of a backup is released, to eject a wallet.
    PrepareEject,
    /// Whether a wallet may be ejected, and the client's half.
    EjectableShares,
    /// An app tells that it has ejected.
    Ejected,
    /// A custodian's clients.
    Clients,
    /// One of them.
    ClientOfCustodian,
    /// A custodian makes a session token for one of them.
    CreateClientSession,
    /// The same, in its older form.
    CreateClientSessionV1,
    /// A custodian ends all session tokens of one of them.
    EndClientSessions,
    /// A custodian lets one of them eject a wallet for a while.
    EnableEject,
    /// Both halves of a wallet that may be ejected, for the custodian.
    EjectableSharesOfCustodian,
    /// A custodian says where its halves are kept.
    RegisterWebhook,
    /// The same, in Portal's shorter form.
    RegisterWebhookShort,
    /// How it stands with the custodian's webhook.
    Webhook,
    /// A custodian has erased halves that are of no use any more.
    ErasedPairs,
    /// A client's passkeys.
    Passkeys,
    /// The names of a client's keys in the enclave.
    PasskeyKeys,
    /// How far a client has come with the enclave.
    PasskeyStatus,
    /// A client begins to register a passkey.
    BeginRegistration,
    /// It ends it.
    FinishRegistration,
    /// A client begins to ask a passkey.
    BeginLogin,
    /// A passkey has a key released.
    ReadKey,
    /// A passkey writes a key.
    WriteKey,
    /// A passkey deletes a key.
    DeleteKey,
    /// A passkey gives another one its keys.
    GrantKeys,
    /// A passkey gives one another name.
    RenamePasskey,
    /// A passkey removes one.
    RemovePasskey,
    /// Which origins may use the passkeys of this domain.
    RelatedOrigins,
}

impl Route {
    /// All of them. What is not here is not served.
    pub const ALL: [Self; 51] = [
        Self::Health,
        Self::Ready,
        Self::Description,
        Self::CreateClient,
        Self::Client,
        Self::FirstPost,
        Self::SecondPost,
        Self::StoreEnvelope,
        Self::Envelope,
        Self::Commit,
        Self::DropPending,
        Self::Revoke,
        Self::ClientObject,
        Self::BackupPairs,
        Self::SigningPairs,
        Self::StoreCipherText,
        Self::CipherText,
        Self::BackupPairNotice,
        Self::SigningPairNotice,
        Self::StoredShare,
        Self::StoredShareV1,
        Self::StoredKey,
        Self::Identify,
        Self::Track,
        Self::PrepareEject,
        Self::EjectableShares,
        Self::Ejected,
        Self::Clients,
        Self::ClientOfCustodian,
        Self::CreateClientSession,
        Self::CreateClientSessionV1,
        Self::EndClientSessions,
        Self::EnableEject,
        Self::EjectableSharesOfCustodian,
        Self::RegisterWebhook,
        Self::RegisterWebhookShort,
        Self::Webhook,
        Self::ErasedPairs,
        Self::Passkeys,
        Self::PasskeyKeys,
        Self::PasskeyStatus,
        Self::BeginRegistration,
        Self::FinishRegistration,
        Self::BeginLogin,
        Self::ReadKey,
        Self::WriteKey,
        Self::DeleteKey,
        Self::GrantKeys,
        Self::RenamePasskey,
        Self::RemovePasskey,
        Self::RelatedOrigins,
    ];

    /// Its path, with what stands for an id in braces.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Health => HEALTH,
            Self::Ready => READY,
            Self::Description => DESCRIPTION,
            Self::CreateClient | Self::Clients => CUSTODIAN_CLIENTS,
            Self::Client => CLIENT,
            Self::FirstPost => SESSIONS,
            Self::SecondPost => "/v1/sessions/{session}",
            Self::StoreEnvelope | Self::Envelope => "/v1/backups/{backup}/envelope",
            Self::Commit => "/v1/backups/{backup}/commit",
            Self::DropPending => "/v1/backups/{backup}/drop",
            Self::Revoke => REVOCATIONS,
            Self::ClientObject => ME,
            Self::BackupPairs => "/api/v3/clients/me/wallets/{wallet}/backup-share-pairs",
            Self::SigningPairs => "/api/v3/clients/me/wallets/{wallet}/signing-share-pairs",
            Self::StoreCipherText => "/api/v3/clients/me/backup-share-pairs/{pair}",
            Self::CipherText => "/api/v3/clients/me/backup-share-pairs/{pair}/cipher-text",
            Self::BackupPairNotice => BACKUP_PAIR_NOTICES,
            Self::SigningPairNotice => SIGNING_PAIR_NOTICES,
            Self::StoredShare => STORED_SHARE,
            Self::StoredShareV1 => STORED_SHARE_V1,
            Self::StoredKey => STORED_KEY,
            Self::Identify => IDENTIFY,
            Self::Track => TRACK,
            Self::PrepareEject => "/api/v3/clients/me/wallets/{wallet}/prepare-eject",
            Self::EjectableShares => "/api/v3/clients/me/wallets/{wallet}/ejectable-backup-shares",
            Self::Ejected => EJECTED,
            Self::EnableEject => "/api/v3/custodians/me/clients/{client}/enable-eject",
            Self::EjectableSharesOfCustodian => {
                "/api/v3/custodians/me/clients/{client}/wallets/{wallet}/ejectable-backup-shares"
            }
            Self::ClientOfCustodian => "/api/v3/custodians/me/clients/{client}",
            Self::CreateClientSession | Self::EndClientSessions => {
                "/api/v3/custodians/me/clients/{client}/sessions"
            }
            Self::RegisterWebhook | Self::Webhook => WEBHOOK,
            Self::RegisterWebhookShort => WEBHOOK_SHORT,
            Self::ErasedPairs => ERASED_PAIRS,
            Self::CreateClientSessionV1 => "/api/v1/custodians/clients/{client}/session",
            Self::Passkeys => PASSKEYS,
            Self::PasskeyKeys => "/passkeys/keys",
            Self::PasskeyStatus => "/passkeys/status",
            Self::BeginRegistration => "/passkeys/begin-registration",
            Self::FinishRegistration => "/passkeys/finish-registration",
            Self::BeginLogin => "/passkeys/begin-login",
            Self::ReadKey => "/passkeys/finish-login/read",
            Self::WriteKey => "/passkeys/finish-login/write",
            Self::DeleteKey => "/passkeys/finish-login/delete",
            Self::GrantKeys => "/passkeys/finish-login/grant",
            Self::RenamePasskey => "/passkeys/finish-login/rename",
            Self::RemovePasskey => "/passkeys/finish-login/remove",
            Self::RelatedOrigins => RELATED_ORIGINS,
        }
    }

    /// Whether it is of Portal's public API. Its SDKs end some of these paths with a slash, so all
    /// of them may.
    #[must_use]
    pub fn is_portals(self) -> bool {
        self.path().starts_with("/api/")
    }

    /// Whether it is the passkey enclave's, which a service may have or not.
    #[must_use]
    pub fn is_enclaves(self) -> bool {
        self == Self::RelatedOrigins || self.path().starts_with(PASSKEYS)
    }

    /// Whether it only reads, and takes no body.
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(
            self,
            Self::Health
                | Self::Ready
                | Self::Description
                | Self::Client
                | Self::Envelope
                | Self::ClientObject
                | Self::BackupPairs
                | Self::SigningPairs
                | Self::CipherText
                | Self::Clients
                | Self::ClientOfCustodian
                | Self::EjectableShares
                | Self::EjectableSharesOfCustodian
                | Self::Webhook
                | Self::Passkeys
                | Self::PasskeyKeys
                | Self::PasskeyStatus
                | Self::RelatedOrigins
        )
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

/// The backup pairs of a wallet.
#[must_use]
pub fn backup_pairs(wallet: &str) -> String {
    format!("{ME}/wallets/{}/backup-share-pairs", segment(wallet))
}

/// The signing pairs of a wallet.
#[must_use]
pub fn signing_pairs(wallet: &str) -> String {
    format!("{ME}/wallets/{}/signing-share-pairs", segment(wallet))
}

/// Where the custodian's half is released, to eject a wallet.
#[must_use]
pub fn prepare_eject(wallet: &str) -> String {
    format!("{ME}/wallets/{}/prepare-eject", segment(wallet))
}

/// Whether a wallet may be ejected, and the client's half.
#[must_use]
pub fn ejectable_shares(wallet: &str) -> String {
    format!("{ME}/wallets/{}/ejectable-backup-shares", segment(wallet))
}

/// Where a custodian lets a client eject a wallet.
#[must_use]
pub fn enable_eject(client: &str) -> String {
    format!("{}/enable-eject", client_of_custodian(client))
}

/// Both halves of a wallet that may be ejected, for the custodian.
#[must_use]
pub fn ejectable_shares_of_custodian(client: &str, wallet: &str) -> String {
    let client = client_of_custodian(client);
    format!("{client}/wallets/{}/ejectable-backup-shares", segment(wallet))
}

/// Where the ciphertext of a backup pair is stored.
#[must_use]
pub fn backup_pair(pair: &SharePairId) -> String {
    format!("{BACKUP_PAIR_NOTICES}/{}", segment(pair.as_str()))
}

/// Where it is read.
#[must_use]
pub fn cipher_text(pair: &SharePairId) -> String {
    format!("{}/cipher-text", backup_pair(pair))
}

/// A client of a custodian.
#[must_use]
pub fn client_of_custodian(client: &str) -> String {
    format!("{CUSTODIAN_CLIENTS}/{}", segment(client))
}

/// The session tokens of a client.
#[must_use]
pub fn client_sessions(client: &str) -> String {
    format!("{}/sessions", client_of_custodian(client))
}

/// Where one is made, in the older form.
#[must_use]
pub fn client_session_v1(client: &str) -> String {
    format!("/api/v1/custodians/clients/{}/session", segment(client))
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
