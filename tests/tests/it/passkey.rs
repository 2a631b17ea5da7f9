//! A wallet that is backed up with a passkey, at a service that really runs: by its PRF, and by the
//! service's enclave.

use std::sync::Arc;

use backup_core::{BackupMethod, ErrorKind, MethodId, async_trait, secrecy::SecretString};
use backup_methods_passkey::{
    Account, Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions,
    PasskeyEnclave, PasskeyPrf, RelyingParty, Support,
};
use backup_testkit::{
    PromptCounter,
    passkey::{PasskeyFault, Refusal, SoftwareAuthenticator},
};
use portal_client::{BackUpOptions, Error, Portal, RecoverOptions};
use portal_tests::wallets::{
    Device, PASSKEY_ORIGIN as ORIGIN, RELYING_PARTY, TestClient, TestService, on_runtime, unseen,
};

/// A page of the app's, and the authenticator behind it.
#[derive(Clone, Debug)]
struct Page {
    authenticator: SoftwareAuthenticator,
    ceremonies: PromptCounter,
}

impl Page {
    fn of(authenticator: SoftwareAuthenticator) -> Self {
        Self { authenticator, ceremonies: PromptCounter::new() }
    }

    fn app(&self, device: &Device, service: &TestService) -> Portal {
        let party = RelyingParty::new(RELYING_PARTY, "Acme").unwrap();
        let account = Account::new("alice@example.com", "Alice");
        let method: Arc<dyn BackupMethod> = Arc::new(PasskeyPrf::new(self.clone(), party, account));
        device.portal(&service.url(), &method)
    }

    /// The same with a method whose keys the service's enclave keeps.
    fn app_with_enclave(&self, client: &TestClient, device: &Device, at: &TestService) -> Portal {
        let party = RelyingParty::new(RELYING_PARTY, "Acme").unwrap();
        let key = SecretString::from(client.key.expose());
        let method = PasskeyEnclave::new(self.clone(), party, &at.url(), key).unwrap();
        let method: Arc<dyn BackupMethod> = Arc::new(method);
        device.portal(&at.url(), &method)
    }
}

#[async_trait]
impl Ceremony for Page {
    async fn support(&self) -> Support {
        Support::Prf
    }

    async fn create(&self, options: &CreateOptions) -> Result<Created, CeremonyError> {
        self.ceremonies.add();
        let answer = self.authenticator.create(ORIGIN, &options.to_json());
        Created::from_json(&answer.map_err(declined)?)
    }

    async fn get(&self, options: &GetOptions) -> Result<Assertion, CeremonyError> {
        self.ceremonies.add();
        let answer = self.authenticator.get(ORIGIN, &options.to_json());
        Assertion::from_json(&answer.map_err(declined)?)
    }
}

fn declined(_: Refusal) -> CeremonyError {
    CeremonyError::Cancelled
}

fn id() -> MethodId {
    MethodId::new(PasskeyPrf::ID).unwrap()
}

#[test]
fn a_first_backup_asks_three_times_later_ones_do_not_and_a_recovery_asks_once() {
    on_runtime(async {
        let service = TestService::start().await;
        let client = service.client().await;
        let (device, page) = (client.device(), Page::of(SoftwareAuthenticator::new()));
        let app = page.app(&device, &service);
        app.create_wallet(&unseen).await.unwrap();

        let first = app.back_up(&id(), &BackUpOptions::default(), &unseen).await.unwrap();
        assert!(first.enrolled && first.proved);
        assert_eq!(page.ceremonies.count(), 3);
        let second = app.back_up(&id(), &BackUpOptions::default(), &unseen).await.unwrap();
        assert!(!second.enrolled && second.proved);
        assert_eq!(page.ceremonies.count(), 3);

        let (new_device, same_passkeys) = (client.device(), Page::of(page.authenticator.clone()));
        let app = same_passkeys.app(&new_device, &service);
        let recovered = app.recover(&id(), &RecoverOptions::default(), &unseen).await.unwrap();
        assert_eq!(recovered.backup, second.backup);
        assert_eq!(same_passkeys.ceremonies.count(), 1);
    });
}

#[test]
fn the_enclave_has_its_user_confirm_twice_at_first_once_to_recover_and_not_in_between() {
    on_runtime(async {
        let service = TestService::start_with_enclave().await;
        let client = service.client().await;
        let authenticator = SoftwareAuthenticator::new().with_fault(PasskeyFault::LacksPrf);
        let (device, page) = (client.device(), Page::of(authenticator.clone()));
        let app = page.app_with_enclave(&client, &device, &service);
        app.create_wallet(&unseen).await.unwrap();

        // The trial would be a third one: the first recovery proves the backup.
        let options = BackUpOptions { skip_trial: true, ..BackUpOptions::default() };
        let id = MethodId::PASSKEY;
        let first = app.back_up(&id, &options, &unseen).await.unwrap();
        assert!(first.enrolled && !first.proved);
        let asked = page.ceremonies.count();
        let second = app.back_up(&id, &options, &unseen).await.unwrap();
        assert!(!second.enrolled);
        assert_eq!((asked, page.ceremonies.count()), (2, 2));

        let (new_device, same_passkeys) = (client.device(), Page::of(authenticator));
        let app = same_passkeys.app_with_enclave(&client, &new_device, &service);
        let recovered = app.recover(&id, &RecoverOptions::default(), &unseen).await.unwrap();
        assert_eq!(recovered.backup, second.backup);
        assert_eq!(same_passkeys.ceremonies.count(), 1);
    });
}

#[test]
fn an_authenticator_without_prf_is_told_before_a_share_is_made() {
    on_runtime(async {
        let error = back_up_with(PasskeyFault::LacksPrf).await;
        assert!(
            matches!(&error, Error::Method(error) if error.kind() == ErrorKind::Unsupported),
            "{error}"
        );
    });
}

#[test]
fn a_prf_that_changes_completes_no_backup() {
    on_runtime(async {
        let error = back_up_with(PasskeyFault::ChangesPrf).await;
        assert!(
            matches!(&error, Error::Method(error) if error.kind() == ErrorKind::Unauthorized),
            "{error}"
        );
    });
}

/// The error of a backup with this fault, after which there is none to recover from.
async fn back_up_with(fault: PasskeyFault) -> Error {
    let service = TestService::start().await;
    let device = service.client().await.device();
    let app = Page::of(SoftwareAuthenticator::new().with_fault(fault)).app(&device, &service);
    app.create_wallet(&unseen).await.unwrap();
    let error = app.back_up(&id(), &BackUpOptions::default(), &unseen).await.unwrap_err();
    assert_eq!(app.available_recovery_methods(None).await.unwrap(), []);
    if fault == PasskeyFault::LacksPrf {
        assert_eq!(app.backup_share_pairs(None).await.unwrap(), []);
    }
    error
}
