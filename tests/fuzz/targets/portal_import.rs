//! Any text for what Portal's SDKs wrote: a blob, what is in it, or a custodian's share.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portal_import::{OnCurve, PortalCustodianShare, PortalKey, open_with_key, read_shares};

fuzz_target!(|text: &str| {
    let key = PortalKey::from_hex(&"0".repeat(64)).expect("64 digits");
    assert!(open_with_key(text, &key).is_err(), "a forgery opened");
    let Ok(shares) = read_shares(text) else { return };
    for (curve, share) in shares.iter() {
        assert_eq!(share.curve(), curve);
        // One text may be both halves for whoever made it up: what they make is still the wallet's.
        if let Ok(custodian) = PortalCustodianShare::from_json(text) {
            let _ = share.eject(&custodian);
        }
    }
});
