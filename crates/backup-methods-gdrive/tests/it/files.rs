//! What may lie in a Drive besides what a store put there: copies, trash, other people's files.

use backup_core::{EncryptionKey, ErrorKind, KeyName, KeyStore};
use backup_methods_gdrive::Place;
use backup_testkit::drive::{NewFile, OWN_FILES, Space, WHOLE_DRIVE};

use crate::common::{ALICE, APP, BOB, Tokens, World, file_of, visible};

fn file<'a>(name: &'a KeyName, space: Space, content: &'a [u8]) -> NewFile<'a> {
    NewFile {
        name: name.as_str(),
        space,
        owner: ALICE,
        app: APP,
        mime_type: "application/vnd.portal-backup.key",
        content,
        shared_with: None,
    }
}

#[tokio::test]
async fn copies_of_a_key_are_read_as_one_and_deleted_together() {
    let world = World::new(Place::Hidden);
    let (store, name, key) = (world.store(), world.name(), EncryptionKey::generate().unwrap());
    for _ in 0..3 {
        world.drive.add(&file(&name, Space::AppData, &file_of(&name, &key)));
    }
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), key);
    assert_eq!(
        store.list(&world.op(), &world.prefix()).await.unwrap(),
        std::slice::from_ref(&name)
    );
    store.put(&world.op(), &name, &key).await.unwrap();
    assert_eq!(world.ids(&name).len(), 3, "a put of what is there leaves another copy");
    store.delete(&world.op(), &name).await.unwrap();
    assert!(world.drive.files().is_empty());
}

#[tokio::test]
async fn of_two_keys_with_one_name_every_device_reads_the_first() {
    let world = World::new(Place::Hidden);
    let (name, keys) = (world.name(), [0, 1].map(|_| EncryptionKey::generate().unwrap()));
    for key in &keys {
        world.drive.add(&file(&name, Space::AppData, &file_of(&name, key)));
    }
    assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), keys[0]);
    let put = world.store().put(&world.op(), &name, &keys[1]).await;
    assert_eq!(put.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(world.ids(&name).len(), 2, "who lost leaves its own file, or took another's away");
}

#[tokio::test]
async fn a_copy_that_is_damaged_is_passed_over() {
    let world = World::new(Place::Hidden);
    let (store, name, key) = (world.store(), world.name(), EncryptionKey::generate().unwrap());
    let whole = file_of(&name, &key);
    world.drive.add(&file(&name, Space::AppData, &whole[..60]));
    world.drive.add(&file(&name, Space::AppData, &[b'x'; 10_000]));
    let got = store.get(&world.op(), &name).await;
    assert_eq!(got.unwrap_err().kind(), ErrorKind::Damaged);
    store.put(&world.op(), &name, &key).await.unwrap();
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), key);
}

#[tokio::test]
async fn a_file_of_another_name_is_not_taken_for_the_key() {
    let world = World::new(Place::Hidden);
    let (name, key) = (world.name(), EncryptionKey::generate().unwrap());
    world.drive.add(&file(&name, Space::AppData, &file_of(&world.name(), &key)));
    let got = world.store().get(&world.op(), &name).await;
    assert_eq!(got.unwrap_err().kind(), ErrorKind::Damaged);
}

#[tokio::test]
async fn a_key_in_the_trash_still_opens_and_goes_when_it_is_revoked() {
    let world = World::new(visible());
    let store = world.store();
    let (name, key) = world.put(&store).await;
    world.drive.trash(&world.ids(&name)[0]);
    assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), key);
    store.put(&world.op(), &name, &key).await.unwrap();
    assert!(world.drive.files().iter().any(|file| file.name == name.as_str() && !file.trashed));
    store.delete(&world.op(), &name).await.unwrap();
    assert!(world.ids(&name).is_empty());
}

#[tokio::test]
async fn a_folder_that_went_is_made_anew() {
    let world = World::new(visible());
    let store = world.store();
    world.put(&store).await;
    let folders = || world.drive.files().into_iter().filter(|file| file.content.is_empty());
    let folder = folders().next().unwrap().id;
    world.drive.trash(&folder);
    // Another device does not put keys into the trash.
    world.put(&world.store()).await;
    assert_eq!(folders().filter(|folder| !folder.trashed).count(), 1);
    // Nor does one that has known a folder which is gone.
    world.drive.remove(&folder);
    let (name, key) = world.put(&store).await;
    assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), key);
    assert_eq!(folders().count(), 1, "a second folder is made though there is one");
}

#[tokio::test]
async fn a_key_is_found_wherever_its_owner_moved_it() {
    let world = World::new(visible());
    let (name, key) = (world.name(), EncryptionKey::generate().unwrap());
    world.drive.add(&file(&name, Space::Drive, &file_of(&name, &key)));
    assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), key);
}

#[tokio::test]
async fn a_file_that_somebody_shares_is_neither_read_nor_deleted() {
    let world = World::new(visible());
    let token = world.drive.token(ALICE, APP, &[WHOLE_DRIVE, OWN_FILES]);
    let store = world.store_of(Tokens::new(&[&token]));
    let (name, keys) = (world.name(), [0, 1].map(|_| EncryptionKey::generate().unwrap()));
    let theirs = file_of(&name, &keys[0]);
    let shared =
        NewFile { owner: BOB, shared_with: Some(ALICE), ..file(&name, Space::Drive, &theirs) };
    world.drive.add(&shared);
    let got = store.get(&world.op(), &name).await;
    assert_eq!(got.unwrap_err().kind(), ErrorKind::NotFound);
    store.put(&world.op(), &name, &keys[1]).await.unwrap();
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), keys[1]);
    store.delete(&world.op(), &name).await.unwrap();
    assert_eq!(world.ids(&name).len(), 1, "somebody else's file");
}

#[tokio::test]
async fn who_has_another_account_is_told_which_one_was_asked() {
    let world = World::new(Place::Hidden);
    let (name, _) = world.put(&world.store()).await;
    let other = world.store_of(Tokens::new(&[&world.token(BOB)]));
    let error = other.get(&world.op(), &name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("b…b@example.com"), "{error}");
}

#[tokio::test]
async fn who_disconnects_the_app_loses_what_it_hid_and_keeps_what_they_see() {
    let hidden = World::new(Place::Hidden);
    let (name, _) = hidden.put(&hidden.store()).await;
    hidden.drive.disconnect(ALICE, APP);
    let error = hidden.store().get(&hidden.op(), &name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("disconnected"), "{error}");

    let shown = World::new(visible());
    let (name, key) = shown.put(&shown.store()).await;
    shown.drive.disconnect(ALICE, APP);
    assert_eq!(shown.store().get(&shown.op(), &name).await.unwrap(), key);
}
