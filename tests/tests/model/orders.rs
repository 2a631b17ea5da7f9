//! The same orders over real sockets: two devices and the service as they run, beside the model.
//!
//! After each operation, whatever the model says is so is so: which operations succeed, which sets
//! there are and how far they have come, whose the live signing set is. In the end a device that
//! was bought now recovers the wallet if, and only if, the model says that it can.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use backup_core::{Progress, Stage};
use backup_testkit::MemoryStore;
use portal_api::{BackupStatus, ClientView, DevicePublicKey, route};
use portal_client::{
    Addresses, BackUpOptions, Effect, Notice, Portal, RecoverOptions, device::Trial,
};
use portal_tests::{
    middle::{Asked, http_client, send},
    wallets::{Device, TestClient, TestService, memory_id, memory_method, on_runtime, unseen},
};
use proptest::prelude::*;

use crate::{
    device::{Actor, Slot},
    rules::Rules,
    seen::Seen,
    world::{Key, Life, MOST_SETS, Process, Secret, Set, World},
};

/// What a device does: a whole operation, or one whose process dies before a certain request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    BackUp,
    EnrollAnew,
    Recover,
    BackUpAndDieBeforeStoring,
    BackUpAndDieBeforeCommitting,
    RecoverAndDieBeforeConfirming,
}

impl Operation {
    const ALL: [Self; 6] = [
        Self::BackUp,
        Self::EnrollAnew,
        Self::Recover,
        Self::BackUpAndDieBeforeStoring,
        Self::BackUpAndDieBeforeCommitting,
        Self::RecoverAndDieBeforeConfirming,
    ];

    fn backs_up(self) -> bool {
        !matches!(self, Self::Recover | Self::RecoverAndDieBeforeConfirming)
    }
}

/// An operation on one of the two devices.
type Done = (usize, Operation);

fn every() -> impl Iterator<Item = Done> + Clone {
    (0..2).flat_map(|device| Operation::ALL.map(|operation| (device, operation)))
}

/// All orders of two operations after a wallet with a backup, of three with the variable for larger
/// bounds.
pub(crate) fn short_orders() -> Vec<Vec<Done>> {
    let pairs = every().flat_map(|one| every().map(move |two| vec![one, two]));
    if std::env::var_os(crate::LARGER).is_none() {
        return pairs.collect();
    }
    let longer = |order: Vec<Done>| every().map(move |last| [&order[..], &[last]].concat());
    pairs.flat_map(longer).collect()
}

pub(crate) fn some_order() -> impl Strategy<Value = Vec<Done>> {
    let operation = prop::sample::select(Operation::ALL.to_vec());
    prop::collection::vec((0..2_usize, operation), 3..7)
}

