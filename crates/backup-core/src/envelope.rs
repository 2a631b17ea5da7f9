//! The envelope: a key slot and the sealed shares of all curves, as one string with a version.

use std::{fmt, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding};
use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroizing;

use crate::{
    BackupId, BackupKey, BackupMethod, ClientBackupShare, ClientId, Curve, CustodianId,
    EncryptionContext, Error, ErrorKind, KeySlot, MethodId, Operation, Point, Progress, Result,
    Sealer, SharePairId, Stage,
    binding::Facts,
    codec::{Reader, Writer},
    error::{damaged, invalid_input},
    sealing::{OpeningKey, Sealed},
    slot::SlotOwner,
};

const SHARES_LABEL: &str = "portal-backup/1 shares";
const PREFIX: &str = "portal-backup-1.";
const ANY_VERSION: &str = "portal-backup-";

/// An encrypted backup: what the guides call `cipherText`.
///
/// It is safe to give to anybody to keep. What it says about itself is only a claim until it is
/// opened with facts that the reader supplies. The format is in `docs/format.md`; it is append-only,
/// and what is written today is meant to open decades from now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Envelope {
    text: String,
    header: Header,
    sealed: Sealed,
}

/// What an envelope says about itself. A claim: it chooses and explains, and decides nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// Whose backup it says it is.
    pub context: EncryptionContext,
    /// The method that it says opens it.
    pub method: MethodId,
    /// The public half of the sealing key.
    pub sealing_public_key: [u8; 32],
    /// The backup run that made it.
    pub backup: BackupId,
    /// The slot; `None` where the app keeps the backup key itself.
    pub slot: Option<KeySlot>,
    /// The wallets whose shares are inside, in the order of [`Curve`].
    pub wallets: Vec<SealedWallet>,
}

/// One wallet of an envelope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedWallet {
    /// The wallet's public key.
    pub wallet: Point,
    /// The pair that the sealed share is one half of.
    pub pair: SharePairId,
}

/// What an opened envelope yields.
#[derive(Debug)]
pub struct Opened {
    /// One share per curve, in the order of [`Curve`].
    pub shares: Vec<ClientBackupShare>,
    /// Makes further backups of the same enrolment without asking the user.
    pub sealer: Sealer,
}

