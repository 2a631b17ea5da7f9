//! What passwords cost: candidate parameters of Argon2id, and our method beside the bare primitive.

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Params, Version};
use backup_core::{
    BackupMethod, ClientId, CustodianId, EncryptionContext, Operation, Purpose,
    secrecy::SecretString,
};
use backup_methods_password::{Cost, GivenPassword, Password};
use futures_executor::block_on;
use portal_tests::ratio;

fn main() {
    print_candidates();
    print_ratio();
    print_peak_memory();
}

/// Bare Argon2id, one thread, the best of [`RUNS`].
fn print_candidates() {
    println!("| memory | passes | lanes | time |");
    println!("|---|---|---|---|");
    for (memory_mib, passes, lanes) in CANDIDATES {
        let time = best(|| bare(memory_mib * 1024, passes, lanes));
        println!("| {memory_mib} MiB | {passes} | {lanes} | {} ms |", time.as_millis());
    }
}

/// Our unlock beside the primitive that it needs, in turns.
fn print_ratio() {
    let cost = Cost::RECOMMENDED;
    let context = EncryptionContext::new(
        CustodianId::new("bench").expect("it is visible ASCII"),
        ClientId::new("bench").expect("it is visible ASCII"),
    );
    let enroll = Operation::new(Purpose::Enroll, &context);
    let params = block_on(method().enroll(&enroll)).expect("the password is accepted").params;
    let unlock = Operation::new(Purpose::Unlock, &context);
    ratio::print(
        "password unlock / bare Argon2id",
        1.1,
        || drop(black_box(block_on(method().unlock(&unlock, &params)))),
        || bare(cost.memory_kib(), cost.passes(), cost.lanes()),
    );
}

/// What the process needed at most; the largest candidate dominates it.
fn print_peak_memory() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        println!("peak memory of this process: {}", peak.trim());
    }
}

const RUNS: usize = 5;

/// OWASP's two, RFC 9106's second recommendation, and more.
const CANDIDATES: [(u32, u32, u32); 6] =
    [(19, 2, 1), (46, 1, 1), (64, 3, 4), (128, 2, 4), (128, 3, 4), (256, 3, 4)];

fn method() -> Password {
    Password::new(GivenPassword::new(SecretString::from("seven teal lanterns drift")))
}

fn bare(memory_kib: u32, passes: u32, lanes: u32) {
    let params = Params::new(memory_kib, passes, lanes, Some(32)).expect("Argon2 defines them");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = [0; 32];
    argon2
        .hash_password_into(b"seven teal lanterns drift", &[1; 16], &mut key)
        .expect("the memory is there");
    black_box(key);
}

fn best(mut work: impl FnMut()) -> Duration {
    (0..RUNS).map(|_| time(&mut work)).min().expect("there are runs")
}

fn time(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}
