//! Bad input: refused, written down once, and without a trace.

use backup_methods_passkey::enclave::{Begun, FinishRegistration, Read, Refusal, Write};
use backup_testkit::passkey::{PasskeyFault, SoftwareAuthenticator};
use serde_json::{Value, json};

use crate::support::{ORIGIN, RP, World, alice, assert, block_on, bob, bytes, device, options};

/// Alice, her phone with a key on it, and a ceremony that was begun.
fn begun() -> (World, SoftwareAuthenticator, Begun) {
    let (world, phone) = (World::new(), device());
    world.register_with(&alice(), &phone, Some(bytes(1))).unwrap();
    let begun = world.begin(&alice());
    (world, phone, begun)
}

/// The refusal of an answer that releases no key, writes none, leaves one audit record each, and
/// does not use up the ceremony.
fn refused(world: &World, begun: &Begun, assertion: &str) -> Refusal {
    let before = (world.store.state(), world.store.audit().len());
    let write = Write::new(RP, begun.session_id.clone(), assertion, bytes(9));
    block_on(world.enclave.write(&alice(), &write)).unwrap_err();
    let refusal = world.finish_read(&alice(), begun, assertion.to_owned()).unwrap_err();
    let (state, audit) = (world.store.state(), world.store.audit());
    assert_eq!((&state.passkeys, &state.sealed), (&before.0.passkeys, &before.0.sealed));
    let what_counts = |state: &crate::store::Tables| {
        let record = &state.records["acme/alice"].record;
        let mut json: Value = serde_json::from_slice(record).unwrap();
        json["failures"].take();
        json
    };
    assert_eq!(what_counts(&state), what_counts(&before.0));
    assert_eq!(audit.len(), before.1 + 2);
    assert!(audit[before.1..].iter().all(|record| record.refused == Some(refusal.as_str())));
    refusal
}

#[test]
fn answers_that_do_not_hold_are_refused() {
    let (world, phone, begun) = begun();
    let options = options(&begun);
    let foreign = device();
    world.register(&bob(), &foreign);
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut answer: Value = serde_json::from_str(&assert(&phone, &begun)).unwrap();
        edit(&mut answer);
        answer.to_string()
    };
    let with_fault = |fault| phone.with_fault(fault).get(ORIGIN, &options).unwrap();
    let to_anybody = {
        let mut options = begun.options["publicKey"].clone();
        options["allowCredentials"] = json!([]);
        foreign.get(ORIGIN, &options.to_string()).unwrap()
    };
    let answers = [
        ("another origin", phone.get("https://evil.example.com", &options).unwrap()),
        ("no verification", with_fault(PasskeyFault::SkipsVerification)),
        ("an unknown passkey", with_fault(PasskeyFault::AnswersWithAnother)),
        ("no backup any more", with_fault(PasskeyFault::LosesBackupEligibility)),
        ("another client's passkey", to_anybody),
    ];
    for (what, answer) in answers {
        let refusal = refused(&world, &begun, &answer);
        assert!(matches!(refusal, Refusal::NotVerified), "{what}: {refusal:?}");
    }
    world.clock.pass(1);
    for (field, value) in [("signature", "AAAA"), ("authenticatorData", "AAAA")] {
        let world = world.another_node();
        let answer = edited(&|answer| answer["response"][field] = json!(value));
        world.clock.pass(900);
        let fresh = world.begin(&alice());
        let refusal = world.finish_read(&alice(), &fresh, answer).unwrap_err();
        assert!(matches!(refusal, Refusal::NotVerified), "{field}: {refusal:?}");
    }
}

#[test]
fn malformed_answers_are_refused() {
    let (world, phone, begun) = begun();
    let whole = assert(&phone, &begun);
    let long = format!("{}{}", whole, " ".repeat(16 * 1024));
    for answer in ["", "{}", "[]", "null", &whole[..whole.len() / 2], &long] {
        let refusal = refused(&world, &begun, answer);
        assert!(matches!(refusal, Refusal::Malformed(_)), "{answer}: {refusal:?}");
    }
    assert_eq!(world.finish_read(&alice(), &begun, whole).unwrap().key, bytes(1));
}

