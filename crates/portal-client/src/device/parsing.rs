//! Tests of both plaintexts: what is written is read, anything else is refused.

use backup_core::{
    BackupId, Curve, MethodId, MethodParams, Point, SharePairId,
    secrecy::{SecretBox, SecretSlice},
};
use portal_mpc::HoldProof;
use proptest::{collection::vec, option, prelude::*, sample::Index};

use super::{BackupRun, Completion, DeviceState, Half, SigningPair, SigningSet, Step, Trial};

fn signing_set() -> impl Strategy<Value = SigningSet> {
    let share = || vec(any::<u8>(), 1..200);
    (any::<[u8; 32]>(), share(), option::of(share())).prop_map(|(key, first, second)| {
        let pair = |curve: Curve, share: Vec<u8>| SigningPair {
            pair: SharePairId::new("pair").unwrap(),
            wallet: Point::new(curve, &vec![2; curve.point_len()]).unwrap(),
            share: SecretSlice::from(share),
        };
        let pairs = Curve::ALL.into_iter().zip([Some(first), second]);
        let pairs = pairs.filter_map(|(curve, share)| Some(pair(curve, share?))).collect();
        SigningSet::new(SecretBox::new(Box::new(key)), pairs).unwrap()
    })
}

fn state() -> impl Strategy<Value = Vec<u8>> {
    let records = vec(("[a-z]{1,64}", vec(any::<u8>(), 0..100)), 0..4);
    let heads = vec(("[A-Z]{1,64}", any::<[u8; 32]>()), 0..4);
    let sets = (option::of(signing_set()), option::of(signing_set()));
    (sets, heads, records).prop_map(|((live, pending), heads, records)| {
        let mut state = DeviceState::default();
        if let Some(set) = live {
            state.keep_pending(set).unwrap();
            state.confirm_pending().unwrap();
        }
        if let Some(set) = pending {
            state.keep_pending(set).unwrap();
        }
        for (method, hash) in heads {
            state.set_head(MethodId::new(method).unwrap(), hash);
        }
        for (name, value) in records {
            state.set_record(&name, SecretSlice::from(value)).unwrap();
        }
        state.encode().to_vec()
    })
}

fn journal() -> impl Strategy<Value = Vec<u8>> {
    let announced = vec(("[A-Z]{1,64}", vec(any::<u8>(), 0..100)), 0..4);
    let run = (0..Step::ALL.len(), announced, option::of(completion()));
    let run = run.prop_map(|(step, announced, completion)| {
        let step = Step::ALL[step];
        let announced = announced.into_iter().map(|(method, params)| {
            (MethodId::new(method).unwrap(), MethodParams::from_bytes(params).unwrap())
        });
        BackupRun {
            method: MethodId::PASSWORD,
            backup: BackupId::new("b").unwrap(),
            step,
            announced: announced.collect(),
            envelope: (step >= Step::Seal).then(|| "portal-backup-1.x".to_owned()),
            completion,
        }
    });
    option::of(run).prop_map(|run| BackupRun::encode_optional(run.as_ref()).to_vec())
}

fn completion() -> impl Strategy<Value = Completion> {
    let halves = option::of((0..Curve::ALL.len(), any::<[u8; 32]>()));
    (any::<bool>(), 0..Trial::ALL.len(), halves).prop_map(|(replaces, trial, half)| Completion {
        replaces: replaces.then(|| BackupId::new("head").unwrap()),
        trial: Trial::ALL[trial],
        halves: half.into_iter().map(half_of).collect(),
    })
}

fn half_of((curve, proof): (usize, [u8; 32])) -> Half {
    Half {
        curve: Curve::ALL[curve],
        pair: SharePairId::new("pair").unwrap(),
        proof: HoldProof::from_bytes(&[proof, proof].concat()).unwrap(),
    }
}

fn read_state(bytes: &[u8]) -> Option<Vec<u8>> {
    DeviceState::decode(bytes).ok().map(|state| state.encode().to_vec())
}

fn read_journal(bytes: &[u8]) -> Option<Vec<u8>> {
    BackupRun::decode_optional(bytes)
        .ok()
        .map(|run| BackupRun::encode_optional(run.as_ref()).to_vec())
}

proptest! {
    #[test]
    fn a_state_that_was_written_is_read(bytes in state()) {
        prop_assert_eq!(read_state(&bytes), Some(bytes));
    }

    #[test]
    fn a_journal_that_was_written_is_read(bytes in journal()) {
        prop_assert_eq!(read_journal(&bytes), Some(bytes));
    }

    /// There is one encoding of a state: what is read at all is written the same again.
    #[test]
    fn a_changed_byte_is_refused_or_means_something_else(
        state in state(), journal in journal(), at: Index, byte: u8,
    ) {
        for (mut bytes, read) in [(state, read_state as fn(&[u8]) -> _), (journal, read_journal)] {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            prop_assert!(read(&bytes).is_none_or(|again| again == bytes));
        }
    }

    #[test]
    fn what_is_cut_short_or_too_long_is_refused(
        state in state(), journal in journal(), at: Index,
    ) {
        for (bytes, read) in [(state, read_state as fn(&[u8]) -> _), (journal, read_journal)] {
            prop_assert_eq!(read(&bytes[..at.index(bytes.len())]), None);
            prop_assert_eq!(read(&[&bytes[..], &[0]].concat()), None);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        prop_assert!(read_state(&bytes).is_none_or(|again| again == bytes));
        prop_assert!(read_journal(&bytes).is_none_or(|again| again == bytes));
    }
}
