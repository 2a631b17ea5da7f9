//! What a device does, as `portal_client` does it: it asks its rules, the service and the user.

use portal_client::device::{Decision, ServerSet, Step, Trial};

use crate::{
    rules::{Rules, backup_run, enrollment},
    seen::{Event, Seen},
    service::ServiceRules,
    world::{Bits, Device, Kept, Key, Known, Life, Process, Request, Run, Secret, Set, World},
};

/// How a backup comes by a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Slot {
    /// It is the head's; nobody is asked.
    OfHead,
    /// The user enrolls.
    Fresh {
        /// Whether it is opened before it counts.
        trial: Trial,
        secret: Secret,
    },
}

/// One device, and who answers it. What returns `None` cannot be done now.
#[derive(Debug)]
pub(crate) struct Actor<'a> {
    pub(crate) number: usize,
    pub(crate) rules: &'a Rules,
    pub(crate) seen: &'a Seen,
}

/// Backups.
impl Actor<'_> {
    /// Begins a backup at the head that the service tells.
    pub(crate) fn begin_backup(&self, world: &mut World, method: u8, slot: Slot) -> Option<()> {
        self.is_free_and_live(world).then_some(())?;
        let set = world.sets_begun;
        let replaces = self.service().head(world, method);
        let (slot, trial) = match slot {
            Slot::OfHead => (self.silent_slot(world, method, replaces)?, Trial::NotNeeded),
            Slot::Fresh { trial, secret } => {
                world.secrets[usize::from(set)] = secret;
                (set, trial)
            }
        };
        world.sets_begun += 1;
        let step = Step::Prepare;
        let device = self.device(world);
        device.run = Some(Run { method, set, step, slot, replaces, trial });
        device.process = Process::BackingUp { at: step };
        Some(())
    }

    /// Opens the slot once; one that does not open ends the backup.
    pub(crate) fn try_slot(&self, world: &mut World) -> Option<()> {
        let device = self.device(world);
        let is_awaited = |run: &&Run| run.trial == Trial::Awaited;
        let run = device.run.as_ref().filter(is_awaited)?;
        (device.process == Process::BackingUp { at: Step::Verify }).then_some(())?;
        let slot = run.slot;
        if !world.opens(Some(slot)) {
            return self.give_up(world);
        }
        self.device(world).run.as_mut()?.trial = Trial::Passed;
        Some(())
    }

    /// Something failed, or was refused.
    pub(crate) fn give_up(&self, world: &mut World) -> Option<()> {
        let Device { run, process, .. } = *self.device(world);
        let (run, Process::BackingUp { .. }) = (run?, process) else { return None };
        if run.step < Step::Commit {
            self.roll_back(world, run.enrolled());
        } else {
            self.leave(world);
        }
        Some(())
    }

    pub(crate) fn crash(&self, world: &mut World) -> Option<()> {
        let device = self.device(world);
        (device.process != Process::Rest).then(|| device.process = Process::Rest)
    }

    /// Decides about the backup that a crash interrupted.
    pub(crate) fn restart(&self, world: &mut World) -> Option<()> {
        let Device { run, process, live, .. } = *self.device(world);
        let run = run.filter(|_| process == Process::Rest)?;
        let is_overtaken = self.service().head(world, run.method) != run.replaces;
        let is_live = live.is_some() && live == world.service.live;
        let decide = if is_live { self.rules.after_crash } else { self.rules.after_replacement };
        match decide(Some(&backup_run(&run)), server_set(world, &run, is_overtaken)) {
            Decision::Nothing => return None,
            Decision::RollBack(announced) => {
                self.roll_back(world, enrollment(&announced));
                self.seen.note(Event::RolledBack);
            }
            Decision::FinishFrom(at) => {
                self.finish_from(world, at);
                self.seen.note(Event::Finished);
            }
            Decision::Conclude => {
                self.conclude(world);
                self.seen.note(Event::Concluded);
            }
            Decision::Leave => {
                self.leave(world);
                self.seen.note(Event::Left);
            }
        }
        Some(())
    }

    /// Nobody is asked to open anything from here on.
    fn finish_from(&self, world: &mut World, at: Step) {
        let device = self.device(world);
        device.process = Process::BackingUp { at };
        if let Some(run) = device.run.as_mut().filter(|run| run.trial == Trial::Awaited) {
            run.trial = Trial::Declined;
        }
    }

    /// The end of a backup: the user is told, or it has been rolled back.
    pub(crate) fn clear(&self, world: &mut World) -> Option<()> {
        match self.device(world).process {
            Process::BackingUp { at: Step::Done } => self.conclude(world),
            Process::RollingBack { drop: false } => {
                let device = self.device(world);
                (device.run, device.process) = (None, Process::Rest);
            }
            _ => return None,
        }
        Some(())
    }

    /// What makes a backup without the user: only while the head is the one that the device knows.
    fn silent_slot(&self, world: &World, method: u8, head: Option<Set>) -> Option<Set> {
        let device = &world.devices[self.number];
        let slot = world.service.sets[usize::from(head?)]?.slot;
        let (sealer, known) =
            (device.sealers[usize::from(method)], device.heads[usize::from(method)]);
        slot.filter(|_| sealer == slot && known == head)
    }

    fn roll_back(&self, world: &mut World, announced: Option<Set>) {
        let is_live = self.is_live(world);
        let device = self.device(world);
        if let Some(announced) = announced {
            device.leftovers.insert(announced);
        }
        device.new_sealer = None;
        device.process = Process::RollingBack { drop: is_live };
    }

    fn leave(&self, world: &mut World) {
        self.keep_finished(world);
        let device = self.device(world);
        (device.run, device.new_sealer, device.process) = (None, None, Process::Rest);
    }

    fn conclude(&self, world: &mut World) {
        self.keep_finished(world);
        let device = self.device(world);
        let run = device.run.take().expect("it is what is concluded");
        let method = usize::from(run.method);
        if device.new_sealer.take() == Some(run.slot) {
            device.sealers[method] = Some(run.slot);
        }
        device.heads[method] = Some(run.set);
        device.note(run.slot, run.method, run.trial == Trial::Passed);
        device.process = Process::Rest;
        world.tell(run.set, run.method);
    }

    /// It may have been given up, and what it left not removed yet.
    fn keep_finished(&self, world: &mut World) {
        let device = self.device(world);
        if let (true, Some(run)) = (self.rules.finished_is_kept, device.run) {
            device.leftovers.remove(run.slot);
        }
    }
}

