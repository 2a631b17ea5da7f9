//! What reading an envelope may cost in memory, whoever wrote it.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::{alloc::System, fs, path::Path};

use backup_core::Envelope;
use base64ct::{Base64UrlUnpadded, Encoding};
use portal_tests::vector::Vector;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All bytes that parsing `text` allocates, kept or not.
fn allocated_for(text: &str) -> usize {
    let region = Region::new(ALLOCATOR);
    let envelope = Envelope::parse(text);
    let allocated = region.change().bytes_allocated;
    drop(envelope);
    allocated
}

fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/envelope");
    ["opens", "refused"]
        .iter()
        .flat_map(|kind| fs::read_dir(folder.join(kind)).unwrap())
        .map(|file| serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap())
        .collect()
}

#[test]
fn parsing_an_envelope_allocates_at_most_four_times_its_size() {
    let vectors = vectors();
    assert!(vectors.len() >= 60, "only {} vectors were found", vectors.len());
    for Vector { envelope, comment, .. } in vectors {
        let allocated = allocated_for(&envelope);
        // An error has a message of its own.
        assert!(allocated <= 4 * envelope.len() + 256, "{allocated} for {comment}: {envelope}");
    }
}

#[test]
fn no_hostile_envelope_makes_the_parser_allocate_more_than_its_documented_bound() {
    let bodies = [vec![0xff; 60_000], vec![0; 49_000], b"\0\x01a".repeat(16_000)];
    for body in bodies {
        let text = format!("portal-backup-1.{}", Base64UrlUnpadded::encode_string(&body));
        assert!(allocated_for(&text) <= Envelope::MAX_ALLOCATION);
    }
    let endless = "portal-backup-1.".to_owned() + &"A".repeat(100_000_000);
    assert!(allocated_for(&endless) < 1024, "a text that is too long is not decoded");
}
