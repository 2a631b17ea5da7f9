//! Signing: ECDSA over a digest, low s, with recovery id.

use std::collections::BTreeMap;

use dkls23_core::protocols::PartyIndex;
use dkls23_core::protocols::signing::{
    Broadcast3to4, KeepPhase1to2, KeepPhase2to3, SignData, TransmitPhase1to2, TransmitPhase2to3,
    UniqueKeep1to2, UniqueKeep2to3,
};
use k256::Secp256k1;
use serde::{Deserialize, Serialize};

use super::messages::Encoded;
use super::{Signer, index};
use crate::error::{Error, Fault};
use crate::protocol::Protocol;
use crate::role::Party;
use crate::session::SessionId;
use crate::signature::EcdsaSignature;

/// Signing on secp256k1.
#[derive(Debug)]
pub struct Sign;

/// A share and a digest.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct Input<'a> {
    pub(crate) signer: &'a Signer,
    pub(crate) digest: [u8; 32],
}

/// What is kept after the first message.
#[doc(hidden)]
pub struct Started {
    unique: UniqueKeep1to2<Secp256k1>,
    kept: BTreeMap<PartyIndex, KeepPhase1to2<Secp256k1>>,
}

/// What is kept after the second message.
#[derive(Deserialize, Serialize)]
#[doc(hidden)]
pub struct Multiplied {
    unique: UniqueKeep2to3<Secp256k1>,
    kept: BTreeMap<PartyIndex, KeepPhase2to3<Secp256k1>>,
}

/// The x coordinate and the own part of s.
#[doc(hidden)]
pub struct Summed {
    x: String,
    part: Broadcast3to4<Secp256k1>,
}

impl Protocol for Sign {
    type Input<'a> = Input<'a>;
    type Started = Started;
    type Advanced = Summed;
    type Answered = Multiplied;
    type Output = EcdsaSignature;

    const LENGTHS: [usize; 4] = [FIRST, FIRST + SECOND, SECOND + THIRD, THIRD];

    fn start(input: Input<'_>, id: &SessionId, out: &mut [u8]) -> Result<Started, Fault> {
        transfer(input, &input.data(Party::Client, id), out)
    }

    fn answer(
        input: Input<'_>,
        id: &SessionId,
        post: &[u8],
        out: &mut [u8],
    ) -> Result<Multiplied, Fault> {
        let data = input.data(Party::Server, id);
        let (first, second) = out.split_at_mut(FIRST);
        let started = transfer(input, &data, first)?;
        multiply(input, &data, started, TransmitPhase1to2::read(post)?, second)
    }

    fn advance(
        input: Input<'_>,
        id: &SessionId,
        started: Started,
        reply: &[u8],
        out: &mut [u8],
    ) -> Result<Summed, Fault> {
        let data = input.data(Party::Client, id);
        let (first, second) = reply.split_at(FIRST);
        let (first, second) = (TransmitPhase1to2::read(first)?, TransmitPhase2to3::read(second)?);
        let (own_second, own_third) = out.split_at_mut(SECOND);
        let multiplied = multiply(input, &data, started, first, own_second)?;
        sum(input, &data, multiplied, second, own_third)
    }

    fn conclude(
        input: Input<'_>,
        id: &SessionId,
        multiplied: Multiplied,
        post: &[u8],
        out: &mut [u8],
    ) -> Result<EcdsaSignature, Fault> {
        let data = input.data(Party::Server, id);
        let (second, third) = post.split_at(SECOND);
        let (second, third) = (TransmitPhase2to3::read(second)?, Broadcast3to4::read(third)?);
        let summed = sum(input, &data, multiplied, second, out)?;
        assemble(input, &data, summed, third)
    }

    fn finish(
        input: Input<'_>,
        id: &SessionId,
        summed: Summed,
        reply: &[u8],
    ) -> Result<EcdsaSignature, Fault> {
        assemble(input, &input.data(Party::Client, id), summed, Broadcast3to4::read(reply)?)
    }
}

const FIRST: usize = TransmitPhase1to2::LEN;
const SECOND: usize = TransmitPhase2to3::<Secp256k1>::LEN;
const THIRD: usize = Broadcast3to4::<Secp256k1>::LEN;

impl Input<'_> {
    fn data(self, party: Party, id: &SessionId) -> SignData {
        SignData {
            sign_id: id.as_bytes().to_vec(),
            counterparties: vec![index(party.other())],
            message_hash: self.digest,
        }
    }
}

fn transfer(input: Input<'_>, data: &SignData, out: &mut [u8]) -> Result<Started, Fault> {
    let (unique, kept, sent) = input.signer.sign_phase1(data)?;
    sent[0].write(out)?;
    Ok(Started { unique, kept })
}

fn multiply(
    input: Input<'_>,
    data: &SignData,
    Started { unique, kept }: Started,
    theirs: TransmitPhase1to2,
    out: &mut [u8],
) -> Result<Multiplied, Fault> {
    let (unique, kept, sent) = input.signer.sign_phase2(data, unique, kept, &[theirs])?;
    sent[0].write(out)?;
    Ok(Multiplied { unique, kept })
}

fn sum(
    input: Input<'_>,
    data: &SignData,
    Multiplied { unique, kept }: Multiplied,
    theirs: TransmitPhase2to3<Secp256k1>,
    out: &mut [u8],
) -> Result<Summed, Fault> {
    let (x, part) = input.signer.sign_phase3(data, unique, kept, &[theirs])?;
    part.write(out)?;
    Ok(Summed { x, part })
}

fn assemble(
    input: Input<'_>,
    data: &SignData,
    Summed { x, part }: Summed,
    theirs: Broadcast3to4<Secp256k1>,
) -> Result<EcdsaSignature, Fault> {
    // The crate verifies the signature. `true`: s is made low.
    let (s, recovery_id) = input.signer.sign_phase4(data, &x, &[part, theirs], true)?;
    let mut bytes = [0; 64];
    let (r_out, s_out) = bytes.split_at_mut(32);
    for (text, out) in [(&x, r_out), (&s, s_out)] {
        base16ct::lower::decode(text, out).map_err(|_| Error::Misbehaved("not a signature"))?;
    }
    Ok(EcdsaSignature::new(bytes, recovery_id))
}
