//! Any text for an envelope.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| portal_fuzz::read_envelope(text));
