//! The revocation that is under way, so that a crash does not leave half of it.

use backup_core::{MethodId, Result, secrecy::SecretSlice};

use super::{VERSION, read};
use crate::device::{DeviceState, codec::Writer};

const NAME: &str = "revocation";

/// A method whose backups the user wants destroyed, noted before the service is asked.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Revocation {
    pub(crate) method: MethodId,
}

impl Revocation {
    pub(crate) fn of(state: &DeviceState) -> Result<Option<Self>> {
        read(state, NAME, |reader| Ok(Self { method: reader.text(MethodId::new)? }))
    }

    /// Whether one is under way.
    pub(crate) fn is_in(state: &DeviceState) -> bool {
        state.record(NAME).is_some()
    }

    pub(crate) fn keep(&self, state: &mut DeviceState) -> Result<()> {
        let mut writer = Writer::default();
        writer.byte(VERSION).bytes(self.method.as_str().as_bytes());
        let record = writer.finish();
        state.set_record(NAME, SecretSlice::from(Box::<[u8]>::from(&record[..])))
    }

    /// It is done, or was refused, or the user makes backups again.
    pub(crate) fn forget(state: &mut DeviceState) {
        state.remove_record(NAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A golden vector: it is read for good.
    #[test]
    fn version_1_is_read() {
        let record = b"\x01\x00\x00\x00\x06GDRIVE".to_vec();
        let mut state = DeviceState::default();
        state.set_record(NAME, SecretSlice::from(record)).unwrap();
        let kept = Revocation { method: MethodId::GDRIVE };
        assert_eq!(Revocation::of(&state).unwrap(), Some(kept));
    }

    #[test]
    fn what_was_kept_is_read_until_it_is_forgotten() {
        let mut state = DeviceState::default();
        Revocation { method: MethodId::ICLOUD }.keep(&mut state).unwrap();
        assert!(Revocation::is_in(&state));
        let kept = Revocation { method: MethodId::ICLOUD };
        assert_eq!(Revocation::of(&state).unwrap(), Some(kept));
        Revocation::forget(&mut state);
        assert_eq!(Revocation::of(&state).unwrap(), None);
    }
}
