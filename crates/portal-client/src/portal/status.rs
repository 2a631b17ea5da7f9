//! Where a client stands, without changing anything.

use std::collections::BTreeSet;

use backup_core::Curve;
use portal_api::{BackupSetView, BackupStatus, ClientView, SigningSetView};

use super::{
    types::{Backup, Status},
    view,
};
use crate::{
    Addresses, Notice, Result,
    device::{SigningSet, WalletOperation},
    mpc,
};

pub(super) fn status(operation: &WalletOperation<'_>, view: &ClientView) -> Result<Status> {
    let state = operation.state();
    Ok(Status {
        addresses: addresses_of(state.live())?,
        service_addresses: view.signing.as_ref().map(view::addresses).transpose()?,
        live: view::is_live(state, view),
        backups: view.backups.iter().map(|set| backup(set, state.live())).collect(),
        silent_methods: state.sealing_methods().cloned().collect(),
        notices: notices(operation, view),
    })
}

/// The wallets of a set that the device keeps.
pub(super) fn addresses_of(set: Option<&SigningSet>) -> Result<Option<Addresses>> {
    let points = set.map(|set| set.pairs().iter().map(|pair| pair.wallet));
    points.map(Addresses::of_points).transpose()
}

pub(super) fn backup(set: &BackupSetView, live: Option<&SigningSet>) -> Backup {
    Backup {
        id: set.id.clone(),
        method: set.method.clone(),
        completed: set.status == BackupStatus::Completed,
        head: set.head,
        proved: set.proved,
        made_here: live.map(view::name_of) == Some(set.device_key),
        created_at: set.created_at,
        completed_at: set.completed_at,
        retires_at: set.retires_at,
    }
}

fn notices(operation: &WalletOperation<'_>, view: &ClientView) -> Vec<Notice> {
    let state = operation.state();
    let mut notices = Vec::new();
    if let Some(run) = operation.journal().run() {
        notices.push(Notice::BackupInterrupted { method: run.method });
    }
    if !view::is_live(state, view) {
        notices.extend(state.live().map(|_| Notice::NotLive));
        return notices;
    }
    let rolled_back = view::rolled_back(state, view);
    notices.extend(rolled_back.into_iter().map(|method| Notice::RolledBack { method }));
    // Whichever side has seen the other cheat, its half signs no more.
    let own = state.live().into_iter().flat_map(mpc::frozen_curves);
    let frozen: BTreeSet<_> = view.signing.iter().flat_map(frozen).chain(own).collect();
    notices.extend(frozen.into_iter().map(|curve| Notice::Frozen { curve }));
    notices
}

fn frozen(set: &SigningSetView) -> impl Iterator<Item = Curve> {
    set.pairs.iter().filter(|(_, pair)| pair.frozen).map(|(curve, _)| curve)
}
