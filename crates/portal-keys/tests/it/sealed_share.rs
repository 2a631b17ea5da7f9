//! Shares sealed under several keys, of which any opens them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use backup_core::{
    ClientId, Curve, CustodianId, DataKey, Error, ErrorKind, KeyContext, KeyEncryption, Point,
    Result, SharePairId, async_trait,
    secrecy::{ExposeSecret, SecretSlice},
};
use backup_testkit::{MemoryKey, Secrets};
use futures_executor::block_on;
use portal_keys::{KeyRing, SealedShare, ShareContext, ShareRole};
use proptest::prelude::*;

/// A provider that can be taken away, or broken.
#[derive(Debug)]
struct Key {
    inner: MemoryKey,
    away: AtomicBool,
    lies: AtomicBool,
}

#[async_trait]
impl KeyEncryption for Key {
    fn key_id(&self) -> &str {
        self.inner.key_id()
    }

    async fn wrap(&self, key: &DataKey, context: &KeyContext) -> Result<Vec<u8>> {
        self.answer()?;
        self.inner.wrap(key, context).await
    }

    async fn unwrap(&self, wrapped: &[u8], context: &KeyContext) -> Result<DataKey> {
        self.answer()?;
        let key = self.inner.unwrap(wrapped, context).await?;
        if self.lies.load(Ordering::Relaxed) { DataKey::generate() } else { Ok(key) }
    }
}

impl Key {
    fn new() -> Arc<Self> {
        let inner = MemoryKey::generate().unwrap();
        Arc::new(Self { inner, away: AtomicBool::new(false), lies: AtomicBool::new(false) })
    }

    fn answer(&self) -> Result<()> {
        match self.away.load(Ordering::Relaxed) {
            true => Err(Error::new(ErrorKind::Unavailable, "away")),
            false => Ok(()),
        }
    }
}

fn ring(keys: &[&Arc<Key>]) -> KeyRing {
    KeyRing::new(keys.iter().map(|key| Arc::clone(key) as Arc<dyn KeyEncryption>)).unwrap()
}

fn context() -> ShareContext {
    ShareContext {
        custodian: CustodianId::new("acme").unwrap(),
        client: ClientId::new("alice").unwrap(),
        wallet: Point::new(Curve::Ed25519, &[3; 32]).unwrap(),
        pair: SharePairId::new("pair-1").unwrap(),
        role: ShareRole::CustodianBackup,
    }
}

fn share() -> SecretSlice<u8> {
    SecretSlice::from(vec![0x5a; 48])
}

fn sealed(ring: &KeyRing) -> SealedShare {
    let sealed = block_on(SealedShare::seal(&share(), &context(), ring)).unwrap();
    SealedShare::decode(&sealed.encode()).unwrap()
}

fn assert_opens(sealed: &SealedShare, ring: &KeyRing) {
    let opened = block_on(sealed.open(&context(), ring)).unwrap();
    assert_eq!(opened.expose_secret(), share().expose_secret());
}

fn refusal(sealed: &SealedShare, context: &ShareContext, ring: &KeyRing) -> ErrorKind {
    block_on(sealed.open(context, ring)).unwrap_err().kind()
}

#[test]
fn each_key_in_turn_can_be_lost() {
    let keys = [Key::new(), Key::new(), Key::new()];
    let sealed = sealed(&ring(&[&keys[0], &keys[1], &keys[2]]));
    for lost in 0..keys.len() {
        let left: Vec<_> = (0..keys.len()).filter(|at| *at != lost).map(|at| &keys[at]).collect();
        assert_opens(&sealed, &ring(&left));
        keys[lost].away.store(true, Ordering::Relaxed);
        assert_opens(&sealed, &ring(&[&keys[0], &keys[1], &keys[2]]));
        keys[lost].away.store(false, Ordering::Relaxed);
    }
    for key in &keys {
        assert_opens(&sealed, &ring(&[key]));
    }
}

#[test]
fn a_share_is_under_all_keys_or_not_sealed() {
    let keys = [Key::new(), Key::new()];
    keys[1].away.store(true, Ordering::Relaxed);
    let ring = ring(&[&keys[0], &keys[1]]);
    let error = block_on(SealedShare::seal(&share(), &context(), &ring)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(keys[1].key_id()), "{error}");
}

