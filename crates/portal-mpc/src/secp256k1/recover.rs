//! Recovery: a complete refresh of a backup pair, which makes new oblivious-transfer state.

use std::collections::BTreeMap;

use dkls23_core::protocols::dkg::{
    KeepInitMulPhase3to4, KeepInitZeroSharePhase2to3, KeepInitZeroSharePhase3to4, ProofCommitment,
    TransmitInitZeroSharePhase2to4, TransmitInitZeroSharePhase3to4,
};
use dkls23_core::protocols::{PartiesMessage, PartyIndex};
use k256::{Scalar, Secp256k1};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::messages::{
    CompleteReveal, Encoded, FRAGMENT, Seed, Transfers, erase_transfers, read_hashes, read_scalar,
    write_hashes, write_scalar,
};
use super::{Half, Signer, index};
use crate::error::{Error, Fault};
use crate::protocol::Protocol;
use crate::role::Party;
use crate::session::SessionId;

/// Recovery on secp256k1.
#[derive(Debug)]
pub struct Recover;

/// The own correction, and what is committed to but not yet revealed.
#[derive(Deserialize, Serialize)]
#[doc(hidden)]
pub struct Committed {
    correction: Scalar,
    proof: ProofCommitment<Secp256k1>,
    zero: BTreeMap<PartyIndex, KeepInitZeroSharePhase2to3>,
}

/// The same after everything was revealed.
#[doc(hidden)]
pub struct Revealed {
    committed: Committed,
    zero: BTreeMap<PartyIndex, KeepInitZeroSharePhase3to4>,
    transfers: BTreeMap<PartyIndex, KeepInitMulPhase3to4<Secp256k1>>,
    theirs: [[u8; 32]; 2],
}

/// The fragment that the client keeps.
#[doc(hidden)]
pub struct Started(Scalar);

impl Protocol for Recover {
    type Input<'a> = &'a Half;
    type Started = Started;
    type Advanced = Revealed;
    type Answered = Committed;
    type Output = Signer;

    const LENGTHS: [usize; 4] =
        [FRAGMENT, FRAGMENT + HASHES, HASHES + CompleteReveal::LEN, CompleteReveal::LEN];

    fn start(half: &Half, _: &SessionId, out: &mut [u8]) -> Result<Started, Fault> {
        Ok(Started(fragments(Party::Client, half, out)))
    }

    fn answer(
        half: &Half,
        id: &SessionId,
        post: &[u8],
        out: &mut [u8],
    ) -> Result<Committed, Fault> {
        let (fragment, hashes) = out.split_at_mut(FRAGMENT);
        let own = fragments(Party::Server, half, fragment);
        commit(&half.hollow(Party::Server), id, own, read_scalar(post)?, hashes)
    }

    fn advance(
        half: &Half,
        id: &SessionId,
        started: Started,
        reply: &[u8],
        out: &mut [u8],
    ) -> Result<Revealed, Fault> {
        let (fragment, theirs) = reply.split_at(FRAGMENT);
        let (theirs, fragment) = (read_hashes(theirs)?, read_scalar(fragment)?);
        let (hashes, revealed) = out.split_at_mut(HASHES);
        let hollow = half.hollow(Party::Client);
        let committed = commit(&hollow, id, started.0, fragment, hashes)?;
        reveal(&hollow, id, committed, theirs, revealed)
    }

    fn conclude(
        half: &Half,
        id: &SessionId,
        committed: Committed,
        post: &[u8],
        out: &mut [u8],
    ) -> Result<Signer, Fault> {
        let (theirs, revealed) = post.split_at(HASHES);
        let hollow = half.hollow(Party::Server);
        let own = reveal(&hollow, id, committed, read_hashes(theirs)?, out)?;
        complete(Party::Server, &hollow, id, &own, CompleteReveal::read(revealed)?)
    }

    fn finish(half: &Half, id: &SessionId, own: Revealed, reply: &[u8]) -> Result<Signer, Fault> {
        let hollow = half.hollow(Party::Client);
        complete(Party::Client, &hollow, id, &own, CompleteReveal::read(reply)?)
    }
}

/// Proof and zero-share seed.
const HASHES: usize = 2 * 32;

fn fragments(party: Party, half: &Half, out: &mut [u8]) -> Scalar {
    let mut fragments = half.hollow(party).refresh_complete_phase1();
    write_scalar(&fragments[party.other() as usize - 1], out);
    let own = fragments[party as usize - 1];
    fragments.zeroize();
    own
}

fn commit(
    hollow: &Signer,
    id: &SessionId,
    own: Scalar,
    theirs: Scalar,
    out: &mut [u8],
) -> Result<Committed, Fault> {
    let (correction, proof, zero, zero_hash) =
        hollow.refresh_complete_phase2(id.as_bytes(), &[own, theirs]);
    // The server sees the client's fragment before it sends its own, so it can cancel it.
    if bool::from(correction.is_zero()) {
        return Err(Error::Unchanged.into());
    }
    write_hashes([proof.commitment, zero_hash[0].commitment], out);
    Ok(Committed { correction, proof, zero })
}

fn reveal(
    hollow: &Signer,
    id: &SessionId,
    committed: Committed,
    theirs: [[u8; 32]; 2],
    out: &mut [u8],
) -> Result<Revealed, Fault> {
    let (zero, mut zero_sent, transfers, mut transfers_sent) =
        hollow.refresh_complete_phase3(id.as_bytes(), &committed.zero);
    let (sent, zero_sent) = (transfers_sent.remove(0), zero_sent.remove(0));
    let message = CompleteReveal {
        proof: committed.proof.proof.clone(),
        zero: Seed { seed: zero_sent.seed, salt: zero_sent.salt },
        transfers: Transfers::from(sent),
    };
    message.write(out)?;
    Ok(Revealed { committed, zero, transfers, theirs })
}

fn complete(
    party: Party,
    hollow: &Signer,
    id: &SessionId,
    own: &Revealed,
    message: CompleteReveal,
) -> Result<Signer, Fault> {
    let CompleteReveal { proof, zero, transfers } = message;
    let them = index(party.other());
    let parties = PartiesMessage { sender: them, receiver: index(party) };
    let [proof_hash, zero_hash] = own.theirs;
    let proofs = [
        own.committed.proof.clone(),
        ProofCommitment { index: them, proof, commitment: proof_hash },
    ];
    let zero_hash =
        TransmitInitZeroSharePhase2to4 { parties: parties.clone(), commitment: zero_hash };
    let zero = TransmitInitZeroSharePhase3to4 {
        parties: parties.clone(),
        seed: zero.seed,
        salt: zero.salt.clone(),
    };
    let signer = hollow.refresh_complete_phase4(
        id.as_bytes(),
        &own.committed.correction,
        &proofs,
        &own.zero,
        &[zero_hash],
        &[zero],
        &own.transfers,
        &[transfers.into_crate(parties)],
    )?;
    Ok(signer)
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
        self.transfers.values_mut().for_each(erase_transfers);
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
