//! The same protocols on the raw crates, both parties in one thread: every message serialized and
//! parsed back, and none of the wrapper's checks, frames, tags or states.

use std::collections::BTreeMap;

use dkls23_core::protocols::dkg::{self, ProofCommitment, SessionData};
use dkls23_core::protocols::signing::SignData;
use dkls23_core::protocols::{Parameters, Party, PartyIndex};
use frost_ed25519::keys::dkg::{part1, part2, part3};
use frost_ed25519::keys::refresh::{refresh_dkg_part1, refresh_dkg_part2, refresh_dkg_shares};
use frost_ed25519::keys::{KeyPackage, PublicKeyPackage};
use frost_ed25519::{Identifier, SigningPackage, aggregate, round1, round2};
use k256::{Scalar, Secp256k1};
use rand_core::OsRng;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) type Ecdsa = [Party<Secp256k1>; 2];
pub(crate) type Eddsa = [(KeyPackage, PublicKeyPackage); 2];

/// A message on its way to the other party.
fn send<T: Serialize + DeserializeOwned>(message: &T) -> T {
    let bytes = postcard::to_allocvec(message).expect("messages serialize");
    postcard::from_bytes(&bytes).expect("and parse")
}

fn index(party: usize) -> PartyIndex {
    PartyIndex::new(u8::try_from(party + 1).expect("0 or 1")).expect("not 0")
}

/// What each party gets from the other.
fn swap<T: Serialize + DeserializeOwned>([first, second]: &[T; 2]) -> [T; 2] {
    [send(second), send(first)]
}

fn both<T>(f: impl FnMut(usize) -> T) -> [T; 2] {
    [0, 1].map(f)
}

/// Proofs of both parties as one of them has them: the other's commitment came first.
fn proofs(
    party: usize,
    own: &[ProofCommitment<Secp256k1>; 2],
    sent: &[ProofCommitment<Secp256k1>; 2],
) -> [ProofCommitment<Secp256k1>; 2] {
    [own[party].clone(), sent[party].clone()]
}

fn fragments(made: &[Vec<Scalar>; 2]) -> [[Scalar; 2]; 2] {
    both(|party| [made[party][party], send(&made[1 - party][party])])
}

pub(crate) fn generate_ecdsa() -> Ecdsa {
    let data = both(|party| SessionData {
        parameters: Parameters::new(2, 2).expect("two of two"),
        party_index: index(party),
        session_id: vec![1; 32],
    });
    let made = both(|party| dkg::phase1::<Secp256k1>(&data[party]));
    let fragments = fragments(&made);
    let second = both(|party| dkg::phase2::<Secp256k1>(&data[party], &fragments[party]));
    let zero2 = swap(&both(|party| second[party].3[0].clone()));
    let chain2 = swap(&both(|party| second[party].5.clone()));
    let third =
        both(|party| dkg::phase3::<Secp256k1>(&data[party], &second[party].2, &second[party].4));
    let own_proofs = both(|party| second[party].1.clone());
    let sent_proofs = swap(&own_proofs);
    let zero3 = swap(&both(|party| third[party].1[0].clone()));
    let mul3 = swap(&both(|party| third[party].3[0].clone()));
    let chain3 = swap(&both(|party| third[party].4.clone()));
    both(|party| {
        let (us, them) = (index(party), index(1 - party));
        let chain2 = BTreeMap::from([(us, second[party].5.clone()), (them, chain2[party].clone())]);
        let chain3 = BTreeMap::from([(us, third[party].4.clone()), (them, chain3[party].clone())]);
        dkg::phase4::<Secp256k1>(
            &data[party],
            &second[party].0,
            &proofs(party, &own_proofs, &sent_proofs),
            &third[party].0,
            &zero2[party..=party],
            &zero3[party..=party],
            &third[party].2,
            &mul3[party..=party],
            &chain2,
            &chain3,
            |_| String::new(),
        )
        .expect("honest parties")
        .0
    })
}

pub(crate) fn back_up_ecdsa(old: &Ecdsa) -> Ecdsa {
    let id = [2; 32];
    let fragments = fragments(&both(|party| old[party].refresh_phase1()));
    let second = both(|party| old[party].refresh_phase2(&id, &fragments[party]));
    let zero2 = swap(&both(|party| second[party].3[0].clone()));
    let third = both(|party| old[party].refresh_phase3(&second[party].2));
    let own_proofs = both(|party| second[party].1.clone());
    let sent_proofs = swap(&own_proofs);
    let zero3 = swap(&both(|party| third[party].1[0].clone()));
    both(|party| {
        old[party]
            .refresh_phase4(
                &id,
                &second[party].0,
                &proofs(party, &own_proofs, &sent_proofs),
                &third[party].0,
                &zero2[party..=party],
                &zero3[party..=party],
            )
            .expect("honest parties")
    })
}