#[test]
fn a_provider_that_unwraps_another_key_is_found_when_sealing() {
    let keys = [Key::new(), Key::new()];
    keys[1].lies.store(true, Ordering::Relaxed);
    let ring = ring(&[&keys[0], &keys[1]]);
    let error = block_on(SealedShare::seal(&share(), &context(), &ring)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
}

#[test]
fn a_provider_that_unwraps_another_key_is_passed_over_when_opening() {
    let keys = [Key::new(), Key::new()];
    let ring = ring(&[&keys[0], &keys[1]]);
    let sealed = sealed(&ring);
    keys[0].lies.store(true, Ordering::Relaxed);
    assert_opens(&sealed, &ring);
    let reports = block_on(sealed.verify(&context(), &ring));
    let outcomes: Vec<_> =
        reports.iter().map(|report| report.outcome.as_ref().map_err(Error::kind)).collect();
    assert_eq!(outcomes, [Err(ErrorKind::Damaged), Ok(&())]);
    assert_eq!(reports[0].key_id, keys[0].key_id());
}

#[test]
fn every_part_of_the_context_counts() {
    let ring = ring(&[&Key::new()]);
    let sealed = sealed(&ring);
    let others = [
        ShareContext { custodian: CustodianId::new("alice").unwrap(), ..context() },
        ShareContext { client: ClientId::new("acme").unwrap(), ..context() },
        ShareContext { wallet: Point::new(Curve::Ed25519, &[4; 32]).unwrap(), ..context() },
        ShareContext { pair: SharePairId::new("pair-2").unwrap(), ..context() },
        ShareContext { role: ShareRole::ServerSigning, ..context() },
    ];
    for other in others {
        assert_eq!(refusal(&sealed, &other, &ring), ErrorKind::Unauthorized, "{other:?}");
    }
    let swapped = ShareContext {
        custodian: CustodianId::new("alice").unwrap(),
        client: ClientId::new("acme").unwrap(),
        ..context()
    };
    assert_eq!(refusal(&sealed, &swapped, &ring), ErrorKind::Unauthorized);
}

#[test]
fn an_outage_never_looks_like_a_lost_share() {
    let keys = [Key::new(), Key::new()];
    let sealed = sealed(&ring(&[&keys[0], &keys[1]]));
    keys[0].away.store(true, Ordering::Relaxed);
    assert_eq!(refusal(&sealed, &context(), &ring(&[&keys[0]])), ErrorKind::Unavailable);
    keys[1].lies.store(true, Ordering::Relaxed);
    let both = ring(&[&keys[0], &keys[1]]);
    assert_eq!(refusal(&sealed, &context(), &both), ErrorKind::Unavailable);
    assert_eq!(refusal(&sealed, &context(), &ring(&[&Key::new()])), ErrorKind::NotFound);
}

#[test]
fn rewrapping_moves_a_share_to_new_keys_and_leaves_the_old_ones() {
    let (old, new) = (Key::new(), Key::new());
    let record = sealed(&ring(&[&old]));
    let rotating = ring(&[&new]).with_retired([old.clone() as Arc<dyn KeyEncryption>]).unwrap();
    assert_opens(&record, &rotating);
    let rewrapped = block_on(record.rewrap(&context(), &rotating)).unwrap();
    assert_opens(&rewrapped, &ring(&[&new]));
    assert_eq!(refusal(&rewrapped, &context(), &ring(&[&old])), ErrorKind::NotFound);
    assert_eq!(rewrapped.key_ids().collect::<Vec<_>>(), [new.key_id()]);
    assert!(sealed(&rotating).key_ids().eq([new.key_id()]));
}

#[test]
fn a_record_shows_no_share_and_differs_each_time() {
    let ring = ring(&[&Key::new()]);
    let record = sealed(&ring).encode();
    Secrets::new()
        .with_key(share().expose_secret()[..32].try_into().unwrap())
        .assert_absent(record.clone(), "a sealed share");
    assert_ne!(record, sealed(&ring).encode());
}

#[test]
fn empty_and_oversized_shares_are_refused() {
    let ring = ring(&[&Key::new()]);
    for len in [0, SealedShare::MAX_SHARE_LEN + 1] {
        let share = SecretSlice::from(vec![0; len]);
        let error = block_on(SealedShare::seal(&share, &context(), &ring)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_ring_has_a_key_no_two_of_one_id_and_not_too_many() {
    let key = Key::new();
    let key = || key.clone() as Arc<dyn KeyEncryption>;
    let many = (0..=KeyRing::MAX_ACTIVE).map(|_| Key::new() as Arc<dyn KeyEncryption>);
    assert!(KeyRing::new([]).is_err());
    assert!(KeyRing::new(many).is_err());
    assert!(KeyRing::new([key(), key()]).is_err());
    assert!(KeyRing::new([key()]).unwrap().with_retired([key()]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Ok(record) = SealedShare::decode(&bytes) {
            prop_assert_eq!(record.encode(), bytes);
        }
    }

    #[test]
    fn every_changed_byte_is_noticed(at: prop::sample::Index, bit in 0..8_u8) {
        let ring = ring(&[&Key::new()]);
        let mut bytes = sealed(&ring).encode();
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        let opened = SealedShare::decode(&bytes)
            .and_then(|record| block_on(record.open(&context(), &ring)));
        prop_assert!(opened.is_err());
    }

    #[test]
    fn every_cut_is_noticed(at: prop::sample::Index) {
        let ring = ring(&[&Key::new()]);
        let bytes = sealed(&ring).encode();
        let opened = SealedShare::decode(&bytes[..at.index(bytes.len())])
            .and_then(|record| block_on(record.open(&context(), &ring)));
        prop_assert!(opened.is_err());
    }
}
