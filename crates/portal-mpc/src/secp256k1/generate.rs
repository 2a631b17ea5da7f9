//! Key generation: both shares, and no whole key.

use std::collections::BTreeMap;

use dkls23_core::protocols::dkg::{
    self, BroadcastDerivationPhase2to4, BroadcastDerivationPhase3to4, KeepInitMulPhase3to4,
    KeepInitZeroSharePhase2to3, KeepInitZeroSharePhase3to4, ProofCommitment, SessionData,
    TransmitInitZeroSharePhase2to4, TransmitInitZeroSharePhase3to4, UniqueKeepDerivationPhase2to3,
};
use dkls23_core::protocols::{PartiesMessage, PartyIndex};
use k256::{Scalar, Secp256k1};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::messages::{
    ChainCode, CompleteReveal, Encoded, FRAGMENT, KeyReveal, Seed, Transfers, erase_transfers,
    read_hashes, read_scalar, write_hashes, write_scalar,
};
use super::{Signer, index, parameters};
use crate::error::Fault;
use crate::protocol::Protocol;
use crate::role::Party;
use crate::session::SessionId;

/// Key generation on secp256k1.
#[derive(Debug)]
pub struct Generate;

/// The own point of the joint line, and what is committed to but not yet revealed.
#[derive(Deserialize, Serialize)]
#[doc(hidden)]
pub struct Committed {
    point: Scalar,
    proof: ProofCommitment<Secp256k1>,
    zero: BTreeMap<PartyIndex, KeepInitZeroSharePhase2to3>,
    chain_code: UniqueKeepDerivationPhase2to3,
    chain_code_hash: BroadcastDerivationPhase2to4,
}

/// The same after everything was revealed.
#[doc(hidden)]
pub struct Revealed {
    committed: Committed,
    zero: BTreeMap<PartyIndex, KeepInitZeroSharePhase3to4>,
    transfers: BTreeMap<PartyIndex, KeepInitMulPhase3to4<Secp256k1>>,
    chain_code: BroadcastDerivationPhase3to4,
    /// The other side's commitments, where they came before its revelation.
    theirs: [[u8; 32]; 3],
}

/// The fragment that the client keeps.
#[doc(hidden)]
pub struct Started(Scalar);

impl Protocol for Generate {
    type Input<'a> = ();
    type Started = Started;
    type Advanced = Revealed;
    type Answered = Committed;
    type Output = Signer;

    const LENGTHS: [usize; 4] =
        [FRAGMENT, FRAGMENT + HASHES, HASHES + KeyReveal::LEN, KeyReveal::LEN];

    fn start((): (), id: &SessionId, out: &mut [u8]) -> Result<Started, Fault> {
        Ok(Started(fragments(Party::Client, id, out)))
    }

    fn answer((): (), id: &SessionId, post: &[u8], out: &mut [u8]) -> Result<Committed, Fault> {
        let (fragment, hashes) = out.split_at_mut(FRAGMENT);
        let own = fragments(Party::Server, id, fragment);
        Ok(commit(Party::Server, id, own, read_scalar(post)?, hashes))
    }

    fn advance(
        (): (),
        id: &SessionId,
        started: Started,
        reply: &[u8],
        out: &mut [u8],
    ) -> Result<Revealed, Fault> {
        let (fragment, theirs) = reply.split_at(FRAGMENT);
        let theirs = read_hashes(theirs)?;
        let (hashes, revealed) = out.split_at_mut(HASHES);
        let committed = commit(Party::Client, id, started.0, read_scalar(fragment)?, hashes);
        reveal(Party::Client, id, committed, theirs, revealed)
    }

    fn conclude(
        (): (),
        id: &SessionId,
        committed: Committed,
        post: &[u8],
        out: &mut [u8],
    ) -> Result<Signer, Fault> {
        let (theirs, revealed) = post.split_at(HASHES);
        let own = reveal(Party::Server, id, committed, read_hashes(theirs)?, out)?;
        complete(Party::Server, id, &own, KeyReveal::read(revealed)?)
    }

