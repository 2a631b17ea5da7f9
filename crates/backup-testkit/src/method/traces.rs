//! What lies around for a client, seen in every way that a fixture offers.

use std::collections::BTreeSet;

use backup_core::{BackupMethod, Purpose};

use crate::{Client, Fixture, expect::must};

/// What a method keeps at one moment.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Traces {
    pub(super) held: BTreeSet<Vec<u8>>,
    pub(super) left_behind: Option<usize>,
}

impl Traces {
    pub(super) async fn of(fixture: &impl Fixture, client: &Client) -> Self {
        fixture.settle().await;
        let held = fixture.method().held(&client.op(Purpose::Revoke)).await;
        let held = must(held, "a back end that works lists what it holds");
        Self {
            held: held.iter().map(|held| held.params.as_bytes().to_vec()).collect(),
            left_behind: fixture.left_behind(),
        }
    }

    /// Whether more lies around than before, or something else.
    #[track_caller]
    pub(super) fn assert_still(&self, before: &Self, meaning: &str) {
        assert_eq!(
            (self.held.len(), self.left_behind),
            (before.held.len(), before.left_behind),
            "{meaning} (held by the method's own account, and counted in its back end)"
        );
        assert!(self.held == before.held, "{meaning} (what is held is not the same)");
    }
}
