//! What holds in every state, and what has to happen in some.

use stateright::Property;

use crate::{
    seen::Event,
    wallet::Wallet,
    world::{Bits, Kept, Secret, Set, World},
};

pub(crate) const RECOVERABLE: &str = "what the user was told is backed up can be recovered";
pub(crate) const KEPT: &str = "a backup that was told complete is kept until a newer proved one is";
pub(crate) const NEVER_LOST: &str = "the wallet is signed with or can be recovered";
/// Unless it was erased with its device: then the wallet is recovered once more. What was erased
/// before another set became live is never live.
pub(crate) const SHARE_HELD: &str = "a device holds the share of the live signing set";
pub(crate) const KEY_KEPT: &str = "no device destroys a key that a completed set needs";
pub(crate) const FORWARD: &str = "a completed set never is pending again";
pub(crate) const WHOLE: &str = "a completed set has its envelope";
pub(crate) const PROVED: &str = "there always is a proved set once there was one";

pub(crate) const ALWAYS: [&str; 8] =
    [RECOVERABLE, KEPT, NEVER_LOST, SHARE_HELD, KEY_KEPT, FORWARD, WHOLE, PROVED];

pub(crate) fn properties() -> Vec<Property<Wallet>> {
    let mut properties = vec![
        Property::always(RECOVERABLE, |wallet: &Wallet, world: &World| {
            (0..wallet.bounds.methods).all(|method| {
                !world.past.protected[usize::from(method)] || world.is_recoverable(method)
            })
        }),
        Property::always(KEPT, |_, world: &World| {
            let completed = completed(world).map(|(set, _)| set).collect::<Bits>();
            world.past.told.is_within(completed | world.past.rightly_gone)
        }),
        Property::always(NEVER_LOST, |wallet: &Wallet, world: &World| {
            let is_recoverable = |method| world.is_recoverable(method);
            !world.past.protected.contains(&true)
                || is_live_held(world)
                || (0..wallet.bounds.methods).any(is_recoverable)
        }),
        Property::always(SHARE_HELD, |_, world: &World| {
            let is_erased = |live| world.past.erased.contains(live);
            world.service.live.is_none_or(is_erased) || is_live_held(world)
        }),
        Property::always(KEY_KEPT, |_, world: &World| {
            let mut slots = completed(world).filter_map(|(_, kept)| kept.slot);
            slots.all(|slot| world.secrets[usize::from(slot)] != Secret::Destroyed)
        }),
        Property::always(FORWARD, |_, world: &World| {
            let mut pending = world.sets().filter(|(_, kept)| !kept.is_completed());
            pending.all(|(set, _)| !world.past.completed.contains(set))
        }),
        Property::always(WHOLE, |_, world: &World| {
            completed(world).all(|(_, kept)| kept.slot.is_some())
        }),
        Property::always(PROVED, |_, world: &World| {
            !world.past.proved || completed(world).any(|(_, kept)| kept.is_proved())
        }),
    ];
    properties.extend(reached());
    properties
}

/// Without these, the properties above would say little.
fn reached() -> Vec<Property<Wallet>> {
    macro_rules! happens {
        ($($name:literal: $event:ident,)*) => {
            vec![$(Property::sometimes($name, |wallet: &Wallet, _| {
                wallet.seen.has(Event::$event)
            }),)*]
        };
    }
    let mut reached = happens! {
        "a superseded set is retired": Retired,
        "a set is revoked": Revoked,
        "a pending set is displaced": Displaced,
        "a commit is refused": CommitRefused,
        "a confirmation is refused": ConfirmRefused,
        "a late commit completes a set": LateCommit,
        "a backup is concluded after a crash": Concluded,
        "a backup is rolled back after a crash": RolledBack,
        "a backup is finished after a crash": Finished,
        "a backup is left after a crash": Left,
        "a pending signing set is found live": ConfirmedBefore,
        "a pending signing set is dropped": PendingDropped,
        "neither signing set is live": BothKept,
        "a wallet is recovered from an older set": RecoveredFromOlder,
        "a key is destroyed": KeyDestroyed,
    };
    reached.push(Property::sometimes("a method has two enrolments", |_, world: &World| {
        let mut slots: Vec<_> = world.completed(0).filter_map(|(_, kept)| kept.slot).collect();
        slots.dedup();
        slots.len() > 1
    }));
    reached.push(Property::sometimes(
        "a device is replaced by the other one",
        |_, world: &World| {
            let [first, second] = world.devices.map(|device| device.live);
            first.is_some() && second.is_some() && world.service.live == second
        },
    ));
    reached.push(Property::sometimes(
        "a user was told of what does not open",
        |_, world: &World| {
            completed(world)
                .any(|(set, kept)| world.past.told.contains(set) && !world.opens(kept.slot))
        },
    ));
    reached
}

fn completed(world: &World) -> impl Iterator<Item = (Set, Kept)> {
    world.sets().filter(|(_, kept)| kept.is_completed())
}

fn is_live_held(world: &World) -> bool {
    let live = world.service.live;
    live.is_some()
        && world.devices.iter().any(|device| device.live == live || device.pending == live)
}
