//! The model: every order of what the devices, the service, the user and time can do.

use portal_client::device::Trial;
use stateright::{Model, Property};

use crate::{
    device::{Actor, Slot},
    properties::properties,
    rules::Rules,
    seen::{Event, Seen},
    service::ServiceRules,
    world::{Life, Request, Secret, Set, World},
};

/// A wallet of one client, by these rules and within these bounds.
#[derive(Debug)]
pub(crate) struct Wallet {
    pub(crate) rules: Rules,
    pub(crate) bounds: Bounds,
    pub(crate) seen: Seen,
}

/// How much happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) methods: u8,
    /// Backups that are begun, those of other apps included.
    pub(crate) sets: u8,
    pub(crate) sets_by_others: u8,
    /// Signing sets: wallets generated, and recoveries.
    pub(crate) keys: u8,
    /// Devices that are erased.
    pub(crate) erasures: u8,
    /// Whether requests and their answers get lost and come late.
    pub(crate) is_late: bool,
}

/// What happens next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    TimePasses,
    Retire,
    Expire,
    LateArrives,
    AnotherAppBacksUp { method: u8 },
    UserForgetsOlder { method: u8 },
    Device { number: usize, act: Act },
}

/// What a device does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Act {
    Generate,
    BeginRecovery(Set),
    Recover,
    Settle,
    ConfirmInVain,
    BeginBackup { method: u8, slot: Slot },
    TrySlot,
    GiveUp,
    BeginRevocation { method: u8 },
    BeginRetiring(Set),
    Ask,
    AskInVain,
    Destroy,
    Clear,
    Crash,
    Restart,
    Erase,
}

const SLOTS: [Slot; 5] = [
    Slot::OfHead,
    Slot::Fresh { trial: Trial::Awaited, secret: Secret::Works },
    Slot::Fresh { trial: Trial::Awaited, secret: Secret::Wrong },
    Slot::Fresh { trial: Trial::Declined, secret: Secret::Works },
    Slot::Fresh { trial: Trial::Declined, secret: Secret::Untried },
];

impl Model for Wallet {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::default()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let methods = 0..self.bounds.methods;
        actions.extend([Action::TimePasses, Action::Retire, Action::Expire]);
        actions.extend(world.late.map(|_| Action::LateArrives));
        actions.extend(methods.clone().map(|method| Action::UserForgetsOlder { method }));
        if self.another_app_may_back_up(world) {
            actions.extend(methods.map(|method| Action::AnotherAppBacksUp { method }));
        }
        // Of two devices that have done nothing, it does not matter which one begins.
        let devices = if world.keys_made == 0 { 0..1 } else { 0..2 };
        for number in devices {
            let acts = self.acts(world);
            actions.extend(acts.into_iter().map(|act| Action::Device { number, act }));
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = *last;
        match action {
            Action::TimePasses => let_time_pass(&mut world),
            Action::Retire => {
                self.service().retire(&mut world);
            }
            Action::Expire => {
                self.service().expire(&mut world);
            }
            Action::LateArrives => self.late_arrives(&mut world),
            Action::AnotherAppBacksUp { method } => {
                self.service().set_by_another_app(&mut world, method);
            }
            Action::UserForgetsOlder { method } => self.user_forgets_older(&mut world, method)?,
            Action::Device { number, act } => self.act(&mut world, number, act)?,
        }
        let world = world.settled();
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties()
    }
}

impl Wallet {
    fn acts(&self, world: &World) -> Vec<Act> {
        let mut acts = vec![
            Act::Recover,
            Act::Settle,
            Act::TrySlot,
            Act::GiveUp,
            Act::Ask,
            Act::Destroy,
            Act::Clear,
            Act::Crash,
            Act::Restart,
        ];
        if self.bounds.is_late {
            acts.extend([Act::ConfirmInVain, Act::AskInVain]);
        }
        if world.keys_made < self.bounds.keys {
            acts.push(Act::Generate);
            acts.extend(world.sets().map(|(set, _)| Act::BeginRecovery(set)));
        }
        if world.erasures < self.bounds.erasures {
            acts.push(Act::Erase);
        }
        if world.sets_begun < self.bounds.sets {
            acts.extend((0..self.bounds.methods).flat_map(|method| {
                SLOTS.into_iter().map(move |slot| Act::BeginBackup { method, slot })
            }));
        }
        acts.extend((0..self.bounds.methods).map(|method| Act::BeginRevocation { method }));
        acts.extend((0..world.sets_begun).map(Act::BeginRetiring));
        acts
    }

    fn act(&self, world: &mut World, number: usize, act: Act) -> Option<()> {
        let device = Actor { number, rules: &self.rules, seen: &self.seen };
        match act {
            Act::Generate => device.generate(world),
            Act::BeginRecovery(set) => device.begin_recovery(world, set),
            Act::Recover => device.recover(world, self.bounds.keys),
            Act::Settle => device.settle(world),
            Act::ConfirmInVain => device.confirm_in_vain(world),
            Act::BeginBackup { method, slot } => device.begin_backup(world, method, slot),
            Act::TrySlot => device.try_slot(world),
            Act::GiveUp => device.give_up(world),
            Act::BeginRevocation { method } => device.begin_revocation(world, method),
            Act::BeginRetiring(key) => device.begin_retiring(world, key),
            Act::Ask => device.ask(world),
            Act::AskInVain => device.ask_in_vain(world),
            Act::Destroy => device.destroy(world),
            Act::Clear => device.clear(world),
            Act::Crash => device.crash(world),
            Act::Restart => device.restart(world),
            Act::Erase => device.erase(world),
        }
    }

    fn another_app_may_back_up(&self, world: &World) -> bool {
        world.service.live.is_some()
            && world.sets_begun < self.bounds.sets
            && world.sets_by_others < self.bounds.sets_by_others
    }

    fn late_arrives(&self, world: &mut World) {
        let Some(request) = world.late.take() else { return };
        let is_answered = self.service().answer(world, request).is_ok();
        if is_answered && matches!(request, Request::Commit { .. }) {
            self.seen.note(Event::LateCommit);
        }
    }

    /// Whoever was told of a newer enrolment, and did not decline to try it, does not need the
    /// older ones in mind.
    fn user_forgets_older(&self, world: &mut World, method: u8) -> Option<()> {
        let head = self.service().head(world, method)?;
        let slot = world.service.sets[usize::from(head)]?.slot;
        let is_relied_on = slot.is_some_and(|slot| {
            matches!(world.secrets[usize::from(slot)], Secret::Works | Secret::Wrong)
        });
        (world.past.told.contains(head) && is_relied_on).then_some(())?;
        let slots: Vec<_> = world.completed(method).filter_map(|(_, kept)| kept.slot).collect();
        for older in slots.into_iter().filter(|older| Some(*older) != slot) {
            let secret = &mut world.secrets[usize::from(older)];
            if *secret == Secret::Works {
                *secret = Secret::Forgotten;
            }
        }
        Some(())
    }

    fn service(&self) -> ServiceRules<'_> {
        ServiceRules { rules: &self.rules, seen: &self.seen }
    }
}

/// Longer than any limit.
fn let_time_pass(world: &mut World) {
    for kept in world.service.sets.iter_mut().flatten() {
        match &mut kept.life {
            Life::Pending { long_ago } => *long_ago = true,
            Life::Completed { proved, .. } => *proved = proved.map(|_| true),
        }
    }
    for device in &mut world.devices {
        for known in device.known.iter_mut().flatten() {
            known.proved = known.proved.map(|_| true);
        }
    }
    for waiting in world.service.waiting.iter_mut().flatten() {
        waiting.long_ago = true;
    }
}
