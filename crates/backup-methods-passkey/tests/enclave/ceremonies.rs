//! What a ceremony asks for, how long it lasts, and how often it counts.

use backup_methods_passkey::enclave::{BeginLogin, BeginRegistration, Purpose, Refusal};

use crate::support::{RP, World, alice, assert, block_on, bob, bytes, device, key_id};

#[test]
fn every_ceremony_requires_that_the_user_is_verified() {
    let (world, phone) = (World::new(), device());
    let creation = world.begin_registration(&alice()).options;
    let selection = &creation["publicKey"]["authenticatorSelection"];
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(creation["publicKey"]["rp"]["id"], RP);
    world.register(&alice(), &phone);
    let request = world.begin(&alice()).options;
    assert_eq!(request["publicKey"]["userVerification"], "required");
    assert_eq!(request["publicKey"]["rpId"], RP);
}

#[test]
fn each_new_passkey_has_a_user_handle_of_its_own() {
    let (world, phone) = (World::new(), device());
    let [one, other] = [(); 2].map(|()| world.begin_registration(&alice()).options);
    assert_ne!(one["publicKey"]["user"]["id"], other["publicKey"]["user"]["id"]);
    world.register(&alice(), &phone);
    world.register(&alice(), &phone);
    assert_eq!(phone.passkeys(), 2);
}

#[test]
fn only_passkeys_that_have_a_key_are_asked_for_it() {
    let (world, phone, laptop) = (World::new(), device(), device());
    let id = world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    world.register(&alice(), &laptop);
    let mut request = BeginLogin::new(RP);
    request.key_id = Some(key_id("one"));
    let begun = world.begin_as(&alice(), &request).unwrap();
    let allowed = begun.options["publicKey"]["allowCredentials"].as_array().unwrap();
    assert_eq!(allowed.len(), 1);
    assert_eq!(allowed[0]["id"], id.to_string());
    request.key_id = Some(key_id("two"));
    assert!(matches!(world.begin_as(&alice(), &request), Err(Refusal::NotFound("key"))));
}

#[test]
fn a_ceremony_lasts_five_minutes() {
    let (world, phone) = (World::new(), device());
    world.register_with(&alice(), &phone, Some(bytes(1))).unwrap();
    for (seconds, lasts) in [(299, true), (300, false)] {
        let begun = world.begin(&alice());
        world.clock.pass(seconds);
        let read = world.finish_read(&alice(), &begun, assert(&phone, &begun));
        assert_eq!(read.is_ok(), lasts, "{seconds}");
        assert!(lasts || matches!(read, Err(Refusal::UnknownCeremony)));
    }
}

#[test]
fn a_ceremony_counts_once() {
    let (world, phone) = (World::new(), device());
    world.register_with(&alice(), &phone, Some(bytes(1))).unwrap();
    let begun = world.begin(&alice());
    let assertion = assert(&phone, &begun);
    world.finish_read(&alice(), &begun, assertion.clone()).unwrap();
    let again = world.finish_read(&alice(), &begun, assertion);
    assert!(matches!(again, Err(Refusal::UnknownCeremony)));
}

#[test]
fn what_was_confirmed_for_one_purpose_does_nothing_else() {
    let (world, phone) = (World::new(), device());
    let id = world.register_with(&alice(), &phone, Some(bytes(1))).unwrap();
    let mut request = BeginLogin::new(RP);
    (request.purpose, request.key_id) = (Some(Purpose::Delete), id.key);
    let begun = world.begin_as(&alice(), &request).unwrap();
    let read = world.finish_read(&alice(), &begun, assert(&phone, &begun));
    assert!(matches!(read, Err(Refusal::UnknownCeremony)));
}

#[test]
fn ceremonies_passkeys_and_attempts_are_limited() {
    let (world, phone) = (World::new(), device());
    world.register(&alice(), &phone);
    for _ in 0..16 {
        world.begin(&alice());
    }
    let more = || world.begin_as(&alice(), &BeginLogin::new(RP));
    assert!(matches!(more(), Err(Refusal::LimitReached(_))));
    world.clock.pass(300);
    more().unwrap();
    for _ in 1..20 {
        world.register(&alice(), &device());
    }
    let request = BeginRegistration::new(RP);
    let refusal = block_on(world.enclave.begin_registration(&alice(), &request)).unwrap_err();
    assert!(matches!(refusal, Refusal::LimitReached(_)));
    block_on(world.enclave.begin_registration(&bob(), &request)).unwrap();
}

#[test]
fn ten_answers_that_do_not_hold_shut_the_client_out_for_a_quarter_of_an_hour() {
    let (world, phone) = (World::new(), device());
    world.register_with(&alice(), &phone, Some(bytes(1))).unwrap();
    world.register_with(&bob(), &phone, Some(bytes(2))).unwrap();
    let begun = world.begin(&alice());
    let stale = assert(&phone, &world.begin(&alice()));
    for _ in 0..10 {
        let read = world.finish_read(&alice(), &begun, stale.clone());
        assert!(matches!(read, Err(Refusal::NotVerified)));
    }
    let read = world.finish_read(&alice(), &begun, assert(&phone, &begun));
    assert!(matches!(read, Err(Refusal::TooManyAttempts)));
    let begin = world.begin_as(&alice(), &BeginLogin::new(RP));
    assert!(matches!(begin, Err(Refusal::TooManyAttempts)));
    assert_eq!(world.read_unnamed(&bob(), &phone).unwrap().key, bytes(2));
    world.clock.pass(15 * 60);
    assert_eq!(world.read_unnamed(&alice(), &phone).unwrap().key, bytes(1));
}
