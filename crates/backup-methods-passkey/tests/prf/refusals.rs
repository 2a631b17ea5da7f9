//! What is refused before a backup counts, and what the user is told.

use backup_core::{BackupMethod, ErrorKind, Purpose, async_trait};
use backup_methods_passkey::{
    Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions, PasskeyPrf, Support,
};
use backup_testkit::{
    Client,
    passkey::{PasskeyFault, SoftwareAuthenticator},
};

use crate::support::{Page, acme, alice, block_on, device, enroll_error, faulty};

#[test]
fn an_authenticator_without_prf_is_found_out_before_it_is_asked_for_a_key() {
    let page = faulty(&SoftwareAuthenticator::new(), PasskeyFault::LacksPrf);
    let (kind, text) = enroll_error(&page);
    assert_eq!(kind, ErrorKind::Unsupported);
    assert!(text.contains("no PRF") && text.contains("another backup method"), "{text}");
    assert_eq!(page.ceremonies.count(), 1);
}

#[test]
fn a_passkey_that_there_is_without_prf_is_refused() {
    let (authenticator, page) = device();
    let envelope = block_on(Client::new().back_up(&page.method())).unwrap();
    let slot = envelope.header().slot.clone().unwrap();
    let passkey = PasskeyPrf::passkey_of(slot.params()).unwrap();
    let method = faulty(&authenticator, PasskeyFault::LacksPrf).method().with_passkeys([passkey]);
    let error = block_on(Client::new().back_up(&method)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_platform_without_passkeys_or_prf_is_told_by_the_check() {
    let client = Client::new();
    for support in [Support::Nothing, Support::WithoutPrf] {
        let (_, page) = device();
        let page = page.supporting(support);
        for purpose in [Purpose::Enroll, Purpose::Unlock] {
            let error = block_on(page.method().check(&client.op(purpose))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{support:?}");
        }
        assert_eq!(enroll_error(&page).0, ErrorKind::Unsupported, "{support:?}");
        assert_eq!(page.ceremonies.count(), 0, "{support:?}");
    }
}

#[test]
fn a_prf_that_changes_never_makes_a_backup_that_counts() {
    let page = faulty(&SoftwareAuthenticator::new(), PasskeyFault::ChangesPrf);
    let client = Client::new();
    let envelope = block_on(client.back_up(&page.method())).unwrap();
    let asked = page.ceremonies.count();
    let error = block_on(client.open(&page.method(), &envelope)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("does not answer as it did"), "{error}");
    assert_eq!(page.ceremonies.count(), asked + 1, "another ceremony would change nothing");
}

#[test]
fn an_answer_without_verification_is_refused_to_enroll_and_to_unlock() {
    let (authenticator, page) = device();
    let client = Client::new();
    let envelope = block_on(client.back_up(&page.method())).unwrap();
    let skipping = faulty(&authenticator, PasskeyFault::SkipsVerification);
    let (kind, text) = enroll_error(&skipping);
    assert_eq!(kind, ErrorKind::Unsupported);
    assert!(text.contains("does not check who uses it"), "{text}");
    let error = block_on(client.open(&skipping.method(), &envelope)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let lacking = faulty(&authenticator, PasskeyFault::LacksVerification);
    assert_eq!(enroll_error(&lacking).0, ErrorKind::Cancelled);
    let error = block_on(client.open(&lacking.method(), &envelope)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "verification was not required");
}

#[test]
fn every_end_of_a_ceremony_says_what_to_do() {
    for (end, kind, says) in [
        (CeremonyError::Cancelled, ErrorKind::Cancelled, "confirm when you are asked"),
        (CeremonyError::Closed, ErrorKind::Cancelled, "leave it open"),
        (CeremonyError::Failed("look here".into()), ErrorKind::Unavailable, "look here"),
        (CeremonyError::TimedOut, ErrorKind::Unavailable, "ran out"),
        (CeremonyError::Unsupported, ErrorKind::Unsupported, "another backup method"),
        (CeremonyError::WrongPasskey, ErrorKind::Unauthorized, "the one that it was made with"),
    ] {
        let method = PasskeyPrf::new(Ends(end.clone()), acme(), alice());
        let error = block_on(Client::new().back_up(&method)).unwrap_err();
        assert_eq!(error.kind(), kind, "{end:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

/// A ceremony that always ends in this way.
#[derive(Debug)]
struct Ends(CeremonyError);

#[async_trait]
impl Ceremony for Ends {
    async fn support(&self) -> Support {
        Support::Prf
    }

    async fn create(&self, _: &CreateOptions) -> Result<Created, CeremonyError> {
        Err(self.0.clone())
    }

    async fn get(&self, _: &GetOptions) -> Result<Assertion, CeremonyError> {
        Err(self.0.clone())
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    type Change = fn(&mut Assertion);
    let changes: [(Change, &str); 4] = [
        (|answer| replace(&mut answer.client_data_json, "webauthn.get", "webauthn.xyz"), CEREMONY),
        (|answer| answer.client_data_json.truncate(9), "no client data"),
        (|answer| answer.authenticator_data[0] ^= 1, "another relying party"),
        (|answer| answer.authenticator_data.truncate(36), "cut short"),
    ];
    let (_, page) = device();
    let client = Client::new();
    let envelope = block_on(client.back_up(&page.method())).unwrap();
    for (change, says) in changes {
        let method = PasskeyPrf::new(Meddler::changing(&page, change), acme(), alice());
        let error = block_on(client.open(&method, &envelope)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn an_earlier_answer_is_refused() {
    let (_, page) = device();
    let client = Client::new();
    let method = PasskeyPrf::new(Meddler::changing(&page, |_| ()), acme(), alice());
    let envelope = block_on(client.back_up(&method)).unwrap();
    block_on(client.open(&method, &envelope)).unwrap();
    let replaying = PasskeyPrf::new(Meddler::asking_again(&page), acme(), alice());
    let error = block_on(client.open(&replaying, &envelope)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.to_string().contains(CEREMONY), "{error}");
}

#[test]
fn a_new_passkey_of_another_ceremony_is_refused() {
    let (_, page) = device();
    let error = enroll(&PasskeyPrf::new(Meddler::asking_again(&page), acme(), alice()));
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.to_string().contains(CEREMONY), "{error}");
    assert_eq!(page.ceremonies.count(), 1);
}

const CEREMONY: &str = "belongs to another ceremony";

fn enroll(method: &PasskeyPrf) -> backup_core::Error {
    block_on(Client::new().back_up(method)).unwrap_err()
}

fn replace(bytes: &mut Vec<u8>, old: &str, new: &str) {
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(old));
    *bytes = text.replace(old, new).into_bytes();
}

/// Something between the method and the page.
#[derive(Debug)]
struct Meddler {
    page: Page,
    /// Asks with a challenge of its own, as whoever replays answers from another time.
    asks_again: bool,
    change: fn(&mut Assertion),
}

impl Meddler {
    fn changing(page: &Page, change: fn(&mut Assertion)) -> Self {
        Self { page: page.clone(), asks_again: false, change }
    }

    fn asking_again(page: &Page) -> Self {
        Self { page: page.clone(), asks_again: true, change: |_| () }
    }

    fn challenge(&self, challenge: &[u8]) -> Vec<u8> {
        if self.asks_again { vec![7; 32] } else { challenge.to_vec() }
    }
}

#[async_trait]
impl Ceremony for Meddler {
    async fn support(&self) -> Support {
        Support::Prf
    }

    async fn create(&self, options: &CreateOptions) -> Result<Created, CeremonyError> {
        let mut options = options.clone();
        options.challenge = self.challenge(&options.challenge);
        self.page.create(&options).await
    }

    async fn get(&self, options: &GetOptions) -> Result<Assertion, CeremonyError> {
        let mut options = options.clone();
        options.challenge = self.challenge(&options.challenge);
        let mut answer = self.page.get(&options).await?;
        (self.change)(&mut answer);
        Ok(answer)
    }
}