/// Runs each of these orders, several at a time.
pub(crate) fn run_beside_the_model(orders: Vec<Vec<Done>>) {
    assert!(!orders.is_empty());
    on_runtime(async move {
        let service = Arc::new(TestService::start().await);
        let orders = Arc::new(std::sync::Mutex::new(orders));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (service, orders) = (Arc::clone(&service), Arc::clone(&orders));
            workers.spawn(async move {
                loop {
                    let Some(order) = orders.lock().unwrap().pop() else { break };
                    Beside::begin(&service).await.run(&order).await;
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended.unwrap();
        }
    });
}

/// The model and what is real, of one client.
struct Beside<'a> {
    service: &'a TestService,
    client: TestClient,
    devices: [Device; 2],
    store: MemoryStore,
    addresses: Addresses,
    rules: Rules,
    seen: Seen,
    world: World,
    /// The device keys of the model's signing sets, of those that were ever live.
    keys: BTreeMap<Key, DevicePublicKey>,
}

impl<'a> Beside<'a> {
    /// A wallet on the first device, and a backup of it.
    async fn begin(service: &'a TestService) -> Self {
        let client = service.client().await;
        let devices = [client.device(), client.device()];
        let (store, no_wallet) =
            (MemoryStore::new(), portal_mpc::ByCurve { secp256k1: None, ed25519: None });
        let mut beside = Self {
            service,
            client,
            devices,
            store,
            addresses: Addresses::new(no_wallet),
            rules: Rules::real(),
            seen: Seen::default(),
            world: World::default(),
            keys: BTreeMap::new(),
        };
        beside.addresses = beside.app(&beside.devices[0]).create_wallet(&unseen).await.unwrap();
        let mut world = beside.world;
        let actor = beside.actor(0);
        assert!(attempt(&mut world, |world| actor.generate(world)));
        assert!(attempt(&mut world, |world| actor.settle(world)));
        beside.world = world;
        let first = [(0, Operation::BackUp)];
        beside.run_on(&first).await;
        beside
    }

    async fn run(mut self, order: &[Done]) {
        self.run_on(order).await;
        let device = self.client.device();
        let app = self.app(&device);
        let recovered = app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await;
        let is_recovered = recovered.is_ok_and(|done| done.addresses == self.addresses);
        assert_eq!(is_recovered, self.world.is_recoverable(0), "{order:?}");
    }

    async fn run_on(&mut self, order: &[Done]) {
        for (at, &(number, operation)) in order.iter().enumerate() {
            if !self.has_room(operation) {
                continue;
            }
            let so_far = &order[..=at];
            let expected = self.modelled(number, operation);
            let done = self.really(number, operation).await;
            assert_eq!(done.is_ok(), expected, "{so_far:?}: {done:?}");
            self.compare(so_far).await;
        }
    }

    /// The model counts to a few only.
    fn has_room(&self, operation: Operation) -> bool {
        let waiting = self.world.service.waiting().count();
        if operation.backs_up() {
            usize::from(self.world.sets_begun) < MOST_SETS
        } else {
            waiting < self.world.service.waiting.len() && self.world.keys_made < MOST_KEYS
        }
    }

    async fn compare(&mut self, so_far: &[Done]) {
        let asked = Asked::get(route::CLIENT).with_key(&self.client.key);
        let answer = send(&http_client(), &self.service.url(), &asked).await.unwrap();
        let view: ClientView = serde_json::from_slice(&answer.body).unwrap();
        let mut sets: Vec<_> = self.world.sets().collect();
        sets.reverse();
        let head = self.actor(0).service().head(&self.world, 0);
        let modelled: Vec<_> = sets
            .iter()
            .map(|(set, kept)| {
                let is_completed = matches!(kept.life, Life::Completed { .. });
                (is_completed, kept.is_proved(), kept.slot.is_some(), head == Some(*set))
            })
            .collect();
        let real: Vec<_> = view
            .backups
            .iter()
            .map(|set| {
                let is_completed = set.status == BackupStatus::Completed;
                (is_completed, set.proved, set.envelope_sha256.is_some(), set.head)
            })
            .collect();
        assert_eq!(real, modelled, "{so_far:?}: {view:#?}");
        let live = view.signing.map(|set| set.device_key);
        if let (Some(live), Some(key)) = (live, self.world.service.live) {
            assert_eq!(*self.keys.entry(key).or_insert(live), live, "{so_far:?}");
            let same = self.keys.values().filter(|known| **known == live).count();
            assert_eq!(same, 1, "{so_far:?}: each live set has a key of its own");
        }
        for (number, device) in self.devices.iter().enumerate() {
            let status = self.app(device).status().await.unwrap();
            assert_eq!(status.live, is_live(&self.world, number), "{so_far:?}: device {number}");
            let is_set_back = |notice: &Notice| matches!(notice, Notice::RolledBack { .. });
            assert!(!status.notices.iter().any(is_set_back), "{so_far:?}: {:?}", status.notices);
        }
    }

    fn app(&self, device: &Device) -> Portal {
        let app = device.app(&self.service.url()).patience(Duration::from_millis(500));
        app.method(memory_method(&self.store)).build().unwrap()
    }

    fn actor(&self, number: usize) -> Actor<'_> {
        Actor { number, rules: &self.rules, seen: &self.seen }
    }
}

/// As many as the model has bits for.
const MOST_KEYS: Key = 7;

