//! What ends a command from outside.

use std::{future::Future, io};

use tokio::signal;

use crate::failure::{Failure, Kind};

/// Runs `work` until it is done, or somebody wants the command to end.
///
/// Every operation may be dropped at any point: what it began is finished by the next command.
pub(crate) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        outcome = work => outcome,
        signal = asked_to_end() => {
            signal.map_err(|error| Failure::failed(format!("cannot listen to signals: {error}")))?;
            Err(Failure::new(
                Kind::Interrupted,
                "interrupted; the next command finishes or undoes what was begun",
            ))
        }
    }
}

/// Returns when the command is asked to end: Ctrl-C, or the system's polite request.
#[cfg(unix)]
pub(crate) async fn asked_to_end() -> io::Result<()> {
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Returns when the command is asked to end by Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn asked_to_end() -> io::Result<()> {
    signal::ctrl_c().await
}
