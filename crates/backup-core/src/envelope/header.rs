//! What an envelope says about itself, and what its shares are bound to.

use sha2::{Digest, Sha256};

use crate::{
    BackupId, ClientBackupShare, ClientId, Curve, CustodianId, EncryptionContext, KeySlot,
    MethodId, Point, Result, SharePairId,
    binding::Facts,
    codec::{Reader, Writer},
    error::{damaged, invalid_input},
};

const SHARES_LABEL: &str = "portal-backup/1 shares";

const ENROLLMENT_LABEL: &[u8] = b"portal-backup/1 enrollment";

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

impl Header {
    /// Which enrolment the envelope says it is of: a fingerprint of its slot and sealing key.
    ///
    /// All envelopes of one enrolment have the same, and no two enrolments do.
    #[must_use]
    pub fn enrollment(&self) -> [u8; 32] {
        let mut writer = Writer::default();
        writer.bytes(ENROLLMENT_LABEL).bytes(self.method.as_str().as_bytes());
        writer.fixed(&self.sealing_public_key);
        write_slot(&mut writer, self.slot.as_ref());
        Sha256::digest(writer.finish()).into()
    }

    pub(super) fn write(&self, writer: &mut Writer) {
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

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
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
    pub(super) fn wallets_from(&self, known: &[Point]) -> Result<Vec<Point>> {
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
    pub(super) fn differs_from(
        &self,
        context: &EncryptionContext,
        method: &MethodId,
    ) -> Option<String> {
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
}

impl SealedWallet {
    pub(crate) fn of(share: &ClientBackupShare) -> Self {
        Self { wallet: share.wallet(), pair: share.pair().clone() }
    }
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
