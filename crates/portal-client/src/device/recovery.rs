//! What to do with what a crash interrupted: pure decisions, the server's committed state counts.

use backup_core::{MethodId, MethodParams};

use super::{
    completion::Trial,
    journal::{BackupRun, Step},
    state::DeviceState,
};

/// What the server says of the set of a [`BackupRun`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ServerSet {
    /// It has no such set: it was never made, or dropped.
    Absent,
    /// The set waits for its ciphertext.
    PendingEmpty,
    /// The set has the journal's ciphertext.
    PendingSame,
    /// The set has another ciphertext.
    PendingOther,
    /// The set is pending, and another set has become the head that it was to replace.
    Overtaken,
    /// The set is completed, with the journal's ciphertext.
    CompletedSame,
    /// The set is completed, with another ciphertext.
    CompletedOther,
}

impl ServerSet {
    /// Every answer.
    pub const ALL: [Self; 7] = [
        Self::Absent,
        Self::PendingEmpty,
        Self::PendingSame,
        Self::PendingOther,
        Self::Overtaken,
        Self::CompletedSame,
        Self::CompletedOther,
    ];
}

/// What to do about an interrupted backup. None of it asks the user anything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Nothing was interrupted.
    Nothing,
    /// It cannot be finished, and nobody can depend on it: clear the journal, and only then revoke
    /// these. The other way round, a crash in between might leave it to be finished after all.
    RollBack(Vec<(MethodId, MethodParams)>),
    /// Go on from this step with the journal's envelope.
    FinishFrom(Step),
    /// It is complete: keep its head and sealer in the device's state, and what was announced, even
    /// if it was to be revoked; then clear the journal.
    Conclude,
    /// It cannot be finished, and something may depend on what was announced: revoke nothing,
    /// report it, then clear the journal.
    Leave,
}

/// Decides about an interrupted backup.
///
/// What was announced is given up only if no commit can have been sent and the server claims none:
/// so that a server that lies, or was set back to yesterday, has no key destroyed that a completed
/// backup needs.
#[must_use]
pub fn after_crash(run: Option<&BackupRun>, server: ServerSet) -> Decision {
    let Some(run) = run else { return Decision::Nothing };
    match by_step(run, server) {
        Decision::FinishFrom(_) if !can_be_finished(run) => give_up(run),
        decision => decision,
    }
}

/// Decides the same on a device whose signing set is not the live one any more: it cannot commit.
#[must_use]
pub fn after_replacement(run: Option<&BackupRun>, server: ServerSet) -> Decision {
    match (run, after_crash(run, server)) {
        (Some(run), Decision::FinishFrom(_)) => give_up(run),
        (_, decision) => decision,
    }
}

/// Nobody is asked anything, so a slot that nobody has opened yet stays out.
fn can_be_finished(run: &BackupRun) -> bool {
    run.completion.as_ref().is_some_and(|completion| {
        completion.trial != Trial::Awaited && !completion.halves.is_empty()
    })
}

fn give_up(run: &BackupRun) -> Decision {
    if run.step < Step::Commit {
        Decision::RollBack(run.announced.clone())
    } else {
        Decision::Leave
    }
}

fn by_step(run: &BackupRun, server: ServerSet) -> Decision {
    match (run.step, server) {
        (Step::Done, _) => Decision::Conclude,
        (Step::Prepare, ServerSet::CompletedSame) | (_, ServerSet::CompletedOther) => {
            Decision::Leave
        }
        (_, ServerSet::CompletedSame) => Decision::Conclude,
        (Step::Prepare, _) => Decision::RollBack(run.announced.clone()),
        (_, ServerSet::PendingEmpty) => Decision::FinishFrom(Step::Store),
        (Step::Commit, ServerSet::PendingSame) => Decision::FinishFrom(Step::Commit),
        (_, ServerSet::PendingSame) => Decision::FinishFrom(Step::Verify),
        (Step::Commit, _) => Decision::Leave,
        (Step::Seal | Step::Store | Step::Verify, _) => Decision::RollBack(run.announced.clone()),
    }
}

