//! A key store that can be wrong in one way at a time.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId, Operation, Result,
    async_trait,
};
use backup_testkit::{StoreFixture, yield_now};

/// The one way in which a shelf is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flaw {
    None,
    LosesAByte,
    Overwrites,
    SaysThatItKeepsOthers,
    RefusesToRepeat,
    LooksThenPuts,
    ForgetsOnNewDevice,
    AbsentIsDamaged,
    DeleteFailsWhenAbsent,
    DeleteDestroysAll,
    DeleteDoesNothing,
    ListsNothing,
    ListsEverybody,
    ListsOnePage,
    CheckLeavesATrace,
    OutageLooksEmpty,
    PutsInTwoSteps,
    DeletesInTwoSteps,
    TakesOutToRead,
    KeyInDebug,
    LogsKey,
}

type Keys = Arc<Mutex<BTreeMap<KeyName, [u8; 32]>>>;

/// Keeps keys in memory.
pub(crate) struct Shelf {
    flaw: Flaw,
    keys: Keys,
    away: bool,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flaw {
            Flaw::KeyInDebug => write!(f, "Shelf({:?})", self.keys.lock().unwrap()),
            _ => f.write_str("Shelf"),
        }
    }
}

impl Shelf {
    fn reach(&self) -> Result<()> {
        if self.away {
            return Err(Error::new(ErrorKind::Unavailable, "the shelf is away"));
        }
        Ok(())
    }

    fn peek(&self, name: &KeyName) -> Option<[u8; 32]> {
        self.keys.lock().unwrap().get(name).copied()
    }

    fn set(&self, name: &KeyName, key: [u8; 32]) {
        self.keys.lock().unwrap().insert(name.clone(), key);
    }

    fn remove(&self, name: &KeyName) {
        self.keys.lock().unwrap().remove(name);
    }

    fn create(&self, name: &KeyName, key: &[u8; 32]) -> Result<()> {
        match self.peek(name) {
            Some(stored) if stored == *key && self.flaw != Flaw::RefusesToRepeat => Ok(()),
            Some(_) if self.flaw == Flaw::SaysThatItKeepsOthers => Ok(()),
            Some(_) if self.flaw != Flaw::Overwrites => {
                Err(Error::new(ErrorKind::Conflict, "the name is taken"))
            }
            _ => {
                self.set(name, *key);
                Ok(())
            }
        }
    }
}

#[async_trait]
impl KeyStore for Shelf {
    fn id(&self) -> MethodId {
        MethodId::new("com.example.shelf").unwrap()
    }

    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        if self.flaw == Flaw::CheckLeavesATrace {
            self.set(&KeyName::generate(&KeyPrefix::of(op.context()))?, [0; 32]);
        }
        self.reach()
    }

    async fn put(&self, _: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        self.reach()?;
        yield_now().await;
        match self.flaw {
            Flaw::LooksThenPuts if self.peek(name).is_none() => {
                yield_now().await;
                self.set(name, *key.expose());
            }
            Flaw::PutsInTwoSteps if self.peek(name).is_none() => {
                self.set(name, [0; 32]);
                yield_now().await;
                self.set(name, *key.expose());
            }
            Flaw::LogsKey => log::debug!("put {:02x?}", key.expose()),
            _ => {}
        }
        self.create(name, key.expose())?;
        if self.flaw == Flaw::LosesAByte {
            let mut key = *key.expose();
            key[31] ^= 1;
            self.set(name, key);
        }
        yield_now().await;
        Ok(())
    }

    async fn get(&self, _: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        self.reach()?;
        yield_now().await;
        let absent = match self.flaw {
            Flaw::AbsentIsDamaged => ErrorKind::Damaged,
            _ => ErrorKind::NotFound,
        };
        let key = self.peek(name).ok_or_else(|| Error::new(absent, "it is not there"))?;
        if self.flaw == Flaw::TakesOutToRead {
            self.remove(name);
            yield_now().await;
            self.set(name, key);
        }
        Ok(EncryptionKey::copied_from(&key))
    }

    async fn delete(&self, _: &Operation<'_>, name: &KeyName) -> Result<()> {
        self.reach()?;
        yield_now().await;
        match self.flaw {
            Flaw::DeleteDoesNothing => return Ok(()),
            Flaw::DeleteDestroysAll => self.keys.lock().unwrap().clear(),
            Flaw::DeleteFailsWhenAbsent if self.peek(name).is_none() => {
                return Err(Error::new(ErrorKind::NotFound, "it is not there"));
            }
            Flaw::DeletesInTwoSteps if self.peek(name).is_some() => {
                self.set(name, [0; 32]);
                yield_now().await;
            }
            _ => {}
        }
        self.remove(name);
        yield_now().await;
        Ok(())
    }

    async fn list(&self, _: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        if self.away && self.flaw == Flaw::OutageLooksEmpty {
            return Ok(Vec::new());
        }
        self.reach()?;
        yield_now().await;
        let keys = self.keys.lock().unwrap();
        let mine = |name: &&KeyName| KeyName::parse(prefix, name.as_str()).is_some();
        Ok(match self.flaw {
            Flaw::ListsNothing => Vec::new(),
            Flaw::ListsEverybody => keys.keys().cloned().collect(),
            Flaw::ListsOnePage => keys.keys().filter(mine).take(100).cloned().collect(),
            _ => keys.keys().filter(mine).cloned().collect(),
        })
    }
}

/// A world of shelves with one flaw.
pub(crate) struct Room {
    flaw: Flaw,
    keys: Keys,
}

impl Room {
    pub(crate) fn with(flaw: Flaw) -> Self {
        Self { flaw, keys: Keys::default() }
    }
}

impl StoreFixture for Room {
    type Store = Shelf;

    fn new() -> Self {
        Self::with(Flaw::None)
    }

    fn store(&self) -> Shelf {
        let keys = match self.flaw {
            Flaw::ForgetsOnNewDevice => Keys::default(),
            _ => self.keys.clone(),
        };
        Shelf { flaw: self.flaw, keys, away: false }
    }

    fn with_back_end_away(&self) -> Option<Shelf> {
        Some(Shelf { away: true, ..self.store() })
    }
}
