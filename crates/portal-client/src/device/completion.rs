//! What a commit says besides its envelope, as the journal keeps it.

use backup_core::{BackupId, Curve, Result, SharePairId};
use portal_mpc::HoldProof;

use super::codec::{Reader, Writer, curve_code, damaged, read_curve};

/// What finishing a backup takes besides its envelope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Completion {
    /// The head that the set is to replace.
    pub replaces: Option<BackupId>,
    /// What became of the trial of a new slot.
    pub trial: Trial,
    /// The device's halves by rising curve, from [`Step::Seal`](super::Step::Seal) on.
    pub halves: Vec<Half>,
}

/// Whether the user opened a new slot once, with nothing kept from making it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Trial {
    /// The slot is an earlier backup's.
    NotNeeded,
    /// The app declined it: the set will be completed, and not proved by its commit.
    Declined,
    /// It is yet to come. Until then nobody knows that the slot opens.
    Awaited,
    /// The slot opened.
    Passed,
}

/// That the device holds its half of one pair.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Half {
    /// The curve of the pair.
    pub curve: Curve,
    /// The pair's name.
    pub pair: SharePairId,
    /// The proof that goes into the commit.
    pub proof: HoldProof,
}

impl Trial {
    /// Everything that can become of it.
    pub const ALL: [Self; 4] = [Self::NotNeeded, Self::Declined, Self::Awaited, Self::Passed];
}

impl Completion {
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.byte(self.replaces.is_some().into());
        if let Some(replaces) = &self.replaces {
            writer.bytes(replaces.as_str().as_bytes());
        }
        writer.byte(self.trial as u8).count(self.halves.len());
        for half in &self.halves {
            writer
                .byte(curve_code(half.curve))
                .bytes(half.pair.as_str().as_bytes())
                .fixed(half.proof.as_bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let replaces = if reader.flag()? { Some(reader.text(BackupId::new)?) } else { None };
        let code = reader.byte()?;
        let trial = Trial::ALL.into_iter().find(|trial| *trial as u8 == code);
        let count = reader.count()?;
        let halves: Vec<_> = (0..count).map(|_| Half::read(reader)).collect::<Result<_>>()?;
        if !halves.windows(2).all(|two| two[0].curve < two[1].curve) {
            return Err(damaged());
        }
        Ok(Self { replaces, trial: trial.ok_or_else(damaged)?, halves })
    }
}

impl Half {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let curve = read_curve(reader)?;
        let pair = reader.text(SharePairId::new)?;
        let proof = HoldProof::from_bytes(reader.fixed(HoldProof::LEN)?).map_err(|_| damaged())?;
        Ok(Self { curve, pair, proof })
    }
}
