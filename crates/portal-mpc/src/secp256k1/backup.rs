//! Backup: a fast refresh, of which only the half is kept.

use std::collections::BTreeMap;

use dkls23_core::protocols::dkg::ProofCommitment;
use dkls23_core::protocols::refresh::{
    KeepRefreshPhase2to3, KeepRefreshPhase3to4, TransmitRefreshPhase2to4, TransmitRefreshPhase3to4,
};
use dkls23_core::protocols::{PartiesMessage, PartyIndex};
use k256::{Scalar, Secp256k1};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::messages::{
    Encoded, FRAGMENT, FastReveal, Seed, read_hashes, read_scalar, write_hashes, write_scalar,
};
use super::{Half, Signer, index};
use crate::error::{Error, Fault};
use crate::protocol::Protocol;
use crate::role::Party;
use crate::session::SessionId;

/// Backup on secp256k1.
#[derive(Debug)]
pub struct Backup;

/// The own correction, and what is committed to but not yet revealed.
#[derive(Deserialize, Serialize)]
#[doc(hidden)]
pub struct Committed {
    correction: Scalar,
    proof: ProofCommitment<Secp256k1>,
    zero: BTreeMap<PartyIndex, KeepRefreshPhase2to3>,
}

/// The same after everything was revealed.
#[doc(hidden)]
pub struct Revealed {
    committed: Committed,
    zero: BTreeMap<PartyIndex, KeepRefreshPhase3to4>,
    theirs: [[u8; 32]; 2],
}

/// The fragment that the client keeps.
#[doc(hidden)]
pub struct Started(Scalar);

impl Protocol for Backup {
    type Input<'a> = &'a Signer;
    type Started = Started;
    type Advanced = Revealed;
    type Answered = Committed;
    type Output = Half;

    const LENGTHS: [usize; 4] =
        [FRAGMENT, FRAGMENT + HASHES, HASHES + FastReveal::LEN, FastReveal::LEN];

    fn start(signer: &Signer, _: &SessionId, out: &mut [u8]) -> Result<Started, Fault> {
        Ok(Started(fragments(Party::Client, signer, out)))
    }

    fn answer(
        signer: &Signer,
        id: &SessionId,
        post: &[u8],
        out: &mut [u8],
    ) -> Result<Committed, Fault> {
        let (fragment, hashes) = out.split_at_mut(FRAGMENT);
        let own = fragments(Party::Server, signer, fragment);
        commit(signer, id, own, read_scalar(post)?, hashes)
    }

    fn advance(
        signer: &Signer,
        id: &SessionId,
        started: Started,
        reply: &[u8],
        out: &mut [u8],
    ) -> Result<Revealed, Fault> {
        let (fragment, theirs) = reply.split_at(FRAGMENT);
        let theirs = read_hashes(theirs)?;
        let (hashes, revealed) = out.split_at_mut(HASHES);
        let committed = commit(signer, id, started.0, read_scalar(fragment)?, hashes)?;
        reveal(signer, committed, theirs, revealed)
    }

    fn conclude(
        signer: &Signer,
        id: &SessionId,
        committed: Committed,
        post: &[u8],
        out: &mut [u8],
    ) -> Result<Half, Fault> {
        let (theirs, revealed) = post.split_at(HASHES);
        let own = reveal(signer, committed, read_hashes(theirs)?, out)?;
        complete(Party::Server, signer, id, &own, FastReveal::read(revealed)?)
    }

    fn finish(signer: &Signer, id: &SessionId, own: Revealed, reply: &[u8]) -> Result<Half, Fault> {
        complete(Party::Client, signer, id, &own, FastReveal::read(reply)?)
    }
}

/// Proof and zero-share seed.
const HASHES: usize = 2 * 32;

fn fragments(party: Party, signer: &Signer, out: &mut [u8]) -> Scalar {
    let mut fragments = signer.refresh_phase1();
    write_scalar(&fragments[party.other() as usize - 1], out);
    let own = fragments[party as usize - 1];
    fragments.zeroize();
    own
}

fn commit(
    signer: &Signer,
    id: &SessionId,
    own: Scalar,
    theirs: Scalar,
    out: &mut [u8],
) -> Result<Committed, Fault> {
    let (correction, proof, zero, zero_hash) = signer.refresh_phase2(id.as_bytes(), &[own, theirs]);
    // The server sees the client's fragment before it sends its own, so it can cancel it.
    if bool::from(correction.is_zero()) {
        return Err(Error::Unchanged.into());
    }
    write_hashes([proof.commitment, zero_hash[0].commitment], out);
    Ok(Committed { correction, proof, zero })
}

fn reveal(
    signer: &Signer,
    committed: Committed,
    theirs: [[u8; 32]; 2],
    out: &mut [u8],
) -> Result<Revealed, Fault> {
    let (zero, mut sent) = signer.refresh_phase3(&committed.zero);
    let sent = sent.remove(0);
    let message = FastReveal {
        proof: committed.proof.proof.clone(),
        zero: Seed { seed: sent.seed, salt: sent.salt },
    };
    message.write(out)?;
    Ok(Revealed { committed, zero, theirs })
}

fn complete(
    party: Party,
    signer: &Signer,
    id: &SessionId,
    own: &Revealed,
    message: FastReveal,
) -> Result<Half, Fault> {
    let them = index(party.other());
    let parties = PartiesMessage { sender: them, receiver: index(party) };
    let [proof_hash, zero_hash] = own.theirs;
    let proofs = [
        own.committed.proof.clone(),
        ProofCommitment { index: them, proof: message.proof, commitment: proof_hash },
    ];
    let zero_hash = TransmitRefreshPhase2to4 { parties: parties.clone(), commitment: zero_hash };
    let zero = TransmitRefreshPhase3to4 {
        parties,
        seed: message.zero.seed,
        salt: message.zero.salt.clone(),
    };
    let refreshed = signer.refresh_phase4(
        id.as_bytes(),
        &own.committed.correction,
        &proofs,
        &own.zero,
        &[zero_hash],
        &[zero],
    )?;
    Ok(Half::of(&refreshed))
}

impl Zeroize for Committed {
    fn zeroize(&mut self) {
        self.correction.zeroize();
        self.zero.values_mut().for_each(|kept| kept.seed.zeroize());
    }
}

impl Zeroize for Revealed {
    fn zeroize(&mut self) {
        self.committed.zeroize();
        self.zero.values_mut().for_each(|kept| kept.seed.zeroize());
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Drop for Committed {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl Drop for Revealed {
    fn drop(&mut self) {
        self.zeroize();
    }
}