    fn finish((): (), id: &SessionId, own: Revealed, reply: &[u8]) -> Result<Signer, Fault> {
        complete(Party::Client, id, &own, KeyReveal::read(reply)?)
    }
}

/// Proof, zero-share seed and chain code.
const HASHES: usize = 3 * 32;

fn session(party: Party, id: &SessionId) -> SessionData {
    SessionData {
        parameters: parameters(),
        party_index: index(party),
        session_id: id.as_bytes().to_vec(),
    }
}

fn fragments(party: Party, id: &SessionId, out: &mut [u8]) -> Scalar {
    let mut fragments = dkg::phase1::<Secp256k1>(&session(party, id));
    let (own, theirs) = (party as usize - 1, party.other() as usize - 1);
    write_scalar(&fragments[theirs], out);
    let own = fragments[own];
    fragments.zeroize();
    own
}

fn commit(party: Party, id: &SessionId, own: Scalar, theirs: Scalar, out: &mut [u8]) -> Committed {
    let (point, proof, zero, zero_hash, chain_code, chain_code_hash) =
        dkg::phase2::<Secp256k1>(&session(party, id), &[own, theirs]);
    // The crate keeps proof and commitment in one struct: only the commitment leaves now.
    let hashes = [proof.commitment, zero_hash[0].commitment, chain_code_hash.cc_commitment];
    write_hashes(hashes, out);
    Committed { point, proof, zero, chain_code, chain_code_hash }
}

fn reveal(
    party: Party,
    id: &SessionId,
    committed: Committed,
    theirs: [[u8; 32]; 3],
    out: &mut [u8],
) -> Result<Revealed, Fault> {
    let (zero, mut zero_sent, transfers, mut transfers_sent, chain_code) =
        dkg::phase3::<Secp256k1>(&session(party, id), &committed.zero, &committed.chain_code);
    let (sent, zero_sent) = (transfers_sent.remove(0), zero_sent.remove(0));
    let message = KeyReveal {
        complete: CompleteReveal {
            proof: committed.proof.proof.clone(),
            zero: Seed { seed: zero_sent.seed, salt: zero_sent.salt },
            transfers: Transfers::from(sent),
        },
        chain_code: ChainCode { part: chain_code.aux_chain_code, salt: chain_code.cc_salt.clone() },
    };
    message.write(out)?;
    Ok(Revealed { committed, zero, transfers, chain_code, theirs })
}

fn complete(
    party: Party,
    id: &SessionId,
    own: &Revealed,
    message: KeyReveal,
) -> Result<Signer, Fault> {
    let KeyReveal { complete: CompleteReveal { proof, zero, transfers }, chain_code } = message;
    let (us, them) = (index(party), index(party.other()));
    let parties = PartiesMessage { sender: them, receiver: us };
    let [proof_hash, zero_hash, chain_code_hash] = own.theirs;
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
    let chain_code_hash =
        BroadcastDerivationPhase2to4 { sender_index: them, cc_commitment: chain_code_hash };
    let chain_code = BroadcastDerivationPhase3to4 {
        sender_index: them,
        aux_chain_code: chain_code.part,
        cc_salt: chain_code.salt,
    };
    let (signer, _) = dkg::phase4::<Secp256k1>(
        &session(party, id),
        &own.committed.point,
        &proofs,
        &own.zero,
        &[zero_hash],
        &[zero],
        &own.transfers,
        &[transfers.into_crate(parties)],
        &BTreeMap::from([(us, own.committed.chain_code_hash.clone()), (them, chain_code_hash)]),
        &BTreeMap::from([(us, own.chain_code.clone()), (them, chain_code)]),
        |_| String::new(),
    )?;
    Ok(signer)
}

impl Zeroize for Committed {
    fn zeroize(&mut self) {
        self.point.zeroize();
        self.zero.values_mut().for_each(|kept| kept.seed.zeroize());
        self.chain_code.aux_chain_code.zeroize();
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
