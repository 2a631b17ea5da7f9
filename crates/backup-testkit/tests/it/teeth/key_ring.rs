//! A key-encryption provider that can be wrong in one way at a time.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use backup_core::{DataKey, Error, ErrorKind, KeyContext, KeyEncryption, Result, async_trait};
use backup_testkit::{KeyEncryptionFixture, MemoryKey};

/// The one way in which a key ring is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flaw {
    None,
    IgnoresContext,
    RunsFactsTogether,
    RefusesEmptyContext,
    WorksOnOneMachine,
    IsDeterministic,
    KeyInTheOpen,
    AnyKeyUnwraps,
    RefusalIsDamage,
    PanicsOnShort,
    IgnoresTheEnd,
    IdChanges,
    IdIsShared,
    OutageLooksLikeLoss,
    KeyInDebug,
    KeyInError,
    LogsKey,
}

/// Wraps by a [`MemoryKey`].
pub(crate) struct KeyRing {
    flaw: Flaw,
    key: MemoryKey,
    id: String,
    away: bool,
    wrapped: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    last: Mutex<[u8; 32]>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flaw {
            Flaw::KeyInDebug => write!(f, "KeyRing({:?})", self.last.lock().unwrap()),
            _ => f.write_str("KeyRing"),
        }
    }
}

impl KeyRing {
    fn context(&self, context: &KeyContext) -> KeyContext {
        match self.flaw {
            Flaw::IgnoresContext => KeyContext::new(),
            Flaw::RunsFactsTogether => {
                let facts: String =
                    context.iter().flat_map(|(name, value)| [name, value]).collect();
                KeyContext::new().with("facts", facts)
            }
            _ => context.clone(),
        }
    }

    fn reach(&self) -> Result<()> {
        match self.away {
            true if self.flaw == Flaw::OutageLooksLikeLoss => Err(refused()),
            true => Err(Error::new(ErrorKind::Unavailable, "the key ring is away")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl KeyEncryption for KeyRing {
    fn key_id(&self) -> &str {
        match self.flaw {
            Flaw::IdIsShared => "the key",
            _ => &self.id,
        }
    }

    async fn wrap(&self, key: &DataKey, context: &KeyContext) -> Result<Vec<u8>> {
        self.reach()?;
        if self.flaw == Flaw::RefusesEmptyContext && context.iter().next().is_none() {
            return Err(Error::new(ErrorKind::InvalidInput, "a context has facts"));
        }
        *self.last.lock().unwrap() = *key.expose();
        if self.flaw == Flaw::LogsKey {
            tracing::debug!("wrapping {:?}", key.expose());
        }
        let mut wrapped = self.key.wrap(key, &self.context(context)).await?;
        let mut cache = self.wrapped.lock().unwrap();
        match self.flaw {
            Flaw::IsDeterministic => {
                let facts = format!("{:?} {context:?}", key.expose()).into_bytes();
                return Ok(cache.entry(facts).or_insert(wrapped).clone());
            }
            Flaw::KeyInTheOpen => wrapped.extend(key.expose()),
            Flaw::IgnoresTheEnd => wrapped.push(0),
            Flaw::WorksOnOneMachine => drop(cache.insert(wrapped.clone(), Vec::new())),
            _ => {}
        }
        Ok(wrapped)
    }

    async fn unwrap(&self, wrapped: &[u8], context: &KeyContext) -> Result<DataKey> {
        self.reach()?;
        let elsewhere = !self.wrapped.lock().unwrap().contains_key(wrapped);
        let wrapped = match self.flaw {
            Flaw::WorksOnOneMachine if elsewhere => return Err(refused()),
            Flaw::PanicsOnShort => {
                assert!(wrapped.len() > 12, "too short");
                wrapped
            }
            Flaw::KeyInTheOpen => {
                let (sealed, open) = wrapped.split_last_chunk::<32>().ok_or_else(refused)?;
                let key = self.key.unwrap(sealed, &self.context(context)).await?;
                return if key.expose() == open { Ok(key) } else { Err(refused()) };
            }
            Flaw::IgnoresTheEnd => &wrapped[..wrapped.len().saturating_sub(1)],
            _ => wrapped,
        };
        self.key.unwrap(wrapped, &self.context(context)).await.map_err(|error| match self.flaw {
            Flaw::RefusalIsDamage => Error::new(ErrorKind::Damaged, "the bytes are damaged"),
            Flaw::KeyInError => {
                let last = *self.last.lock().unwrap();
                Error::new(error.kind(), format!("this does not unwrap to {last:02x?}"))
            }
            _ => error,
        })
    }
}

fn refused() -> Error {
    Error::new(ErrorKind::Unauthorized, "this does not unwrap")
}

/// A world of key rings with one flaw.
pub(crate) struct Hall {
    flaw: Flaw,
    key: MemoryKey,
    other: MemoryKey,
    handles: AtomicUsize,
}

impl Hall {
    pub(crate) fn with(flaw: Flaw) -> Self {
        let [key, other] = [(); 2].map(|()| MemoryKey::generate().unwrap());
        Self { flaw, key, other, handles: AtomicUsize::default() }
    }

    fn ring(&self, key: &MemoryKey) -> KeyRing {
        let mut id = key.key_id().to_owned();
        let handle = self.handles.fetch_add(1, Ordering::SeqCst);
        if self.flaw == Flaw::IdChanges {
            id.push_str(&handle.to_string());
        }
        let key = if self.flaw == Flaw::AnyKeyUnwraps { &self.key } else { key };
        KeyRing {
            flaw: self.flaw,
            key: key.clone(),
            id,
            away: false,
            wrapped: Mutex::default(),
            last: Mutex::default(),
        }
    }
}

impl KeyEncryptionFixture for Hall {
    type Provider = KeyRing;

    fn new() -> Self {
        Self::with(Flaw::None)
    }

    fn provider(&self) -> KeyRing {
        self.ring(&self.key)
    }

    fn with_another_key(&self) -> KeyRing {
        self.ring(&self.other)
    }

    fn with_back_end_away(&self) -> Option<KeyRing> {
        Some(KeyRing { away: true, ..self.provider() })
    }
}
