//! What ends a command from outside: Ctrl-C, or the system's polite request.

use std::{future::Future, io};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlC, ctrl_c};

use crate::failure::{Failure, Kind};

/// Hears every signal since it began to listen, also those that came while nobody waited.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(windows)]
    interrupt: CtrlC,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::try_listen()
            .map_err(|error| Failure::failed(format!("cannot listen to signals: {error}")))
    }

    #[cfg(unix)]
    fn try_listen() -> io::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    #[cfg(windows)]
    fn try_listen() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()? })
    }

    /// Returns when the command is asked to end.
    pub(crate) async fn asked_to_end(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        self.interrupt.recv().await;
    }

    /// Runs `work` until it is done, or the command is asked to end.
    ///
    /// Every operation may be dropped at any point: what it began is finished by the next command.
    pub(crate) async fn unless_interrupted<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            outcome = work => outcome,
            () = self.asked_to_end() => Err(Failure::new(
                Kind::Interrupted,
                "interrupted; the next command finishes or undoes what was begun",
            )),
        }
    }
}
