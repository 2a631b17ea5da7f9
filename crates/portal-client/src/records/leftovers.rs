//! What methods left behind for backups that were given up, until it is removed for good.

use backup_core::{MethodId, MethodParams, Result, secrecy::SecretSlice};

use super::{VERSION, read, read_named_params};
use crate::device::{
    DeviceState,
    codec::{Reader, Writer},
};

const NAME: &str = "leftovers";

/// An enrolment may have been dropped while its effect was on the way, and arrive this much later.
const LATE_SECONDS: u64 = 10 * 60;

/// What a method was about to leave behind for a backup that no commit was ever sent for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Leftover {
    pub(crate) method: MethodId,
    pub(crate) params: MethodParams,
    /// When it was first removed, in seconds since 1970.
    removed_at: Option<u64>,
}

/// All of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Leftovers(Vec<Leftover>);

impl Leftovers {
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
        for leftover in &self.0 {
            leftover.write(&mut writer);
        }
        let record = writer.finish();
        state.set_record(NAME, SecretSlice::from(Box::<[u8]>::from(&record[..])))
    }

    pub(crate) fn add(&mut self, announced: Vec<(MethodId, MethodParams)>) {
        for (method, params) in announced {
            if !self.0.iter().any(|known| known.method == method && known.params == params) {
                self.0.push(Leftover { method, params, removed_at: None });
            }
        }
        let excess = self.0.len().saturating_sub(MOST);
        self.0.drain(..excess);
    }

    /// Keeps what methods left for a backup that was finished after all, or may have been.
    pub(crate) fn withdraw(&mut self, announced: &[(MethodId, MethodParams)]) {
        let is_of = |leftover: &Leftover, (method, params): &(MethodId, MethodParams)| {
            leftover.method == *method && leftover.params == *params
        };
        self.0.retain(|known| !announced.iter().any(|announced| is_of(known, announced)));
    }

    /// Whether there is nothing to remove.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is among what is to be removed.
    pub(crate) fn has(&self, method: &MethodId, params: &MethodParams) -> bool {
        self.0.iter().any(|known| known.method == *method && known.params == *params)
    }

    /// What is to be removed now: for the first time, or once more when nothing is on the way.
    pub(crate) fn due(&self, now: u64) -> Vec<Leftover> {
        self.0.iter().filter(|leftover| leftover.is_due(now)).cloned().collect()
    }

    /// Takes note that a method has removed `leftover`.
    pub(crate) fn removed(&mut self, leftover: &Leftover, now: u64) {
        match leftover.removed_at {
            Some(_) => self.0.retain(|known| known != leftover),
            None => {
                let known = self.0.iter_mut().find(|known| *known == leftover);
                if let Some(known) = known {
                    known.removed_at = Some(now);
                }
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let count = reader.count()?;
        Ok(Self((0..count).map(|_| Leftover::read(reader)).collect::<Result<_>>()?))
    }
}

/// More than anybody leaves; it bounds what is kept.
const MOST: usize = 4096;

impl Leftover {
    /// A clock that was set back is waited for no longer than one that was not.
    fn is_due(&self, now: u64) -> bool {
        self.removed_at.is_none_or(|removed_at| removed_at.abs_diff(now) >= LATE_SECONDS)
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .bytes(self.method.as_str().as_bytes())
            .bytes(self.params.as_bytes())
            .byte(self.removed_at.is_some().into());
        if let Some(removed_at) = self.removed_at {
            writer.fixed(&removed_at.to_be_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let (method, params) = read_named_params(reader)?;
        let removed_at =
            if reader.flag()? { Some(u64::from_be_bytes(*reader.array()?)) } else { None };
        Ok(Self { method, params, removed_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_is_removed_twice_and_then_forgotten() {
        let mut leftovers = Leftovers::default();
        let announced = vec![(MethodId::GDRIVE, MethodParams::from_bytes([1]).unwrap())];
        leftovers.add(announced.clone());
        leftovers.add(announced);
        let due = leftovers.due(1000);
        assert_eq!(due.len(), 1, "it was announced once");
        leftovers.removed(&due[0], 1000);
        assert!(leftovers.due(1000 + LATE_SECONDS - 1).is_empty());
        let due = leftovers.due(1000 + LATE_SECONDS);
        leftovers.removed(&due[0], 1000 + LATE_SECONDS);
        assert_eq!(leftovers, Leftovers::default());
    }

    /// A golden vector: it is read for good.
    #[test]
    fn version_1_is_read() {
        let record = [
            &b"\x01\x00\x02"[..],
            b"\x00\x00\x00\x06GDRIVE\x00\x00\x00\x01\x01\x00",
            b"\x00\x00\x00\x06ICLOUD\x00\x00\x00\x01\x02",
            b"\x01\x00\x00\x00\x00\x00\x00\x01\x00",
        ];
        let mut state = DeviceState::default();
        state.set_record("leftovers", SecretSlice::from(record.concat())).unwrap();
        let leftover = |method, params: u8, removed_at| Leftover {
            method,
            params: MethodParams::from_bytes([params]).unwrap(),
            removed_at,
        };
        let kept = Leftovers(vec![
            leftover(MethodId::GDRIVE, 1, None),
            leftover(MethodId::ICLOUD, 2, Some(256)),
        ]);
        assert_eq!(Leftovers::of(&state).unwrap(), kept);
    }

    #[test]
    fn what_a_finished_backup_left_is_not_removed() {
        let [one, two] = [1, 2].map(|byte| {
            let params = MethodParams::from_bytes([byte]).unwrap();
            (MethodId::GDRIVE, params)
        });
        let mut leftovers = Leftovers::default();
        leftovers.add(vec![one.clone(), two.clone()]);
        let first = leftovers.due(1000).remove(0);
        leftovers.removed(&first, 1000);
        leftovers.withdraw(&[one]);
        let mut expected = Leftovers::default();
        expected.add(vec![two]);
        assert_eq!(leftovers, expected);
    }

    #[test]
    fn what_was_kept_is_read() {
        let mut state = DeviceState::default();
        let mut leftovers = Leftovers::default();
        leftovers.add(vec![
            (MethodId::GDRIVE, MethodParams::from_bytes([1]).unwrap()),
            (MethodId::ICLOUD, MethodParams::from_bytes([2]).unwrap()),
        ]);
        let first = leftovers.due(5).remove(0);
        leftovers.removed(&first, 5);
        leftovers.keep(&mut state).unwrap();
        assert_eq!(Leftovers::of(&state).unwrap(), leftovers);
    }
}
