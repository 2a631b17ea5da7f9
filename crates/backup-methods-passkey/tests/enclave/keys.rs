//! Writing, reading and deleting keys.

use backup_methods_passkey::enclave::{Action, Purpose, Refusal, Status};
use backup_testkit::Secrets;

use crate::support::{World, alice, assert, block_on, bob, bytes, device, key_id};

#[test]
fn a_key_comes_back_to_the_passkey_that_wrote_it() {
    let (world, phone) = (World::new(), device());
    world.register(&alice(), &phone);
    assert_eq!(world.write(&alice(), &phone, ("one", 1)).unwrap().key, key_id("one"));
    let released = world.read(&alice(), &phone, "one").unwrap();
    assert_eq!((released.id, released.key), (key_id("one"), bytes(1)));
}

#[test]
fn a_key_may_come_with_the_registration() {
    let (world, phone) = (World::new(), device());
    let registered = world.register_with(&alice(), &phone, Some(bytes(7))).unwrap();
    let released = world.read_unnamed(&alice(), &phone).unwrap();
    assert_eq!((Some(released.id), released.key), (registered.key, bytes(7)));
}

#[test]
fn the_status_tells_passkeys_from_keys() {
    let (world, phone) = (World::new(), device());
    let status = || block_on(world.enclave.status(&alice())).unwrap();
    assert_eq!(status(), Status::NotRegistered);
    world.register(&alice(), &phone);
    assert_eq!(status(), Status::Registered);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    assert_eq!(status(), Status::WithCredential);
    assert_eq!(block_on(world.enclave.status(&bob())).unwrap(), Status::NotRegistered);
}

#[test]
fn nothing_is_overwritten_and_the_same_again_is_success() {
    let (world, phone) = (World::new(), device());
    world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    let refusal = world.write(&alice(), &phone, ("one", 2)).unwrap_err();
    assert!(matches!(refusal, Refusal::Conflict), "{refusal:?}");
    assert_eq!(world.read(&alice(), &phone, "one").unwrap().key, bytes(1));
    assert_eq!(block_on(world.enclave.keys(&alice())).unwrap().len(), 1);
}

#[test]
fn a_deleted_key_is_gone_and_the_others_stay() {
    let (world, phone) = (World::new(), device());
    world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    world.write(&alice(), &phone, ("two", 2)).unwrap();
    let delete = || {
        world.confirm(&alice(), &phone, Purpose::Delete, |begin| begin.key_id = Some(key_id("one")))
    };
    delete().unwrap();
    assert_eq!(world.store.tables().sealed.len(), 1);
    assert!(matches!(world.read(&alice(), &phone, "one"), Err(Refusal::NotFound(_))));
    assert_eq!(world.read(&alice(), &phone, "two").unwrap().key, bytes(2));
    assert!(matches!(delete(), Err(Refusal::NotFound("key"))));
}

#[test]
fn every_release_leaves_one_audit_record() {
    let (world, phone) = (World::new(), device());
    let passkey = world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    for releases in 1..=2 {
        world.read(&alice(), &phone, "one").unwrap();
        let audit = world.store.audit();
        let records: Vec<_> = audit.iter().filter(|record| record.action == Action::Read).collect();
        assert_eq!(records.len(), releases);
        let record = records[releases - 1];
        assert_eq!((&record.client, record.refused), (&alice(), None));
        assert_eq!((&record.passkey, &record.key), (&Some(passkey.clone()), &Some(key_id("one"))));
    }
}

#[test]
fn a_key_is_nowhere_in_the_storage() {
    let (world, phone) = (World::new(), device());
    world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 0xa7)).unwrap();
    let secrets = Secrets::new().with_key(&[0xa7; 32]);
    let tables = world.store.tables().clone();
    for record in tables.records.values() {
        secrets.assert_absent(&record.record, "a record");
    }
    for sealed in tables.sealed.values() {
        secrets.assert_absent(sealed, "a sealed key");
    }
    secrets.assert_absent(format!("{tables:?}"), "`Debug` of all");
}

#[test]
fn a_key_is_not_answered_before_its_release_is_durable() {
    let (world, phone) = (World::new(), device());
    world.register_with(&alice(), &phone, Some(bytes(1))).unwrap();
    let begun = world.begin(&alice());
    world.store.fill();
    let read = world.finish_read(&alice(), &begun, assert(&phone, &begun));
    assert!(matches!(read, Err(Refusal::Failed(_))), "{read:?}");
}

#[test]
fn of_many_who_finish_one_ceremony_at_once_one_does() {
    let (world, phone) = (World::new(), device());
    world.register_with(&alice(), &phone, Some(bytes(1))).unwrap();
    let begun = world.begin(&alice());
    let assertion = assert(&phone, &begun);
    let nodes: Vec<_> = (0..8).map(|_| world.another_node()).collect();
    let finish = |node: &World| node.finish_read(&alice(), &begun, assertion.clone());
    let finish = &finish;
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> = nodes.iter().map(|node| scope.spawn(move || finish(node))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
}

#[test]
fn of_many_who_write_one_name_at_once_one_does() {
    let (world, phone) = (World::new(), device());
    world.register(&alice(), &phone);
    let write = |key| world.another_node().write(&alice(), &phone, ("one", key)).is_ok();
    let written = std::thread::scope(|scope| {
        let write = &write;
        let threads: Vec<_> = (1..=4).map(|key| scope.spawn(move || write(key))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(written.iter().filter(|&&written| written).count(), 1);
    assert_eq!(world.store.tables().sealed.len(), 1);
}

#[test]
fn another_nodes_ceremonies_are_finished_here() {
    let (world, phone) = (World::new(), device());
    world.register(&alice(), &phone);
    world.write(&alice(), &phone, ("one", 1)).unwrap();
    let begun = world.begin(&alice());
    let other = world.another_node();
    let assertion = assert(&phone, &begun);
    assert_eq!(other.finish_read(&alice(), &begun, assertion).unwrap().key, bytes(1));
}
