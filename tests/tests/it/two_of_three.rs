//! A backup that any two of three methods open: the facade treats it as every other method.

use std::sync::Arc;

use backup_core::{
    BackupMethod, ErrorKind, MethodId, Result, Threshold, async_trait, secrecy::SecretString,
};
use backup_methods_password::{Cost, Password, PasswordPrompt, PasswordRequest};
use backup_testkit::MemoryStore;
use portal_client::{Addresses, BackUpOptions, Error, Payload, RecoverOptions};
use portal_tests::wallets::{TestClient, TestService, memory_method, on_runtime, unseen};

/// Types what the user remembers; or nothing, who has forgotten it.
#[derive(Debug)]
struct Typist(Option<&'static str>);

#[async_trait]
impl PasswordPrompt for Typist {
    async fn password(&self, _: &PasswordRequest<'_>) -> Result<SecretString> {
        let forgotten = || backup_core::Error::new(ErrorKind::Cancelled, "it is forgotten");
        self.0.map(SecretString::from).ok_or_else(forgotten)
    }
}

fn two_of_three(stores: [&MemoryStore; 2], typed: Option<&'static str>) -> Arc<dyn BackupMethod> {
    let password = Password::new(Typist(typed)).with_cost(Cost::LEAST);
    let [one, other] = stores.map(memory_method);
    let members = [("a drive", one), ("another drive", other), ("a password", Arc::new(password))];
    Arc::new(Threshold::new(2, members).unwrap())
}

async fn recovered(
    service: &TestService,
    client: &TestClient,
    method: &Arc<dyn BackupMethod>,
) -> portal_client::Result<Addresses> {
    let device = client.device();
    let app = device.portal(&service.url(), method);
    let options = RecoverOptions::default();
    let recovered = app.recover(&MethodId::THRESHOLD, &options, &unseen).await?;
    app.sign(Payload::Message(b"m")).await.map(|_| recovered.addresses)
}

#[test]
fn any_two_recover_the_wallet_and_one_alone_does_not() {
    on_runtime(async {
        const PASSWORD: Option<&str> = Some("seven teal lanterns drift");
        let service = TestService::start().await;
        let client = service.client().await;
        let (one, other, lost) = (MemoryStore::new(), MemoryStore::new(), MemoryStore::new());
        let device = client.device();
        let app = device.portal(&service.url(), &two_of_three([&one, &other], PASSWORD));
        let addresses = app.create_wallet(&unseen).await.unwrap();
        for is_first in [true, false] {
            let options = BackUpOptions::default();
            let made = app.back_up(&MethodId::THRESHOLD, &options, &unseen).await.unwrap();
            assert_eq!((made.enrolled, made.proved), (is_first, true));
        }
        for alone in [
            two_of_three([&one, &lost], None),
            two_of_three([&lost, &other], None),
            two_of_three([&lost, &lost], PASSWORD),
        ] {
            let refused = recovered(&service, &client, &alone).await.unwrap_err();
            assert!(matches!(refused, Error::Method(_)), "{refused}");
        }
        for two in [
            two_of_three([&one, &other], None),
            two_of_three([&one, &lost], PASSWORD),
            two_of_three([&lost, &other], PASSWORD),
        ] {
            assert_eq!(recovered(&service, &client, &two).await.unwrap(), addresses);
        }
    });
}