#[test]
fn answers_with_the_output_of_a_prf_are_refused() {
    let (world, phone, begun) = begun();
    for (member, outputs) in [
        ("clientExtensionResults", json!({ "prf": { "results": { "first": "c2VjcmV0" } } })),
        ("clientExtensionResults", json!({ "hmacGetSecret": { "output1": "c2VjcmV0" } })),
        ("extensions", json!({ "prf": { "results": { "first": "c2VjcmV0" } } })),
    ] {
        let mut answer: Value = serde_json::from_str(&assert(&phone, &begun)).unwrap();
        answer.as_object_mut().unwrap().remove("clientExtensionResults");
        answer[member] = outputs;
        let refusal = refused(&world, &begun, &answer.to_string());
        assert!(matches!(refusal, Refusal::CarriesSecret), "{refusal:?}");
    }
}

#[test]
fn another_clients_ceremony_is_unknown_and_stays() {
    let (world, phone, begun) = begun();
    world.register_with(&bob(), &phone, Some(bytes(2))).unwrap();
    let assertion = assert(&phone, &begun);
    let read = world.finish_read(&bob(), &begun, assertion.clone());
    assert!(matches!(read, Err(Refusal::UnknownCeremony)));
    assert_eq!(world.finish_read(&alice(), &begun, assertion).unwrap().key, bytes(1));
}

#[test]
fn another_relying_party_is_refused() {
    let (world, phone, begun) = begun();
    let read = Read::new("example.org", begun.session_id.clone(), assert(&phone, &begun));
    let refusal = block_on(world.enclave.read(&alice(), &read)).unwrap_err();
    assert!(matches!(refusal, Refusal::ForeignRelyingParty));

    let registration = world.begin_registration(&alice());
    let mut options = registration.options["publicKey"].clone();
    options["rp"]["id"] = json!("wallet.example.com");
    let attestation = phone.create(ORIGIN, &options.to_string()).unwrap();
    let finish = FinishRegistration::new(RP, registration.session_id, attestation);
    let refusal = block_on(world.enclave.finish_registration(&alice(), &finish)).unwrap_err();
    assert!(matches!(refusal, Refusal::NotVerified));
}

#[test]
fn a_registration_that_does_not_hold_leaves_no_passkey() {
    let world = World::new();
    let begun = world.begin_registration(&alice());
    let phone = device().with_fault(PasskeyFault::SkipsVerification);
    let unverified = phone.create(ORIGIN, &options(&begun)).unwrap();
    let foreign = device().create("https://evil.example.com", &options(&begun)).unwrap();
    for attestation in [unverified, foreign] {
        let finish = FinishRegistration::new(RP, begun.session_id.clone(), attestation);
        let refusal = block_on(world.enclave.finish_registration(&alice(), &finish)).unwrap_err();
        assert!(matches!(refusal, Refusal::NotVerified), "{refusal:?}");
    }
    assert!(block_on(world.enclave.passkeys(&alice())).unwrap().is_empty());
    assert!(world.store.tables().passkeys.is_empty());
}

#[test]
fn a_passkey_is_registered_once_and_for_one_client() {
    let (world, phone) = (World::new(), device());
    let begun = world.begin_registration(&bob());
    let answer = phone.create(ORIGIN, &options(&begun)).unwrap();
    let finish = FinishRegistration::new(RP, begun.session_id, answer.clone());
    block_on(world.enclave.finish_registration(&bob(), &finish)).unwrap();

    // The same passkey, over another challenge: attestation `none` signs nothing.
    let begun = world.begin_registration(&alice());
    let other = device().create(ORIGIN, &options(&begun)).unwrap();
    let (mut other, answer): (Value, Value) =
        (serde_json::from_str(&other).unwrap(), serde_json::from_str(&answer).unwrap());
    other["response"]["attestationObject"] = answer["response"]["attestationObject"].clone();
    let finish = FinishRegistration::new(RP, begun.session_id, other.to_string());
    let refusal = block_on(world.enclave.finish_registration(&alice(), &finish)).unwrap_err();
    assert!(matches!(refusal, Refusal::AlreadyRegistered), "{refusal:?}");
    assert!(block_on(world.enclave.passkeys(&alice())).unwrap().is_empty());
}

#[test]
fn a_counter_that_does_not_rise_is_refused_also_by_a_ceremony_begun_before() {
    let (world, phone, begun) = begun();
    let early = world.begin(&alice());
    let at = |begun: &Begun, counter| assert(&phone.with_counter(counter), begun);
    world.finish_read(&alice(), &begun, at(&begun, 5)).unwrap();
    for counter in [5, 4, 0] {
        let read = world.finish_read(&alice(), &early, at(&early, counter));
        assert!(matches!(read, Err(Refusal::NotVerified)), "{counter}");
    }
    world.finish_read(&alice(), &early, at(&early, 6)).unwrap();
}
