//! What every route takes, from whom, and what it refuses with.

use backup_core::Envelope;

use super::Route;
use crate::{
    ErrorId::{
        self, AuthFailed, BadRequest, DkgFailed, DkgRefreshFailed, DkgRefreshMismatch, Error,
        InternalError, MessageMalformed, NotFound, OperationInProgress, SignFailed,
        SignShareMismatch, StateInvalid, WebhookFailed,
    },
    MEDIA_TYPE, PostFrame,
};

/// Who may ask for a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asker {
    /// Whoever likes.
    Anybody,
    /// A custodian, by its API key.
    Custodian,
    /// A client, by its API key or a session token.
    Client,
    /// A client, and a device of its signs.
    Device,
}

/// What a route takes in a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Body {
    /// The media type.
    pub media_type: &'static str,
    /// The longest that is read, in bytes.
    pub max_len: usize,
    /// Whether there has to be one.
    pub is_required: bool,
}

impl Route {
    /// Its HTTP method.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::StoreEnvelope | Self::StoredShare | Self::StoredShareV1 | Self::StoredKey => {
                "PUT"
            }
            Self::StoreCipherText
            | Self::BackupPairNotice
            | Self::SigningPairNotice
            | Self::EnableEject => "PATCH",
            Self::EndClientSessions => "DELETE",
            _ if self.reads() => "GET",
            _ => "POST",
        }
    }

    /// Who may ask for it.
    #[must_use]
    pub const fn asker(self) -> Asker {
        match self {
            Self::Health | Self::Ready | Self::Description | Self::RelatedOrigins => Asker::Anybody,
            Self::CreateClient
            | Self::Clients
            | Self::ClientOfCustodian
            | Self::CreateClientSession
            | Self::CreateClientSessionV1
            | Self::EndClientSessions
            | Self::EnableEject
            | Self::EjectableSharesOfCustodian
            | Self::RegisterWebhook
            | Self::RegisterWebhookShort
            | Self::Webhook
            | Self::ErasedPairs => Asker::Custodian,
            Self::FirstPost
            | Self::SecondPost
            | Self::StoreEnvelope
            | Self::Commit
            | Self::DropPending
            | Self::Revoke => Asker::Device,
            Self::Client
            | Self::Envelope
            | Self::ClientObject
            | Self::BackupPairs
            | Self::SigningPairs
            | Self::StoreCipherText
            | Self::CipherText
            | Self::BackupPairNotice
            | Self::SigningPairNotice
            | Self::StoredShare
            | Self::StoredShareV1
            | Self::StoredKey
            | Self::Identify
            | Self::Track
            | Self::PrepareEject
            | Self::EjectableShares
            | Self::Ejected
            | Self::Passkeys
            | Self::PasskeyKeys
            | Self::PasskeyStatus
            | Self::BeginRegistration
            | Self::FinishRegistration
            | Self::BeginLogin
            | Self::ReadKey
            | Self::WriteKey
            | Self::DeleteKey
            | Self::GrantKeys
            | Self::RenamePasskey
            | Self::RemovePasskey => Asker::Client,
        }
    }

    /// What it takes in a body, unless it only reads.
    #[must_use]
    pub const fn body(self) -> Option<Body> {
        if self.reads() {
            return None;
        }
        let (media_type, max_len) = match self {
            Self::FirstPost | Self::SecondPost => (MEDIA_TYPE, PostFrame::MAX_LEN),
            Self::StoreEnvelope => ("text/plain", Envelope::MAX_LEN),
            // An envelope, and the JSON around it.
            Self::StoreCipherText => ("application/json", Envelope::MAX_LEN + 1024),
            _ => ("application/json", 64 * 1024),
        };
        let is_required = !matches!(
            self,
            Self::CreateClient
                | Self::CreateClientSession
                | Self::CreateClientSessionV1
                | Self::EndClientSessions
        );
        Some(Body { media_type, max_len, is_required })
    }

    /// What it answers when it does not do what it was asked for: an HTTP status, and the kind of
    /// error that goes with it.
    pub fn refusals(self) -> impl Iterator<Item = (u16, ErrorId)> {
        let of_all: &[_] =
            &[(400, BadRequest), (431, BadRequest), (500, InternalError), (503, Error)];
        // Whoever watches over the service is not counted.
        let of_rates: &[_] = match self {
            Self::Health | Self::Ready => &[],
            _ => &[(429, Error)],
        };
        let of_bodies: &[_] = match self.body() {
            Some(_) => &[(400, MessageMalformed), (413, BadRequest), (415, BadRequest)],
            None => &[],
        };
        let of_asker: &[_] = match self.asker() {
            Asker::Anybody => &[],
            Asker::Custodian | Asker::Client => &[(401, AuthFailed)],
            Asker::Device => &[(401, AuthFailed), (409, SignShareMismatch)],
        };
        [of_all, of_rates, of_bodies, of_asker, self.own_refusals()].concat().into_iter()
    }

    const fn own_refusals(self) -> &'static [(u16, ErrorId)] {
        match self {
            Self::FirstPost | Self::SecondPost => &[
                (400, DkgFailed),
                (400, DkgRefreshFailed),
                (400, DkgRefreshMismatch),
                (400, SignFailed),
                (400, WebhookFailed),
                (404, NotFound),
                (409, OperationInProgress),
                (409, StateInvalid),
            ],
            Self::PrepareEject | Self::Commit => &[
                (400, DkgRefreshMismatch),
                (400, WebhookFailed),
                (404, NotFound),
                (409, StateInvalid),
            ],
            Self::EjectableSharesOfCustodian => {
                &[(400, WebhookFailed), (404, NotFound), (409, StateInvalid)]
            }
            Self::RegisterWebhook | Self::RegisterWebhookShort => {
                &[(400, WebhookFailed), (404, NotFound)]
            }
            Self::BeginRegistration
            | Self::FinishRegistration
            | Self::BeginLogin
            | Self::ReadKey
            | Self::WriteKey
            | Self::DeleteKey
            | Self::GrantKeys
            | Self::RenamePasskey
            | Self::RemovePasskey => &[(403, AuthFailed), (404, NotFound), (409, StateInvalid)],
            Self::StoreEnvelope
            | Self::StoreCipherText
            | Self::BackupPairNotice
            | Self::SigningPairNotice
            | Self::EjectableShares => &[(404, NotFound), (409, StateInvalid)],
            Self::DropPending
            | Self::Revoke
            | Self::StoredShare
            | Self::StoredShareV1
            | Self::StoredKey
            | Self::Ejected
            | Self::ErasedPairs => &[(409, StateInvalid)],
            Self::Envelope
            | Self::BackupPairs
            | Self::SigningPairs
            | Self::CipherText
            | Self::ClientOfCustodian
            | Self::CreateClientSession
            | Self::CreateClientSessionV1
            | Self::EndClientSessions
            | Self::EnableEject
            | Self::Webhook
            | Self::Passkeys
            | Self::PasskeyKeys
            | Self::PasskeyStatus
            | Self::RelatedOrigins => &[(404, NotFound)],
            Self::Health
            | Self::Ready
            | Self::Description
            | Self::CreateClient
            | Self::Client
            | Self::ClientObject
            | Self::Identify
            | Self::Track
            | Self::Clients => &[],
        }
    }
}
