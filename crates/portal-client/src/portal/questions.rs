//! What an app asks about its client's wallets and backups. Nothing is changed by asking.

use std::collections::BTreeSet;

use backup_core::{Curve, MethodId};
use portal_api::{BackupSetView, BackupStatus, ClientView, SigningSetView, SigningStatus};

use super::{
    Portal,
    types::{BackupSharePair, SigningSharePair},
};
use crate::{Addresses, Result};

/// # Questions
///
/// Each is about the wallet on one curve, or about all of the client's wallets if no curve is
/// given; `Namespace::Solana.curve()` is that of a chain. What is pending does not count.
impl Portal {
    /// Whether the client has a wallet, here or on another device.
    ///
    /// # Errors
    ///
    /// As [`Error`](crate::Error) says.
    pub async fn does_wallet_exist(&self, curve: Option<Curve>) -> Result<bool> {
        Ok(!wallets(&self.service.look().await?, curve).is_empty())
    }

    /// Whether this device keeps its half of the wallet. It asks nobody: whether it still signs is
    /// what [`status`](Self::status) says.
    ///
    /// # Errors
    ///
    /// [`Error::Device`](crate::Error::Device), or [`Error::InProgress`](crate::Error::InProgress).
    pub async fn is_wallet_on_device(&self, curve: Option<Curve>) -> Result<bool> {
        let is_asked = |addresses: &Addresses| match curve {
            Some(curve) => addresses.public_key(curve).is_some(),
            None => true,
        };
        Ok(self.addresses().await?.as_ref().is_some_and(is_asked))
    }

    /// Whether there is a completed backup, of whatever method. Whether one is known to work is
    /// what [`status`](Self::status) says.
    ///
    /// # Errors
    ///
    /// As [`Error`](crate::Error) says.
    pub async fn is_wallet_backed_up(&self, curve: Option<Curve>) -> Result<bool> {
        Ok(!backed_up_by(&self.service.look().await?, curve).is_empty())
    }

    /// Whether this app can recover the wallet: with one of the
    /// [methods](Self::available_recovery_methods) that it brings.
    ///
    /// # Errors
    ///
    /// As [`Error`](crate::Error) says.
    pub async fn is_wallet_recoverable(&self, curve: Option<Curve>) -> Result<bool> {
        Ok(!self.available_recovery_methods(curve).await?.is_empty())
    }

    /// The methods by which this app can recover the wallet, each once: those that have a completed
    /// backup and that the app brings. A backup of a method that it does not bring is no help here,
    /// and one whose key the app keeps itself is recovered by [`recover_with_key`].
    ///
    /// [`recover_with_key`]: Self::recover_with_key
    ///
    /// # Errors
    ///
    /// As [`Error`](crate::Error) says.
    pub async fn available_recovery_methods(&self, curve: Option<Curve>) -> Result<Vec<MethodId>> {
        let mut methods = backed_up_by(&self.service.look().await?, curve);
        methods.retain(|method| self.methods.contains_key(method));
        Ok(methods.into_iter().collect())
    }

    /// The backup share pairs, newest first: all that the service tells of, also pending ones.
    ///
    /// # Errors
    ///
    /// As [`Error`](crate::Error) says.
    pub async fn backup_share_pairs(&self, curve: Option<Curve>) -> Result<Vec<BackupSharePair>> {
        let view = self.service.look().await?;
        Ok(view.backups.iter().flat_map(|set| backup_pairs(set, curve)).collect())
    }

    /// The signing share pairs: those that sign, then those that wait for their test.
    ///
    /// # Errors
    ///
    /// As [`Error`](crate::Error) says.
    pub async fn signing_share_pairs(&self, curve: Option<Curve>) -> Result<Vec<SigningSharePair>> {
        let view = self.service.look().await?;
        let sets = view.signing.iter().chain(&view.pending_signing);
        Ok(sets.flat_map(|set| signing_pairs(set, curve)).collect())
    }
}

/// The wallets that a question is about, by curve and public key.
fn wallets(view: &ClientView, curve: Option<Curve>) -> Vec<(Curve, &[u8])> {
    let live = view.signing.iter().flat_map(|set| set.pairs.iter());
    let asked = live.filter(|(known, _)| curve.is_none_or(|curve| curve == *known));
    asked.map(|(curve, pair)| (curve, &pair.public_key[..])).collect()
}

/// The methods of which a completed backup brings back all wallets that a question is about.
fn backed_up_by(view: &ClientView, curve: Option<Curve>) -> BTreeSet<MethodId> {
    let wallets = wallets(view, curve);
    let brings_back = |set: &&BackupSetView| {
        let has = |(curve, key): &(Curve, &[u8])| {
            set.pairs.get(*curve).is_some_and(|pair| pair.public_key == **key)
        };
        set.status == BackupStatus::Completed && !wallets.is_empty() && wallets.iter().all(has)
    };
    view.backups.iter().filter(brings_back).map(|set| set.method.clone()).collect()
}

fn backup_pairs(set: &BackupSetView, only: Option<Curve>) -> Vec<BackupSharePair> {
    let asked = set.pairs.iter().filter(|(curve, _)| only.is_none_or(|only| only == *curve));
    let pairs = asked.map(|(curve, pair)| BackupSharePair {
        id: pair.id.clone(),
        curve,
        backup: set.id.clone(),
        method: set.method.clone(),
        completed: set.status == BackupStatus::Completed,
        created_at: set.created_at,
    });
    pairs.collect()
}

fn signing_pairs(set: &SigningSetView, only: Option<Curve>) -> Vec<SigningSharePair> {
    let asked = set.pairs.iter().filter(|(curve, _)| only.is_none_or(|only| only == *curve));
    let pairs = asked.map(|(curve, pair)| SigningSharePair {
        id: pair.id.clone(),
        curve,
        completed: set.status == SigningStatus::Live,
        created_at: set.created_at,
    });
    pairs.collect()
}
