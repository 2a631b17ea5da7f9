//! Which key is answered to a client that names none.

use backup_core::MethodId;
use backup_testkit::passkey::SoftwareAuthenticator;

use super::user::{KEY, OTHER_KEY, User, start};

#[tokio::test]
async fn the_key_of_the_newest_completed_backup_is_answered_and_not_the_last_one_written() {
    let service = start().await;
    let device = service.device().await;
    let (user, phone) = (User(device.api_key.clone()), SoftwareAuthenticator::new());
    user.register(&service, &phone, None).await;
    let shared = service.running.service();

    let first = device.enroll(MethodId::PASSKEY).await;
    let begun = device.begin(shared, &first).await;
    assert!(user.write(&service, &phone, KEY).await.status.is_success());
    device.store(&service, &begun).await.is_done();
    let commit = device.commit_of(&begun, None, true);
    assert!(device.commit(&service, &begun.id, &commit).await.status.is_success());

    let second = device.enroll(MethodId::PASSKEY).await;
    let next = device.begin(shared, &second).await;
    assert!(user.write(&service, &phone, OTHER_KEY).await.status.is_success());
    assert_eq!(user.key(&service, &phone).await, KEY, "the second backup is not completed");

    device.store(&service, &next).await.is_done();
    let commit = device.commit_of(&next, Some(&begun.id), true);
    assert!(device.commit(&service, &next.id, &commit).await.status.is_success());
    assert_eq!(user.key(&service, &phone).await, OTHER_KEY);
}

#[tokio::test]
async fn backups_by_other_methods_say_nothing_of_keys() {
    let service = start().await;
    let device = service.device().await;
    let (user, phone) = (User(device.api_key.clone()), SoftwareAuthenticator::new());
    user.register(&service, &phone, None).await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    for key in [KEY, OTHER_KEY] {
        assert!(user.write(&service, &phone, key).await.status.is_success());
    }
    device.store(&service, &begun).await.is_done();
    let commit = device.commit_of(&begun, None, true);
    assert!(device.commit(&service, &begun.id, &commit).await.status.is_success());
    let read = user.read(&service, &phone).await;
    read.is_error(409, portal_api::ErrorId::StateInvalid);
}