/// Keys.
impl Actor<'_> {
    /// The user revokes a method.
    pub(crate) fn begin_revocation(&self, world: &mut World, method: u8) -> Option<()> {
        self.is_free_and_live(world).then_some(())?;
        let sets: Bits = world.completed(method).map(|(set, _)| set).collect();
        let is_pending = |kept: &Kept| kept.method == method && !kept.is_completed();
        let pending = world.sets().find(|(_, kept)| is_pending(kept)).map(|(set, _)| set);
        let device = self.device(world);
        let of_method = device.known().filter(|(_, known)| known.method == method);
        let keys: Bits = of_method.map(|(slot, _)| slot).collect();
        device.process = Process::Revoking { method, sets, pending, keys };
        Some(())
    }

    /// Wants a superseded key destroyed, whose successor has worked for long.
    pub(crate) fn begin_retiring(&self, world: &mut World, key: Set) -> Option<()> {
        self.is_free_and_live(world).then_some(())?;
        let device = *self.device(world);
        let Known { method, .. } =
            device.known[usize::from(key)].filter(|known| !known.is_current)?;
        let is_successor = |known: &Known| known.is_current && known.method == method;
        let (newer, known) = device.known().find(|(_, known)| is_successor(known))?;
        let head = self.service().head(world, method)?;
        let head_slot = world.service.sets[usize::from(head)]?.slot;
        let knows_head =
            head_slot == Some(newer) && device.heads[usize::from(method)] == Some(head);
        let is_needed = world.sets().any(|(_, kept)| {
            kept.method == method && (kept.slot.is_none() || kept.slot == Some(key))
        });
        let is_unneeded = knows_head && !is_needed || !self.rules.needed_is_kept;
        (known.proved == Some(true) && is_unneeded).then_some(())?;
        self.device(world).process = Process::Retiring { key };
        Some(())
    }

    /// Destroys the next key of those that are to go.
    pub(crate) fn destroy(&self, world: &mut World) -> Option<()> {
        let Device { process, leftovers, run, .. } = *self.device(world);
        let key = match process {
            Process::Rest if run.is_none() => leftovers.iter().next()?,
            Process::RollingBack { .. } if !self.rules.journal_goes_first => {
                leftovers.iter().next()?
            }
            Process::Retiring { key } => key,
            Process::Revoking { sets, pending, keys, .. }
                if sets.is_empty() && pending.is_none() || !self.rules.sets_go_first =>
            {
                keys.iter().next()?
            }
            _ => return None,
        };
        self.destroyed(world, key);
        world.destroy(key);
        self.seen.note(Event::KeyDestroyed);
        Some(())
    }

    fn destroyed(&self, world: &mut World, key: Set) {
        let device = self.device(world);
        device.leftovers.remove(key);
        match &mut device.process {
            Process::Retiring { .. } => {
                device.known[usize::from(key)] = None;
                device.process = Process::Rest;
            }
            Process::Revoking { keys, .. } => {
                device.known[usize::from(key)] = None;
                keys.remove(key);
                self.end_revocation(world);
            }
            _ => {}
        }
    }

    fn end_revocation(&self, world: &mut World) {
        let device = self.device(world);
        if let Process::Revoking { method, sets, pending: None, keys } = device.process
            && sets.is_empty()
            && keys.is_empty()
        {
            device.sealers[usize::from(method)] = None;
            device.heads[usize::from(method)] = None;
            device.process = Process::Rest;
        }
    }
}

