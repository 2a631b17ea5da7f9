//! The rules of the code, as the model calls them, and how its world looks to them.

use backup_core::{
    BackupId, Curve, MethodId, MethodParams, Point, SharePairId, secrecy::SecretBox,
};
use portal_api::DevicePublicKey;
use portal_client::device::{
    BackupRun, Completion, Decision, DeviceState, Half, ServerSet, ServerSigning, SigningDecision,
    SigningPair, SigningSet, Step, after_crash, after_replacement, of_signing,
};
use portal_mpc::HoldProof;
use portal_server::lifecycle::{
    self, BackupSet, CommitRequest, Committed, Refusal, SetState, commit, confirm,
};

use crate::world::{Device, Kept, Key, Life, Run, Set, World};

/// Which sets a revocation destroys.
type Revoke = fn(&[BackupSet], &[BackupId]) -> Result<Vec<BackupId>, Refusal>;

/// The decisions of the service and of the device. Those that give sets give their ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) head: fn(&[BackupSet], &MethodId) -> Option<BackupId>,
    pub(crate) commit: fn(&[BackupSet], &CommitRequest) -> Result<Committed, Refusal>,
    pub(crate) displaced: fn(&[BackupSet], &MethodId) -> Vec<BackupId>,
    pub(crate) drop_pending: fn(&[BackupSet], &BackupId) -> Result<Option<BackupId>, Refusal>,
    pub(crate) retirable: fn(&[BackupSet], u64, u64) -> Vec<BackupId>,
    pub(crate) expired: fn(&[BackupSet], u64, u64) -> Vec<BackupId>,
    pub(crate) revoke: Revoke,
    pub(crate) confirm: fn(
        Option<DevicePublicKey>,
        DevicePublicKey,
        Option<DevicePublicKey>,
    ) -> Result<(), Refusal>,
    pub(crate) after_crash: fn(Option<&BackupRun>, ServerSet) -> Decision,
    pub(crate) after_replacement: fn(Option<&BackupRun>, ServerSet) -> Decision,
    pub(crate) of_signing: fn(&DeviceState, ServerSigning) -> SigningDecision,
    /// Whether the keys of a backup that was given up are kept once it is finished after all.
    pub(crate) finished_is_kept: bool,
    /// Whether a backup is given up only when its journal is cleared.
    pub(crate) journal_goes_first: bool,
    /// Whether a revocation destroys a key only when the service has revoked its sets.
    pub(crate) sets_go_first: bool,
    /// Whether a superseded key stays while an envelope has its slot.
    pub(crate) needed_is_kept: bool,
}

impl Rules {
    /// Those of the code. How a device goes about it is `docs/service.md`'s.
    pub(crate) fn real() -> Self {
        Self {
            head: |sets, method| lifecycle::head(sets, method).map(|set| set.id.clone()),
            commit,
            displaced: |sets, method| ids(lifecycle::displaced(sets, method)),
            drop_pending: |sets, id| {
                lifecycle::drop_pending(sets, id).map(|set| set.map(|set| set.id.clone()))
            },
            retirable: |sets, now, grace| ids(lifecycle::retirable(sets, now, grace)),
            expired: |sets, now, lifetime| ids(lifecycle::expired(sets, now, lifetime)),
            revoke: |sets, revoked| lifecycle::revoke(sets, revoked).map(ids),
            confirm,
            after_crash,
            after_replacement,
            of_signing,
            finished_is_kept: true,
            journal_goes_first: true,
            sets_go_first: true,
            needed_is_kept: true,
        }
    }
}

pub(crate) fn ids<'a>(sets: impl IntoIterator<Item = &'a BackupSet>) -> Vec<BackupId> {
    sets.into_iter().map(|set| set.id.clone()).collect()
}

pub(crate) const NOW: u64 = 100;
/// The limits of everything: a time that is long ago is exactly this far away.
pub(crate) const LIMIT: u64 = 1;

fn time(long_ago: bool) -> u64 {
    if long_ago { NOW - LIMIT } else { NOW }
}

pub(crate) fn method(method: u8) -> MethodId {
    [MethodId::GDRIVE, MethodId::ICLOUD][usize::from(method)].clone()
}

pub(crate) fn id(set: Set) -> BackupId {
    const IDS: [&str; 5] = ["0", "1", "2", "3", "gone"];
    BackupId::new(IDS[usize::from(set)]).unwrap()
}

pub(crate) fn number(id: &BackupId) -> Set {
    id.as_str().parse().unwrap()
}

pub(crate) fn public_key(key: Key) -> DevicePublicKey {
    DevicePublicKey::from_bytes([key; 32])
}

/// The sets as the service's rules see them.
pub(crate) fn sets(world: &World) -> Vec<BackupSet> {
    world.sets().map(|(set, kept)| backup_set(set, &kept)).collect()
}

fn backup_set(set: Set, kept: &Kept) -> BackupSet {
    let state = match kept.life {
        Life::Pending { long_ago } => SetState::Pending { since: time(long_ago) },
        Life::Completed { sequence, proved } => {
            SetState::Completed { sequence: sequence.into(), proved_since: proved.map(time) }
        }
    };
    BackupSet {
        id: id(set),
        method: method(kept.method),
        wallets: vec![Curve::Ed25519],
        // Sets of other apps are completed by notices here even where the rules would refuse them.
        completion: portal_api::Completion::Commit,
        enrollment: kept.slot.map(|slot| [slot; 32]),
        state,
    }
}

/// The journal as the device's rules see it.
pub(crate) fn backup_run(run: &Run) -> BackupRun {
    let method = method(run.method);
    let params = |slot| MethodParams::from_bytes([slot]).unwrap();
    let is_sealed = run.step >= Step::Seal;
    let half = Half {
        curve: Curve::Ed25519,
        pair: SharePairId::new("p").unwrap(),
        proof: HoldProof::from_bytes(&[0; HoldProof::LEN]).unwrap(),
    };
    let completion = Completion {
        replaces: run.replaces.map(id),
        trial: run.trial,
        halves: is_sealed.then_some(half).into_iter().collect(),
    };
    BackupRun {
        backup: id(run.set),
        step: run.step,
        announced: run.enrolled().map(|slot| (method.clone(), params(slot))).into_iter().collect(),
        envelope: is_sealed.then(|| run.slot.to_string()),
        completion: Some(completion),
        method,
    }
}

/// What a roll-back destroys: a run of the model enrolls once.
pub(crate) fn enrollment(announced: &[(MethodId, MethodParams)]) -> Option<Set> {
    announced.first().map(|(_, params)| params.as_bytes()[0])
}

/// The device's signing sets as the device keeps them.
pub(crate) fn device_state(device: &Device) -> DeviceState {
    let mut state = DeviceState::default();
    if let Some(live) = device.live {
        state.go_live(signing_set(live));
    }
    if let Some(pending) = device.pending {
        state.replace_pending(signing_set(pending));
    }
    state
}

pub(crate) fn signing_set(key: Key) -> SigningSet {
    let pair = SigningPair {
        pair: SharePairId::new("p").unwrap(),
        wallet: Point::new(Curve::Ed25519, &[1; 32]).unwrap(),
        share: vec![1].into(),
    };
    SigningSet::new(SecretBox::new(Box::new([key; 32])), vec![pair]).unwrap()
}
