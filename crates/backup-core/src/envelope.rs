//! The envelope: a key slot and the sealed shares of all curves, as one string with a version.

mod header;
mod shares;

use std::{fmt, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding};

pub use self::header::{Header, SealedWallet};
use self::shares::read_shares;
pub(crate) use self::{
    header::{read_slot, write_slot},
    shares::write_shares,
};
use crate::{
    BackupKey, BackupMethod, ClientBackupShare, EncryptionContext, Error, ErrorKind, MethodId,
    Operation, Point, Progress, Result, Sealer, Stage,
    codec::{Reader, Writer},
    error::{damaged, invalid_input},
    sealing::{OpeningKey, Sealed},
    slot::SlotOwner,
};

const PREFIX: &str = "portal-backup-1.";
const ANY_VERSION: &str = "portal-backup-";

/// An encrypted backup: what the guides call `cipherText`.
///
/// It is safe to give to anybody to keep. What it says about itself is only a claim until it is
/// opened with facts that the reader supplies. The format is in `docs/format.md`; it is
/// append-only, and what is written today is meant to open decades from now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Envelope {
    text: String,
    header: Header,
    sealed: Sealed,
}

/// What an opened envelope yields.
#[derive(Debug)]
pub struct Opened {
    /// One share per curve, in the order of [`Curve`](crate::Curve).
    pub shares: Vec<ClientBackupShare>,
    /// Makes further backups of the same enrolment without asking the user.
    pub sealer: Sealer,
}

impl Envelope {
    /// The longest envelope that is read, in characters.
    pub const MAX_LEN: usize = 64 * 1024;

    /// The most that parsing an envelope allocates, in bytes, whoever wrote it: four times its
    /// length, and at most this.
    pub const MAX_ALLOCATION: usize = 4 * Self::MAX_LEN;

    /// Reads an envelope. Nothing of it is believed yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownVersion`] if a newer version of this software wrote it,
    /// [`ErrorKind::Damaged`] if it is not an envelope, or too long.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > Self::MAX_LEN {
            return Err(damaged("this is longer than any backup"));
        }
        let Some(body) = text.strip_prefix(PREFIX) else {
            return Err(not_this_version(text));
        };
        let body = Base64UrlUnpadded::decode_vec(body)
            .map_err(|_| damaged("the backup has characters that do not belong there"))?;
        let mut reader = Reader::new(&body, "the backup is cut short");
        let header = Header::read(&mut reader)?;
        let sealed =
            Sealed { encapsulated: *reader.array()?, ciphertext: reader.bytes()?.to_vec() };
        reader.finish()?;
        Ok(Self { text: text.to_owned(), header, sealed })
    }

    pub(crate) fn assemble(header: Header, sealed: Sealed) -> Self {
        let mut writer = Writer::default();
        header.write(&mut writer);
        writer.fixed(&sealed.encapsulated).bytes(&sealed.ciphertext);
        let body = Base64UrlUnpadded::encode_string(&writer.finish());
        Self { text: format!("{PREFIX}{body}"), header, sealed }
    }

    /// The envelope as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it says about itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Opens it with `method` and the user, who may try as often as `op` allows.
    ///
    /// The reader supplies the context, the method and, for each curve inside, the public key of
    /// the client's wallet; `wallets` may name more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there is no slot, or a wallet is missing from `wallets`;
    /// what [`BackupMethod::unlock`] returns; [`ErrorKind::Unauthorized`] if the slot does not open
    /// for that key and those facts; [`ErrorKind::Damaged`] if the shares behind it do not.
    pub async fn open(
        &self,
        method: &dyn BackupMethod,
        op: &Operation<'_>,
        wallets: &[Point],
    ) -> Result<Opened> {
        let id = method.id();
        let wallets = self.header.wallets_from(wallets)?;
        let slot = self.header.slot.as_ref().ok_or_else(|| {
            invalid_input("this backup has no slot; it opens with the key that the app stored")
        })?;
        let owner = SlotOwner {
            context: op.context(),
            method: &id,
            sealing_public_key: &self.header.sealing_public_key,
        };
        // A foreign envelope is not worth a second password.
        let foreign = self.header.differs_from(op.context(), &id);
        let op = if foreign.is_some() { op.with_attempts(1) } else { *op };
        let key = slot.unlock(&owner, method, &op).await.map_err(|e| e.with_hint(foreign))?;
        op.report(Progress::Stage(Stage::DecryptingShare));
        self.open_shares(OpeningKey::derive(&key), op.context(), id, &wallets)
    }

    /// Opens an envelope without a slot, with the backup key that the app stored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there is a slot, or a wallet is missing from `wallets`;
    /// [`ErrorKind::Unauthorized`] if it is another envelope's key; [`ErrorKind::Damaged`] if the
    /// shares do not open for this context.
    pub fn open_with_key(
        &self,
        key: &BackupKey,
        context: &EncryptionContext,
        wallets: &[Point],
    ) -> Result<Opened> {
        let wallets = self.header.wallets_from(wallets)?;
        if self.header.slot.is_some() {
            return Err(invalid_input("this backup has a slot; it opens with its method"));
        }
        let opening = OpeningKey::derive(key);
        if *opening.sealing.public() != self.header.sealing_public_key {
            return Err(Error::new(ErrorKind::Unauthorized, "this is another backup's key"));
        }
        self.open_shares(opening, context, MethodId::CUSTOM, &wallets)
    }

    fn open_shares(
        &self,
        opening: OpeningKey,
        context: &EncryptionContext,
        method: MethodId,
        wallets: &[Point],
    ) -> Result<Opened> {
        if *opening.sealing.public() != self.header.sealing_public_key {
            return Err(damaged("the backup's sealing key is not its own; use another backup"));
        }
        let facts = self.header.share_facts(context, &method, wallets);
        let plaintext = opening
            .open(&facts, &self.sealed)
            .map_err(|error| error.with_hint(self.header.differs_from(context, &method)))?;
        let shares = read_shares(&self.header, wallets, &plaintext)?;
        let slot = self.header.slot.clone();
        let sealer = Sealer::from_parts(context.clone(), method, slot, opening.sealing);
        Ok(Opened { shares, sealer })
    }
}

impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Envelope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

fn not_this_version(text: &str) -> Error {
    if text.starts_with(ANY_VERSION) {
        Error::new(
            ErrorKind::UnknownVersion,
            "a newer version of this software wrote the backup; update, then open it",
        )
    } else {
        damaged("this is not a backup of ours; one begins with `portal-backup-1.`")
    }
}

#[cfg(test)]
mod tests;
