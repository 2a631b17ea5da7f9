//! Posts that are being answered: the same one is not answered twice at once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portal_api::ErrorId;
use portal_mpc::SessionId;

use crate::error::{ApiError, ApiResult};

/// The posts that are being answered now, by their session and the SHA-256 of their bodies.
#[derive(Clone, Debug, Default)]
pub(crate) struct InProgress(Arc<Mutex<HashSet<Entry>>>);

type Entry = ([u8; 32], [u8; 32]);

/// A post's turn, until it is dropped.
#[derive(Debug)]
#[must_use = "the turn is over when this is dropped"]
pub(super) struct Turn {
    in_progress: InProgress,
    entry: Entry,
}

impl InProgress {
    /// Begins to answer a post.
    ///
    /// # Errors
    ///
    /// `OPERATION_IN_PROGRESS`.
    pub(super) fn begin(&self, session: &SessionId, sha256: [u8; 32]) -> ApiResult<Turn> {
        let entry = (*session.as_bytes(), sha256);
        if !self.entries().insert(entry) {
            return Err(ApiError::new(
                ErrorId::OperationInProgress,
                "this post is being answered: wait, then repeat it",
            ));
        }
        Ok(Turn { in_progress: self.clone(), entry })
    }

    /// Whoever panicked left a set of entries behind that is whole.
    fn entries(&self) -> MutexGuard<'_, HashSet<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.in_progress.entries().remove(&self.entry);
    }
}

#[cfg(test)]
mod tests {
    use portal_mpc::{Context, Curves, Generate};

    use super::*;

    #[test]
    fn a_post_has_its_turn_alone_and_others_do_not_wait_for_it() {
        let context = Context::new("wallet", [7; 32]);
        let id = Generate::start(&context, Curves::ED25519).unwrap().0.session_id();
        let in_progress = InProgress::default();
        let turn = in_progress.begin(&id, [1; 32]).unwrap();
        let refused = in_progress.begin(&id, [1; 32]).unwrap_err();
        assert_eq!(refused.id(), ErrorId::OperationInProgress);
        let other = in_progress.begin(&id, [2; 32]).unwrap();
        drop(turn);
        let again = in_progress.begin(&id, [1; 32]).unwrap();
        drop((other, again));
        assert!(in_progress.entries().is_empty());
    }
}
