//! The code of `docs/guide.md`, run in its order.

include!(concat!(env!("OUT_DIR"), "/guide.rs"));

use backup_testkit::{
    SessionBus,
    drive::{DriveDouble, NewFile, Space},
};
use portal_tests::{
    drive::{APP, USER, store},
    one_passkey::OnePasskey,
    wallets::{TestService, copied, on_runtime},
};
use tempfile::TempDir;
use tokio::net::TcpListener;

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
        let app = phone.app(&service, &client);
        let addresses = create(&app).await.unwrap();
        back_up(&app).await.unwrap();
        ask(&app).await.unwrap();
        back_up_under_one_id(&app).await.unwrap();
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

#[test]
fn the_halves_of_backups_are_kept_as_the_guide_says() {
    let (home, secret) = (tempfile::tempdir().unwrap(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    on_runtime(async {
        let service = TestService::start_with(|options| {
            options.backup_with_portal = Some(false);
            options.webhooks.plain_http = true;
            options.webhooks.private_addresses = true;
        });
        let service = service.await;
        let key = std::fs::read_to_string(service.folder().join("custodian.key")).unwrap();
        let custodian_key = ApiKey::new(key.trim()).unwrap();
        let client = sign_up(&service.url(), &custodian_key).await.unwrap();
        let server = own_server(&client.0, secret, home.path()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, server).into_future());
        say_where_it_is(&service.url(), &custodian_key, secret, &url).await.unwrap();

        let (first, second) = (Phone::new(), Phone::new());
        let app = first.app(&service, &client);
        let addresses = create(&app).await.unwrap();
        let text = back_up_to_own_servers(&app).await.unwrap();
        let recovered = recover_from_own_servers(&second.app(&service, &client), text).await;
        assert_eq!(recovered.unwrap().addresses, addresses);
    });
}

#[test]
fn methods_are_set_up_as_the_guide_says() {
    let folder = tempfile::tempdir().unwrap();
    let key = || DataKey::generate().unwrap();
    let token = "0123456789abcdef".repeat(4);
    let page = || OnePasskey { random: [7; 32] };
    let client_key = ApiKey::new("ck_0123456789abcdef").unwrap();
    let prf = MethodId::new(PasskeyPrf::ID).unwrap();
    for (method, id) in [
        (google_drive(folder.path(), key()), MethodId::GDRIVE),
        (icloud(&token, folder.path(), key()), MethodId::ICLOUD),
        (passkey(page()), prf),
        (
            passkey_in_enclave(page(), "https://passkeys.example.com", &client_key),
            MethodId::PASSKEY,
        ),
    ] {
        assert_eq!(method.unwrap().id(), id);
    }
}

/// The files of Portal's SDKs for the client `client` of `custodian`: of iOS, and of all others.
const PORTAL_FILES: [&str; 2] =
    ["3c6a15d51c09c6316a93992670f05e17cae88775b3071386485f20aa13ce9fcc.txt", "768588601.txt"];

fn keep_as_portal_did(drive: &DriveDouble, name: &str, key: &str) {
    drive.add(&NewFile {
        name,
        space: Space::AppData,
        owner: USER,
        app: APP,
        mime_type: "text/plain",
        content: key.as_bytes(),
        shared_with: None,
    });
}

#[test]
fn a_wallet_of_portals_is_ejected_with_the_key_that_its_sdk_left_in_drive() {
    let vector =
        include_str!("../../../crates/portal-import/tests/vectors/opens/react-native.json");
    let vector: serde_json::Value = serde_json::from_str(vector).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let (cipher_text, key) = (text(&vector["cipher_text"]), text(&vector["key"]));
    let custodian = text(&vector["custodian"]["SECP256K1"]);
    let custodian = PortalCustodianShare::from_json(&custodian).unwrap();
    let custodian_id = backup_core::CustodianId::new("custodian").unwrap();
    let client = backup_core::ClientId::new("client").unwrap();
    let context = EncryptionContext::new(custodian_id, client);
    let drive = DriveDouble::start();
    on_runtime(async {
        let eject =
            async || eject_from_portal(&store(&drive), &context, &cipher_text, &custodian).await;
        let none = eject().await.unwrap_err().to_string();
        assert!(none.contains("no key"), "{none}");
        keep_as_portal_did(&drive, PORTAL_FILES[0], &key.to_uppercase());
        // Of another backup, and looked at first.
        keep_as_portal_did(&drive, PORTAL_FILES[1], &"0123456789abcdef".repeat(4));
        let ejected = eject().await.unwrap();
        assert_eq!(vector["private_keys"]["SECP256K1"], ejected.expose());
    });
}
