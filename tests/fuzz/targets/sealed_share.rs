//! Any bytes for a custodian's sealed share or a key's check value: what is read is written back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portal_keys::{KeyCheck, SealedShare};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(share) = SealedShare::decode(bytes) {
        assert_eq!(share.encode(), bytes);
    }
    if let Ok(check) = KeyCheck::decode(bytes) {
        assert_eq!(check.encode(), bytes);
    }
});
