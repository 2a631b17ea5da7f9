//! Any bytes for what the two-party protocols store: what is read is written back as it was.
#![no_main]

use backup_core::Curve;
use libfuzzer_sys::fuzz_target;
use portal_mpc::{
    Backup, BackupShare, Client, Commitments, Confirm, Generate, HoldProof, PublicKey, Recover,
    Server, Sign, StoredShare, server::Answered,
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(share) = BackupShare::<Client>::from_bytes(bytes) {
        assert_eq!(*share.to_bytes(), bytes);
    }
    if let Ok(commitments) = Commitments::from_bytes(bytes) {
        assert_eq!(commitments.to_bytes(), bytes);
    }
    let _ = BackupShare::<Server>::from_bytes(bytes);
    let _ = StoredShare::<Client>::from_bytes(bytes);
    let _ = StoredShare::<Server>::from_bytes(bytes);
    let _ = HoldProof::from_bytes(bytes);
    let _ = Answered::<Generate>::from_bytes(bytes);
    let _ = Answered::<Sign>::from_bytes(bytes);
    let _ = Answered::<Backup>::from_bytes(bytes);
    let _ = Answered::<Recover>::from_bytes(bytes);
    let _ = Answered::<Confirm>::from_bytes(bytes);
    for curve in Curve::ALL {
        let _ = PublicKey::from_bytes(curve, bytes);
    }
});
