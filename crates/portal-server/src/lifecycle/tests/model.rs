//! Any sequence of steps of any length, and the one promise: who had a backup keeps one.

use proptest::{prelude::*, sample::Index};

use super::*;

/// One step. What it is about is chosen among the sets that there are.
#[derive(Clone, Debug)]
enum Step {
    BackUp {
        method: MethodId,
        wallets: Vec<Curve>,
        enrollment: u8,
        completion: Completion,
    },
    Commit {
        set: Index,
        opened: bool,
    },
    /// By whoever has the API key.
    Notice {
        set: Index,
    },
    Recover {
        set: Index,
    },
    Revoke {
        sets: Vec<Index>,
    },
    Drop {
        set: Index,
    },
    Wait {
        seconds: u64,
    },
}

/// All that the service keeps, and what was promised so far.
#[derive(Default)]
struct World {
    now: u64,
    number: u64,
    sets: Vec<BackupSet>,
    had_proved: Vec<Curve>,
}

impl World {
    fn take(&mut self, step: &Step) {
        match step {
            Step::BackUp { method, wallets, enrollment, completion } => {
                self.back_up(method, wallets, *enrollment, *completion);
            }
            Step::Notice { set } => self.notice(set),
            Step::Commit { set, opened } => self.commit(set, *opened),
            Step::Recover { set } => self.recover(set),
            Step::Revoke { sets } => self.revoke(sets),
            Step::Drop { set } => self.drop_pending(set),
            Step::Wait { seconds } => self.wait(*seconds),
        }
    }

    fn back_up(
        &mut self,
        method: &MethodId,
        wallets: &[Curve],
        enrollment: u8,
        completion: Completion,
    ) {
        if may_begin(&self.sets, method, completion).is_err() {
            return;
        }
        let gone: Vec<_> = displaced(&self.sets, method).map(|set| set.id.clone()).collect();
        self.remove(&gone);
        self.number += 1;
        self.sets.push(BackupSet {
            id: id(&self.number.to_string()),
            method: method.clone(),
            wallets: wallets.to_vec(),
            completion,
            enrollment: (enrollment > 0).then_some([enrollment; 32]),
            state: SetState::Pending { since: self.now },
        });
    }

    fn commit(&mut self, set: &Index, opened_after_enrollment: bool) {
        let Some(set) = self.choose(set) else { return };
        let replaces = head(&self.sets, &set.method).map(|head| head.id.clone());
        let request = CommitRequest { id: set.id.clone(), replaces, opened_after_enrollment };
        if let Ok(Committed::Now { proved }) = commit(&self.sets, &request) {
            self.number += 1;
            let proved_since = proved.then_some(self.now);
            self.turn_into(&set.id, SetState::Completed { sequence: self.number, proved_since });
        }
    }

    fn notice(&mut self, set: &Index) {
        let Some(set) = self.choose(set) else { return };
        if let Ok(Noticed::Pending(set)) = notice(&self.sets, &set.id) {
            let id = set.id.clone();
            self.number += 1;
            let state = SetState::Completed { sequence: self.number, proved_since: None };
            self.turn_into(&id, state);
        }
    }

    fn recover(&mut self, set: &Index) {
        let Some(set) = self.choose(set) else { return };
        if let SetState::Completed { sequence, proved_since: None } = set.state {
            let proved_since = Some(self.now);
            self.turn_into(&set.id, SetState::Completed { sequence, proved_since });
        }
    }

    fn revoke(&mut self, sets: &[Index]) {
        let ids: Vec<_> =
            sets.iter().filter_map(|set| self.choose(set)).map(|set| set.id).collect();
        let gone = revoke(&self.sets, &ids);
        let gone: Vec<_> = gone.into_iter().flatten().map(|set| set.id.clone()).collect();
        self.remove(&gone);
    }

