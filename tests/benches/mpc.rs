//! `portal-mpc` beside the raw crates, in one run: processor time of both sides, sizes, memory.

#[path = "mpc/raw.rs"]
mod raw;
#[path = "mpc/wrapped.rs"]
mod wrapped;

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAlloc, PeakMemAllocTrait};
use portal_mpc::{BackupShare, Client, Curves};

#[global_allocator]
static MEMORY: &PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

const DIGEST: [u8; 32] = [0x5a; 32];
const MESSAGE: &[u8] = b"a transaction";

/// How much longer the wrapper may take than the crates.
const LIMIT: f64 = 1.10;

fn main() {
    let (ecdsa, eddsa) = (raw::generate_ecdsa(), raw::generate_eddsa());
    let backups = raw::back_up_ecdsa(&ecdsa);
    let wallet = wrapped::wallet(Curves::BOTH);
    let backup = wrapped::back_up(&wallet);

    println!(
        "operation        raw ms   wrapped ms   ratio   peak KiB (client and server together)"
    );
    let mut slow = false;
    slow |= row(
        "generate",
        8,
        || drop((raw::generate_ecdsa(), raw::generate_eddsa())),
        || drop(wrapped::generate(Curves::BOTH)),
    );
    slow |= row(
        "sign",
        200,
        || {
            raw::sign_ecdsa(&ecdsa, DIGEST);
            raw::sign_eddsa(&eddsa, MESSAGE);
        },
        || {
            black_box(wrapped::sign(&wallet, &DIGEST, MESSAGE));
        },
    );
    slow |= row(
        "back up",
        30,
        || drop((raw::back_up_ecdsa(&ecdsa), raw::refresh_eddsa(&eddsa))),
        || drop(wrapped::back_up(&wallet)),
    );
    slow |= row(
        "recover",
        8,
        || drop((raw::recover_ecdsa(&backups), raw::refresh_eddsa(&eddsa))),
        || drop(wrapped::recover(&backup)),
    );
    let recovered = wrapped::recover(&backup);
    let (time, _) = measure(50, || {
        black_box(wrapped::confirm(&recovered));
    });
    println!("test signature         {:>12.2}", millis(time));

    sizes(&wallet, &backup);
    assert!(!slow, "the wrapper takes more than {LIMIT} of the crates' own time");
}

/// One line of the table, and whether the wrapper was too slow.
fn row(name: &str, rounds: usize, raw: impl FnMut(), wrapped: impl FnMut()) -> bool {
    let (raw, wrapped, peak) = compare(rounds, raw, wrapped);
    let ratio = wrapped.as_secs_f64() / raw.as_secs_f64();
    let (raw, wrapped) = (millis(raw), millis(wrapped));
    println!("{name:<12} {raw:>10.2} {wrapped:>12.2} {ratio:>7.3} {:>10}", peak / 1024);
    ratio > LIMIT
}

/// Medians, taken in turn so that both meet the same weather.
fn compare(
    rounds: usize,
    mut raw: impl FnMut(),
    mut wrapped: impl FnMut(),
) -> (Duration, Duration, usize) {
    let mut times = (Vec::new(), Vec::new());
    let mut peak = 0;
    for _ in 0..rounds {
        times.0.push(time(&mut raw));
        MEMORY.reset_peak_memory();
        let before = MEMORY.get_peak_memory();
        times.1.push(time(&mut wrapped));
        peak = peak.max(MEMORY.get_peak_memory().saturating_sub(before));
    }
    (median(times.0), median(times.1), peak)
}

fn measure(rounds: usize, mut run: impl FnMut()) -> (Duration, usize) {
    let (_, time, peak) = compare(rounds, || {}, &mut run);
    (time, peak)
}

fn time(run: &mut impl FnMut()) -> Duration {
    let start = ThreadTime::now();
    run();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn sizes(wallet: &wrapped::SigningPair, backup: &wrapped::BackupPair) {
    println!("\nbytes                 secp256k1   ed25519   limit");
    let (ec, ed) = wrapped::backup_sizes(backup);
    println!("backup share         {ec:>10} {ed:>9} {:>7}", 200);
    assert!(ec <= 200 && ed <= 200 && BackupShare::<Client>::MAX_LEN <= 200);
    let (ec, ed) = wrapped::signing_sizes(wallet);
    println!("signing share        {ec:>10} {ed:>9}");
    println!("\nserver's state between posts, both curves (limit {})", 25 * 1024);
    for (name, size) in wrapped::state_sizes(wallet, backup, &DIGEST, MESSAGE) {
        println!("{name:<12} {size:>8}");
        assert!(size <= 25 * 1024);
    }
}
