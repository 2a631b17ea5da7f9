//! The journal of a running backup: what a crash leaves to finish or to remove.

use std::sync::{Mutex, MutexGuard, PoisonError};

use backup_core::{BackupId, DataKey, EncryptionContext, Envelope, MethodId, MethodParams, Result};
use zeroize::Zeroizing;

use super::{
    codec::{Reader, Writer, damaged, invalid_input, unknown_version},
    completion::{Completion, Half, Trial},
    files::Replaceable,
    sealed_file::{self, Kind},
};

/// How far a backup has come. A step is written down before its first effect.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Step {
    /// Enrolling, and making the pending set.
    Prepare,
    /// The envelope is made, and stands in the journal.
    Seal,
    /// The ciphertext is being stored.
    Store,
    /// It is being read back and compared.
    Verify,
    /// It was verified; the commit may have been sent.
    Commit,
    /// The commit was answered.
    Done,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 6] =
        [Self::Prepare, Self::Seal, Self::Store, Self::Verify, Self::Commit, Self::Done];
}

/// A backup under way. It holds public facts and ciphertext, never a share or a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BackupRun {
    /// The method of the backup.
    pub method: MethodId,
    /// The set that is being made.
    pub backup: BackupId,
    /// How far it has come.
    pub step: Step,
    /// What methods were about to leave behind for it.
    pub announced: Vec<(MethodId, MethodParams)>,
    /// The sealed envelope, from [`Step::Seal`] on.
    pub envelope: Option<String>,
    /// What finishing it takes besides. An early version did not keep it: such a run is not
    /// finished.
    pub completion: Option<Completion>,
}

/// The journal, on disk before each call returns.
#[derive(Debug)]
pub struct Journal<'a> {
    run: Mutex<Option<BackupRun>>,
    file: Replaceable,
    key: &'a DataKey,
    client: &'a EncryptionContext,
}

impl<'a> Journal<'a> {
    pub(super) fn open(
        file: Replaceable,
        key: &'a DataKey,
        client: &'a EncryptionContext,
    ) -> Result<Self> {
        let run = match file.read_durably()? {
            Some(bytes) => {
                let opened = sealed_file::open(Kind::Journal, key, client, &bytes)?;
                BackupRun::decode_optional(&opened)?
            }
            None => None,
        };
        Ok(Self { run: Mutex::new(run), file, key, client })
    }

    /// The backup that is under way, or was when the process ended.
    #[must_use]
    pub fn run(&self) -> Option<BackupRun> {
        self.locked().clone()
    }

    /// Begins a backup at [`Step::Prepare`].
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](backup_core::ErrorKind::InvalidInput) while another one is under way:
    /// finish it or roll it back first.
    pub fn start(
        &self,
        method: MethodId,
        backup: BackupId,
        replaces: Option<BackupId>,
        trial: Trial,
    ) -> Result<()> {
        let mut run = self.locked();
        if run.is_some() {
            return Err(invalid_input("finish the backup that is under way, or roll it back"));
        }
        let (announced, step) = (Vec::new(), Step::Prepare);
        let completion = Some(Completion { replaces, trial, halves: Vec::new() });
        let next = BackupRun { method, backup, step, announced, envelope: None, completion };
        self.write(&mut run, Some(next))
    }

    /// Keeps the sealed envelope, and the proofs that go with its commit, and goes to
    /// [`Step::Seal`].
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](backup_core::ErrorKind::InvalidInput) if no backup is at
    /// [`Step::Prepare`], or the envelope is of another one.
    pub fn sealed(&self, envelope: &Envelope, mut halves: Vec<Half>) -> Result<()> {
        halves.sort_by_key(|half| half.curve);
        let of_it = |run: &BackupRun| {
            let is_prepared = run.step == Step::Prepare && run.completion.is_some();
            is_prepared && envelope.header().backup == run.backup
        };
        self.change("the envelope is not of the backup that is being prepared", of_it, |run| {
            run.envelope = Some(envelope.to_string());
            run.step = Step::Seal;
            if let Some(completion) = &mut run.completion {
                completion.halves = halves;
            }
        })
    }

    /// Notes that the user opened the new slot, so that a commit may say so.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](backup_core::ErrorKind::InvalidInput) if no backup waits for that.
    pub fn passed_trial(&self) -> Result<()> {
        let awaits = |run: &BackupRun| {
            let trial = run.completion.as_ref().map(|completion| completion.trial);
            run.step == Step::Verify && trial == Some(Trial::Awaited)
        };
        self.change("no backup waits for the trial of its slot", awaits, |run| {
            if let Some(completion) = &mut run.completion {
                completion.trial = Trial::Passed;
            }
        })
    }

    /// Goes on to `step`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](backup_core::ErrorKind::InvalidInput) if no backup has its envelope, or it
    /// has come further.
    pub fn advance(&self, step: Step) -> Result<()> {
        let forward = |run: &BackupRun| run.envelope.is_some() && run.step <= step;
        self.change("a backup goes forward only, once it is sealed", forward, |run| run.step = step)
    }

    /// Forgets the backup: it is done, or rolled back and all that was announced removed.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](backup_core::ErrorKind::Unavailable) if the disk fails.
    pub fn clear(&self) -> Result<()> {
        let mut run = self.locked();
        if run.is_none() { Ok(()) } else { self.write(&mut run, None) }
    }

    pub(super) fn erase(&self) -> Result<()> {
        self.file.remove()
    }

    fn change(
        &self,
        refusal: &'static str,
        is_fine: impl FnOnce(&BackupRun) -> bool,
        change: impl FnOnce(&mut BackupRun),
    ) -> Result<()> {
        let mut run = self.locked();
        let mut next = run.clone().filter(is_fine).ok_or_else(|| invalid_input(refusal))?;
        change(&mut next);
        self.write(&mut run, Some(next))
    }

    fn write(&self, run: &mut Option<BackupRun>, next: Option<BackupRun>) -> Result<()> {
        let plaintext = BackupRun::encode_optional(next.as_ref());
        let bytes = sealed_file::seal(Kind::Journal, self.key, self.client, &plaintext)?;
        self.file.replace(&bytes, |read| {
            sealed_file::open(Kind::Journal, self.key, self.client, read).map(|_| ())
        })?;
        *run = next;
        Ok(())
    }

    /// A panic elsewhere leaves what is in memory as it was before or after a whole change.
    fn locked(&self) -> MutexGuard<'_, Option<BackupRun>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl backup_core::Journal for Journal<'_> {
    fn will_leave(&self, method: &MethodId, params: &MethodParams) -> Result<()> {
        let fine =
            |run: &BackupRun| run.step == Step::Prepare && run.announced.len() < MAX_ANNOUNCED;
        self.change("nothing is left behind but while a backup is prepared", fine, |run| {
            run.announced.push((method.clone(), params.clone()));
        })
    }
}

