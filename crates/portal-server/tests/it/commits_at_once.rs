//! Commits that arrive at the same time.

use backup_core::MethodId;
use portal_api::{BackupSetView, ErrorId};

use crate::common::Service;

#[tokio::test]
async fn of_two_different_commits_of_one_set_at_once_the_first_decides() {
    let service = Service::start().await;
    for round in 0..8 {
        let device = service.device().await;
        let sealer = device.enroll(MethodId::PASSWORD).await;
        let begun = device.begin(service.running.service(), &sealer).await;
        device.store(&service, &begun).await.is_done();
        let commits = [true, false].map(|opened| device.commit_of(&begun, None, opened));
        let (one, two) = tokio::join!(
            device.commit(&service, &begun.id, &commits[round % 2]),
            device.commit(&service, &begun.id, &commits[1 - round % 2]),
        );
        let (one, two): (BackupSetView, BackupSetView) = (one.json(), two.json());
        assert_eq!(one, two, "both are told what was decided");
        for commit in &commits {
            let again: BackupSetView = device.commit(&service, &begun.id, commit).await.json();
            assert_eq!(again, one);
        }
    }
}

#[tokio::test]
async fn of_a_commit_and_a_drop_at_once_one_happens_and_the_other_does_not() {
    let service = Service::start().await;
    for _ in 0..8 {
        let device = service.device().await;
        let begun =
            device.begin(service.running.service(), &device.enroll(MethodId::PASSWORD).await).await;
        device.store(&service, &begun).await.is_done();
        let commit = device.commit_of(&begun, None, true);
        let (dropped, committed) = tokio::join!(
            device.drop_pending(&service, &begun.id),
            device.commit(&service, &begun.id, &commit),
        );
        if committed.status.is_success() {
            dropped.is_error(409, ErrorId::StateInvalid);
            assert_eq!(device.backups(&service).await, [begun.id]);
        } else {
            dropped.is_done();
            committed.is_error(404, ErrorId::NotFound);
            assert!(device.backups(&service).await.is_empty());
        }
    }
}

#[tokio::test]
async fn of_two_commits_of_one_set_at_once_that_name_different_heads_only_the_right_one_counts() {
    let service = Service::start().await;
    for _ in 0..8 {
        let device = service.device().await;
        let sealer = device.enroll(MethodId::PASSWORD).await;
        let head = device.back_up(&service, &sealer, None, true).await;
        let begun = device.begin(service.running.service(), &sealer).await;
        device.store(&service, &begun).await.is_done();
        let right = device.commit_of(&begun, Some(&head), true);
        let wrong = device.commit_of(&begun, None, true);
        let (wrong, right) = tokio::join!(
            device.commit(&service, &begun.id, &wrong),
            device.commit(&service, &begun.id, &right),
        );
        assert!(right.json::<BackupSetView>().head);
        // After the right one it repeats what is done, and says so; before, it is refused.
        if !wrong.status.is_success() {
            wrong.is_error(409, ErrorId::StateInvalid);
        }
        assert_eq!(device.backups(&service).await, [begun.id, head]);
    }
}

#[tokio::test]
async fn two_equal_commits_at_once_are_told_the_same_and_the_next_has_to_name_their_set() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    device.store(&service, &begun).await.is_done();
    let commit = device.commit_of(&begun, None, true);
    let (one, two) = tokio::join!(
        device.commit(&service, &begun.id, &commit),
        device.commit(&service, &begun.id, &commit),
    );
    let (one, two): (BackupSetView, BackupSetView) = (one.json(), two.json());
    assert_eq!(one, two);
    let next = device.begin(service.running.service(), &sealer).await;
    device.store(&service, &next).await.is_done();
    let commit = device.commit_of(&next, None, true);
    let answer = device.commit(&service, &next.id, &commit).await;
    answer.is_error(409, ErrorId::StateInvalid);
}
