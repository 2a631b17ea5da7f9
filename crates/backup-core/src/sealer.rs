//! What a device keeps of an enrolment, and with which it makes backup after backup.

use secrecy::SecretSlice;
use zeroize::Zeroizing;

use crate::{
    BackupId, BackupKey, BackupMethod, ClientBackupShare, ClientId, CustodianId, EncryptionContext,
    Envelope, ErrorKind, KeySlot, MethodId, Operation, Purpose, Result,
    codec::{Reader, Writer},
    envelope::{self, Header, SealedWallet},
    error::{damaged, invalid_input},
    sealing::{OpeningKey, SealingKey},
    slot::SlotOwner,
};

/// Seals backup shares without asking the user, for as long as the enrolment lasts.
///
/// A device gets one by enrolling a method, or by opening an envelope. It holds the sealing key and
/// the slot, never the backup key: whoever steals it can add backups, and read none. A device takes
/// neither back from a server.
#[derive(Debug)]
pub struct Sealer {
    context: EncryptionContext,
    method: MethodId,
    slot: Option<KeySlot>,
    key: SealingKey,
}

impl Sealer {
    /// Enrolls `method`: it makes a wrapping key, under which a fresh backup key goes into a slot.
    ///
    /// # Errors
    ///
    /// Those of [`BackupMethod::enroll`].
    pub async fn enroll(method: &dyn BackupMethod, op: &Operation<'_>) -> Result<Self> {
        let id = method.id();
        let op = op.for_purpose(Purpose::Enroll);
        let enrollment = method.enroll(&op).await.map_err(|error| error.in_method(&id))?;
        let backup_key = BackupKey::generate()?;
        let key = OpeningKey::derive(&backup_key).sealing;
        let owner =
            SlotOwner { context: op.context(), method: &id, sealing_public_key: key.public() };
        let slot = KeySlot::seal(enrollment, &owner, &backup_key)?;
        Ok(Self { context: op.context().clone(), method: id, slot: Some(slot), key })
    }

    /// A sealer of envelopes without a slot: the app keeps the backup key itself, in one store of
    /// its own, and puts it in no slot.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the operating system has no randomness.
    pub fn without_slot(context: &EncryptionContext) -> Result<(Self, BackupKey)> {
        let backup_key = BackupKey::generate()?;
        let key = OpeningKey::derive(&backup_key).sealing;
        let sealer = Self { context: context.clone(), method: MethodId::CUSTOM, slot: None, key };
        Ok((sealer, backup_key))
    }

    /// Seals the shares of one backup run, one share per curve, for all curves at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there is no share, or two of one curve.
    pub fn seal(&self, backup: &BackupId, shares: &[ClientBackupShare]) -> Result<Envelope> {
        let shares = in_order(shares)?;
        let header = Header {
            context: self.context.clone(),
            method: self.method.clone(),
            sealing_public_key: *self.key.public(),
            backup: backup.clone(),
            slot: self.slot.clone(),
            wallets: shares.iter().map(|share| SealedWallet::of(share)).collect(),
        };
        let facts = header.share_facts(&self.context, &self.method, &header.wallet_points());
        let sealed = self.key.seal(&facts, &envelope::write_shares(&shares))?;
        Ok(Envelope::assemble(header, sealed))
    }

    /// The client whose shares this seals.
    #[must_use]
    pub fn context(&self) -> &EncryptionContext {
        &self.context
    }

    /// The method that opens what this seals.
    #[must_use]
    pub fn method(&self) -> &MethodId {
        &self.method
    }

    /// The slot that every envelope of this enrolment carries.
    #[must_use]
    pub fn slot(&self) -> Option<&KeySlot> {
        self.slot.as_ref()
    }

    pub(crate) fn from_parts(
        context: EncryptionContext,
        method: MethodId,
        slot: Option<KeySlot>,
        key: SealingKey,
    ) -> Self {
        Self { context, method, slot, key }
    }

    /// Whether `envelope` carries, byte for byte, this sealer's slot and sealing key.
    ///
    /// Only then may a device back up silently: otherwise somebody has enrolled anew since.
    #[must_use]
    pub fn made(&self, envelope: &Envelope) -> bool {
        let header = envelope.header();
        header.slot == self.slot && header.sealing_public_key == *self.key.public()
    }

    /// The record that the device stores, encrypted: it is secret.
    ///
    /// Its format is in `docs/format.md`.
    #[must_use]
    pub fn encode(&self) -> SecretSlice<u8> {
        let mut writer = Writer::with_capacity(MAX_RECORD_LEN);
        writer
            .byte(RECORD_VERSION)
            .bytes(self.context.custodian.as_str().as_bytes())
            .bytes(self.context.client.as_str().as_bytes())
            .bytes(self.method.as_str().as_bytes())
            .fixed(self.key.public());
        envelope::write_slot(&mut writer, self.slot.as_ref());
        writer.fixed(self.key.psk());
        let record = Zeroizing::new(writer.finish());
        SecretSlice::from(Box::<[u8]>::from(&record[..]))
    }

    /// Reads what [`encode`](Self::encode) made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownVersion`], or [`ErrorKind::Damaged`] for anything else that is not such
    /// a record.
    pub fn decode(record: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(record, "the sealing record is cut short");
        if reader.byte()? != RECORD_VERSION {
            return Err(crate::Error::new(
                ErrorKind::UnknownVersion,
                "a newer version of this software wrote the sealing record; update",
            ));
        }
        let custodian = reader.text(CustodianId::new)?;
        let client = reader.text(ClientId::new)?;
        let method = reader.text(MethodId::new)?;
        let public = *reader.array()?;
        let slot = envelope::read_slot(&mut reader)?;
        let psk = reader.array()?;
        let key = SealingKey::from_parts(public, psk)?;
        reader.finish()?;
        if slot.is_none() && method != MethodId::CUSTOM {
            return Err(damaged("the sealing record lacks its slot"));
        }
        Ok(Self::from_parts(EncryptionContext::new(custodian, client), method, slot, key))
    }
}

const RECORD_VERSION: u8 = 1;

/// Everything at its longest: the buffer never grows, so no copy of a secret is left behind.
const MAX_RECORD_LEN: usize = 1
    + 2 * (2 + CustodianId::MAX_LEN)
    + (2 + MethodId::MAX_LEN)
    + 32
    + (1 + 2 + crate::MethodParams::MAX_LEN + crate::key_wrap::KeyWrap::LEN)
    + 32;

fn in_order(shares: &[ClientBackupShare]) -> Result<Vec<&ClientBackupShare>> {
    if shares.is_empty() {
        return Err(invalid_input("a backup holds at least one share"));
    }
    let mut shares: Vec<_> = shares.iter().collect();
    shares.sort_by_key(|share| share.wallet().curve());
    let repeated =
        |pair: &[&ClientBackupShare]| pair[0].wallet().curve() == pair[1].wallet().curve();
    if shares.windows(2).any(repeated) {
        return Err(invalid_input("a backup holds one share per curve"));
    }
    Ok(shares)
}