const MAX_ANNOUNCED: usize = 1024;

impl BackupRun {
    pub(super) fn encode_optional(run: Option<&Self>) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::default();
        match run {
            None => drop(writer.byte(NO_RUN)),
            Some(run) => run.write(&mut writer),
        }
        writer.finish()
    }

    pub(super) fn decode_optional(bytes: &[u8]) -> Result<Option<Self>> {
        let mut reader = Reader::new(bytes);
        let run = match reader.byte()? {
            NO_RUN => None,
            version @ (WITHOUT_COMPLETION | WITH_COMPLETION) => {
                let mut run = Self::read(&mut reader)?;
                if version == WITH_COMPLETION {
                    run.completion = Some(Completion::read(&mut reader)?);
                }
                Some(run)
            }
            _ => return Err(unknown_version()),
        };
        reader.finish()?;
        Ok(run)
    }

    fn write(&self, writer: &mut Writer) {
        let version = if self.completion.is_some() { WITH_COMPLETION } else { WITHOUT_COMPLETION };
        writer
            .byte(version)
            .bytes(self.method.as_str().as_bytes())
            .bytes(self.backup.as_str().as_bytes())
            .byte(self.step as u8)
            .count(self.announced.len());
        for (method, params) in &self.announced {
            writer.bytes(method.as_str().as_bytes()).bytes(params.as_bytes());
        }
        writer.bytes(self.envelope.as_deref().unwrap_or_default().as_bytes());
        if let Some(completion) = &self.completion {
            completion.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let method = reader.text(MethodId::new)?;
        let backup = reader.text(BackupId::new)?;
        let code = reader.byte()?;
        let step = Step::ALL.into_iter().find(|step| *step as u8 == code).ok_or_else(damaged)?;
        let count = reader.count()?;
        let announced = (0..count).map(|_| read_announced(reader)).collect::<Result<_>>()?;
        let envelope = reader.text(|text| Ok(Some(text).filter(|text| !text.is_empty())))?;
        if envelope.is_some() != (step >= Step::Seal) {
            return Err(damaged());
        }
        Ok(Self { method, backup, step, announced, envelope, completion: None })
    }
}

/// The first byte of the plaintext: whether there is a run, and of which version.
const NO_RUN: u8 = 0;
const WITHOUT_COMPLETION: u8 = 1;
const WITH_COMPLETION: u8 = 2;

fn read_announced(reader: &mut Reader<'_>) -> Result<(MethodId, MethodParams)> {
    let method = reader.text(MethodId::new)?;
    Ok((method, MethodParams::from_bytes(reader.bytes()?).map_err(|_| damaged())?))
}
