//! Threads for work that keeps a processor busy, behind those that answer.

use std::thread;

#[cfg(target_os = "linux")]
use rustix::process::{getpriority_process, setpriority_process};
use tokio::sync::oneshot;

use crate::{
    error::{ApiError, ApiResult},
    stack,
};

/// Runs `work` on a thread of its own, whoever else does.
///
/// It is none of the runtime's: what its priority is lowered to would stay with whatever ran there
/// next, which may be the app's that this is a part of.
///
/// # Errors
///
/// `INTERNAL_ERROR` if it panics, or there is no thread.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> ApiResult<T> {
    let work = Box::new(work);
    let (caller, told) = oneshot::channel();
    let thread = thread::Builder::new().name("costly".to_owned()).spawn(move || {
        step_behind();
        // Whoever asked may have gone away.
        drop(caller.send(stack::erased(work)));
    });
    thread.map_err(ApiError::internal)?;
    let done = told.await.map_err(|_| ApiError::internal("costly work panicked"))?;
    Ok(*done)
}

/// Lets every other thread go first: those who ask for little are answered at once, and what takes
/// a tenth of a second anyway waits for them.
fn step_behind() {
    // Elsewhere than on Linux, this is the priority of the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = getpriority_process(None)
        .and_then(|own| setpriority_process(None, own.saturating_add(NICENESS)))
    {
        tracing::debug!(%error, "costly work has the priority of all other work");
    }
}

/// About a tenth of the weight of other threads: see `sched(7)`.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn costly_work_goes_behind_other_threads_and_leaves_theirs_as_they_are() {
        let others = getpriority_process(None).unwrap();
        let costly = run(|| getpriority_process(None).unwrap()).await.unwrap();
        assert_eq!(costly, (others + NICENESS).min(19));
        assert_eq!(getpriority_process(None).unwrap(), others);
        let next = tokio::task::spawn_blocking(|| getpriority_process(None).unwrap());
        assert_eq!(next.await.unwrap(), others);
    }

    #[tokio::test]
    async fn costly_work_that_panics_is_an_error_of_ours_and_the_next_runs() {
        assert!(run(|| -> () { panic!("it fails") }).await.is_err());
        assert_eq!(run(|| 7).await.unwrap(), 7);
    }
}
