//! What the targets share: a reader with a context, wallets and a method, as an app has them.

use backup_core::{
    BackupMethod, ClientId, Curve, CustodianId, EncryptionContext, Enrollment, Envelope, MethodId,
    MethodParams, Operation, Point, Purpose, Result, WrappingKey, async_trait,
};
use futures_executor::block_on;

/// A user who always gives the same key.
#[derive(Debug)]
pub struct FixedKey;

#[async_trait]
impl BackupMethod for FixedKey {
    fn id(&self) -> MethodId {
        MethodId::GDRIVE
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        Ok(())
    }

    async fn enroll(&self, _: &Operation<'_>) -> Result<Enrollment> {
        let params = MethodParams::from_bytes([])?;
        Ok(Enrollment { wrapping_key: WrappingKey::copied_from(&[1; 32]), params })
    }

    async fn unlock(&self, _: &Operation<'_>, _: &MethodParams) -> Result<WrappingKey> {
        Ok(WrappingKey::copied_from(&[1; 32]))
    }

    async fn revoke(&self, _: &Operation<'_>, _: &MethodParams) -> Result<()> {
        Ok(())
    }
}

/// The reader's context.
#[must_use]
pub fn context() -> EncryptionContext {
    let custodian = CustodianId::new("acme").expect("a valid id");
    EncryptionContext::new(custodian, ClientId::new("alice").expect("a valid id"))
}

/// Reads `text` as an app does that got it from a server: it has one text only, and does not open.
pub fn read_envelope(text: &str) {
    let Ok(envelope) = Envelope::parse(text) else { return };
    assert_eq!(envelope.as_str(), text);
    let wallets = Curve::ALL.map(|curve| {
        Point::new(curve, &vec![2; curve.point_len()]).expect("a point of the right length")
    });
    let context = context();
    let op = Operation::new(Purpose::Unlock, &context);
    assert!(block_on(envelope.open(&FixedKey, &op, &wallets)).is_err(), "a forgery opened");
}
