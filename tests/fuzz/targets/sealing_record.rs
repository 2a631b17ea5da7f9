//! Any bytes for a sealing record: what is read is written back as it was, and seals.
#![no_main]

use backup_core::{
    BackupId, ClientBackupShare, Curve, Point, Sealer, SharePairId,
    secrecy::{ExposeSecret, SecretSlice},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|record: &[u8]| {
    let Ok(sealer) = Sealer::decode(record) else { return };
    assert_eq!(sealer.encode().expose_secret(), record);
    let point = Point::new(Curve::Ed25519, &[2; 32]).expect("a point of the right length");
    let pair = SharePairId::new("pair").expect("a valid id");
    let secret = SecretSlice::from(vec![3; 32]);
    let share = ClientBackupShare::new(pair, point, point, point, secret).expect("a share");
    let backup = BackupId::new("backup").expect("a valid id");
    // A public key of small order is refused; nothing panics.
    let _ = sealer.seal(&backup, &[share]);
});
