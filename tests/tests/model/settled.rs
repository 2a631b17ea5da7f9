//! What can make no difference any more is forgotten, so that states that are alike are one.

use crate::world::{Bits, Device, GONE, Life, Process, Request, Secret, Set, World};

impl World {
    /// The same, without what no rule and no property can tell.
    pub(crate) fn settled(mut self) -> Self {
        self.late = self.late.filter(|request| self.is_of_effect(request));
        self.past.told = self.past.told.without(self.past.rightly_gone);
        let may_be_live: Bits = self.service.waiting().map(|waiting| waiting.key).collect();
        let live: Bits = self.service.live.into_iter().collect();
        self.past.erased = self.past.erased.within(may_be_live | live);
        for set in 0..self.sets_begun {
            if !self.is_kept(set) && !self.is_in_a_journal(set) {
                self.past.rightly_gone.remove(set);
                self.past.completed.remove(set);
                self.service.made.remove(set);
            }
        }
        for enrollment in 0..self.sets_begun {
            if !self.may_be_used(enrollment) {
                self.forget(enrollment);
            }
        }
        for device in 0..2 {
            self.devices[device] = self.without_the_gone(self.devices[device]);
        }
        self
    }

    /// A signature counts while its key is live, which no key becomes twice.
    fn is_of_effect(&self, request: &Request) -> bool {
        let is_pending = |set: Set| {
            let kept = self.service.sets[usize::from(set)];
            kept.is_some_and(|kept| matches!(kept.life, Life::Pending { .. }))
        };
        let (is_possible, by) = match *request {
            Request::Make { set, by, .. } => (!self.service.made.contains(set), by),
            Request::Store { set, by, .. } | Request::Commit { set, by, .. } => {
                (is_pending(set), by)
            }
            Request::Drop { set, by } => (self.is_kept(set), by),
            Request::Revoke { sets, by } => (sets.iter().any(|set| self.is_kept(set)), by),
            Request::Confirm { key } => {
                return self.service.waiting().any(|waiting| waiting.key == key);
            }
        };
        is_possible && self.service.live == Some(by)
    }

    /// Whether an envelope has or may get the slot, or something is under way with its key.
    fn may_be_used(&self, enrollment: Set) -> bool {
        let is_late = matches!(self.late, Some(Request::Store { slot, .. }) if slot == enrollment);
        is_late
            || self.is_in_use(enrollment)
            || self.devices.iter().any(|device| {
                device.run.is_some_and(|run| run.slot == enrollment)
                    || device.recovered.is_some_and(|opened| opened.slot == enrollment)
                    || match device.process {
                        Process::Recovering { opened, .. } => opened.slot == enrollment,
                        Process::Revoking { keys, .. } => keys.contains(enrollment),
                        Process::Retiring { key } => key == enrollment,
                        _ => false,
                    }
            })
    }

    fn forget(&mut self, enrollment: Set) {
        self.secrets[usize::from(enrollment)] = Secret::None;
        for device in &mut self.devices {
            device.known[usize::from(enrollment)] = None;
            device.leftovers.remove(enrollment);
            device.sealers = device.sealers.map(|slot| slot.filter(|slot| *slot != enrollment));
        }
    }

    fn without_the_gone(&self, mut device: Device) -> Device {
        let is_there = |set: &Set| self.is_kept(*set) || self.is_in_a_journal(*set);
        device.heads = device.heads.map(|head| head.filter(is_there));
        if let Some(run) = &mut device.run {
            let or_gone = |set| if is_there(&set) { set } else { GONE };
            run.replaces = run.replaces.map(or_gone);
        }
        device
    }

    fn is_kept(&self, set: Set) -> bool {
        self.service.sets.get(usize::from(set)).is_some_and(Option::is_some)
    }

    fn is_in_a_journal(&self, set: Set) -> bool {
        let is_to_be_made =
            matches!(self.late, Some(Request::Make { set: made, .. }) if made == set);
        let is_of = |device: &Device| device.run.is_some_and(|run| run.set == set);
        is_to_be_made || self.devices.iter().any(is_of)
    }
}
