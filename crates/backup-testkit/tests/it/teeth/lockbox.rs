//! A method that stores a key and asks for a password, and can be wrong in one way at a time.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use backup_core::{
    BackupId, BackupMethod, EncryptionContext, EncryptionKey, Enrollment, Error, ErrorKind, Held,
    KeyName, KeyPrefix, KeyStore, MethodId, MethodParams, Operation, Progress, Result, Stage,
    WrappingKey, async_trait,
    secrecy::{ExposeSecret, SecretString},
};
use backup_testkit::{
    Fault, FaultyStore, Fixture, MemoryStore, PromptCounter, ScriptedUser, yield_now,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The one way in which a lockbox, or its fixture, is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flaw {
    None,
    // Of ids and keys.
    ChangesItsId,
    ReusesItsKey,
    SharesKeysWhenParallel,
    UnlocksOnce,
    ForgetsOnNewDevice,
    Overwrites,
    // Of parameters.
    KeyInParams,
    OtherErrorOnMalformedParams,
    PanicsOnMalformedParams,
    AsksBeforeDecoding,
    ReachesOutBeforeDecoding,
    MalformedParamsDestroy,
    // Of users.
    AcceptsAnyPassword,
    GivesNoSecondAttempt,
    SwallowsCancel,
    AsksAgainWhenDeclined,
    LeavesAKeyWhenDeclined,
    DoesNotReportWaiting,
    DoesNotReportDeclining,
    SaysDone,
    // Of revocation.
    RevokeFailsWhenAbsent,
    RevokeDestroysAll,
    RevokeDoesNothing,
    // Of other clients.
    OtherClientIsDamaged,
    HoldsOtherClientsKeys,
    RevokesOtherClientsKeys,
    // Of checks and outages.
    CheckRefuses,
    CheckAsks,
    CheckLeavesATrace,
    CheckOverlooksOutage,
    OutageLooksLikeLoss,
    OutageLooksLikeNothingHeld,
    OutageLooksRevoked,
    // Of crashes.
    DoesNotAnnounce,
    AnnouncesTooLate,
    IgnoresTheJournal,
    HeldIsNotRevocable,
    LosesEarlierWhenDropped,
    StaysBusyWhenUnlockIsDropped,
    RevokesAllWhenDropped,
    // Of secrets.
    KeyInDebug,
    PasswordInDebug,
    PasswordInError,
    PasswordInCause,
    LogsKey,
    TracesPassword,
    // Of the fixture.
    FixtureSaysItDerives,
    FixtureHasNoDecliningUser,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Params {
    v: u8,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Keeps a random key in a store; the wrapping key is a hash of it and of a password.
pub(crate) struct LockBox {
    flaw: Flaw,
    store: FaultyStore<MemoryStore>,
    user: ScriptedUser,
    clients: Arc<Mutex<Vec<EncryptionContext>>>,
    remembered: Mutex<BTreeMap<String, [u8; 32]>>,
    shared: Mutex<Option<[u8; 32]>>,
    last_secret: Mutex<String>,
    used: AtomicUsize,
    busy: AtomicBool,
}

impl fmt::Debug for LockBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("LockBox");
        debug.field("flaw", &self.flaw);
        if matches!(self.flaw, Flaw::KeyInDebug | Flaw::PasswordInDebug) {
            debug.field("last", &self.last_secret.lock().unwrap());
        }
        debug.finish_non_exhaustive()
    }
}

impl LockBox {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    async fn ask(&self, op: &Operation<'_>) -> Result<SecretString> {
        let answer = match self.flaw {
            Flaw::DoesNotReportWaiting => self.user.ask().await,
            Flaw::DoesNotReportDeclining => {
                op.report(Progress::WaitingForUser);
                let answer = self.user.ask().await?;
                op.report(Progress::UserAnswered);
                Ok(answer)
            }
            _ => op.ask(self.user.ask()).await,
        };
        match answer {
            Err(_) if self.is(Flaw::AsksAgainWhenDeclined) => op.ask(self.user.ask()).await,
            Err(_) if self.is(Flaw::SwallowsCancel) => Err(unavailable()),
            answer => answer,
        }
    }

    fn decode(&self, op: &Operation<'_>, params: &MethodParams) -> Result<KeyName> {
        let decoded = match self.flaw {
            Flaw::PanicsOnMalformedParams => Ok(params.decode::<Params>().unwrap()),
            Flaw::OtherErrorOnMalformedParams => params
                .decode()
                .map_err(|_| Error::new(ErrorKind::Damaged, "the parameters are damaged")),
            _ => params.decode(),
        };
        let name = decoded?.name;
        let mine = KeyName::parse(&KeyPrefix::of(op.context()), &name);
        let others = || {
            let clients = self.clients.lock().unwrap();
            clients.iter().find_map(|client| KeyName::parse(&KeyPrefix::of(client), &name))
        };
        match (mine, self.flaw) {
            (Some(name), _) => Ok(name),
            (None, Flaw::RevokesOtherClientsKeys | Flaw::HoldsOtherClientsKeys) => {
                others().ok_or_else(|| Error::new(ErrorKind::InvalidParams, "no key of anybody"))
            }
            (None, Flaw::OtherClientIsDamaged) => {
                Err(Error::new(ErrorKind::Damaged, "this is somebody else's"))
            }
            (None, _) => Err(Error::new(ErrorKind::InvalidParams, "not a key of this client")),
        }
    }

    fn derive(&self, name: &KeyName, stored: &[u8; 32], password: &SecretString) -> WrappingKey {
        let mut hash = Sha256::new();
        if !self.is(Flaw::ReusesItsKey) {
            hash.update(stored);
        }
        if !self.is(Flaw::AcceptsAnyPassword) {
            hash.update(password.expose_secret());
        }
        let key: [u8; 32] = hash.finalize().into();
        match self.flaw {
            Flaw::KeyInDebug => *self.last_secret.lock().unwrap() = hex(&key),
            Flaw::PasswordInDebug => {
                password.expose_secret().clone_into(&mut self.last_secret.lock().unwrap());
            }
            Flaw::LogsKey => log::trace!("the key of {} is {}", name.as_str(), hex(&key)),
            Flaw::TracesPassword => tracing::trace!(password = password.expose_secret(), "typed"),
            _ => {}
        }
        WrappingKey::copied_from(&key)
    }

    async fn remove_all(&self, op: &Operation<'_>, but: Option<&KeyName>) -> Result<()> {
        for name in self.store.list(op, &KeyPrefix::of(op.context())).await? {
            if Some(&name) != but {
                self.store.delete(op, &name).await?;
            }
        }
        Ok(())
    }

    /// Takes earlier keys out and puts them back, as a rewritten file does.
    async fn move_earlier(&self, op: &Operation<'_>) -> Result<()> {
        let mut earlier = Vec::new();
        for name in self.store.list(op, &KeyPrefix::of(op.context())).await? {
            earlier.push((name.clone(), self.store.get(op, &name).await?));
        }
        for (name, _) in &earlier {
            self.store.delete(op, name).await?;
        }
        for (name, key) in &earlier {
            self.store.put(op, name, key).await?;
        }
        Ok(())
    }

    fn meet(&self, op: &Operation<'_>) {
        let mut clients = self.clients.lock().unwrap();
        if !clients.contains(op.context()) {
            clients.push(op.context().clone());
        }
    }

    async fn stored_key(&self, op: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        if self.is(Flaw::ForgetsOnNewDevice) {
            let remembered = self.remembered.lock().unwrap();
            let key = remembered.get(name.as_str());
            return key.map(EncryptionKey::copied_from).ok_or_else(not_found);
        }
        match self.store.get(op, name).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                Err(if self.is(Flaw::OutageLooksLikeLoss) { not_found() } else { error })
            }
            result => result,
        }
    }
}

