//! The enrolments that this device made or opened itself, and when it knew that each works.

use backup_core::{Header, MethodId, MethodParams, Result, secrecy::SecretSlice};

use super::{VERSION, read, read_named_params};
use crate::device::{
    DeviceState,
    codec::{Reader, Writer},
};

const NAME: &str = "enrollments";

/// An enrolment of this client, whose parameters the device has from itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Enrollment {
    pub(crate) method: MethodId,
    pub(crate) params: MethodParams,
    /// That of its envelopes: [`Header::enrollment`].
    pub(crate) fingerprint: [u8; 32],
    /// When this device first opened its slot, by its own clock, in seconds since 1970.
    pub(crate) proved_at: Option<u64>,
    /// Whether it is the method's newest.
    pub(crate) is_current: bool,
}

/// All of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Enrollments(Vec<Enrollment>);

impl Enrollments {
    pub(crate) fn of(state: &DeviceState) -> Result<Self> {
        Ok(read(state, NAME, Self::read)?.unwrap_or_default())
    }

    pub(crate) fn keep(&self, state: &mut DeviceState) -> Result<()> {
        if self.0.is_empty() {
            state.remove_record(NAME);
            return Ok(());
        }
        let mut writer = Writer::default();
        writer.byte(VERSION).count(self.0.len());
        for enrollment in &self.0 {
            enrollment.write(&mut writer);
        }
        let record = writer.finish();
        state.set_record(NAME, SecretSlice::from(Box::<[u8]>::from(&record[..])))
    }

    /// Makes the enrolment of a completed envelope its method's newest. `proved_at` is when its
    /// slot was opened, if it was.
    pub(crate) fn note(&mut self, header: &Header, proved_at: Option<u64>) {
        let Some(slot) = &header.slot else { return };
        let fingerprint = header.enrollment();
        for known in self.0.iter_mut().filter(|known| known.method == header.method) {
            known.is_current = known.fingerprint == fingerprint;
        }
        let known = self.0.iter_mut().find(|known| known.fingerprint == fingerprint);
        if let Some(known) = known {
            known.proved_at = known.proved_at.or(proved_at);
            return;
        }
        self.0.push(Enrollment {
            method: header.method.clone(),
            params: slot.params().clone(),
            fingerprint,
            proved_at,
            is_current: true,
        });
    }

    pub(crate) fn of_method(&self, method: &MethodId) -> impl Iterator<Item = &Enrollment> {
        self.0.iter().filter(move |known| known.method == *method)
    }

    pub(crate) fn forget(&mut self, fingerprint: &[u8; 32]) {
        self.0.retain(|known| known.fingerprint != *fingerprint);
    }

    /// The superseded ones of which the successor has been known to work for `grace` seconds, each
    /// with its successor.
    pub(crate) fn due(&self, now: u64, grace: u64) -> Vec<(Enrollment, Enrollment)> {
        let successor = |old: &Enrollment| {
            let mut newer = self.of_method(&old.method).filter(|known| known.is_current);
            newer.find(|newer| newer.params != old.params && newer.is_proved_for(grace, now))
        };
        let superseded = self.0.iter().filter(|known| !known.is_current);
        superseded.filter_map(|old| Some((old.clone(), successor(old)?.clone()))).collect()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let count = reader.count()?;
        Ok(Self((0..count).map(|_| Enrollment::read(reader)).collect::<Result<_>>()?))
    }
}

impl Enrollment {
    /// A clock that was set back proves nothing.
    fn is_proved_for(&self, grace: u64, now: u64) -> bool {
        let since = self.proved_at.and_then(|proved_at| now.checked_sub(proved_at));
        since.is_some_and(|since| since >= grace)
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .bytes(self.method.as_str().as_bytes())
            .bytes(self.params.as_bytes())
            .fixed(&self.fingerprint)
            .byte(self.is_current.into())
            .byte(self.proved_at.is_some().into());
        if let Some(proved_at) = self.proved_at {
            writer.fixed(&proved_at.to_be_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let (method, params) = read_named_params(reader)?;
        let fingerprint = *reader.array()?;
        let is_current = reader.flag()?;
        let proved_at =
            if reader.flag()? { Some(u64::from_be_bytes(*reader.array()?)) } else { None };
        Ok(Self { method, params, fingerprint, proved_at, is_current })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enrollment(number: u8, proved_at: Option<u64>, is_current: bool) -> Enrollment {
        let params = MethodParams::from_bytes([number]).unwrap();
        let (method, fingerprint) = (MethodId::GDRIVE, [number; 32]);
        Enrollment { method, params, fingerprint, proved_at, is_current }
    }

    fn due(all: &[Enrollment], now: u64) -> Vec<u8> {
        let due = Enrollments(all.to_vec()).due(now, 100);
        due.iter().map(|(old, _)| old.fingerprint[0]).collect()
    }

    #[test]
    fn what_was_kept_is_read() {
        let mut state = DeviceState::default();
        assert_eq!(Enrollments::of(&state).unwrap(), Enrollments::default());
        let kept = Enrollments(vec![enrollment(1, None, false), enrollment(2, Some(7), true)]);
        kept.keep(&mut state).unwrap();
        assert_eq!(Enrollments::of(&state).unwrap(), kept);
    }

    /// A golden vector: it is read for good.
    #[test]
    fn version_1_is_read() {
        let record = [
            &b"\x01\x00\x02"[..],
            b"\x00\x00\x00\x06GDRIVE\x00\x00\x00\x01\x01",
            &[1; 32],
            b"\x00\x00",
            b"\x00\x00\x00\x06GDRIVE\x00\x00\x00\x01\x02",
            &[2; 32],
            b"\x01\x01\x00\x00\x00\x00\x00\x00\x01\x00",
        ];
        let mut state = DeviceState::default();
        state.set_record("enrollments", SecretSlice::from(record.concat())).unwrap();
        let kept = Enrollments(vec![enrollment(1, None, false), enrollment(2, Some(256), true)]);
        assert_eq!(Enrollments::of(&state).unwrap(), kept);
        let later = [&[2], &record.concat()[1..]].concat();
        state.set_record("enrollments", SecretSlice::from(later)).unwrap();
        let error = Enrollments::of(&state).unwrap_err();
        assert_eq!(error.kind(), backup_core::ErrorKind::UnknownVersion);
    }

    #[test]
    fn an_old_enrolment_is_due_when_its_successor_has_been_proved_for_the_grace() {
        let old = enrollment(1, Some(0), false);
        let newer = |proved_at| enrollment(2, proved_at, true);
        assert_eq!(due(&[old.clone(), newer(Some(50))], 150), [1]);
        assert_eq!(due(&[old.clone(), newer(Some(50))], 149), [0; 0]);
        assert_eq!(due(&[old.clone(), newer(None)], 1000), [0; 0], "it was never opened");
        assert_eq!(due(&[old.clone(), newer(Some(500))], 150), [0; 0], "the clock was set back");
        assert_eq!(due(std::slice::from_ref(&old), 1000), [0; 0], "it has no successor");
        assert_eq!(due(&[newer(Some(50))], 1000), [0; 0], "it is the newest");
        let same = Enrollment { params: old.params.clone(), ..newer(Some(50)) };
        assert_eq!(due(&[old, same], 1000), [0; 0], "both need the same key");
    }
}
