//! Any bytes for the body of an envelope, behind the base64 that a fuzzer would rarely get right.
#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let body = Base64UrlUnpadded::encode_string(body);
    portal_fuzz::read_envelope(&format!("portal-backup-1.{body}"));
});
