//! A client, its store, and a state with something of everything.

use std::path::Path;

use backup_core::{
    BackupId, ClientBackupShare, ClientId, Curve, CustodianId, DataKey, EncryptionContext,
    Journal as _, MethodId, MethodParams, Point, Sealer, SharePairId,
    secrecy::{ExposeSecret, SecretBox, SecretSlice},
};
use portal_client::device::{
    DeviceState, DeviceStore, Half, SigningPair, SigningSet, Step, Trial, WalletOperation,
};
use portal_mpc::HoldProof;

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
    let backup = BackupId::new("backup-1").unwrap();
    journal.start(MethodId::GDRIVE, backup, None, Trial::Awaited).unwrap();
    journal.will_leave(&MethodId::GDRIVE, &MethodParams::from_bytes([7; 9]).unwrap()).unwrap();
}

/// A backup that waits for its commit, in the journal.
pub(crate) fn fill_sealed(operation: &WalletOperation<'_>) {
    let (sealer, _) = Sealer::without_slot(&context()).unwrap();
    let share = |curve: Curve| {
        let point = Point::new(curve, &vec![3; curve.point_len()]).unwrap();
        let pair = SharePairId::new(format!("backup-2-{curve}")).unwrap();
        ClientBackupShare::new(pair, point, point, point, SecretSlice::from(vec![8; 40])).unwrap()
    };
    let backup = BackupId::new("backup-2").unwrap();
    let envelope = sealer.seal(&backup, &Curve::ALL.map(share)).unwrap();
    let journal = operation.journal();
    let replaces = BackupId::new("backup-1").unwrap();
    journal.start(MethodId::CUSTOM, backup, Some(replaces), Trial::Awaited).unwrap();
    journal.sealed(&envelope, Curve::ALL.map(half).into()).unwrap();
    journal.advance(Step::Verify).unwrap();
    journal.passed_trial().unwrap();
    journal.advance(Step::Commit).unwrap();
}

/// What a journal keeps of a half of `backup-2`. The proof proves nothing.
pub(crate) fn half(curve: Curve) -> Half {
    Half {
        curve,
        pair: SharePairId::new(format!("backup-2-{curve}")).unwrap(),
        proof: HoldProof::from_bytes(&[9; HoldProof::LEN]).unwrap(),
    }
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
