//! All that is known of one client, read in one view.

use backup_core::{EncryptionContext, SharePairId};
use portal_api::compat::wallet_id;
use portal_mpc::PublicKey;

use crate::{
    error::{ApiError, ApiResult},
    store::{BackupRow, ClientRow, EjectWindow, SigningRow, Snapshot},
};

/// A client and its sets.
pub(super) struct Known {
    pub(super) client: ClientRow,
    pub(super) signing: Vec<SigningRow>,
    pub(super) backups: Vec<BackupRow>,
    pub(super) eject_windows: Vec<EjectWindow>,
    pub(super) ejected_at: Option<u64>,
}

impl Known {
    pub(super) async fn read(view: &mut Snapshot, client: &EncryptionContext) -> ApiResult<Self> {
        let row = view.client(&client.custodian, &client.client).await?;
        let row = row.ok_or_else(|| ApiError::not_found("there is no such client"))?;
        Ok(Self {
            client: row,
            signing: view.signing_sets(&client.client).await?,
            backups: view.backups(&client.client).await?,
            eject_windows: view.eject_windows(&client.client).await?,
            ejected_at: view.first_release(&client.client).await?,
        })
    }

    /// The backup set of a pair.
    pub(super) fn backup_of(&self, pair: &SharePairId) -> ApiResult<&BackupRow> {
        let has = |row: &&BackupRow| row.pairs.iter().any(|(_, known)| known.id == *pair);
        let none = || ApiError::not_found("this client has no such backup share pair");
        self.backups.iter().find(has).ok_or_else(none)
    }

    /// The key of a wallet, by the wallet's id.
    pub(super) fn wallet(&self, id: &str) -> ApiResult<PublicKey> {
        let key = self.wallets().find(|key| wallet_id(&self.client.id, key) == id);
        key.ok_or_else(|| ApiError::not_found("this client has no such wallet"))
    }

    /// The public keys of its wallets: of the set that signs. Before that has signed its test there
    /// is none to tell of.
    pub(super) fn wallets(&self) -> impl Iterator<Item = PublicKey> {
        let live = self.signing.iter().find(|set| set.is_live);
        live.into_iter().flat_map(|set| set.pairs.iter().map(|(_, pair)| pair.pair.public_key))
    }
}
