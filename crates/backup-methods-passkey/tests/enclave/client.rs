//! What users do with an enclave's passkeys, by the client over sockets.

use std::future::Future;

use backup_core::{
    BackupMethod, EncryptionKey, Error, ErrorKind, Operation, Purpose, secrecy::SecretString,
};
use backup_methods_passkey::{EnclaveProblem, PasskeyEnclave, RelyingParty, Status, Support};
use backup_testkit::{
    Client,
    passkey::{PasskeyFault, SoftwareAuthenticator},
};

use crate::{
    page::Page,
    service::Service,
    support::{RP, alice, device},
};

fn run<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(story)
}

fn method(service: &Service, page: Page) -> PasskeyEnclave {
    method_of(service, page, RP, "alice-key")
}

fn method_of(service: &Service, page: Page, rp: &str, key: &str) -> PasskeyEnclave {
    let address = format!("http://{}", service.address);
    let relying_party = RelyingParty::new(rp, "Acme").unwrap();
    PasskeyEnclave::new(page, relying_party, &address, SecretString::from(key)).unwrap()
}

fn on(service: &Service, device: &SoftwareAuthenticator) -> (PasskeyEnclave, Page) {
    let page = Page::with([device.clone()]);
    (method(service, page.clone()), page)
}

fn problem(error: &Error) -> &EnclaveProblem {
    EnclaveProblem::of(error).unwrap_or_else(|| panic!("{error:?}"))
}

#[test]
fn a_first_backup_takes_two_ceremonies_where_the_passkey_is_new_and_one_where_it_is_not() {
    let (service, phone, user) = (Service::start(), device(), Client::new());
    let (method, page) = on(&service, &phone);
    run(async {
        user.back_up(&method).await.unwrap();
        assert_eq!((page.ceremonies.count(), phone.passkeys()), (2, 1));
        user.back_up(&method).await.unwrap();
        assert_eq!((page.ceremonies.count(), phone.passkeys()), (3, 1));
    });
}

#[test]
fn a_new_device_opens_the_backup_with_one_ceremony() {
    let (service, phone, user) = (Service::start(), device(), Client::new());
    run(async {
        let envelope = user.back_up(&on(&service, &phone).0).await.unwrap();
        let (method, page) = on(&service, &phone.clone());
        user.on_a_new_device().open(&method, &envelope).await.unwrap();
        assert_eq!(page.ceremonies.count(), 1);
    });
}

#[test]
fn portals_sequence_registers_writes_and_reads() {
    let (service, phone, context) = (Service::start(), device(), alice());
    let (method, _) = on(&service, &phone);
    let op = Operation::new(Purpose::Enroll, &context);
    let key = EncryptionKey::copied_from(&[7; 32]);
    run(async {
        assert_eq!(method.status().await.unwrap(), Status::NotRegistered);
        let passkey = method.register_passkey(&op).await.unwrap();
        assert_eq!(method.status().await.unwrap(), Status::Registered);
        let name = method.authenticate_passkey_and_write_key(&op, &key).await.unwrap().unwrap();
        assert_eq!(method.status().await.unwrap(), Status::WithCredential);
        let passkeys = method.passkeys().await.unwrap();
        assert_eq!((&passkeys[0].id, &passkeys[0].keys), (&passkey, &vec![name]));
        assert!(method.authenticate_passkey_and_read_key(&op).await.unwrap() == key);
    });
}

#[test]
fn a_lost_passkey_is_replaced_by_one_that_was_granted_its_keys() {
    let (service, phone, laptop, user) = (Service::start(), device(), device(), Client::new());
    let op = user.op(Purpose::Enroll);
    run(async {
        let on_phone = on(&service, &phone).0.with_passkey_name("Phone");
        let envelope = user.back_up(&on_phone).await.unwrap();
        let on_laptop = on(&service, &laptop).0.with_passkey_name("Laptop");
        let added = on_laptop.register_passkey(&op).await.unwrap();
        let error = user.open(&on_laptop, &envelope).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "the laptop is not asked: {error}");

        on_phone.grant(&op, &added).await.unwrap();
        user.open(&on_laptop, &envelope).await.unwrap();

        let lost = on_laptop.passkeys().await.unwrap()[0].clone();
        assert_eq!((&*lost.name, lost.keys.len()), ("Phone", 1));
        on_laptop.remove(&op, &lost.id).await.unwrap();
        on_laptop.rename(&op, &added, "My laptop").await.unwrap();
        let left = on_laptop.passkeys().await.unwrap();
        assert_eq!((left.len(), &*left[0].name), (1, "My laptop"));
        user.open(&on_laptop, &envelope).await.unwrap();

        let error = on_laptop.remove(&op, &added).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    });
}

#[test]
fn who_lost_all_passkeys_backs_up_again_with_a_new_one() {
    let (service, user) = (Service::start(), Client::new());
    run(async {
        user.back_up(&on(&service, &device()).0).await.unwrap();
        let (method, page) = on(&service, &device());
        let error = user.back_up(&method).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
        let method = method.with_new_passkey();
        let envelope = user.back_up(&method).await.unwrap();
        assert_eq!(page.ceremonies.count(), 3);
        user.open(&method, &envelope).await.unwrap();
    });
}

#[test]
fn nothing_of_a_prf_is_asked_for_or_sent() {
    let (service, phone, user) = (Service::start(), device(), Client::new());
    run(async {
        // The enclave refuses bodies that carry an output; this authenticator gives one if asked.
        let envelope = user.back_up(&on(&service, &phone).0).await.unwrap();
        let no_prf = Page::with([phone.with_fault(PasskeyFault::LacksPrf)]);
        let method = method(&service, no_prf.supporting(Support::WithoutPrf));
        user.open(&method, &envelope).await.unwrap();
    });
    assert!(service.world.store.audit().iter().all(|record| record.refused.is_none()));
}

#[test]
fn what_the_enclave_refuses_is_said_with_what_to_do() {
    let (service, phone, user) = (Service::start(), device(), Client::new());
    let page = || Page::with([phone.clone()]);
    let op = user.op(Purpose::Enroll);
    run(async {
        let error = method_of(&service, page(), RP, "nobodys-key").status().await.unwrap_err();
        assert_eq!(problem(&error), &EnclaveProblem::SignInNeeded);
        let other = method_of(&service, page(), "example.org", "alice-key");
        let error = other.register_passkey(&op).await.unwrap_err();
        assert_eq!(problem(&error), &EnclaveProblem::ForeignRelyingParty);
        let error =
            method(&service, page()).authenticate_passkey_and_read_key(&op).await.unwrap_err();
        assert_eq!(problem(&error), &EnclaveProblem::NoPasskey);

        let late = method(&service, page());
        late.register_passkey(&op).await.unwrap();
        let nobody = method(&service, page().supporting(Support::Nothing));
        let error = nobody.enroll(&op).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(service.world.store.tables().sealed.len(), 0);
    });
}

#[test]
fn a_user_without_verification_is_refused_before_an_answer_is_sent() {
    let (service, phone, user) = (Service::start(), device(), Client::new());
    run(async {
        let envelope = user.back_up(&on(&service, &phone).0).await.unwrap();
        let before = service.world.store.audit().len();
        let careless = Page::with([phone.with_fault(PasskeyFault::SkipsVerification)]);
        let error = user.open(&method(&service, careless), &envelope).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert_eq!(service.world.store.audit().len(), before + 1, "more than a ceremony was begun");
    });
}
