//! Why a step of a protocol failed, and what the device is told.

use backup_core::{Curve, SharePairId};
use portal_api::ErrorId;
use portal_mpc::{
    ByCurve, Error, FormatError, FrozenShare, OnCurve, OperationKind, PairId, Server, SignError,
    StoredShare,
};

use crate::error::ApiError;

/// Why a step failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The protocol did not go on.
    Failed(Error),
    /// What this server stored is not what it should be.
    Stored(FormatError),
    /// The device cheated in a way that leaks something about a pair.
    Frozen {
        /// The pair.
        pair: PairId,
        /// What is left of it. A pair that is not live yet goes altogether.
        share: Option<Box<FrozenShare<Server>>>,
    },
}

impl Trouble {
    /// Of an error while signing with these shares.
    pub(super) fn of(error: SignError, shares: ByCurve<StoredShare<Server>>) -> Self {
        match error {
            SignError::Failed(error) => Self::Failed(error),
            SignError::Frozen(frozen) => Self::Frozen {
                pair: frozen.pair,
                share: freeze(shares, frozen.curve).map(Box::new),
            },
        }
    }

    /// What the device is told.
    pub(super) fn told(&self, kind: OperationKind) -> ApiError {
        match self {
            Self::Failed(Error::Randomness) => ApiError::internal(Error::Randomness),
            Self::Failed(error) => ApiError::new(error_id(kind, *error), error.to_string()),
            Self::Stored(error) => ApiError::internal(error),
            Self::Frozen { .. } => ApiError::new(
                ErrorId::SignFailed,
                "the pair is frozen and signs no more: back it up and recover the backup",
            ),
        }
    }
}

/// The one of these pairs that is frozen.
pub(super) fn named<'a>(
    pair: &PairId,
    mut names: impl Iterator<Item = &'a SharePairId>,
) -> Option<&'a SharePairId> {
    names.find(|name| PairId::from_name(name.as_str()) == *pair)
}

fn freeze(shares: ByCurve<StoredShare<Server>>, curve: Curve) -> Option<FrozenShare<Server>> {
    let mut shares = [shares.secp256k1, shares.ed25519].into_iter().flatten();
    match shares.find(|share| share.curve() == curve)? {
        StoredShare::Live(share) => Some(share.freeze()),
        StoredShare::Frozen(share) => Some(share),
        StoredShare::Unconfirmed(_) => None,
    }
}

const fn error_id(kind: OperationKind, error: Error) -> ErrorId {
    match (kind, error) {
        (_, Error::Damaged) => ErrorId::MessageMalformed,
        (_, Error::Version(_) | Error::WrongCurve) => ErrorId::BadRequest,
        (OperationKind::Recover, Error::PairMismatch | Error::CommitmentMismatch) => {
            ErrorId::DkgRefreshMismatch
        }
        (_, Error::PairMismatch) => ErrorId::SignShareMismatch,
        (OperationKind::Generate, _) => ErrorId::DkgFailed,
        (OperationKind::Backup | OperationKind::Recover, _) => ErrorId::DkgRefreshFailed,
        (OperationKind::Sign | OperationKind::Confirm, _) => ErrorId::SignFailed,
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<FormatError> for Trouble {
    fn from(error: FormatError) -> Self {
        Self::Stored(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [OperationKind; 5] = [
        OperationKind::Generate,
        OperationKind::Sign,
        OperationKind::Backup,
        OperationKind::Recover,
        OperationKind::Confirm,
    ];

    #[test]
    fn damage_is_to_be_sent_again_whatever_the_operation() {
        for kind in ALL {
            assert_eq!(error_id(kind, Error::Damaged), ErrorId::MessageMalformed);
        }
    }

    #[test]
    fn a_share_of_another_pair_is_a_mismatch_and_all_else_a_failure_of_its_operation() {
        let broken = Error::Misbehaved("in a test");
        let expected = [
            (ErrorId::SignShareMismatch, ErrorId::DkgFailed),
            (ErrorId::SignShareMismatch, ErrorId::SignFailed),
            (ErrorId::SignShareMismatch, ErrorId::DkgRefreshFailed),
            (ErrorId::DkgRefreshMismatch, ErrorId::DkgRefreshFailed),
            (ErrorId::SignShareMismatch, ErrorId::SignFailed),
        ];
        for (kind, (mismatch, failed)) in ALL.into_iter().zip(expected) {
            assert_eq!(error_id(kind, Error::PairMismatch), mismatch, "{kind:?}");
            assert_eq!(error_id(kind, broken), failed, "{kind:?}");
        }
    }

    #[test]
    fn only_a_recovery_may_be_told_to_use_another_backup() {
        for kind in ALL {
            let id = error_id(kind, Error::CommitmentMismatch);
            let is_recovery = kind == OperationKind::Recover;
            assert_eq!(id == ErrorId::DkgRefreshMismatch, is_recovery, "{kind:?}");
        }
    }
}
