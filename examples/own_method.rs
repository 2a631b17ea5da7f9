//! An app with a backup method of its own, which keeps keys in a safe that the app has anyway.
//!
//! `cargo run -p portal-examples --example own_method`

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId, Operation, Result,
    StoredKey, async_trait,
};
use portal_client::{BackUpOptions, Portal, RecoverOptions};
use portal_examples::{Phone, Service};

/// The safe. This one is in memory; `docs/writing-a-method.md` has one that survives a crash.
#[derive(Clone, Debug, Default)]
struct Safe(Arc<Mutex<HashMap<KeyName, EncryptionKey>>>);

impl Safe {
    fn open<T>(&self, work: impl FnOnce(&mut HashMap<KeyName, EncryptionKey>) -> T) -> T {
        work(&mut self.0.lock().expect("nobody panics while it is open"))
    }
}

#[async_trait]
impl KeyStore for Safe {
    fn id(&self) -> MethodId {
        MethodId::new("com.example.safe").expect("the id is canonical")
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        Ok(())
    }

    async fn put(&self, _: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        let copy = EncryptionKey::copied_from(key.expose());
        let same = self.open(|keys| *keys.entry(name.clone()).or_insert(copy) == *key);
        same.then_some(()).ok_or(Error::new(ErrorKind::Conflict, "the name is taken"))
    }

    async fn get(&self, _: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        let kept = self.open(|keys| keys.get(name).map(|k| EncryptionKey::copied_from(k.expose())));
        kept.ok_or(Error::new(ErrorKind::NotFound, "the key is not in the safe"))
    }

    async fn delete(&self, _: &Operation<'_>, name: &KeyName) -> Result<()> {
        self.open(|keys| keys.remove(name));
        Ok(())
    }

    async fn list(&self, _: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        let of_client = |name: &&KeyName| KeyName::parse(prefix, name.as_str()).is_some();
        Ok(self.open(|keys| keys.keys().filter(of_client).cloned().collect()))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (service, safe) = (Service::start().await?, Safe::default());
    let user = service.sign_up().await?;
    let app = |phone: &Phone| {
        let app = Portal::builder(&service.url(), user.key(), phone.store(&user));
        app.method(Arc::new(StoredKey::new(safe.clone()))).build()
    };
    let (lost, found, id) = (Phone::new()?, Phone::new()?, safe.id());
    let portal = app(&lost)?;
    let addresses = portal.create_wallet(&|_| ()).await?;
    portal.back_up(&id, &BackUpOptions::default(), &|_| ()).await?;

    let recovered = app(&found)?.recover(&id, &RecoverOptions::default(), &|_| ()).await?;
    assert_eq!(recovered.addresses, addresses);
    println!("Recovered by {id}");
    Ok(())
}

#[test]
fn it_runs() -> anyhow::Result<()> {
    main()
}
