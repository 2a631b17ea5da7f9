//! Signing sets on a device: made, recovered, settled, confirmed.

use backup_core::secrecy::ExposeSecret;
use portal_client::device::{DeviceState, ServerSigning, SigningDecision, SigningSet};

use crate::{
    device::Actor,
    rules::{device_state, signing_set},
    seen::Event,
    world::{Device, Kept, Key, Opened, Process, Request, Set, Waiting, World},
};

impl Actor<'_> {
    /// A new wallet.
    pub(crate) fn generate(&self, world: &mut World) -> Option<()> {
        let device = *self.device(world);
        let is_new = world.service.live.is_none() && device.live.is_none();
        (is_new && self.may_replace_pending(world)).then_some(())?;
        let key = new_key(world);
        self.service().generated(world, key);
        self.replace_pending(world, key, None);
        Some(())
    }

    /// The user opens a backup; the first post.
    pub(crate) fn begin_recovery(&self, world: &mut World, set: Set) -> Option<()> {
        let kept = world.service.sets[usize::from(set)].filter(Kept::is_completed)?;
        (world.opens(kept.slot) && self.may_replace_pending(world)).then_some(())?;
        let is_head = self.service().head(world, kept.method) == Some(set);
        if !is_head {
            self.seen.note(Event::RecoveredFromOlder);
        }
        let opened = Opened { set, method: kept.method, slot: kept.slot?, is_head };
        let replaces = world.service.live;
        self.device(world).process = Process::Recovering { opened, replaces };
        Some(())
    }

    /// The second post; what it made is kept.
    pub(crate) fn recover(&self, world: &mut World, most_keys: Key) -> Option<()> {
        let Process::Recovering { opened, replaces } = self.device(world).process else {
            return None;
        };
        (world.keys_made < most_keys).then_some(())?;
        let key = new_key(world);
        let recovered_from = Some(opened.set);
        world.service.keep_waiting(Waiting { key, replaces, recovered_from, long_ago: false });
        self.replace_pending(world, key, Some(opened));
        self.device(world).process = Process::Rest;
        Some(())
    }

    /// Decides about the pending signing set.
    pub(crate) fn settle(&self, world: &mut World) -> Option<()> {
        let key = self.device(world).pending?;
        let decision = self.of_signing(world)?;
        match decision {
            SigningDecision::Confirm | SigningDecision::SendAgain => {
                self.service().answer(world, Request::Confirm { key }).ok()?;
                self.go_live(world, key);
            }
            SigningDecision::Drop => {
                let mut state = device_state(self.device(world));
                state.drop_pending();
                self.keep(world, &state);
                self.device(world).recovered = None;
            }
            SigningDecision::KeepBoth | SigningDecision::Nothing => {}
        }
        self.seen.note(match decision {
            SigningDecision::Confirm => Event::ConfirmedBefore,
            SigningDecision::Drop => Event::PendingDropped,
            SigningDecision::KeepBoth => Event::BothKept,
            SigningDecision::SendAgain | SigningDecision::Nothing => return Some(()),
        });
        Some(())
    }

    /// Sends the confirmation that ends a recovery, and hears nothing.
    pub(crate) fn confirm_in_vain(&self, world: &mut World) -> Option<()> {
        let device = *self.device(world);
        let key = device.pending.filter(|_| device.process == Process::Rest)?;
        (server_signing(world, &device) == ServerSigning::Unconfirmed).then_some(())?;
        world.late = Some(Request::Confirm { key });
        Some(())
    }

    /// The device is lost, or its user begins anew on it: it knows nothing any more.
    pub(crate) fn erase(&self, world: &mut World) -> Option<()> {
        let device = std::mem::take(self.device(world));
        world.erasures += 1;
        for key in device.live.into_iter().chain(device.pending) {
            world.past.erased.insert(key);
        }
        Some(())
    }

    /// Whatever is pending has been settled before, or the service refuses it.
    fn may_replace_pending(&self, world: &World) -> bool {
        let device = &world.devices[self.number];
        device.run.is_none()
            && match self.of_signing(world) {
                Some(SigningDecision::Nothing | SigningDecision::KeepBoth) => true,
                Some(SigningDecision::SendAgain) => device.pending.is_some_and(|key| {
                    self.service().answer(&mut world.clone(), Request::Confirm { key }).is_err()
                }),
                _ => false,
            }
    }

    fn replace_pending(&self, world: &mut World, key: Key, recovered: Option<Opened>) {
        let mut state = device_state(self.device(world));
        state.replace_pending(signing_set(key));
        self.keep(world, &state);
        self.device(world).recovered = recovered;
    }

    /// What the recovery opened is the device's own from now on; of other methods it knows nothing.
    fn go_live(&self, world: &mut World, key: Key) {
        let mut state = device_state(self.device(world));
        state.go_live(signing_set(key));
        self.keep(world, &state);
        let device = self.device(world);
        let Some(Opened { set, method, slot, is_head }) = device.recovered.take() else { return };
        device.note(slot, method, true);
        device.heads = Default::default();
        device.heads[usize::from(method)] = is_head.then_some(set);
        device.sealers[usize::from(method)] = Some(slot);
    }

    fn of_signing(&self, world: &World) -> Option<SigningDecision> {
        let device = &world.devices[self.number];
        (device.process == Process::Rest)
            .then(|| (self.rules.of_signing)(&device_state(device), server_signing(world, device)))
    }

    fn keep(&self, world: &mut World, state: &DeviceState) {
        let key = |set: &SigningSet| set.device_key().expose_secret()[0];
        let device = self.device(world);
        (device.live, device.pending) = (state.live().map(key), state.pending().map(key));
    }
}

fn new_key(world: &mut World) -> Key {
    world.keys_made += 1;
    world.keys_made
}

fn server_signing(world: &World, device: &Device) -> ServerSigning {
    let live = world.service.live;
    if live.is_some() && live == device.pending {
        ServerSigning::Pending
    } else if world.service.waiting().any(|waiting| Some(waiting.key) == device.pending) {
        ServerSigning::Unconfirmed
    } else if live.is_some() && live == device.live {
        ServerSigning::Live
    } else {
        ServerSigning::Neither
    }
}
