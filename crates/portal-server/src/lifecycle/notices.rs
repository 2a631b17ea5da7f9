//! What an app's word does, which no device has signed: it brings pending sets forward that their
//! device has meant for it, and nothing else.

use backup_core::{BackupId, MethodId};
use portal_api::{Completion, compat::BackupStage};

use super::{BackupSet, Refusal, find};

/// What a notice is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Noticed<'a> {
    /// A pending set, which it may bring forward.
    Pending(&'a BackupSet),
    /// A set that was completed before: nothing changes.
    Completed,
}

/// Whether the app's word counts for a set.
///
/// # Errors
///
/// [`Refusal::NeedsCommit`] if its device said that it would commit it, or if a device has
/// committed one of its method: what a device vouched for is superseded only by what a device
/// vouches for.
pub fn notice<'a>(sets: &'a [BackupSet], id: &BackupId) -> Result<Noticed<'a>, Refusal> {
    let set = find(sets, id)?;
    if set.is_completed() {
        return Ok(Noticed::Completed);
    }
    if set.completion == Completion::Commit {
        return Err(Refusal::NeedsCommit);
    }
    may_begin(sets, &set.method, set.completion).map(|()| Noticed::Pending(set))
}

/// The pending set that a notice means which names no pair: that of the method, or, if it names no
/// method either, the only one that waits for a notice.
///
/// # Errors
///
/// [`Refusal::NothingPending`] if there is none, or no only one; all else as for [`notice`].
pub fn noticed<'a>(
    sets: &'a [BackupSet],
    method: Option<&MethodId>,
) -> Result<&'a BackupSet, Refusal> {
    let waits = |set: &&BackupSet| match method {
        Some(method) => set.method == *method && !set.is_completed(),
        None => set.completion == Completion::Notice && !set.is_completed(),
    };
    let mut waiting = sets.iter().filter(waits);
    let (Some(set), None) = (waiting.next(), waiting.next()) else {
        return Err(Refusal::NothingPending);
    };
    notice(sets, &set.id).map(|_| set)
}

/// Whether a set may be begun that is to be completed in this way.
///
/// # Errors
///
/// [`Refusal::NeedsCommit`].
pub fn may_begin(
    sets: &[BackupSet],
    method: &MethodId,
    completion: Completion,
) -> Result<(), Refusal> {
    let is_committed = |set: &BackupSet| {
        set.method == *method && set.is_completed() && set.completion == Completion::Commit
    };
    if completion == Completion::Notice && sets.iter().any(is_committed) {
        return Err(Refusal::NeedsCommit);
    }
    Ok(())
}

/// Whether a pair that is at one stage changes when it is said to be at another.
///
/// # Errors
///
/// [`Refusal::Backwards`].
pub fn advances(from: BackupStage, to: BackupStage) -> Result<bool, Refusal> {
    if to < from { Err(Refusal::Backwards) } else { Ok(to > from) }
}

/// Whether a set is completed by the stages of its pairs. Where the service keeps the ciphertexts,
/// none is without.
///
/// # Errors
///
/// [`Refusal::NoEnvelope`].
pub fn completes(
    set: &BackupSet,
    stages: &[BackupStage],
    keeps_cipher_texts: bool,
) -> Result<bool, Refusal> {
    if keeps_cipher_texts && set.enrollment.is_none() && stages.contains(&BackupStage::ClientShare)
    {
        return Err(Refusal::NoEnvelope);
    }
    Ok(stages.iter().all(|stage| *stage == BackupStage::ClientShare))
}

/// Whether a set is told of to those who only have the client's API key. A pending set that an
/// app's word completes is known to the device that made it: whoever does not know the names of its
/// pairs cannot speak of them.
#[must_use]
pub fn is_told_of(set: &BackupSet) -> bool {
    set.is_completed() || set.completion == Completion::Commit
}