    fn drop_pending(&mut self, set: &Index) {
        let Some(set) = self.choose(set) else { return };
        if let Ok(Some(set)) = drop_pending(&self.sets, &set.id) {
            let gone = [set.id.clone()];
            self.remove(&gone);
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        let retired = retirable(&self.sets, self.now, GRACE);
        let expired = expired(&self.sets, self.now, GRACE);
        let gone: Vec<_> = retired.chain(expired).map(|set| set.id.clone()).collect();
        self.remove(&gone);
    }

    fn choose(&self, set: &Index) -> Option<BackupSet> {
        (!self.sets.is_empty()).then(|| set.get(&self.sets).clone())
    }

    fn turn_into(&mut self, id: &BackupId, state: SetState) {
        for set in self.sets.iter_mut().filter(|set| set.id == *id) {
            set.state = state;
        }
    }

    fn remove(&mut self, ids: &[BackupId]) {
        self.sets.retain(|set| !ids.contains(&set.id));
    }

    /// The wallets that have a proved set, of this method or of any.
    fn proved(&self, method: Option<&MethodId>) -> Vec<Curve> {
        let proved = self
            .sets
            .iter()
            .filter(|set| set.is_proved() && method.is_none_or(|method| set.method == *method));
        proved.flat_map(|set| set.wallets.clone()).collect()
    }
}

fn wallets() -> impl Strategy<Value = Vec<Curve>> {
    let one = |curve| Just(vec![curve]);
    prop_oneof![Just(Curve::ALL.to_vec()), one(Curve::Secp256k1), one(Curve::Ed25519)]
}

fn method() -> impl Strategy<Value = MethodId> {
    prop_oneof![Just(MethodId::PASSWORD), Just(MethodId::GDRIVE)]
}

fn completion() -> impl Strategy<Value = Completion> {
    prop_oneof![Just(Completion::Commit), Just(Completion::Notice)]
}

fn step() -> impl Strategy<Value = Step> {
    let set = any::<Index>;
    prop_oneof![
        3 => (method(), wallets(), 0..3_u8, completion()).prop_map(
            |(method, wallets, enrollment, completion)| {
                Step::BackUp { method, wallets, enrollment, completion }
            },
        ),
        2 => set().prop_map(|set| Step::Notice { set }),
        4 => (set(), any::<bool>()).prop_map(|(set, opened)| Step::Commit { set, opened }),
        1 => set().prop_map(|set| Step::Recover { set }),
        2 => prop::collection::vec(set(), 1..4).prop_map(|sets| Step::Revoke { sets }),
        1 => set().prop_map(|set| Step::Drop { set }),
        2 => (0..2 * GRACE).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

proptest! {
    #[test]
    fn a_wallet_that_had_a_proved_set_keeps_one(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::default();
        for step in &steps {
            world.take(step);
            let proved = world.proved(None);
            world.had_proved.extend(&proved);
            for wallet in &world.had_proved {
                prop_assert!(proved.contains(wallet), "{wallet} lost its last by {step:?}");
            }
        }
    }

    #[test]
    fn by_time_alone_no_wallet_loses_its_last_proved_set_of_a_method(
        steps in prop::collection::vec(step(), 1..60),
        seconds in 0..4 * GRACE,
    ) {
        let mut world = World::default();
        steps.iter().for_each(|step| world.take(step));
        for method in [MethodId::PASSWORD, MethodId::GDRIVE] {
            let before = world.proved(Some(&method));
            world.wait(seconds);
            let after = world.proved(Some(&method));
            prop_assert!(before.iter().all(|wallet| after.contains(wallet)));
        }
    }

    #[test]
    fn what_a_device_has_committed_is_superseded_by_commits_only(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut world = World::default();
        for step in &steps {
            let before = world.sets.clone();
            world.take(step);
            for method in [MethodId::PASSWORD, MethodId::GDRIVE] {
                let Some(old) = head(&before, &method) else { continue };
                let Some(new) = head(&world.sets, &method) else { continue };
                let is_newer = new.sequence() > old.sequence();
                if is_newer && old.completion == Completion::Commit {
                    prop_assert_eq!(new.completion, Completion::Commit, "by {:?}", step);
                }
            }
        }
    }

    #[test]
    fn a_notice_proves_and_retires_nothing(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::default();
        steps.iter().for_each(|step| world.take(step));
        let before = world.proved(None);
        let kept = world.sets.len();
        for at in 0..world.sets.len() {
            let id = world.sets[at].id.clone();
            if let Ok(Noticed::Pending(_)) = notice(&world.sets, &id) {
                world.number += 1;
                let sequence = world.number;
                world.turn_into(&id, SetState::Completed { sequence, proved_since: None });
            }
        }
        prop_assert_eq!(world.proved(None), before);
        world.wait(0);
        prop_assert_eq!(world.sets.len(), kept);
    }

    #[test]
    fn at_most_one_set_of_a_method_is_pending(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::default();
        for step in &steps {
            world.take(step);
            for method in [MethodId::PASSWORD, MethodId::GDRIVE] {
                prop_assert!(displaced(&world.sets, &method).count() <= 1);
            }
        }
    }
}
