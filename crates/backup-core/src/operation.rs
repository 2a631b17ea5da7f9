//! What a method is asked to do: for whom, why, the how-manieth time, and whom to tell.

use std::{fmt, future::Future};

use crate::{ClientId, CustodianId, MethodId, MethodParams, Result};

/// The public facts that are authenticated with every ciphertext of one client.
///
/// The reader supplies them; what a file says about itself is only a claim. Neither id ever
/// changes, or no backup would open again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncryptionContext {
    /// The business whose user has the wallet.
    pub custodian: CustodianId,
    /// The user, at the custodian.
    pub client: ClientId,
}

impl EncryptionContext {
    /// The context of `client` at `custodian`.
    #[must_use]
    pub fn new(custodian: CustodianId, client: ClientId) -> Self {
        Self { custodian, client }
    }
}

/// What an operation is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Purpose {
    /// Make a wrapping key.
    Enroll,
    /// Destroy a wrapping key.
    Revoke,
    /// Obtain a wrapping key again.
    Unlock,
}

/// One request to a method, with everything about it that is not the method's own.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    context: &'a EncryptionContext,
    purpose: Purpose,
    attempt: u32,
    attempts: u32,
    progress: &'a dyn ProgressSink,
    journal: &'a dyn Journal,
}

impl<'a> Operation<'a> {
    /// How often the user is asked before an unlock gives up, unless the caller says otherwise.
    pub const DEFAULT_ATTEMPTS: u32 = 3;

    /// An operation for the client in `context`, reported to nobody.
    #[must_use]
    pub fn new(purpose: Purpose, context: &'a EncryptionContext) -> Self {
        Self {
            context,
            purpose,
            attempt: 1,
            attempts: Self::DEFAULT_ATTEMPTS,
            progress: &Nobody,
            journal: &Nobody,
        }
    }

    /// Reports progress to `sink`.
    #[must_use]
    pub fn with_progress(self, progress: &'a dyn ProgressSink) -> Self {
        Self { progress, ..self }
    }

    /// Announces to `journal` what a method is about to leave behind.
    #[must_use]
    pub fn with_journal(self, journal: &'a dyn Journal) -> Self {
        Self { journal, ..self }
    }

    /// Lets the user try `attempts` times, at least once.
    #[must_use]
    pub fn with_attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    pub(crate) fn for_purpose(self, purpose: Purpose) -> Self {
        Self { purpose, attempt: 1, ..self }
    }

    /// The same operation again, or `None` when the user has had all attempts.
    pub(crate) fn next_attempt(self) -> Option<Self> {
        (self.attempt < self.attempts).then_some(Self { attempt: self.attempt + 1, ..self })
    }

    /// The client whose backup this is about.
    #[must_use]
    pub fn context(&self) -> &'a EncryptionContext {
        self.context
    }

    /// What the operation is for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// 1 at first; more after a wrapping key did not open the slot.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The attempt after which an unlock gives up.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Tells the caller what is going on.
    pub fn report(&self, progress: Progress) {
        self.progress.report(progress);
    }

    /// Waits for the user's answer to `question`, and tells the caller so.
    pub async fn ask<T>(&self, question: impl Future<Output = T>) -> T {
        self.report(Progress::WaitingForUser);
        let answer = question.await;
        self.report(Progress::UserAnswered);
        answer
    }

    /// Announces that `method` is about to leave behind what `params` name.
    ///
    /// A method calls this before its first lasting effect, so that whatever a crash leaves behind
    /// can be found and removed.
    ///
    /// # Errors
    ///
    /// The journal's; the method then leaves nothing behind.
    pub fn will_leave(&self, method: &MethodId, params: &MethodParams) -> Result<()> {
        self.journal.will_leave(method, params)
    }
}

impl fmt::Debug for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("context", self.context)
            .field("purpose", &self.purpose)
            .field("attempt", &self.attempt)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// A record, on the device, of what methods are about to leave behind.
///
/// It holds names and other public parameters only; never a key or a share. Enrolments that succeed
/// are announced like those that do not, so whoever cleans up after a crash first makes sure that
/// no envelope carries the parameters; and keeps the entry until what it names stays away, for a
/// dropped future may put it there late. Of two members with one method id, either may have
/// announced it.
pub trait Journal: Send + Sync {
    /// Durably records that `method` is about to leave behind what `params` name.
    ///
    /// # Errors
    ///
    /// If the record could not be made durable.
    fn will_leave(&self, method: &MethodId, params: &MethodParams) -> Result<()>;
}

/// Whoever is told how an operation goes.
///
/// Implemented by closures; called on whatever thread the operation runs on, so it returns quickly.
pub trait ProgressSink: Send + Sync {
    /// Takes one report.
    fn report(&self, progress: Progress);
}

impl<F: Fn(Progress) + Send + Sync> ProgressSink for F {
    fn report(&self, progress: Progress) {
        self(progress);
    }
}

/// The sink and journal of an operation that nobody follows.
struct Nobody;

impl ProgressSink for Nobody {
    fn report(&self, _: Progress) {}
}

impl Journal for Nobody {
    fn will_leave(&self, _: &MethodId, _: &MethodParams) -> Result<()> {
        Ok(())
    }
}

/// One report of progress. Holds no secret.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// A stage begins.
    Stage(Stage),
    /// The user answered or declined; the operation goes on.
    UserAnswered,
    /// Nothing happens until the user does something.
    WaitingForUser,
    /// The parameters of this backup are weaker than what would be chosen today. It opens; enroll
    /// anew.
    WeakParameters,
}

/// The stages of an operation, one to one Portal's nine.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Stage {
    /// Opening an envelope.
    DecryptingShare,
    /// Everything is durable. The last thing to happen.
    Done,
    /// Sealing an envelope.
    EncryptingShare,
    /// Making new shares with the other party.
    GeneratingShare,
    /// Decoding and checking shares.
    ParsingShare,
    /// Fetching a share or what opens it.
    ReadingShare,
    /// Making a new backup pair out of an old one.
    RecoveringBackupShare,
    /// Making a new signing pair out of a backup pair.
    RecoveringSigningShare,
    /// Making a share, or what opens it, durable.
    StoringShare,
}

impl Stage {
    /// The text that Portal's SDKs report for this stage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DecryptingShare => "Decrypting share",
            Self::Done => "Done",
            Self::EncryptingShare => "Encrypting share",
            Self::GeneratingShare => "Generating share",
            Self::ParsingShare => "Parsing share",
            Self::ReadingShare => "Reading share",
            Self::RecoveringBackupShare => "Recovering backup share",
            Self::RecoveringSigningShare => "Recovering signing share",
            Self::StoringShare => "Storing share",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
