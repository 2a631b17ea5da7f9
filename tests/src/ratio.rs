//! Times beside a reference in the same run, as a ratio.

use std::time::{Duration, Instant};

/// Runs `ours` and `reference` by turns for about two seconds in all, and prints the median of each
/// and their ratio; whether that is within its bound.
///
/// Turns, because a shared machine is slower at one moment than at another; the median, because an
/// interruption is not a cost.
pub fn print(name: &str, bound: f64, mut ours: impl FnMut(), mut reference: impl FnMut()) -> bool {
    let (mut our_times, mut reference_times) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) || our_times.len() < 11 {
        our_times.push(time(&mut ours));
        reference_times.push(time(&mut reference));
    }
    let (ours, reference) = (median(our_times), median(reference_times));
    let ratio = ours.as_secs_f64() / reference.as_secs_f64();
    println!("{name:<44} {ours:>10.1?} / {reference:>10.1?} = {ratio:.2} (at most {bound})");
    ratio <= bound
}

fn time(run: &mut impl FnMut()) -> Duration {
    let begin = Instant::now();
    run();
    begin.elapsed()
}

/// The time in the middle.
#[must_use]
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
