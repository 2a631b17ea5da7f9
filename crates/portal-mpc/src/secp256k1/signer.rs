//! The stored form of the state that signs, which is the crate's own encoding: everything else of
//! a share is in ours. It is replaced by recovery, so it need not outlive the crate.

use std::collections::BTreeMap;

use dkls23_core::utilities::multiplication::{MulReceiver, MulSender};
use dkls23_core::utilities::ot::extension::{BATCH_SIZE, KAPPA};
use dkls23_core::utilities::zero_shares::ZeroShare;
use k256::Secp256k1;
use serde::{Deserialize, Serialize};

use super::{Half, Signer, index};
use crate::error::FormatError;
use crate::role::Party;

/// The length of that encoding.
pub(crate) const TRANSFERS_LEN: usize = SEEDS_LEN + 2 * GADGET_LEN + SENDER_LEN + RECEIVER_LEN;

const SEEDS_LEN: usize = 1 + 2 + 32;
const GADGET_LEN: usize = 2 + BATCH_SIZE as usize * 33;
const SENDER_LEN: usize = 2 + KAPPA as usize + 2 + KAPPA as usize * 32;
const RECEIVER_LEN: usize = 2 * (2 + KAPPA as usize * 32);

#[derive(Serialize)]
struct Written<'a> {
    zero: &'a ZeroShare,
    sender: &'a MulSender<Secp256k1>,
    receiver: &'a MulReceiver<Secp256k1>,
}

#[derive(Deserialize)]
struct Read {
    zero: ZeroShare,
    sender: MulSender<Secp256k1>,
    receiver: MulReceiver<Secp256k1>,
}

/// Writes the state of a complete signer.
pub(crate) fn write_transfers(signer: &Signer, party: Party, out: &mut [u8]) -> Option<()> {
    let other = index(party.other());
    let written = Written {
        zero: &signer.zero_share,
        sender: signer.mul_senders.get(&other)?,
        receiver: signer.mul_receivers.get(&other)?,
    };
    let len = out.len();
    (postcard::to_slice(&written, out).ok()?.len() == len).then_some(())
}

/// A complete signer from its half and its state.
pub(crate) fn read_transfers(
    half: &Half,
    party: Party,
    bytes: &[u8],
) -> Result<Signer, FormatError> {
    let (Read { zero, sender, receiver }, rest) =
        postcard::take_from_bytes(bytes).map_err(|_| FormatError::Malformed)?;
    let other = index(party.other());
    let well_formed = rest.is_empty()
        && zero.seeds.len() == 1
        && zero.seeds.iter().all(|seed| seed.index_counterparty == other)
        && sender.check_state().is_ok()
        && receiver.check_state(None).is_ok();
    if !well_formed {
        return Err(FormatError::Malformed);
    }
    let mut signer = half.hollow(party);
    signer.zero_share = zero;
    signer.mul_senders = BTreeMap::from([(other, sender)]);
    signer.mul_receivers = BTreeMap::from([(other, receiver)]);
    Ok(signer)
}
