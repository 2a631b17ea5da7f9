//! A storage in memory, which every node of a service shares.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use backup_core::{EncryptionContext, Error, ErrorKind, Result, async_trait};
use backup_methods_passkey::{
    CredentialId,
    enclave::{AuditRecord, Commit, Committed, EnclaveStore, KeyId, Loaded},
};

#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    full: Arc<AtomicBool>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tables {
    pub(crate) records: HashMap<String, Loaded>,
    pub(crate) passkeys: HashMap<CredentialId, String>,
    pub(crate) sealed: HashMap<(String, KeyId, CredentialId), Vec<u8>>,
    pub(crate) audit: Vec<AuditRecord>,
}

impl MemoryStore {
    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    /// From now on nothing is committed, as on a full disk.
    pub(crate) fn fill(&self) {
        self.full.store(true, Ordering::SeqCst);
    }

    /// Everything, but for the audit trail.
    pub(crate) fn state(&self) -> Tables {
        Tables { audit: Vec::new(), ..self.tables().clone() }
    }

    pub(crate) fn audit(&self) -> Vec<AuditRecord> {
        self.tables().audit.clone()
    }
}

fn name(client: &EncryptionContext) -> String {
    format!("{}/{}", client.custodian.as_str(), client.client.as_str())
}

#[async_trait]
impl EnclaveStore for MemoryStore {
    async fn load(&self, client: &EncryptionContext) -> Result<Loaded> {
        Ok(self.tables().records.get(&name(client)).cloned().unwrap_or_default())
    }

    async fn sealed(
        &self,
        client: &EncryptionContext,
        key: &KeyId,
        passkey: &CredentialId,
    ) -> Result<Option<Vec<u8>>> {
        let row = (name(client), key.clone(), passkey.clone());
        Ok(self.tables().sealed.get(&row).cloned())
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<Committed> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the disk is full"));
        }
        let mut tables = self.tables();
        let client = name(commit.client);
        let version = tables.records.get(&client).map_or(0, |loaded| loaded.version);
        if version != commit.version {
            return Ok(Committed::Moved);
        }
        let change = commit.change;
        if change.new_passkey.as_ref().is_some_and(|id| tables.passkeys.contains_key(id)) {
            return Ok(Committed::Taken);
        }
        let record = Loaded { version: version + 1, record: commit.record.to_vec() };
        tables.records.insert(client.clone(), record);
        if let Some(id) = &change.new_passkey {
            tables.passkeys.insert(id.clone(), client.clone());
        }
        if let Some(id) = &change.removed_passkey {
            tables.passkeys.remove(id);
            tables.sealed.retain(|(of, _, passkey), _| *of != client || passkey != id);
        }
        if let Some(id) = &change.removed_key {
            tables.sealed.retain(|(of, key, _), _| *of != client || key != id);
        }
        for sealed in &change.sealed {
            let row = (client.clone(), sealed.key.clone(), sealed.passkey.clone());
            assert!(tables.sealed.insert(row, sealed.bytes.clone()).is_none(), "overwritten");
        }
        tables.audit.push(commit.audit.clone());
        Ok(Committed::Done)
    }

    async fn note(&self, audit: &AuditRecord) -> Result<()> {
        self.tables().audit.push(audit.clone());
        Ok(())
    }
}