/// Which of the device's signing sets the server signs with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ServerSigning {
    /// The device's pending set.
    Pending,
    /// The device's pending set, once it is confirmed: the server waits for that.
    Unconfirmed,
    /// The device's live set; it knows of no other.
    Live,
    /// Neither.
    Neither,
}

impl ServerSigning {
    /// Every answer.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Unconfirmed, Self::Live, Self::Neither];
}

/// What to do about a pending signing set.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SigningDecision {
    /// None is pending.
    Nothing,
    /// Make it the live one.
    Confirm,
    /// Send the confirmation again.
    SendAgain,
    /// Drop it.
    Drop,
    /// Keep both and recover: neither signs, as far as the server says.
    KeepBoth,
}

/// Decides about a pending signing set. A share is dropped only when another one signs.
#[must_use]
pub fn of_signing(state: &DeviceState, server: ServerSigning) -> SigningDecision {
    if state.pending().is_none() {
        return SigningDecision::Nothing;
    }
    match server {
        ServerSigning::Pending => SigningDecision::Confirm,
        ServerSigning::Unconfirmed => SigningDecision::SendAgain,
        ServerSigning::Live if state.live().is_some() => SigningDecision::Drop,
        ServerSigning::Live | ServerSigning::Neither => SigningDecision::KeepBoth,
    }
}

#[cfg(test)]
mod tests {
    use backup_core::{BackupId, Curve, SharePairId};
    use portal_mpc::HoldProof;

    use super::{
        super::completion::{Completion, Half},
        *,
    };

    fn run(step: Step) -> BackupRun {
        run_with(step, Trial::Passed)
    }

    fn run_with(step: Step, trial: Trial) -> BackupRun {
        let params = MethodParams::from_bytes([7]).unwrap();
        let half = Half {
            curve: Curve::Ed25519,
            pair: SharePairId::new("p1").unwrap(),
            proof: HoldProof::from_bytes(&[1; HoldProof::LEN]).unwrap(),
        };
        let halves = if step >= Step::Seal { vec![half] } else { Vec::new() };
        BackupRun {
            completion: Some(Completion { replaces: None, trial, halves }),
            method: MethodId::GDRIVE,
            backup: BackupId::new("b1").unwrap(),
            step,
            announced: vec![(MethodId::GDRIVE, params)],
            envelope: (step >= Step::Seal).then(|| "portal-backup-1.".to_owned()),
        }
    }

    fn every_case() -> impl Iterator<Item = (Step, ServerSet, Decision)> {
        Step::ALL.into_iter().flat_map(|step| {
            ServerSet::ALL
                .into_iter()
                .map(move |server| (step, server, after_crash(Some(&run(step)), server)))
        })
    }

    #[test]
    fn without_a_run_there_is_nothing_to_do() {
        for server in ServerSet::ALL {
            assert_eq!(after_crash(None, server), Decision::Nothing);
        }
    }

    #[test]
    fn nothing_is_revoked_once_a_commit_may_have_been_sent_or_is_claimed() {
        for (step, server, decision) in every_case() {
            let completed = [ServerSet::CompletedSame, ServerSet::CompletedOther].contains(&server);
            if step >= Step::Commit || completed {
                assert!(!matches!(decision, Decision::RollBack(_)), "{step:?} {server:?}");
            }
        }
    }

    #[test]
    fn what_is_rolled_back_revokes_all_that_was_announced() {
        for (step, _, decision) in every_case() {
            if let Decision::RollBack(revoked) = decision {
                assert_eq!(revoked, run(step).announced);
            }
        }
    }

    #[test]
    fn a_crash_before_sealing_is_never_finished() {
        for server in ServerSet::ALL {
            let decision = after_crash(Some(&run(Step::Prepare)), server);
            assert!(
                matches!(decision, Decision::RollBack(_) | Decision::Leave),
                "{server:?}: {decision:?}"
            );
        }
    }

