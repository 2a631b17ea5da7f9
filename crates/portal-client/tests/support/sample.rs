//! A client, its store, and a state with something of everything.

use std::path::Path;

use backup_core::{
    BackupId, ClientId, Curve, CustodianId, DataKey, EncryptionContext, Journal as _, MethodId,
    MethodParams, Point, Sealer, SharePairId,
    secrecy::{ExposeSecret, SecretBox, SecretSlice},
};
use portal_client::device::{DeviceState, DeviceStore, SigningPair, SigningSet, WalletOperation};

pub(crate) fn context() -> EncryptionContext {
    EncryptionContext::new(CustodianId::new("acme").unwrap(), ClientId::new("alice").unwrap())
}

pub(crate) fn store(folder: &Path) -> DeviceStore {
    DeviceStore::new(folder, context(), DataKey::copied_from(&[0x11; 32]))
}

pub(crate) fn signing_set(number: u8) -> SigningSet {
    let pair = |curve: Curve| SigningPair {
        pair: SharePairId::new(format!("pair-{number}-{curve}")).unwrap(),
        wallet: Point::new(curve, &vec![3; curve.point_len()]).unwrap(),
        share: SecretSlice::from(vec![number; 40]),
    };
    let key = SecretBox::new(Box::new([number; 32]));
    SigningSet::new(key, Curve::ALL.map(pair).into()).unwrap()
}

/// Something of everything that a device keeps, in the state and in the journal.
pub(crate) fn fill(operation: &mut WalletOperation<'_>) {
    operation
        .update(|state| {
            state.keep_pending(signing_set(1))?;
            state.confirm_pending()?;
            state.keep_pending(signing_set(2))?;
            state.set_sealer(&Sealer::without_slot(&context())?.0);
            state.set_head(MethodId::CUSTOM, [5; 32]);
            state.set_record("session", SecretSlice::from(vec![6; 20]))
        })
        .unwrap();
    let journal = operation.journal();
    journal.start(MethodId::GDRIVE, BackupId::new("backup-1").unwrap()).unwrap();
    journal.will_leave(&MethodId::GDRIVE, &MethodParams::from_bytes([7; 9]).unwrap()).unwrap();
}

/// Whether `state` is what [`fill`] made.
pub(crate) fn assert_filled(state: &DeviceState) {
    for (set, number) in [(state.live(), 1), (state.pending(), 2)] {
        let set = set.unwrap();
        assert_eq!(set.device_key().expose_secret(), &[number; 32]);
        let curves: Vec<_> = set.pairs().iter().map(|pair| pair.wallet.curve()).collect();
        assert_eq!(curves, Curve::ALL);
        for pair in set.pairs() {
            assert_eq!(pair.share.expose_secret(), &[number; 40]);
            assert_eq!(pair.pair.as_str(), format!("pair-{number}-{}", pair.wallet.curve()));
        }
    }
    let sealer = state.sealer(&MethodId::CUSTOM).unwrap().unwrap();
    assert_eq!(sealer.context(), &context());
    assert_eq!(state.head(&MethodId::CUSTOM), Some(&[5; 32]));
    assert_eq!(state.record("session").unwrap().expose_secret(), &[6; 20]);
}
