//! A client with wallets, and a method whose user may be wrong a few times.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use backup_core::{
    BackupId, BackupMethod, ClientBackupShare, ClientId, Curve, CustodianId, EncryptionContext,
    Enrollment, Error, ErrorKind, MethodId, MethodParams, Operation, Point, Result, SharePairId,
    WrappingKey, async_trait, secrecy::SecretSlice,
};

pub(crate) fn context() -> EncryptionContext {
    EncryptionContext::new(CustodianId::new("acme").unwrap(), ClientId::new("alice").unwrap())
}

pub(crate) fn backup(id: &str) -> BackupId {
    BackupId::new(id).unwrap()
}

pub(crate) fn wallet(curve: Curve) -> Point {
    Point::new(curve, &vec![7; curve.point_len()]).unwrap()
}

pub(crate) fn wallets() -> [Point; 2] {
    Curve::ALL.map(wallet)
}

pub(crate) fn share(curve: Curve, fill: u8) -> ClientBackupShare {
    ClientBackupShare::new(
        SharePairId::new(format!("pair-{fill}")).unwrap(),
        wallet(curve),
        Point::new(curve, &vec![fill; curve.point_len()]).unwrap(),
        Point::new(curve, &vec![fill + 1; curve.point_len()]).unwrap(),
        SecretSlice::from(vec![fill; 134]),
    )
    .unwrap()
}

/// A method that derives: its user gives the wrong key `mistakes` times before the right one.
#[derive(Debug)]
pub(crate) struct Forgetful {
    id: MethodId,
    key: [u8; 32],
    mistakes: AtomicU32,
    pub(crate) asked: AtomicU32,
    /// Fails every call with this, if anything.
    pub(crate) failing: Mutex<Option<ErrorKind>>,
    pub(crate) revoked: AtomicU32,
}

impl Forgetful {
    pub(crate) fn new(id: &'static str, mistakes: u32) -> Self {
        Self {
            id: MethodId::new(id).unwrap(),
            key: *WrappingKey::generate().unwrap().expose(),
            mistakes: mistakes.into(),
            asked: 0.into(),
            failing: Mutex::new(None),
            revoked: 0.into(),
        }
    }

    pub(crate) fn fail(&self, kind: ErrorKind) {
        *self.failing.lock().unwrap() = Some(kind);
    }

    fn answer(&self) -> Result<()> {
        self.failing.lock().unwrap().map_or(Ok(()), |kind| Err(Error::new(kind, "told to fail")))
    }
}

#[async_trait]
impl BackupMethod for Forgetful {
    fn id(&self) -> MethodId {
        self.id.clone()
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        self.answer()
    }

    async fn enroll(&self, _: &Operation<'_>) -> Result<Enrollment> {
        self.answer()?;
        let params = MethodParams::from_bytes(self.id.as_str())?;
        Ok(Enrollment { wrapping_key: WrappingKey::copied_from(&self.key), params })
    }

    async fn unlock(&self, op: &Operation<'_>, _: &MethodParams) -> Result<WrappingKey> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.answer()?;
        let wrong = op.attempt() <= self.mistakes.load(Ordering::Relaxed);
        Ok(WrappingKey::copied_from(if wrong { &[0; 32] } else { &self.key }))
    }

    async fn revoke(&self, _: &Operation<'_>, _: &MethodParams) -> Result<()> {
        self.revoked.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