#[async_trait]
impl BackupMethod for LockBox {
    fn id(&self) -> MethodId {
        let used = self.used.load(Ordering::SeqCst) > 0;
        if self.is(Flaw::ChangesItsId) && used {
            return MethodId::new("com.example.other").unwrap();
        }
        MethodId::new("com.example.lockbox").unwrap()
    }

    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        match self.flaw {
            Flaw::CheckRefuses => return Err(unavailable()),
            Flaw::CheckOverlooksOutage => return Ok(()),
            Flaw::CheckAsks => drop(self.ask(op).await?),
            Flaw::CheckLeavesATrace => {
                let name = KeyName::generate(&KeyPrefix::of(op.context()))?;
                self.store.put(op, &name, &EncryptionKey::generate()?).await?;
            }
            _ => {}
        }
        self.store.check(op).await
    }

    async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment> {
        self.meet(op);
        let name = KeyName::generate(&KeyPrefix::of(op.context()))?;
        let mut key = EncryptionKey::generate()?;
        if self.is(Flaw::LeavesAKeyWhenDeclined) {
            op.will_leave(&self.id(), &encode(&name, None)?)?;
            self.store.put(op, &name, &key).await?;
        }
        let password = self.ask(op).await?;
        if self.is(Flaw::SharesKeysWhenParallel) {
            *self.shared.lock().unwrap() = Some(*key.expose());
            yield_now().await;
            key = EncryptionKey::copied_from(&self.shared.lock().unwrap().unwrap());
        }
        if self.is(Flaw::LosesEarlierWhenDropped) {
            self.move_earlier(op).await?;
        }
        let wrapping_key = self.derive(&name, key.expose(), &password);
        let hint = self.is(Flaw::KeyInParams).then(|| hex(wrapping_key.expose()));
        let params = encode(&name, hint)?;
        match self.flaw {
            Flaw::DoesNotAnnounce | Flaw::AnnouncesTooLate => {}
            Flaw::IgnoresTheJournal => drop(op.will_leave(&self.id(), &params)),
            _ => op.will_leave(&self.id(), &params)?,
        }
        self.store.put(op, &name, &key).await?;
        self.remembered.lock().unwrap().insert(name.as_str().to_owned(), *key.expose());
        match self.flaw {
            Flaw::AnnouncesTooLate => op.will_leave(&self.id(), &params)?,
            Flaw::Overwrites => self.remove_all(op, Some(&name)).await?,
            Flaw::SaysDone => op.report(Progress::Stage(Stage::Done)),
            _ => {}
        }
        self.used.fetch_add(1, Ordering::SeqCst);
        Ok(Enrollment { wrapping_key, params })
    }

    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey> {
        match self.flaw {
            Flaw::AsksBeforeDecoding => drop(self.ask(op).await?),
            Flaw::ReachesOutBeforeDecoding => self.store.check(op).await?,
            _ => {}
        }
        let name = self.decode(op, params)?;
        if self.is(Flaw::GivesNoSecondAttempt) && op.attempt() > 1 {
            return Err(Error::new(ErrorKind::Unauthorized, "one attempt is enough"));
        }
        let stays_busy = self.is(Flaw::StaysBusyWhenUnlockIsDropped);
        if stays_busy && self.busy.swap(true, Ordering::SeqCst) {
            return Err(unavailable());
        }
        let password = self.ask(op).await;
        let stored = self.stored_key(op, &name).await;
        self.busy.store(false, Ordering::SeqCst);
        let (password, stored) = (password?, stored);
        let stored = stored.map_err(|error| match self.flaw {
            Flaw::PasswordInError => {
                Error::new(error.kind(), format!("nothing for {}", password.expose_secret()))
            }
            Flaw::PasswordInCause => {
                Error::new(error.kind(), "nothing there").with_source(password.expose_secret())
            }
            _ => error,
        })?;
        if self.is(Flaw::UnlocksOnce) && self.used.swap(2, Ordering::SeqCst) == 2 {
            return WrappingKey::generate();
        }
        Ok(self.derive(&name, stored.expose(), &password))
    }

    async fn revoke(&self, op: &Operation<'_>, params: &MethodParams) -> Result<()> {
        match self.flaw {
            Flaw::AsksBeforeDecoding => drop(self.ask(op).await?),
            Flaw::ReachesOutBeforeDecoding => self.store.check(op).await?,
            _ => {}
        }
        let name = match self.decode(op, params) {
            Err(error) if self.is(Flaw::MalformedParamsDestroy) => {
                self.remove_all(op, None).await?;
                return Err(error);
            }
            name => name?,
        };
        if self.is(Flaw::HoldsOtherClientsKeys) {
            let mine = KeyName::parse(&KeyPrefix::of(op.context()), name.as_str());
            mine.ok_or_else(|| Error::new(ErrorKind::InvalidParams, "not this client's"))?;
        }
        match self.flaw {
            Flaw::RevokeDoesNothing => return Ok(()),
            Flaw::RevokeFailsWhenAbsent => drop(self.store.get(op, &name).await?),
            Flaw::RevokeDestroysAll => self.remove_all(op, None).await?,
            Flaw::RevokesAllWhenDropped => self.move_earlier(op).await?,
            _ => {}
        }
        match self.store.delete(op, &name).await {
            Err(_) if self.is(Flaw::OutageLooksRevoked) => Ok(()),
            result => result,
        }
    }

    async fn held(&self, op: &Operation<'_>) -> Result<Vec<Held>> {
        let mut names = match self.store.list(op, &KeyPrefix::of(op.context())).await {
            Err(_) if self.is(Flaw::OutageLooksLikeNothingHeld) => Vec::new(),
            names => names?,
        };
        if self.is(Flaw::HoldsOtherClientsKeys) {
            let clients = self.clients.lock().unwrap().clone();
            for client in clients.iter().filter(|client| *client != op.context()) {
                names.extend(self.store.list(op, &KeyPrefix::of(client)).await?);
            }
        }
        if self.is(Flaw::HeldIsNotRevocable) {
            let text = |name: &KeyName| MethodParams::from_bytes(name.as_str());
            return names.iter().map(|name| Ok(Held::new(self.id(), text(name)?))).collect();
        }
        names.iter().map(|name| Ok(Held::new(self.id(), encode(name, None)?))).collect()
    }
}