pub(crate) fn recover_ecdsa(old: &Ecdsa) -> Ecdsa {
    let id = [3; 32];
    let fragments = fragments(&both(|party| old[party].refresh_complete_phase1()));
    let second = both(|party| old[party].refresh_complete_phase2(&id, &fragments[party]));
    let zero2 = swap(&both(|party| second[party].3[0].clone()));
    let third = both(|party| old[party].refresh_complete_phase3(&id, &second[party].2));
    let own_proofs = both(|party| second[party].1.clone());
    let sent_proofs = swap(&own_proofs);
    let zero3 = swap(&both(|party| third[party].1[0].clone()));
    let mul3 = swap(&both(|party| third[party].3[0].clone()));
    both(|party| {
        old[party]
            .refresh_complete_phase4(
                &id,
                &second[party].0,
                &proofs(party, &own_proofs, &sent_proofs),
                &third[party].0,
                &zero2[party..=party],
                &zero3[party..=party],
                &third[party].2,
                &mul3[party..=party],
            )
            .expect("honest parties")
    })
}

pub(crate) fn sign_ecdsa(pair: &Ecdsa, digest: [u8; 32]) {
    let data = both(|party| SignData {
        sign_id: vec![4; 32],
        counterparties: vec![index(1 - party)],
        message_hash: digest,
    });
    let first = both(|party| pair[party].sign_phase1(&data[party]).expect("honest parties"));
    let sent = swap(&both(|party| first[party].2[0].clone()));
    let mut first = first.map(|(unique, kept, _)| Some((unique, kept)));
    let second = both(|party| {
        let (unique, kept) = first[party].take().expect("used once");
        let got = &sent[party..=party];
        pair[party].sign_phase2(&data[party], unique, kept, got).expect("honest parties")
    });
    let sent = swap(&both(|party| second[party].2[0].clone()));
    let mut second = second.map(|(unique, kept, _)| Some((unique, kept)));
    let third = both(|party| {
        let (unique, kept) = second[party].take().expect("used once");
        let got = &sent[party..=party];
        pair[party].sign_phase3(&data[party], unique, kept, got).expect("honest parties")
    });
    let sent = swap(&both(|party| third[party].1.clone()));
    for party in [0, 1] {
        let parts = [third[party].1.clone(), sent[party].clone()];
        pair[party]
            .sign_phase4(&data[party], &third[party].0, &parts, true)
            .expect("honest parties");
    }
}

fn id(party: usize) -> Identifier {
    Identifier::try_from(u16::try_from(party + 1).expect("0 or 1")).expect("not 0")
}

pub(crate) fn generate_eddsa() -> Eddsa {
    let first = both(|party| part1(id(party), 2, 2, OsRng).expect("honest parties"));
    let got1 = swap(&both(|party| first[party].1.clone()));
    let got1 = both(|party| BTreeMap::from([(id(1 - party), got1[party].clone())]));
    let second = both(|party| part2(first[party].0.clone(), &got1[party]).expect("honest parties"));
    let got2 = swap(&both(|party| second[party].1[&id(1 - party)].clone()));
    both(|party| {
        let got2 = BTreeMap::from([(id(1 - party), got2[party].clone())]);
        part3(&second[party].0, &got1[party], &got2).expect("honest parties")
    })
}

pub(crate) fn refresh_eddsa(old: &Eddsa) -> Eddsa {
    let first = both(|party| refresh_dkg_part1(id(party), 2, 2, OsRng).expect("honest parties"));
    let got1 = swap(&both(|party| first[party].1.clone()));
    let got1 = both(|party| BTreeMap::from([(id(1 - party), got1[party].clone())]));
    let second = both(|party| {
        refresh_dkg_part2(first[party].0.clone(), &got1[party]).expect("honest parties")
    });
    let got2 = swap(&both(|party| second[party].1[&id(1 - party)].clone()));
    both(|party| {
        let got2 = BTreeMap::from([(id(1 - party), got2[party].clone())]);
        let (key, public) = old[party].clone();
        refresh_dkg_shares(&second[party].0, &got1[party], &got2, public, key)
            .expect("honest parties")
    })
}

pub(crate) fn sign_eddsa(pair: &Eddsa, message: &[u8]) {
    let first = both(|party| round1::commit(pair[party].0.signing_share(), &mut OsRng));
    let sent = swap(&both(|party| first[party].1));
    let packages = both(|party| {
        let commitments = [(id(party), first[party].1), (id(1 - party), sent[party])];
        SigningPackage::new(BTreeMap::from(commitments), message)
    });
    let shares = both(|party| {
        round2::sign(&packages[party], &first[party].0, &pair[party].0).expect("honest parties")
    });
    // The client aggregates, which verifies; the server verifies what it is sent.
    let shares = BTreeMap::from([(id(0), shares[0]), (id(1), send(&shares[1]))]);
    let signature = aggregate(&packages[0], &shares, &pair[0].1).expect("honest parties");
    let key = pair[1].0.verifying_key();
    key.verify(message, &send(&signature)).expect("a valid signature");
}
