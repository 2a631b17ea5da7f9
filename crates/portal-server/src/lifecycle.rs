//! The life of sets: what may be committed, what may go. Pure, so that a model can try every order.

mod notices;

use backup_core::{BackupId, Curve, MethodId};
use portal_api::{Completion, DevicePublicKey};

pub use self::notices::{Noticed, advances, completes, is_told_of, may_begin, notice, noticed};

/// A backup set, as far as its life depends on it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct BackupSet {
    /// The set.
    pub id: BackupId,
    /// The method that opens it.
    pub method: MethodId,
    /// The wallets that it brings back, by their curve.
    pub wallets: Vec<Curve>,
    /// What completes it.
    pub completion: Completion,
    /// The enrolment whose slot its envelope carries, once that is stored: a fingerprint.
    pub enrollment: Option<[u8; 32]>,
    /// How far it has come.
    pub state: SetState,
}

/// How far a set has come. It only moves forward.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SetState {
    /// It waits for its envelope or its commit, since then (seconds since 1970).
    Pending {
        /// When it was made.
        since: u64,
    },
    /// It recovers the wallets.
    Completed {
        /// Which commit of the client it was: of two sets the one with the higher number is newer.
        sequence: u64,
        /// Since when it has been seen to work, if it has (seconds since 1970).
        proved_since: Option<u64>,
    },
}

/// What a device asks to be committed.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CommitRequest {
    /// The set.
    pub id: BackupId,
    /// The head that it replaces, as far as the device knows.
    pub replaces: Option<BackupId>,
    /// Whether its slot was opened afresh after it was made.
    pub opened_after_enrollment: bool,
}

/// What a commit makes of its set.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Committed {
    /// It is completed now.
    Now {
        /// Whether it is proved at once.
        proved: bool,
    },
    /// It was completed before: this is a repetition.
    Before,
}

/// Why something is not possible. Nothing has changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// There is no such set.
    #[error("there is no such backup set")]
    NoSuchSet,
    /// The set has no envelope.
    #[error("the backup set has no envelope yet: store it first")]
    NoEnvelope,
    /// Its device commits it, or has committed one of its method.
    #[error("backups of this method are completed by their device, which commits them")]
    NeedsCommit,
    /// The app's notice completes it.
    #[error("this backup set was begun to be completed by a notice of its app")]
    NeedsNotice,
    /// No set, or no only one, waits for a notice.
    #[error("no backup waits for this notice: look at the client again")]
    NothingPending,
    /// A pair has come further.
    #[error("the share pair has come further than that: statuses only move forward")]
    Backwards,
    /// Another set has become the head.
    #[error("another backup has been completed since: look at the client again")]
    NotTheHead,
    /// The set is completed.
    #[error("the backup set is completed: revoke it to destroy it")]
    Completed,
    /// The set is pending.
    #[error("the backup set is pending: drop it")]
    Pending,
    /// A wallet would be left without a proved backup.
    #[error("this would leave a wallet without a backup that is known to work: make another first")]
    LastProved,
    /// Another signing set has become live.
    #[error("another device has recovered this wallet since: recover again")]
    AnotherIsLive,
}

impl BackupSet {
    /// Whether it recovers the wallets.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.sequence().is_some()
    }

    /// Whether it was seen to work.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.proved_since().is_some()
    }

    fn sequence(&self) -> Option<u64> {
        match self.state {
            SetState::Completed { sequence, .. } => Some(sequence),
            SetState::Pending { .. } => None,
        }
    }

    fn proved_since(&self) -> Option<u64> {
        match self.state {
            SetState::Completed { proved_since, .. } => proved_since,
            SetState::Pending { .. } => None,
        }
    }
}

/// The newest completed set of a method.
#[must_use]
pub fn head<'a>(sets: &'a [BackupSet], method: &MethodId) -> Option<&'a BackupSet> {
    let completed = sets.iter().filter(|set| set.method == *method && set.is_completed());
    completed.max_by_key(|set| set.sequence())
}

/// The newest completed set of a method that brings this wallet back: the one that Portal's routes
/// show.
#[must_use]
pub fn newest<'a>(
    sets: &'a [BackupSet],
    method: &MethodId,
    wallet: Curve,
) -> Option<&'a BackupSet> {
    let completed = sets
        .iter()
        .filter(|set| set.method == *method && set.is_completed() && set.wallets.contains(&wallet));
    completed.max_by_key(|set| set.sequence())
}

/// The newest completed set that brings this wallet back, whatever its method.
#[must_use]
pub fn newest_of_wallet(sets: &[BackupSet], wallet: Curve) -> Option<&BackupSet> {
    let completed = sets.iter().filter(|set| set.is_completed() && set.wallets.contains(&wallet));
    completed.max_by_key(|set| set.sequence())
}