fn encode(name: &KeyName, hint: Option<String>) -> Result<MethodParams> {
    MethodParams::encode(&Params { v: 1, name: name.as_str().to_owned(), hint })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "try again later")
}

fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such key")
}

/// A world of lockboxes with one flaw.
pub(crate) struct World {
    flaw: Flaw,
    store: MemoryStore,
    prompts: PromptCounter,
    clients: Arc<Mutex<Vec<EncryptionContext>>>,
    right: String,
    wrong: String,
}

impl World {
    pub(crate) fn with(flaw: Flaw) -> Self {
        Self {
            flaw,
            store: MemoryStore::new(),
            prompts: PromptCounter::new(),
            clients: Arc::default(),
            right: format!("right {}", BackupId::generate().unwrap()),
            wrong: format!("wrong {}", BackupId::generate().unwrap()),
        }
    }

    fn lockbox(&self, user: ScriptedUser) -> LockBox {
        LockBox {
            flaw: self.flaw,
            store: FaultyStore::new(self.store.clone()),
            user: user.counted_by(&self.prompts),
            clients: self.clients.clone(),
            remembered: Mutex::default(),
            shared: Mutex::default(),
            last_secret: Mutex::default(),
            used: AtomicUsize::default(),
            busy: AtomicBool::default(),
        }
    }
}

impl Fixture for World {
    type Method = LockBox;

    fn new() -> Self {
        Self::with(Flaw::None)
    }

    fn method(&self) -> LockBox {
        self.lockbox(ScriptedUser::answering([&*self.right]))
    }

    fn stores(&self) -> bool {
        self.flaw != Flaw::FixtureSaysItDerives
    }

    fn left_behind(&self) -> Option<usize> {
        Some(self.store.len())
    }

    fn prompts(&self) -> usize {
        self.prompts.count()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.right.clone(), self.wrong.clone()]
    }

    fn with_wrong_user(&self) -> Option<LockBox> {
        Some(self.lockbox(ScriptedUser::answering([&*self.wrong])))
    }

    fn with_clumsy_user(&self) -> Option<LockBox> {
        Some(self.lockbox(ScriptedUser::answering([&*self.wrong, &*self.right])))
    }

    fn with_declining_user(&self) -> Option<LockBox> {
        let declining = self.lockbox(ScriptedUser::declining());
        (self.flaw != Flaw::FixtureHasNoDecliningUser).then_some(declining)
    }

    fn with_back_end_away(&self) -> Option<LockBox> {
        let away = self.method();
        away.store.inject(Fault::away());
        Some(away)
    }
}
