//! The client object, out of a client's sets.

use portal_api::compat::{
    BackupPairObject, Bitcoin, ClientObject, CustodianObject, EnvironmentObject, MetadataObject,
    NamespaceObject, Namespaces, P2wpkh, PairStatus, SigningPairObject, Timestamp, WalletObject,
    wallet_id,
};
use portal_mpc::{Namespace, OnCurve, PublicKey};

use super::known::Known;
use crate::{lifecycle, store::lifecycle_sets};

impl Known {
    /// The object that Portal's SDKs read.
    pub(super) fn object(&self) -> ClientObject {
        let custodian = self.client.custodian.clone();
        let namespaces = namespaces(self.wallets());
        ClientObject {
            id: self.client.id.clone(),
            created_at: Timestamp(self.client.created_at),
            address: namespaces.eip155.as_ref().map(|evm| evm.address.clone()),
            ejected_at: self.ejected_at.map(Timestamp),
            is_account_abstracted: self.client.is_account_abstracted,
            environment: EnvironmentObject {
                id: custodian.as_str().to_owned(),
                name: ENVIRONMENT.to_owned(),
                backup_with_portal_enabled: self.client.backup_with_portal,
                is_multi_backup_enabled: true,
            },
            custodian: CustodianObject {
                name: self.client.custodian_name.clone().unwrap_or_else(|| custodian.to_string()),
                id: custodian,
            },
            metadata: MetadataObject { namespaces },
            wallets: self.wallets().map(|key| self.wallet_object(&key)).collect(),
        }
    }

    /// Newest first: of each method what is pending, and the newest that is completed.
    pub(super) fn backup_pairs(&self, wallet: &PublicKey) -> Vec<BackupPairObject> {
        let sets = lifecycle_sets(&self.backups);
        let is_shown = |set: &lifecycle::BackupSet| {
            let newest = lifecycle::newest(&sets, &set.method, wallet.curve());
            let is_pending = !set.is_completed() && lifecycle::is_told_of(set);
            is_pending || newest.is_some_and(|newest| newest.id == set.id)
        };
        let shown = self.backups.iter().filter(|row| is_shown(&row.set));
        let pairs = shown.filter_map(|row| {
            let pair = row.pairs.get(wallet.curve()).filter(|pair| pair.public_key == *wallet)?;
            Some(BackupPairObject {
                id: pair.id.clone(),
                created_at: Timestamp(row.created_at),
                backup_method: row.set.method.clone(),
                status: status(row.set.is_completed()),
            })
        });
        pairs.collect()
    }

    /// The pair that signs, and those that wait for their test.
    pub(super) fn signing_pairs(&self, wallet: &PublicKey) -> Vec<SigningPairObject> {
        let pairs = self.signing.iter().filter_map(|set| {
            let pair = &set.pairs.get(wallet.curve())?.pair;
            (pair.public_key == *wallet).then(|| SigningPairObject {
                id: pair.id.clone(),
                created_at: Timestamp(set.created_at),
                status: status(set.is_live),
            })
        });
        pairs.collect()
    }

    fn wallet_object(&self, key: &PublicKey) -> WalletObject {
        let live = self.signing.iter().find(|set| set.is_live);
        let id = wallet_id(&self.client.id, key);
        let window = self.eject_windows.iter().find(|window| window.wallet == id);
        WalletObject {
            created_at: Timestamp(live.map_or(0, |set| set.created_at)),
            curve: key.curve(),
            public_key: public_key(key),
            ejectable_until: window.map(|window| Timestamp(window.until)),
            backup_share_pairs: self.backup_pairs(key),
            signing_share_pairs: self.signing_pairs(key),
            id,
        }
    }
}

/// Portal's two coordinates, and what everybody else calls a public key.
fn public_key(key: &PublicKey) -> String {
    let [x, y] = key.coordinates();
    format!(r#"{{"x":"{x}","y":"{y}","compressed":"{key}"}}"#)
}

const fn status(is_completed: bool) -> PairStatus {
    if is_completed { PairStatus::Completed } else { PairStatus::Incomplete }
}

fn namespaces(wallets: impl Iterator<Item = PublicKey>) -> Namespaces {
    wallets.fold(Namespaces::default(), |known, key| Namespaces {
        eip155: known.eip155.or_else(|| address(&key, Namespace::Eip155)),
        solana: known.solana.or_else(|| address(&key, Namespace::Solana)),
        bip122: known.bip122.or_else(|| bitcoin(&key)),
        stellar: known.stellar.or_else(|| address(&key, Namespace::Stellar)),
        tron: known.tron.or_else(|| address(&key, Namespace::Tron)),
    })
}

fn address(key: &PublicKey, namespace: Namespace) -> Option<NamespaceObject> {
    let address = key.address(namespace)?;
    Some(NamespaceObject { address, curve: key.curve(), bitcoin: None })
}

fn bitcoin(key: &PublicKey) -> Option<NamespaceObject> {
    let mainnet = address(key, Namespace::Bip122Mainnet)?;
    let testnet = key.address(Namespace::Bip122Testnet)?;
    let p2wpkh = P2wpkh { mainnet: mainnet.address.clone(), testnet };
    Some(NamespaceObject { bitcoin: Some(Bitcoin { p2wpkh }), ..mainnet })
}

/// A custodian has one environment.
const ENVIRONMENT: &str = "default";
