//! What a recovery opened, kept beside its signing set until that is live.

use backup_core::{Result, Sealer, secrecy::ExposeSecret, secrecy::SecretSlice};

use super::{Enrollments, VERSION, read};
use crate::device::{
    DeviceState,
    codec::{Reader, Writer, damaged},
};

const NAME: &str = "recovered";

/// What a recovery opened.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The envelope that was opened.
    pub(crate) envelope: backup_core::Envelope,
    /// Its hash, if it is the method's newest.
    pub(crate) head: Option<[u8; 32]>,
    /// When it was opened, in seconds since 1970.
    pub(crate) opened_at: u64,
    /// What makes further backups of its enrolment.
    pub(crate) sealer: Sealer,
}

impl Recovered {
    pub(crate) fn of(state: &DeviceState) -> Result<Option<Self>> {
        read(state, NAME, Self::read)
    }

    pub(crate) fn keep(&self, state: &mut DeviceState) -> Result<()> {
        let mut writer = Writer::default();
        writer
            .byte(VERSION)
            .bytes(self.envelope.as_str().as_bytes())
            .bytes(self.head.as_ref().map_or(&[], |head| head))
            .fixed(&self.opened_at.to_be_bytes())
            .bytes(self.sealer.encode().expose_secret());
        let record = writer.finish();
        state.set_record(NAME, SecretSlice::from(Box::<[u8]>::from(&record[..])))
    }

    pub(crate) fn forget(state: &mut DeviceState) {
        state.remove_record(NAME);
    }

    /// Takes what was opened for the device's own: its signing set is live. What the device knew of
    /// other methods is of an earlier time, and others may have made newer backups since.
    pub(crate) fn apply(self, state: &mut DeviceState) -> Result<()> {
        let mut enrollments = Enrollments::of(state)?;
        enrollments.note(self.envelope.header(), Some(self.opened_at));
        enrollments.keep(state)?;
        state.remove_heads();
        if let Some(head) = self.head {
            state.set_head(self.sealer.method().clone(), head);
        }
        state.set_sealer(&self.sealer);
        Self::forget(state);
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let envelope = reader.text(|text| backup_core::Envelope::parse(&text))?;
        let head = match reader.bytes()? {
            [] => None,
            head => Some(head.try_into().map_err(|_| damaged())?),
        };
        let opened_at = u64::from_be_bytes(*reader.array()?);
        let sealer = Sealer::decode(reader.bytes()?)?;
        Ok(Self { envelope, head, opened_at, sealer })
    }
}

#[cfg(test)]
mod tests {
    use backup_core::{
        BackupId, ClientBackupShare, ClientId, Curve, CustodianId, EncryptionContext, MethodId,
        Point, SharePairId,
    };

    use super::*;

    #[test]
    fn what_was_opened_is_kept_and_becomes_the_devices_own() {
        let context =
            EncryptionContext::new(CustodianId::new("a").unwrap(), ClientId::new("b").unwrap());
        let (sealer, _) = Sealer::without_slot(&context).unwrap();
        let point = Point::new(Curve::Ed25519, &[7; 32]).unwrap();
        let (pair, secret) = (SharePairId::new("p").unwrap(), SecretSlice::from(vec![9; 32]));
        let share = ClientBackupShare::new(pair, point, point, point, secret).unwrap();
        let envelope = sealer.seal(&BackupId::new("b1").unwrap(), &[share]).unwrap();
        assert_layout(&envelope, &sealer);
        let mut state = DeviceState::default();
        state.set_head(MethodId::GDRIVE, [1; 32]);
        for head in [None, Some([2; 32])] {
            let sealer = Sealer::decode(sealer.encode().expose_secret()).unwrap();
            let kept = Recovered { envelope: envelope.clone(), head, opened_at: 3, sealer };
            kept.keep(&mut state).unwrap();
            let read = Recovered::of(&state).unwrap().unwrap();
            assert_eq!((&read.envelope, read.head, read.opened_at), (&envelope, head, 3));
            read.apply(&mut state).unwrap();
            assert_eq!(state.head(&MethodId::CUSTOM), head.as_ref());
            assert!(state.sealer(&MethodId::CUSTOM).unwrap().unwrap().made(&envelope));
            assert!(Recovered::of(&state).unwrap().is_none());
        }
        assert_eq!(state.head(&MethodId::GDRIVE), None);
    }
    /// Byte for byte what version 1 is, around formats that have vectors of their own.
    fn assert_layout(envelope: &backup_core::Envelope, sealer: &Sealer) {
        let record = sealer.encode();
        let long =
            |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
        let bytes = [
            vec![1],
            long(envelope.as_str().as_bytes()),
            long(&[2; 32]),
            256_u64.to_be_bytes().to_vec(),
            long(record.expose_secret()),
        ];
        let mut state = DeviceState::default();
        state.set_record("recovered", SecretSlice::from(bytes.concat())).unwrap();
        let read = Recovered::of(&state).unwrap().unwrap();
        assert_eq!((&read.envelope, read.head, read.opened_at), (envelope, Some([2; 32]), 256));
        read.keep(&mut state).unwrap();
        assert_eq!(state.record("recovered").unwrap().expose_secret(), bytes.concat());
    }
}
