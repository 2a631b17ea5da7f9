//! One client with one device, as the rules use it.

use backup_core::{
    BackupId, BackupMethod, ClientBackupShare, ClientId, Curve, CustodianId, EncryptionContext,
    Envelope, Journal, Opened, Operation, Point, Purpose, Result, Sealer, SharePairId,
    secrecy::{ExposeSecret, SecretSlice},
};

use crate::record::{RecordingJournal, RecordingProgress};

/// A client of a custodian, with a wallet to back up, a journal and a record of progress.
///
/// Its id is random, so clients do not meet in a back end that tests share.
#[derive(Debug)]
pub struct Client {
    context: EncryptionContext,
    /// What methods announced to leave behind.
    pub journal: RecordingJournal,
    /// What methods reported.
    pub progress: RecordingProgress,
}

impl Client {
    /// A client that nobody has seen before.
    #[must_use]
    pub fn new() -> Self {
        let random = BackupId::generate().expect("the operating system has randomness");
        let custodian = CustodianId::new("test-custodian").expect("it is visible ASCII");
        let client = ClientId::new(random.as_str()).expect("hexadecimal is visible ASCII");
        Self {
            context: EncryptionContext::new(custodian, client),
            journal: RecordingJournal::new(),
            progress: RecordingProgress::new(),
        }
    }

    /// The same client, with nothing but what they remember.
    #[must_use]
    pub fn on_a_new_device(&self) -> Self {
        Self {
            context: self.context.clone(),
            journal: RecordingJournal::new(),
            progress: RecordingProgress::new(),
        }
    }

    /// The public facts about this client.
    #[must_use]
    pub fn context(&self) -> &EncryptionContext {
        &self.context
    }

    /// An operation for this client, with its journal and progress.
    #[must_use]
    pub fn op(&self, purpose: Purpose) -> Operation<'_> {
        Operation::new(purpose, &self.context)
            .with_progress(&self.progress)
            .with_journal(&self.journal)
    }

    /// The same with another journal.
    #[must_use]
    pub fn op_with<'a>(&'a self, purpose: Purpose, journal: &'a dyn Journal) -> Operation<'a> {
        self.op(purpose).with_journal(journal)
    }

    /// Enrolls `method` and seals a share.
    ///
    /// # Errors
    ///
    /// Those of [`BackupMethod::enroll`].
    pub async fn back_up(&self, method: &dyn BackupMethod) -> Result<Envelope> {
        let sealer = Sealer::enroll(method, &self.op(Purpose::Enroll)).await?;
        sealer.seal(&BackupId::generate()?, &[share()?])
    }

    /// Opens `envelope` with `method`, with as many attempts as there are by default.
    ///
    /// # Errors
    ///
    /// Those of [`Envelope::open`].
    ///
    /// # Panics
    ///
    /// If it opens to anything but the share that was sealed.
    pub async fn open(&self, method: &dyn BackupMethod, envelope: &Envelope) -> Result<Opened> {
        let opened = envelope.open(method, &self.op(Purpose::Unlock), &[wallet()?]).await?;
        assert_eq!(
            opened.shares.iter().map(|share| share.secret().expose_secret()).collect::<Vec<_>>(),
            [SHARE],
            "the backup opened to another share than was sealed"
        );
        Ok(opened)
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

const SHARE: &[u8] = b"a client backup share of a test";

fn wallet() -> Result<Point> {
    Point::new(Curve::Ed25519, &[0x57; 32])
}

fn share() -> Result<ClientBackupShare> {
    let commitment = |byte| Point::new(Curve::Ed25519, &[byte; 32]);
    ClientBackupShare::new(
        SharePairId::new("test-pair")?,
        wallet()?,
        commitment(0xc1)?,
        commitment(0xc2)?,
        SecretSlice::from(Box::<[u8]>::from(SHARE)),
    )
}
