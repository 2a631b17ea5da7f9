//! What the service does: it looks at the signature, asks its rules, and changes its storage.

use portal_server::lifecycle::{CommitRequest, Committed};

use crate::{
    rules::{LIMIT, NOW, Rules, id, method, number, public_key, sets},
    seen::{Event, Seen},
    world::{Bits, Kept, Key, Life, Request, Secret, Set, Waiting, World},
};

/// The request is refused, and nothing has changed.
#[derive(Debug)]
pub(crate) struct Refused;

/// Whether an answer says so.
pub(crate) type Answer = Result<(), Refused>;

#[derive(Debug)]
pub(crate) struct ServiceRules<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) seen: &'a Seen,
}

impl ServiceRules<'_> {
    pub(crate) fn answer(&self, world: &mut World, request: Request) -> Answer {
        match request {
            Request::Make { set, method, by } => {
                is_live(world, by)?;
                self.make(world, set, method);
                Ok(())
            }
            Request::Store { set, slot, by } => {
                is_live(world, by)?;
                store(world, set, slot)
            }
            Request::Commit { set, replaces, opened, by } => {
                is_live(world, by)?;
                self.commit(world, set, replaces, opened)
            }
            Request::Drop { set, by } => {
                is_live(world, by)?;
                self.drop(world, set)
            }
            Request::Revoke { sets, by } => {
                is_live(world, by)?;
                self.revoke(world, sets)
            }
            Request::Confirm { key } => self.confirm(world, key),
        }
    }

    /// A set of an app that uses no device key, made and completed at once; its user is told.
    pub(crate) fn set_by_another_app(&self, world: &mut World, method: u8) {
        let set = world.sets_begun;
        world.sets_begun += 1;
        world.sets_by_others += 1;
        world.secrets[usize::from(set)] = Secret::Works;
        self.make(world, set, method);
        complete(world, set, Some(set), None);
        world.tell(set, method);
    }

    pub(crate) fn head(&self, world: &World, of: u8) -> Option<Set> {
        (self.rules.head)(&sets(world), &method(of)).map(|id| number(&id))
    }

    pub(crate) fn retire(&self, world: &mut World) -> bool {
        let gone = (self.rules.retirable)(&sets(world), NOW, LIMIT);
        let gone: Vec<_> = gone.iter().filter_map(|id| take(world, number(id))).collect();
        for (set, retired) in &gone {
            let is_newer = |kept: &Kept| kept.is_proved() && kept.sequence() > retired.sequence();
            if world.completed(retired.method).any(|(_, kept)| is_newer(&kept)) {
                world.past.rightly_gone.insert(*set);
            }
            self.seen.note(Event::Retired);
        }
        !gone.is_empty()
    }

    /// Backup sets and signing sets that have waited too long go.
    pub(crate) fn expire(&self, world: &mut World) -> bool {
        let gone = (self.rules.expired)(&sets(world), NOW, LIMIT);
        let expired = gone.iter().filter_map(|id| take(world, number(id))).count();
        let waiting = world.service.waiting().count();
        world.service.forget_waiting(|waiting| waiting.long_ago);
        expired > 0 || waiting > world.service.waiting().count()
    }

    pub(crate) fn generated(&self, world: &mut World, key: Key) {
        world.service.forget_waiting(|waiting| waiting.recovered_from.is_none());
        let waiting = Waiting { key, replaces: None, recovered_from: None, long_ago: false };
        world.service.keep_waiting(waiting);
    }

    fn make(&self, world: &mut World, set: Set, of: u8) {
        if world.service.made.contains(set) {
            return;
        }
        for id in (self.rules.displaced)(&sets(world), &method(of)) {
            self.seen.note(Event::Displaced);
            take(world, number(&id));
        }
        world.service.made.insert(set);
        let life = Life::Pending { long_ago: false };
        world.service.sets[usize::from(set)] = Some(Kept { method: of, slot: None, life });
    }

    fn commit(
        &self,
        world: &mut World,
        set: Set,
        replaces: Option<Set>,
        opened_after_enrollment: bool,
    ) -> Answer {
        let request =
            CommitRequest { id: id(set), replaces: replaces.map(id), opened_after_enrollment };
        let committed = (self.rules.commit)(&sets(world), &request).map_err(|_| {
            self.seen.note(Event::CommitRefused);
            Refused
        })?;
        if let Committed::Now { proved } = committed {
            let slot = world.service.sets[usize::from(set)].and_then(|kept| kept.slot);
            complete(world, set, slot, proved.then_some(false));
        }
        Ok(())
    }

    fn drop(&self, world: &mut World, set: Set) -> Answer {
        let dropped = (self.rules.drop_pending)(&sets(world), &id(set)).map_err(|_| Refused)?;
        dropped.map(|id| take(world, number(&id)));
        Ok(())
    }

    /// Afterwards a method of which nothing is left to open is no more the service's to protect.
    fn revoke(&self, world: &mut World, revoked: Bits) -> Answer {
        let revoked: Vec<_> = revoked.iter().map(id).collect();
        let revoked = (self.rules.revoke)(&sets(world), &revoked).map_err(|_| Refused)?;
        let revoked: Vec<_> = revoked.iter().filter_map(|id| take(world, number(id))).collect();
        for (set, kept) in revoked {
            world.past.rightly_gone.insert(set);
            world.past.protected[usize::from(kept.method)] &= world.is_recoverable(kept.method);
            self.seen.note(Event::Revoked);
        }
        Ok(())
    }

    fn confirm(&self, world: &mut World, key: Key) -> Answer {
        if world.service.live == Some(key) {
            return Ok(());
        }
        let waiting = world.service.waiting().find(|waiting| waiting.key == key).ok_or(Refused)?;
        let (live, replaces) =
            (world.service.live.map(public_key), waiting.replaces.map(public_key));
        (self.rules.confirm)(live, public_key(key), replaces).map_err(|_| {
            self.seen.note(Event::ConfirmRefused);
            Refused
        })?;
        world.service.live = Some(key);
        world.past.erased = world.past.erased.within(Bits::from_iter([key]));
        world.service.forget_waiting(|waiting| waiting.key == key);
        if let Some(set) = waiting.recovered_from {
            prove(world, set);
        }
        Ok(())
    }
}

fn is_live(world: &World, by: Key) -> Answer {
    if world.service.live == Some(by) { Ok(()) } else { Err(Refused) }
}

/// An envelope is written once.
fn store(world: &mut World, set: Set, slot: Set) -> Answer {
    let kept = world.service.sets[usize::from(set)].as_mut().ok_or(Refused)?;
    if *kept.slot.get_or_insert(slot) == slot { Ok(()) } else { Err(Refused) }
}

fn complete(world: &mut World, set: Set, slot: Option<Set>, proved: Option<bool>) {
    let newest = world.sets().filter_map(|(_, kept)| kept.sequence()).max();
    let life = Life::Completed { sequence: newest.map_or(1, |newest| newest + 1), proved };
    let kept = world.service.sets[usize::from(set)].as_mut().expect("it is pending");
    (kept.slot, kept.life) = (slot, life);
    world.past.completed.insert(set);
    world.past.proved |= proved.is_some();
}

fn prove(world: &mut World, set: Set) {
    if let Some(Kept { life: Life::Completed { proved, .. }, .. }) =
        &mut world.service.sets[usize::from(set)]
    {
        proved.get_or_insert(false);
        world.past.proved = true;
    }
}

fn take(world: &mut World, set: Set) -> Option<(Set, Kept)> {
    world.service.sets[usize::from(set)].take().map(|kept| (set, kept))
}
