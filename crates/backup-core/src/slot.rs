//! The key slot: a method's parameters and the backup key wrapped under that method's key.

use crate::{
    BackupKey, BackupMethod, EncryptionContext, Enrollment, ErrorKind, MethodId, MethodParams,
    Operation, Result, WrappingKey,
    binding::Facts,
    codec::{Reader, Writer},
    error::damaged,
    key_wrap::KeyWrap,
};

const LABEL: &str = "portal-backup/1 slot";

/// From which a method and the user obtain the backup key again.
///
/// One enrolment makes one slot, and every later backup of that enrolment carries it byte for byte.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeySlot {
    params: MethodParams,
    wrapped: KeyWrap,
}

/// The facts of a slot that are not its own bytes.
pub(crate) struct SlotOwner<'a> {
    pub(crate) context: &'a EncryptionContext,
    pub(crate) method: &'a MethodId,
    pub(crate) sealing_public_key: &'a [u8; 32],
}

impl KeySlot {
    pub(crate) fn seal(
        enrollment: Enrollment,
        owner: &SlotOwner<'_>,
        backup_key: &BackupKey,
    ) -> Result<Self> {
        let Enrollment { wrapping_key, params } = enrollment;
        let facts = owner.facts(&params);
        let wrapped = KeyWrap::seal(wrapping_key.expose(), &facts, backup_key.expose())?;
        Ok(Self { params, wrapped })
    }

    pub(crate) fn open(&self, owner: &SlotOwner<'_>, key: &WrappingKey) -> Result<BackupKey> {
        let facts = owner.facts(&self.params);
        BackupKey::try_init_with(|secret| self.wrapped.open(key.expose(), &facts, secret))
    }

    /// Obtains the backup key from `method` and the user.
    pub(crate) async fn unlock(
        &self,
        owner: &SlotOwner<'_>,
        method: &dyn BackupMethod,
        op: &Operation<'_>,
    ) -> Result<BackupKey> {
        unlock_with(method, op, &self.params, |key| self.open(owner, key)).await
    }

    /// The method's parameters, as they were read.
    #[must_use]
    pub fn params(&self) -> &MethodParams {
        &self.params
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.bytes(self.params.as_bytes());
        self.wrapped.write(writer);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let params = MethodParams::from_bytes(reader.bytes()?)
            .map_err(|error| damaged("a slot's parameters are too long").with_source(error))?;
        Ok(Self { params, wrapped: KeyWrap::read(reader)? })
    }
}

impl SlotOwner<'_> {
    fn facts(&self, params: &MethodParams) -> Vec<u8> {
        Facts::new(LABEL)
            .context(self.context)
            .fact(self.method.as_str())
            .fact(params.as_bytes())
            .fact(self.sealing_public_key)
            .finish()
    }
}

/// Asks `method` for its wrapping key until `open` takes it, the user declines, or the attempts are
/// used up.
pub(crate) async fn unlock_with<T>(
    method: &dyn BackupMethod,
    op: &Operation<'_>,
    params: &MethodParams,
    open: impl Fn(&WrappingKey) -> Result<T>,
) -> Result<T> {
    let mut op = op.for_purpose(crate::Purpose::Unlock);
    loop {
        let key = method.unlock(&op, params).await.map_err(|e| e.in_method(&method.id()))?;
        match open(&key) {
            Err(error) if error.kind() == ErrorKind::Unauthorized => match op.next_attempt() {
                Some(next) => op = next,
                None => return Err(error.in_method(&method.id())),
            },
            result => return result,
        }
    }
}
