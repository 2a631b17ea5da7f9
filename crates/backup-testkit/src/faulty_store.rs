//! A store that fails on request, as networks and services do.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId, Operation, Result,
    async_trait,
};

use crate::record::lock;

/// A call to a [`KeyStore`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// [`KeyStore::check`].
    Check,
    /// [`KeyStore::delete`].
    Delete,
    /// [`KeyStore::get`].
    Get,
    /// [`KeyStore::list`].
    List,
    /// [`KeyStore::put`].
    Put,
}

/// What is to go wrong: unless told otherwise, one call, before its effect, as
/// [`ErrorKind::Unavailable`].
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    call: Option<Call>,
    /// How many such calls still succeed.
    spared: usize,
    kind: ErrorKind,
    after_effect: bool,
    lasting: bool,
}

impl Fault {
    /// The next `call` fails.
    #[must_use]
    pub const fn on(call: Call) -> Self {
        Self { call: Some(call), ..Self::on_any() }
    }

    /// The next call fails, whichever it is.
    #[must_use]
    pub const fn on_any() -> Self {
        Self {
            call: None,
            spared: 0,
            kind: ErrorKind::Unavailable,
            after_effect: false,
            lasting: false,
        }
    }

    /// Nothing works: the back end is away.
    #[must_use]
    pub const fn away() -> Self {
        Self::on_any().lasting()
    }

    /// So many such calls succeed before.
    #[must_use]
    pub const fn sparing(self, calls: usize) -> Self {
        Self { spared: calls, ..self }
    }

    /// It fails as `kind`.
    #[must_use]
    pub const fn with_kind(self, kind: ErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// It fails after its effect: the answer is lost.
    #[must_use]
    pub const fn after_effect(self) -> Self {
        Self { after_effect: true, ..self }
    }

    /// Every such call after it fails too.
    #[must_use]
    pub const fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }
}

/// A [`KeyStore`] with faults in front of another one. A clone has the same faults.
#[derive(Clone)]
pub struct FaultyStore<S> {
    store: S,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    calls: Vec<Call>,
    faults: Vec<Fault>,
    listed: Option<usize>,
    delay: usize,
    /// The number of calls after which a new name is seen.
    seen_after: BTreeMap<KeyName, usize>,
}

impl<S> FaultyStore<S> {
    /// No faults yet.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store, plan: Arc::default() }
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        lock(&self.plan).faults.push(fault);
    }

    /// Ends every fault.
    pub fn heal(&self) {
        let mut plan = lock(&self.plan);
        *plan = Plan { calls: std::mem::take(&mut plan.calls), ..Plan::default() };
    }

    /// Listings break off after `names` names, without an error.
    pub fn list_at_most(&self, names: usize) {
        lock(&self.plan).listed = Some(names);
    }

    /// What is put from now on is neither got nor listed during the `calls` calls that follow.
    pub fn delay_new_names(&self, calls: usize) {
        lock(&self.plan).delay = calls;
    }

    /// Every call so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.plan).calls.clone()
    }

    /// Makes a call, unless a fault takes it or its answer.
    async fn call<T>(&self, call: Call, effect: impl Future<Output = Result<T>>) -> Result<T> {
        match self.fault(call) {
            None => effect.await,
            Some(fault) => {
                if fault.after_effect {
                    let _ = effect.await;
                }
                Err(Error::new(fault.kind, "the store was told to fail"))
            }
        }
    }

    fn fault(&self, call: Call) -> Option<Fault> {
        let mut plan = lock(&self.plan);
        plan.calls.push(call);
        let concerned = |fault: &Fault| fault.call.is_none_or(|faulty| faulty == call);
        let mut found = None;
        for (index, fault) in plan.faults.iter_mut().enumerate() {
            if concerned(fault) && fault.spared > 0 {
                fault.spared -= 1;
            } else if concerned(fault) && found.is_none() {
                found = Some((index, *fault));
            }
        }
        let (index, fault) = found?;
        if !fault.lasting {
            plan.faults.remove(index);
        }
        Some(fault)
    }

    fn hide(&self, name: &KeyName) {
        let mut plan = lock(&self.plan);
        let seen_after = plan.calls.len() + plan.delay;
        plan.seen_after.entry(name.clone()).or_insert(seen_after);
    }

    fn is_hidden(&self, name: &KeyName) -> bool {
        let plan = lock(&self.plan);
        plan.seen_after.get(name).is_some_and(|calls| plan.calls.len() <= *calls)
    }
}

impl<S: fmt::Debug> fmt::Debug for FaultyStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").field("store", &self.store).finish_non_exhaustive()
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl<S: KeyStore> KeyStore for FaultyStore<S> {
    fn id(&self) -> MethodId {
        self.store.id()
    }

    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        self.call(Call::Check, self.store.check(op)).await
    }

    async fn put(&self, op: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        self.call(Call::Put, async {
            self.store.put(op, name, key).await?;
            self.hide(name);
            Ok(())
        })
        .await
    }

    async fn get(&self, op: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        self.call(Call::Get, async {
            if self.is_hidden(name) {
                return Err(Error::new(ErrorKind::NotFound, "the key is not to be seen yet"));
            }
            self.store.get(op, name).await
        })
        .await
    }

    async fn delete(&self, op: &Operation<'_>, name: &KeyName) -> Result<()> {
        self.call(Call::Delete, self.store.delete(op, name)).await
    }

    async fn list(&self, op: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        self.call(Call::List, async {
            let mut names = self.store.list(op, prefix).await?;
            names.retain(|name| !self.is_hidden(name));
            names.truncate(lock(&self.plan).listed.unwrap_or(usize::MAX));
            Ok(names)
        })
        .await
    }
}