    #[test]
    fn what_the_server_committed_is_concluded_from_every_step_that_has_the_envelope() {
        for step in Step::ALL.into_iter().filter(|step| *step >= Step::Seal) {
            let decision = after_crash(Some(&run(step)), ServerSet::CompletedSame);
            assert_eq!(decision, Decision::Conclude, "{step:?}");
        }
    }

    #[test]
    fn a_slot_that_was_to_be_tried_and_was_not_is_never_committed() {
        for step in Step::ALL {
            for server in ServerSet::ALL {
                let awaited = after_crash(Some(&run_with(step, Trial::Awaited)), server);
                let early = after_crash(Some(&BackupRun { completion: None, ..run(step) }), server);
                for decision in [awaited, early] {
                    assert!(!matches!(decision, Decision::FinishFrom(_)), "{step:?} {server:?}");
                    let destroys = matches!(decision, Decision::RollBack(_));
                    assert!(!destroys || step < Step::Commit, "{step:?} {server:?}");
                }
            }
        }
    }

    #[test]
    fn a_replaced_device_finishes_nothing_and_decides_all_else_as_before() {
        for (step, server, decision) in every_case() {
            let replaced = after_replacement(Some(&run(step)), server);
            match decision {
                Decision::FinishFrom(_) if step < Step::Commit => {
                    assert_eq!(replaced, Decision::RollBack(run(step).announced));
                }
                Decision::FinishFrom(_) => assert_eq!(replaced, Decision::Leave),
                decision => assert_eq!(replaced, decision),
            }
        }
        assert_eq!(after_replacement(None, ServerSet::Absent), Decision::Nothing);
    }

    #[test]
    fn a_backup_is_told_complete_only_if_it_was_committed() {
        for (step, server, decision) in every_case() {
            if decision == Decision::Conclude {
                assert!(step == Step::Done || server == ServerSet::CompletedSame, "{step:?}");
            }
        }
    }

    #[test]
    fn nothing_is_committed_that_was_not_verified_with_these_bytes() {
        for (step, server, decision) in every_case() {
            if decision == Decision::FinishFrom(Step::Commit) {
                assert_eq!((step, server), (Step::Commit, ServerSet::PendingSame));
            }
        }
    }

    #[test]
    fn a_pending_set_with_our_bytes_or_none_is_finished() {
        for step in [Step::Seal, Step::Store, Step::Verify, Step::Commit] {
            for server in [ServerSet::PendingEmpty, ServerSet::PendingSame] {
                let decision = after_crash(Some(&run(step)), server);
                assert!(matches!(decision, Decision::FinishFrom(_)), "{step:?} {server:?}");
            }
        }
    }

    #[test]
    fn a_signing_set_is_dropped_only_while_another_signs() {
        use backup_core::{Curve, Point, SharePairId, secrecy::SecretBox};

        use crate::device::{SigningPair, SigningSet};

        let set = || {
            let pair = SigningPair {
                pair: SharePairId::new("p").unwrap(),
                wallet: Point::new(Curve::Ed25519, &[1; 32]).unwrap(),
                share: vec![1].into(),
            };
            SigningSet::new(SecretBox::new(Box::new([1; 32])), vec![pair]).unwrap()
        };
        for server in ServerSigning::ALL {
            let mut state = DeviceState::default();
            assert_eq!(of_signing(&state, server), SigningDecision::Nothing);
            state.keep_pending(set()).unwrap();
            assert_ne!(of_signing(&state, server), SigningDecision::Drop, "{server:?}");
            state.confirm_pending().unwrap();
            state.keep_pending(set()).unwrap();
            let dropped = of_signing(&state, server) == SigningDecision::Drop;
            assert_eq!(dropped, server == ServerSigning::Live);
            let confirmed = of_signing(&state, server) == SigningDecision::Confirm;
            assert_eq!(confirmed, server == ServerSigning::Pending);
        }
    }
}