impl Envelope {
    /// The longest envelope that is read, in characters. Reading one allocates less than twice its
    /// length.
    pub const MAX_LEN: usize = 64 * 1024;

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
        let shares = self.header.read_shares(wallets, &plaintext)?;
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

impl Header {
    fn write(&self, writer: &mut Writer) {
        writer
            .bytes(self.context.custodian.as_str().as_bytes())
            .bytes(self.context.client.as_str().as_bytes())
            .bytes(self.method.as_str().as_bytes())
            .fixed(&self.sealing_public_key)
            .bytes(self.backup.as_str().as_bytes());
        write_slot(writer, self.slot.as_ref());
        writer.byte(self.wallet_count());
        for SealedWallet { wallet, pair } in &self.wallets {
            writer
                .byte(wallet.curve().code())
                .fixed(wallet.as_bytes())
                .bytes(pair.as_str().as_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let custodian = reader.text(CustodianId::new)?;
        let client = reader.text(ClientId::new)?;
        Ok(Self {
            context: EncryptionContext::new(custodian, client),
            method: reader.text(MethodId::new)?,
            sealing_public_key: *reader.array()?,
            backup: reader.text(BackupId::new)?,
            slot: read_slot(reader)?,
            wallets: read_wallets(reader)?,
        })
    }

    fn wallet_count(&self) -> u8 {
        u8::try_from(self.wallets.len()).expect("there are few curves")
    }

    pub(crate) fn wallet_points(&self) -> Vec<Point> {
        self.wallets.iter().map(|sealed| sealed.wallet).collect()
    }

    /// The facts that the shares are bound to; `wallets` in the header's order.
    pub(crate) fn share_facts(
        &self,
        context: &EncryptionContext,
        method: &MethodId,
        wallets: &[Point],
    ) -> Vec<u8> {
        let facts = Facts::new(SHARES_LABEL)
            .context(context)
            .fact(method.as_str())
            .fact(self.sealing_public_key)
            .fact(self.backup.as_str())
            .fact([self.wallet_count()]);
        let bind = |facts: Facts, (sealed, wallet): (&SealedWallet, &Point)| {
            facts.fact([wallet.curve().code()]).fact(wallet.as_bytes()).fact(sealed.pair.as_str())
        };
        self.wallets.iter().zip(wallets).fold(facts, bind).finish()
    }

    /// The reader's wallet for each curve inside.
    fn wallets_from(&self, known: &[Point]) -> Result<Vec<Point>> {
        let find = |sealed: &SealedWallet| {
            let curve = sealed.wallet.curve();
            known.iter().find(|point| point.curve() == curve).copied().ok_or_else(|| {
                invalid_input(format!(
                    "this backup holds a share of a {curve} wallet; say which by its public key"
                ))
            })
        };
        self.wallets.iter().map(find).collect()
    }

    /// In words, how the claims differ from what the reader expects.
    fn differs_from(&self, context: &EncryptionContext, method: &MethodId) -> Option<String> {
        let claims = [
            ("custodian", self.context.custodian.as_str(), context.custodian.as_str()),
            ("client", self.context.client.as_str(), context.client.as_str()),
            ("method", self.method.as_str(), method.as_str()),
        ];
        claims.into_iter().find(|(_, claimed, expected)| claimed != expected).map(
            |(fact, claimed, expected)| {
                format!("the backup says that its {fact} is {claimed}, not {expected}")
            },
        )
    }

    fn read_shares(&self, wallets: &[Point], plaintext: &[u8]) -> Result<Vec<ClientBackupShare>> {
        let mut reader = Reader::new(plaintext, "the sealed shares are cut short");
        let mut shares = Vec::with_capacity(wallets.len());
        for (sealed, &wallet) in self.wallets.iter().zip(wallets) {
            shares.push(read_share(&mut reader, wallet, sealed.pair.clone())?);
        }
        reader.finish()?;
        Ok(shares)
    }
}

impl SealedWallet {
    pub(crate) fn of(share: &ClientBackupShare) -> Self {
        Self { wallet: share.wallet(), pair: share.pair().clone() }
    }
}

/// The plaintext of the sealed shares, in a buffer that never grows.
pub(crate) fn write_shares(shares: &[&ClientBackupShare]) -> Zeroizing<Vec<u8>> {
    let longest = 2 * 33 + 2 + ClientBackupShare::MAX_SECRET_LEN;
    let mut writer = Writer::with_capacity(shares.len() * longest);
    for share in shares {
        writer
            .fixed(share.client_commitment().as_bytes())
            .fixed(share.custodian_commitment().as_bytes())
            .bytes(share.secret().expose_secret());
    }
    Zeroizing::new(writer.finish())
}

fn read_share(
    reader: &mut Reader<'_>,
    wallet: Point,
    pair: SharePairId,
) -> Result<ClientBackupShare> {
    let curve = wallet.curve();
    let client_commitment = Point::new(curve, reader.fixed(curve.point_len())?)?;
    let custodian_commitment = Point::new(curve, reader.fixed(curve.point_len())?)?;
    let secret = SecretSlice::from(Box::<[u8]>::from(reader.bytes()?));
    ClientBackupShare::new(pair, wallet, client_commitment, custodian_commitment, secret)
        .map_err(|error| damaged("a sealed share is malformed").with_source(error))
}

pub(crate) fn write_slot(writer: &mut Writer, slot: Option<&KeySlot>) {
    writer.byte(slot.is_some().into());
    if let Some(slot) = slot {
        slot.write(writer);
    }
}

pub(crate) fn read_slot(reader: &mut Reader<'_>) -> Result<Option<KeySlot>> {
    match reader.byte()? {
        0 => Ok(None),
        1 => KeySlot::read(reader).map(Some),
        _ => Err(damaged("the slot is of an unknown kind")),
    }
}

fn read_wallets(reader: &mut Reader<'_>) -> Result<Vec<SealedWallet>> {
    let count = reader.byte()?;
    if !(1..=Curve::ALL.len()).contains(&count.into()) {
        return Err(damaged("a backup holds one share per curve"));
    }
    let mut wallets: Vec<SealedWallet> = Vec::with_capacity(count.into());
    for _ in 0..count {
        let curve = Curve::from_code(reader.byte()?)
            .ok_or_else(|| damaged("the backup has a wallet on an unknown curve"))?;
        if wallets.last().is_some_and(|last| last.wallet.curve() >= curve) {
            return Err(damaged("the backup's curves are out of order"));
        }
        let wallet = Point::new(curve, reader.fixed(curve.point_len())?)?;
        wallets.push(SealedWallet { wallet, pair: reader.text(SharePairId::new)? });
    }
    Ok(wallets)
}
