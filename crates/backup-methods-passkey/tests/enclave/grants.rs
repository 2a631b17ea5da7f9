//! Several passkeys: which may have a key, and who may add, rename and remove.

use backup_methods_passkey::enclave::{BeginLogin, Begun, Confirmation, Purpose, Refusal};

use crate::support::{RP, World, alice, assert, block_on, bytes, device, key_id};

#[test]
fn a_passkey_registered_with_the_api_key_alone_is_given_no_key() {
    let (world, phone, thiefs) = (World::new(), device(), device());
    let mine = world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    let stolen = world.register(&alice(), &thiefs);
    let before = world.store.tables().sealed.clone();
    assert!(matches!(world.read(&alice(), &thiefs, "one"), Err(Refusal::NotAllowed)));
    assert!(matches!(world.read_unnamed(&alice(), &thiefs), Err(Refusal::NotFound("key"))));
    assert!(world.grant(&alice(), &thiefs, &stolen).is_err());
    assert!(matches!(world.remove(&alice(), &thiefs, &mine), Err(Refusal::NotAllowed)));
    let rename = world.confirm(&alice(), &thiefs, Purpose::Rename, |begin| {
        (begin.passkey_id, begin.name) = (Some(mine.clone()), Some("old".to_owned()));
    });
    assert!(matches!(rename, Err(Refusal::NotAllowed)));
    assert!(matches!(world.write(&alice(), &thiefs, ("one", 2)), Err(Refusal::Conflict)));
    assert_eq!(world.store.tables().sealed, before);
    assert_eq!(world.read(&alice(), &phone, "one").unwrap().key, bytes(1));
}

#[test]
fn a_passkey_gives_another_one_all_keys_that_it_has() {
    let (world, phone, laptop) = (World::new(), device(), device());
    world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    world.write(&alice(), &phone, ("two", 2)).unwrap();
    let other = world.register(&alice(), &laptop);
    world.grant(&alice(), &phone, &other).unwrap();
    world.grant(&alice(), &phone, &other).unwrap();
    for (name, key) in [("one", 1), ("two", 2)] {
        assert_eq!(world.read(&alice(), &laptop, name).unwrap().key, bytes(key));
        assert_eq!(world.read(&alice(), &phone, name).unwrap().key, bytes(key));
    }
    // What is written later is of the one that wrote it, until it is granted, too.
    world.write(&alice(), &laptop, ("three", 3)).unwrap();
    assert!(matches!(world.read(&alice(), &phone, "three"), Err(Refusal::NotAllowed)));
}

#[test]
fn a_lost_passkey_is_replaced_while_another_one_works() {
    let (world, phone, laptop) = (World::new(), device(), device());
    let lost = world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    let other = world.register(&alice(), &laptop);
    world.grant(&alice(), &phone, &other).unwrap();

    let before = world.begin(&alice());
    let late = assert(&phone, &before);
    world.remove(&alice(), &laptop, &lost).unwrap();
    let refusal = world.finish_read(&alice(), &before, late).unwrap_err();
    assert!(matches!(refusal, Refusal::NotVerified), "{refusal:?}");
    assert!(world.store.tables().sealed.keys().all(|(_, _, passkey)| *passkey == other));

    let new = device();
    let new_id = world.register(&alice(), &new);
    world.grant(&alice(), &laptop, &new_id).unwrap();
    assert_eq!(world.read(&alice(), &new, "one").unwrap().key, bytes(1));
    let passkeys = block_on(world.enclave.passkeys(&alice())).unwrap();
    assert_eq!(passkeys.iter().map(|held| &held.id).collect::<Vec<_>>(), [&other, &new_id]);
}

#[test]
fn no_key_loses_its_last_passkey() {
    let (world, phone, laptop) = (World::new(), device(), device());
    let only = world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    world.register(&alice(), &laptop);
    assert!(matches!(world.remove(&alice(), &phone, &only), Err(Refusal::LastHolder)));
    assert_eq!(world.read(&alice(), &phone, "one").unwrap().key, bytes(1));
}

#[test]
fn whoever_has_no_passkey_of_a_key_does_not_delete_it() {
    let (world, phone, thiefs) = (World::new(), device(), device());
    world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    world.register(&alice(), &thiefs);
    let delete = world.confirm(&alice(), &thiefs, Purpose::Delete, |begin| {
        begin.key_id = Some(key_id("one"));
    });
    assert!(matches!(delete, Err(Refusal::NotAllowed)));
    assert_eq!(world.read(&alice(), &phone, "one").unwrap().key, bytes(1));
}

#[test]
fn a_deletion_begun_earlier_spares_another_passkeys_key_of_the_same_name() {
    let (world, phone, laptop) = (World::new(), device(), device());
    world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    world.register(&alice(), &laptop);
    let mut request = BeginLogin::new(RP);
    (request.purpose, request.key_id) = (Some(Purpose::Delete), Some(key_id("one")));
    let [now, later] = [(); 2].map(|()| world.begin_as(&alice(), &request).unwrap());
    let delete = |begun: &Begun| {
        let confirmation = Confirmation::new(RP, begun.session_id.clone(), assert(&phone, begun));
        block_on(world.enclave.confirm(&alice(), &confirmation.of(Purpose::Delete)))
    };
    delete(&now).unwrap();
    world.write(&alice(), &laptop, ("one", 2)).unwrap();
    assert!(matches!(delete(&later), Err(Refusal::NotAllowed)));
    assert_eq!(world.read(&alice(), &laptop, "one").unwrap().key, bytes(2));
}

#[test]
fn a_passkey_is_renamed() {
    let (world, phone) = (World::new(), device());
    let id = world.register(&alice(), &phone);
    let rename = |name: &str| {
        world.confirm(&alice(), &phone, Purpose::Rename, |begin| {
            (begin.passkey_id, begin.name) = (Some(id.clone()), Some(name.to_owned()));
        })
    };
    rename("Phone").unwrap();
    for wrong in ["", "a\nb", &"x".repeat(65)] {
        assert!(matches!(rename(wrong), Err(Refusal::Malformed(_))), "{wrong:?}");
    }
    assert_eq!(block_on(world.enclave.passkeys(&alice())).unwrap()[0].name, "Phone");
}

#[test]
fn whoever_writes_to_the_storage_has_no_key_released_to_a_passkey_of_his_own() {
    let (world, phone, thiefs) = (World::new(), device(), device());
    let mine = world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    let stolen = world.register(&alice(), &thiefs);
    {
        let mut tables = world.store.tables();
        let record = tables.records.values_mut().next().unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&record.record).unwrap();
        json["keys"][0]["holders"] = serde_json::json!([&stolen]);
        record.record = json.to_string().into_bytes();
        let row = |passkey| ("acme/alice".to_owned(), key_id("one"), passkey);
        let sealed = tables.sealed[&row(mine)].clone();
        tables.sealed.insert(row(stolen), sealed);
    }
    assert!(matches!(world.read(&alice(), &thiefs, "one"), Err(Refusal::Failed(_))));
}
