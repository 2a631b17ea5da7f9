//! The code of `docs/guide.md`, run in its order.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

include!(concat!(env!("OUT_DIR"), "/guide.rs"));

use backup_testkit::SessionBus;
use portal_tests::wallets::{TestService, copied, on_runtime};
use tempfile::TempDir;

const PASSWORD: &str = "seven teal lanterns drift";

/// A device: its folder, and the key in its keychain.
struct Phone(TempDir, DataKey);

impl Phone {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), DataKey::generate().unwrap())
    }

    fn app(&self, service: &TestService, client: &(EncryptionContext, ApiKey)) -> Portal {
        self.app_of(service, client, PASSWORD)
    }

    fn app_of(
        &self,
        service: &TestService,
        (context, key): &(EncryptionContext, ApiKey),
        typed: &'static str,
    ) -> Portal {
        let keychain = DataKey::copied_from(self.1.expose());
        let client = (context.clone(), copied(key));
        set_up(&service.url(), client, (self.0.path(), keychain), Dialog(typed)).unwrap()
    }
}

#[test]
fn a_wallet_lives_as_the_guide_says() {
    let bus = SessionBus::enter();
    let home = tempfile::tempdir().unwrap();
    let _keyring = bus.keyring(home.path(), "the login password");
    on_runtime(async {
        let service = TestService::start().await;
        let key = std::fs::read_to_string(service.folder().join("custodian.key")).unwrap();
        let custodian_key = ApiKey::new(key.trim()).unwrap();
        let client = sign_up(&service.url(), &custodian_key).await.unwrap();

        let phone = Phone::new();
        let drive = google_drive(phone.0.path(), DataKey::generate().unwrap()).unwrap();
        assert_eq!(drive.id(), MethodId::GDRIVE);
        let app = phone.app(&service, &client);
        let addresses = create(&app).await.unwrap();
        back_up(&app).await.unwrap();
        ask(&app).await.unwrap();
        assert!(back_up_in_keychain(&app).await.unwrap());
        let key = back_up_with_own_key(&app).await.unwrap();
        drop((app, phone));

        let second = Phone::new();
        recover_with_own_key(&second.app(&service, &client), key).await.unwrap();

        let third = Phone::new();
        let address = addresses.address(Namespace::Eip155).unwrap();
        let wrong = third.app_of(&service, &client, "eight teal lanterns drift");
        assert!(recover(&wrong, &address).await.is_err());
        drop(wrong);
        let app = third.app(&service, &client);
        let recovered = recover(&app, &address).await.unwrap();
        assert_eq!(recovered.addresses, addresses);

        let ejected = eject(&service.url(), &custodian_key, &app).await.unwrap();
        assert_eq!(ejected.addresses, addresses);
    });
}