/// What is real.
impl Beside<'_> {
    async fn really(&self, number: usize, operation: Operation) -> portal_client::Result<()> {
        let process = Arc::new(Mortal::default());
        let observer = Arc::clone(&process);
        let app = self.devices[number].app(&self.service.url());
        let app = app.patience(Duration::from_millis(500)).method(memory_method(&self.store));
        let app =
            app.observed_by(Arc::new(move |effect: Effect<'_>| observer.before(operation, effect)));
        let app = app.build().unwrap();
        let sink = |progress: Progress| {
            let stores = matches!(progress, Progress::Stage(Stage::StoringShare));
            process.has_stored.fetch_or(stores, Ordering::SeqCst);
        };
        if operation.backs_up() {
            let enroll_anew = operation == Operation::EnrollAnew;
            let options = BackUpOptions { enroll_anew, ..Default::default() };
            app.back_up(&memory_id(), &options, &sink).await.map(drop)
        } else {
            app.recover(&memory_id(), &RecoverOptions::default(), &sink).await.map(drop)
        }
    }
}

/// A process, which may die: nothing that it does afterwards happens.
#[derive(Debug, Default)]
struct Mortal {
    has_stored: AtomicBool,
    is_dead: AtomicBool,
}

impl Mortal {
    fn before(&self, operation: Operation, effect: Effect<'_>) -> io::Result<()> {
        let Effect::Send { method, path } = effect else { return self.live_on() };
        let has_stored = self.has_stored.load(Ordering::SeqCst);
        let dies = match operation {
            Operation::BackUpAndDieBeforeStoring => {
                has_stored && method == "PUT" && path.ends_with("/envelope")
            }
            Operation::BackUpAndDieBeforeCommitting => has_stored && path.ends_with("/commit"),
            Operation::RecoverAndDieBeforeConfirming => has_stored,
            _ => false,
        };
        self.is_dead.fetch_or(dies, Ordering::SeqCst);
        self.live_on()
    }

    fn live_on(&self) -> io::Result<()> {
        match self.is_dead.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the process is dead")),
            false => Ok(()),
        }
    }
}

/// The model.
impl Beside<'_> {
    /// Whether the operation succeeds.
    fn modelled(&mut self, number: usize, operation: Operation) -> bool {
        let mut world = self.world;
        let actor = self.actor(number);
        finish_interrupted(&actor, &mut world);
        let succeeds = match operation {
            Operation::Recover | Operation::RecoverAndDieBeforeConfirming => {
                recover(&actor, &mut world, operation)
            }
            _ => back_up(&actor, &mut world, operation),
        };
        self.world = world;
        succeeds
    }
}

fn finish_interrupted(actor: &Actor<'_>, world: &mut World) {
    attempt(world, |world| actor.settle(world));
    attempt(world, |world| actor.restart(world));
    go_on(actor, world);
    while attempt(world, |world| actor.destroy(world)) {}
}

/// Whatever comes next, until nothing does.
fn go_on(actor: &Actor<'_>, world: &mut World) {
    while attempt(world, |world| actor.try_slot(world))
        || attempt(world, |world| actor.ask(world))
        || attempt(world, |world| actor.clear(world))
    {}
}

fn back_up(actor: &Actor<'_>, world: &mut World, operation: Operation) -> bool {
    let set: Set = world.sets_begun;
    let fresh = Slot::Fresh { trial: Trial::Awaited, secret: Secret::Works };
    let is_silent = operation != Operation::EnrollAnew
        && attempt(world, |world| actor.begin_backup(world, 0, Slot::OfHead));
    if !is_silent && !attempt(world, |world| actor.begin_backup(world, 0, fresh)) {
        return false;
    }
    assert!(attempt(world, |world| actor.ask(world)), "the set is made");
    match operation {
        Operation::BackUpAndDieBeforeStoring => die(actor, world),
        Operation::BackUpAndDieBeforeCommitting => {
            assert!(attempt(world, |world| actor.ask(world)), "the envelope is stored");
            attempt(world, |world| actor.try_slot(world));
            die(actor, world);
        }
        _ => go_on(actor, world),
    }
    world.past.told.contains(set)
}

/// The next request is in the journal, and never arrives.
fn die(actor: &Actor<'_>, world: &mut World) {
    assert!(attempt(world, |world| actor.ask_in_vain(world)));
    world.late = None;
    assert!(attempt(world, |world| actor.crash(world)));
}

fn recover(actor: &Actor<'_>, world: &mut World, operation: Operation) -> bool {
    let Some(head) = actor.service().head(world, 0) else { return false };
    if !attempt(world, |world| actor.begin_recovery(world, head)) {
        return false;
    }
    assert!(attempt(world, |world| actor.recover(world, MOST_KEYS)));
    operation == Operation::Recover && attempt(world, |world| actor.settle(world))
}

/// Whether the device holds the live signing set.
fn is_live(world: &World, number: usize) -> bool {
    let device = &world.devices[number];
    assert!(matches!(device.process, Process::Rest));
    device.live.is_some() && device.live == world.service.live
}

/// Does it, or leaves everything as it was.
fn attempt(world: &mut World, act: impl FnOnce(&mut World) -> Option<()>) -> bool {
    let mut changed = *world;
    let is_done = act(&mut changed).is_some();
    if is_done {
        *world = changed;
    }
    is_done
}
