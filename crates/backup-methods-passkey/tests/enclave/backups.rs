//! Which key a client is given that names none.

use backup_core::BackupId;
use backup_methods_passkey::enclave::Refusal;

use crate::support::{World, alice, bytes, device};

#[test]
fn a_read_answers_the_key_of_the_completed_backup_and_not_the_last_one_written() {
    let (world, phone) = (World::new(), device());
    world.register(&alice(), &phone);
    let [first, second, third] = [(); 3].map(|()| BackupId::generate().unwrap());
    let write = |backup: &BackupId, key| {
        *world.backups.pending.lock().unwrap() = Some(backup.clone());
        world.write_unnamed(&alice(), &phone, key);
    };
    write(&first, 1);
    world.backups.completed.lock().unwrap().push(first.clone());
    write(&second, 2);
    assert_eq!(world.read_unnamed(&alice(), &phone).unwrap().key, bytes(1));
    *world.backups.completed.lock().unwrap() = vec![second.clone(), first.clone()];
    assert_eq!(world.read_unnamed(&alice(), &phone).unwrap().key, bytes(2));
    // A backup whose key is another service's hides none.
    *world.backups.completed.lock().unwrap() = vec![third, second, first];
    assert_eq!(world.read_unnamed(&alice(), &phone).unwrap().key, bytes(2));
}

#[test]
fn a_key_written_by_a_thief_never_takes_the_place_of_the_users() {
    let (world, phone, thiefs) = (World::new(), device(), device());
    let backup = BackupId::generate().unwrap();
    *world.backups.pending.lock().unwrap() = Some(backup.clone());
    world.register_with(&alice(), &phone, Some(bytes(1))).unwrap();
    world.register_with(&alice(), &thiefs, Some(bytes(9))).unwrap();
    world.backups.completed.lock().unwrap().push(backup);
    assert_eq!(world.read_unnamed(&alice(), &phone).unwrap().key, bytes(1));
    assert_eq!(world.read_unnamed(&alice(), &thiefs).unwrap().key, bytes(9));
}

#[test]
fn without_a_completed_backup_only_a_single_key_needs_no_name() {
    let (world, phone) = (World::new(), device());
    world.register(&alice(), &phone);
    assert!(matches!(world.read_unnamed(&alice(), &phone), Err(Refusal::NotFound("key"))));
    world.write_unnamed(&alice(), &phone, 1);
    assert_eq!(world.read_unnamed(&alice(), &phone).unwrap().key, bytes(1));
    world.write_unnamed(&alice(), &phone, 2);
    assert!(matches!(world.read_unnamed(&alice(), &phone), Err(Refusal::Ambiguous)));
}