/// Requests.
impl Actor<'_> {
    /// Asks for what comes next, and has the answer.
    pub(crate) fn ask(&self, world: &mut World) -> Option<()> {
        let request = self.next_request(world)?;
        self.before(world);
        match self.service().answer(world, request) {
            Ok(()) => self.after(world),
            Err(_) => self.refused(world),
        }
        Some(())
    }

    /// Asks for what comes next, and hears nothing.
    pub(crate) fn ask_in_vain(&self, world: &mut World) -> Option<()> {
        let request = self.next_request(world)?;
        self.before(world);
        world.late = Some(request);
        if let Process::RollingBack { drop } = &mut self.device(world).process {
            *drop = false;
        }
        Some(())
    }

    fn next_request(&self, world: &World) -> Option<Request> {
        let device = &world.devices[self.number];
        let by = device.live?;
        match device.process {
            Process::BackingUp { at } => next_of(&device.run?, at, by),
            Process::RollingBack { drop: true } => Some(Request::Drop { set: device.run?.set, by }),
            Process::Revoking { sets, .. } if !sets.is_empty() => {
                Some(Request::Revoke { sets, by })
            }
            Process::Revoking { pending: Some(set), .. } => Some(Request::Drop { set, by }),
            _ => None,
        }
    }

    /// The journal has a step before its first effect.
    fn before(&self, world: &mut World) {
        let device = self.device(world);
        let (Process::BackingUp { at }, Some(run)) = (&mut device.process, &mut device.run) else {
            return;
        };
        match at {
            Step::Seal => *at = Step::Store,
            Step::Verify => *at = Step::Commit,
            _ => {}
        }
        run.step = run.step.max(*at);
    }

    fn after(&self, world: &mut World) {
        let device = self.device(world);
        match (&mut device.process, &mut device.run) {
            (Process::BackingUp { at }, Some(run)) => {
                let next = Step::ALL.into_iter().find(|step| step > at);
                *at = next.expect("nothing is asked for when it is done");
                run.step = run.step.max(*at);
                if *at == Step::Seal && run.trial != Trial::NotNeeded {
                    device.new_sealer = Some(run.slot);
                }
            }
            (Process::RollingBack { drop }, _) => *drop = false,
            (Process::Revoking { sets, pending, .. }, _) => {
                if sets.is_empty() {
                    *pending = None;
                } else {
                    *sets = Bits::default();
                }
                self.end_revocation(world);
            }
            _ => {}
        }
    }

    fn refused(&self, world: &mut World) {
        match &mut self.device(world).process {
            Process::BackingUp { .. } => {
                self.give_up(world);
            }
            Process::RollingBack { drop } => *drop = false,
            process => *process = Process::Rest,
        }
    }

    /// Nothing is left of what was before; a pending signing set that never will be live may be.
    fn is_free_and_live(&self, world: &World) -> bool {
        let device = &world.devices[self.number];
        device.process == Process::Rest && device.run.is_none() && self.is_live(world)
    }

    fn is_live(&self, world: &World) -> bool {
        let live = world.devices[self.number].live;
        live.is_some() && live == world.service.live
    }

    pub(crate) fn device<'w>(&self, world: &'w mut World) -> &'w mut Device {
        &mut world.devices[self.number]
    }

    pub(crate) fn service(&self) -> ServiceRules<'_> {
        ServiceRules { rules: self.rules, seen: self.seen }
    }
}

/// A slot that is to be opened first is not committed before.
fn next_of(run: &Run, at: Step, by: Key) -> Option<Request> {
    let Run { method, set, slot, replaces, trial, .. } = *run;
    match at {
        Step::Prepare => Some(Request::Make { set, method, by }),
        Step::Seal | Step::Store => Some(Request::Store { set, slot, by }),
        Step::Verify | Step::Commit if trial != Trial::Awaited => {
            Some(Request::Commit { set, replaces, opened: trial == Trial::Passed, by })
        }
        Step::Verify | Step::Commit | Step::Done => None,
    }
}

/// What the service's answer is to the device's rules.
fn server_set(world: &World, run: &Run, is_overtaken: bool) -> ServerSet {
    let Some(kept) = world.service.sets[usize::from(run.set)] else { return ServerSet::Absent };
    let is_same = run.step >= Step::Seal && kept.slot == Some(run.slot);
    match (kept.life, kept.slot) {
        (Life::Completed { .. }, _) if is_same => ServerSet::CompletedSame,
        (Life::Completed { .. }, _) => ServerSet::CompletedOther,
        (Life::Pending { .. }, _) if is_overtaken => ServerSet::Overtaken,
        (Life::Pending { .. }, None) => ServerSet::PendingEmpty,
        (Life::Pending { .. }, Some(_)) if is_same => ServerSet::PendingSame,
        (Life::Pending { .. }, Some(_)) => ServerSet::PendingOther,
    }
}