/// Decides over a commit whose envelope, proofs and custodian's halves were found right.
///
/// # Errors
///
/// As [`Refusal`] says.
pub fn commit(sets: &[BackupSet], request: &CommitRequest) -> Result<Committed, Refusal> {
    let set = find(sets, &request.id)?;
    if set.is_completed() {
        return Ok(Committed::Before);
    }
    if set.completion == Completion::Notice {
        return Err(Refusal::NeedsNotice);
    }
    let enrollment = set.enrollment.ok_or(Refusal::NoEnvelope)?;
    if head(sets, &set.method).map(|head| &head.id) != request.replaces.as_ref() {
        return Err(Refusal::NotTheHead);
    }
    let is_proved_slot = sets.iter().any(|other| {
        other.is_proved() && other.method == set.method && other.enrollment == Some(enrollment)
    });
    Ok(Committed::Now { proved: request.opened_after_enrollment || is_proved_slot })
}

/// The pending sets that a new pending set of this method displaces.
pub fn displaced<'a>(
    sets: &'a [BackupSet],
    method: &'a MethodId,
) -> impl Iterator<Item = &'a BackupSet> {
    sets.iter().filter(move |set| set.method == *method && !set.is_completed())
}

/// Whether a pending set may be dropped; `None` if it is not there.
///
/// # Errors
///
/// [`Refusal::Completed`].
pub fn drop_pending<'a>(
    sets: &'a [BackupSet],
    id: &BackupId,
) -> Result<Option<&'a BackupSet>, Refusal> {
    match find(sets, id) {
        Ok(set) if set.is_completed() => Err(Refusal::Completed),
        Ok(set) => Ok(Some(set)),
        Err(_) => Ok(None),
    }
}

/// When a set may go: once each of its wallets has had a newer proved set of its method for
/// `grace` seconds. `None` while one has none.
#[must_use]
pub fn retires_at(sets: &[BackupSet], set: &BackupSet, grace: u64) -> Option<u64> {
    let sequence = set.sequence()?;
    let newer_proved = |wallet: &Curve| {
        let newer = sets.iter().filter(|other| {
            other.method == set.method
                && other.sequence() > Some(sequence)
                && other.wallets.contains(wallet)
        });
        newer.filter_map(BackupSet::proved_since).min()
    };
    let superseded_at = set.wallets.iter().map(newer_proved).collect::<Option<Vec<_>>>()?;
    superseded_at.into_iter().max().map(|since| since.saturating_add(grace))
}

/// The completed sets that go now.
pub fn retirable(sets: &[BackupSet], now: u64, grace: u64) -> impl Iterator<Item = &BackupSet> {
    let is_due = move |set: &&BackupSet| retires_at(sets, set, grace).is_some_and(|at| at <= now);
    sets.iter().filter(is_due)
}

/// The pending sets whose time is over.
pub fn expired(sets: &[BackupSet], now: u64, lifetime: u64) -> impl Iterator<Item = &BackupSet> {
    sets.iter().filter(move |set| match set.state {
        SetState::Pending { since } => since.saturating_add(lifetime) <= now,
        SetState::Completed { .. } => false,
    })
}

/// The sets that a revocation destroys. Those that are gone already are not among them.
///
/// # Errors
///
/// [`Refusal::Pending`] if one is pending; [`Refusal::LastProved`] if a wallet of one would be left
/// without a proved set.
pub fn revoke<'a>(sets: &'a [BackupSet], ids: &[BackupId]) -> Result<Vec<&'a BackupSet>, Refusal> {
    let (revoked, kept): (Vec<_>, Vec<_>) = sets.iter().partition(|set| ids.contains(&set.id));
    if revoked.iter().any(|set| !set.is_completed()) {
        return Err(Refusal::Pending);
    }
    let has_proved =
        |wallet: &Curve| kept.iter().any(|set| set.is_proved() && set.wallets.contains(wallet));
    if !revoked.iter().flat_map(|set| &set.wallets).all(has_proved) {
        return Err(Refusal::LastProved);
    }
    Ok(revoked)
}

/// Whether a pending signing set may become the live one, in the place of `replaces`.
///
/// # Errors
///
/// [`Refusal::AnotherIsLive`].
pub fn confirm(
    live: Option<DevicePublicKey>,
    pending: DevicePublicKey,
    replaces: Option<DevicePublicKey>,
) -> Result<(), Refusal> {
    if live == replaces || live == Some(pending) { Ok(()) } else { Err(Refusal::AnotherIsLive) }
}

fn find<'a>(sets: &'a [BackupSet], id: &BackupId) -> Result<&'a BackupSet, Refusal> {
    sets.iter().find(|set| set.id == *id).ok_or(Refusal::NoSuchSet)
}

#[cfg(test)]
mod tests;
