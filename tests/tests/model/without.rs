//! The rules with one of them left out, each of which loses a wallet or lies to a user.

use backup_core::{BackupId, MethodId};
use portal_api::DevicePublicKey;
use portal_client::device::{
    BackupRun, Decision, DeviceState, ServerSet, ServerSigning, SigningDecision, Step, Trial,
    after_crash, after_replacement, of_signing,
};
use portal_server::lifecycle::{
    BackupSet, CommitRequest, Committed, Refusal, commit, head, retirable,
};

use crate::rules::{Rules, ids};

/// Superseded sets go after the grace, whether or not the newer one was seen to work.
pub(crate) fn waiting_for_proof() -> Rules {
    let rule = |sets: &[BackupSet], now, grace| {
        let superseded = sets.iter().filter(|set| {
            let is_head = head(sets, &set.method).is_some_and(|head| head.id == set.id);
            set.is_completed() && !is_head
        });
        let retired = ids(retirable(sets, now, grace)).into_iter();
        retired
            .chain(ids(superseded))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    };
    Rules { retirable: rule, ..Rules::real() }
}

/// A commit proves its set, even if its slot was never opened.
pub(crate) fn proof_by_opening() -> Rules {
    let rule = |sets: &[BackupSet], request: &CommitRequest| {
        commit(sets, &CommitRequest { opened_after_enrollment: true, ..request.clone() })
    };
    Rules { commit: rule, ..Rules::real() }
}

/// A commit replaces whatever the head is.
pub(crate) fn comparison_of_the_head() -> Rules {
    Rules { commit: commit_over_any_head, ..Rules::real() }
}

fn commit_over_any_head(sets: &[BackupSet], request: &CommitRequest) -> Result<Committed, Refusal> {
    let method = |id: &BackupId| sets.iter().find(|set| set.id == *id).map(|set| &set.method);
    let seen = method(&request.id).and_then(|method: &MethodId| head(sets, method));
    let replaces = seen.map(|head| head.id.clone());
    commit(sets, &CommitRequest { replaces, ..request.clone() })
}

/// A confirmation replaces whatever signing set is live.
pub(crate) fn compare_and_swap_of_signing_sets() -> Rules {
    let rule = |_, _: DevicePublicKey, _| Ok(());
    Rules { confirm: rule, ..Rules::real() }
}

/// A device drops a pending signing set of which it has no confirmation.
pub(crate) fn keeping_an_unconfirmed_share() -> Rules {
    let rule = |state: &DeviceState, server| match of_signing(state, server) {
        SigningDecision::SendAgain if state.live().is_some() => SigningDecision::Drop,
        decision => decision,
    };
    Rules { of_signing: rule, ..Rules::real() }
}

/// A device drops a pending signing set because the service does not wait for it.
pub(crate) fn asking_whether_it_is_live() -> Rules {
    let rule = |state: &DeviceState, server| match (of_signing(state, server), server) {
        (SigningDecision::Confirm, ServerSigning::Pending) => SigningDecision::Drop,
        (decision, _) => decision,
    };
    Rules { of_signing: rule, ..Rules::real() }
}

/// A backup whose set is gone is rolled back, although it may have been committed.
pub(crate) fn leaving_what_may_be_committed() -> Rules {
    Rules {
        after_crash: |run, server| roll_back_the_absent(run, server, after_crash),
        after_replacement: |run, server| roll_back_the_absent(run, server, after_replacement),
        ..Rules::real()
    }
}

fn roll_back_the_absent(
    run: Option<&BackupRun>,
    server: ServerSet,
    otherwise: fn(Option<&BackupRun>, ServerSet) -> Decision,
) -> Decision {
    match (run, server) {
        (Some(run), ServerSet::Absent) if run.step == Step::Commit => {
            Decision::RollBack(run.announced.clone())
        }
        _ => otherwise(run, server),
    }
}

/// An interrupted backup is told complete before the service has committed it.
pub(crate) fn waiting_for_the_commit() -> Rules {
    let rule = |run: Option<&BackupRun>, server| match (run, server) {
        (Some(run), ServerSet::PendingSame) if run.step == Step::Commit => Decision::Conclude,
        _ => after_crash(run, server),
    };
    Rules { after_crash: rule, ..Rules::real() }
}

/// A backup that is finished after it was given up loses the key that was to be removed.
pub(crate) fn keeping_what_was_finished() -> Rules {
    Rules { finished_is_kept: false, ..Rules::real() }
}

/// A roll-back destroys its key before the journal is cleared.
pub(crate) fn clearing_the_journal_first() -> Rules {
    Rules { journal_goes_first: false, ..Rules::real() }
}

/// A revocation destroys the key before the service has agreed to it.
pub(crate) fn revoking_sets_first() -> Rules {
    Rules { sets_go_first: false, ..Rules::real() }
}

/// A superseded key goes although an envelope has its slot.
pub(crate) fn keeping_needed_keys() -> Rules {
    Rules { needed_is_kept: false, ..Rules::real() }
}

/// A slot that is to be opened before it counts is committed without.
pub(crate) fn waiting_for_the_trial() -> Rules {
    let rule = |run: Option<&BackupRun>, server| {
        let mut run = run.cloned();
        if let Some(completion) = run.as_mut().and_then(|run| run.completion.as_mut()) {
            completion.trial = Trial::Passed;
        }
        after_crash(run.as_ref(), server)
    };
    Rules { after_crash: rule, ..Rules::real() }
}

/// A wallet's last proved set can be revoked.
pub(crate) fn keeping_the_last_proved_set() -> Rules {
    let rule = |_: &[BackupSet], revoked: &[BackupId]| Ok(revoked.to_vec());
    Rules { revoke: rule, ..Rules::real() }
}

/// Dropping takes completed sets, too.
pub(crate) fn keeping_completed_sets_from_being_dropped() -> Rules {
    let rule = |_: &[BackupSet], id: &BackupId| Ok(Some(id.clone()));
    Rules { drop_pending: rule, ..Rules::real() }
}

/// Sets that are completed expire as pending ones do.
pub(crate) fn keeping_completed_sets_from_expiring() -> Rules {
    let rule = |sets: &[BackupSet], _, _| ids(sets);
    Rules { expired: rule, ..Rules::real() }
}

/// A new pending set leaves the others.
pub(crate) fn displacing() -> Rules {
    Rules { displaced: |_, _| vec![], ..Rules::real() }
}
