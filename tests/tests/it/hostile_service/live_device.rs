//! What a live device is told of its backups, and which keys it destroys then.

use portal_api::ErrorId;
use portal_client::{Error, KeyState, RecoverOptions};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Method, StatusCode},
    wallets::{TestService, memory_id, on_runtime, unseen},
};
use serde_json::{Value, json};

use super::{
    lies::{Change, both, claiming, damage, naming, sha256, withholding},
    scene::{Scene, back_up},
};

/// What a live device is told of its two backups, of two enrolments, and whether it can tell.
async fn lies_to_the_live(scene: &Scene, older: &str, head: &str) -> Vec<(&'static str, Change)> {
    let [old_text, text] = [scene.envelope(older).await, scene.envelope(head).await];
    let without = |backup: &str| {
        let backup = backup.to_owned();
        claiming(move |view| {
            let sets = view["backups"].as_array_mut().unwrap();
            sets.retain(|set| set["id"] != backup.as_str());
            sets.iter_mut().for_each(|set| set["head"] = true.into());
        })
    };
    let swapped = claiming(|view| {
        for set in view["backups"].as_array_mut().unwrap() {
            set["head"] = (set["head"] == false).into();
        }
    });
    vec![
        ("the head is denied", without(head)),
        ("both are denied", claiming(|view| view["backups"] = json!([]))),
        ("the older is called the head", swapped),
        ("the older envelope for the head", naming(head, &old_text)),
        ("each other's envelopes", both(naming(head, &old_text), naming(older, &text))),
        ("the head's envelope for the older", naming(older, &text)),
        ("the head withheld", withholding(head)),
        ("the head damaged", naming(head, &damage(&text))),
        ("both withheld", both(withholding(head), withholding(older))),
        ("the older withheld", withholding(older)),
        (
            "all proved long ago",
            claiming(|view| {
                for set in view["backups"].as_array_mut().unwrap() {
                    (set["proved"], set["completedAt"]) = (true.into(), 1.into());
                    set["retiresAt"] = 2.into();
                }
            }),
        ),
    ]
}

#[test]
fn whatever_a_live_device_is_told_no_key_goes_that_the_services_backups_need() {
    on_runtime(async {
        let service = TestService::start().await;
        for at in 0.. {
            let scene = Scene::begin(&service).await;
            let (older, head) = (scene.back_up(false).await, scene.back_up(true).await);
            let mut lies = lies_to_the_live(&scene, &older, &head).await;
            if at >= lies.len() {
                return;
            }
            let (what, lie) = lies.swap_remove(at);
            scene.middle.change(lie);
            let app = scene.impatient_app();
            let _ = app.status().await;
            let told = app.finish_interrupted().await;
            println!("{what}: {told:?}");
            scene.expect_signature(&app, what).await;
            assert_eq!(scene.store.len(), 2, "{what}: a key is gone that a backup needs");
            let _ = back_up(&app, false, &unseen).await;
            let _ = app.finish_interrupted().await;
            assert!(scene.store.len() >= 2, "{what}: a key is gone that a backup needs");
            scene.middle.be_honest();
            for backup in [&older, &head] {
                let (_device, new) = scene.new_app();
                let backup = Some(backup_core::BackupId::new(backup.as_str()).unwrap());
                let options = RecoverOptions { backup, ..Default::default() };
                let recovered = new.recover(&memory_id(), &options, &unseen).await;
                let recovered = recovered.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(recovered.addresses, scene.addresses, "{what}");
            }
        }
    });
}

#[test]
fn a_key_whose_backup_is_withheld_is_not_called_unneeded() {
    on_runtime(async {
        let service = TestService::start().await;
        let scene = Scene::begin(&service).await;
        let (older, head) = (scene.back_up(false).await, scene.back_up(true).await);
        let without = claiming(|view| view["backups"] = json!([]));
        for (what, lie) in [
            ("the head", withholding(&head)),
            ("the older", withholding(&older)),
            ("both", both(withholding(&head), withholding(&older))),
            ("both are denied", without),
        ] {
            scene.middle.change(lie);
            let inventory = scene.app().inventory().await.unwrap();
            let opening = inventory.keys.iter().filter(|key| !key.opens.is_empty()).count();
            assert_eq!(opening, usize::from(what.starts_with("the")), "{what}");
            assert!(inventory.keys.iter().all(|key| key.state != KeyState::Unneeded), "{what}");
            let removed = scene.app().remove_superseded(&[]).await.unwrap();
            assert_eq!((removed.keys, scene.store.len()), (0, 2), "{what}");
        }
    });
}

/// Commits, and says nothing of it.
struct Silent;

impl Meddler for Silent {
    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        let is_commit = asked.is(&Method::POST, "/commit");
        let silence = || Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, ErrorId::Error);
        if is_commit { silence() } else { answer }
    }
}

#[test]
fn a_service_that_denies_a_commit_has_no_key_destroyed_that_the_backup_needs() {
    on_runtime(async {
        let service = TestService::start().await;
        type Denial = fn(&mut Value);
        let denials: [(&str, Denial); 5] = [
            ("it was never made", |view| view["backups"] = json!([])),
            ("it is pending", |view| view["backups"][0]["status"] = "PENDING".into()),
            ("it has no envelope", |view| {
                view["backups"][0]["status"] = "PENDING".into();
                view["backups"][0]["envelopeSha256"] = Value::Null;
            }),
            ("it is pending, with another envelope", |view| {
                view["backups"][0]["status"] = "PENDING".into();
                view["backups"][0]["envelopeSha256"] = sha256("another");
            }),
            ("it has another envelope", |view| {
                view["backups"][0]["envelopeSha256"] = sha256("another");
            }),
        ];
        for (what, denial) in denials {
            let scene = Scene::begin(&service).await;
            let app = scene.impatient_app();
            scene.middle.meddle(Silent);
            let error = back_up(&app, false, &unseen).await.unwrap_err();
            assert!(matches!(error, Error::Service { status: 503, .. }), "{what}: {error}");
            scene.middle.change(claiming(denial));
            for _ in 0..2 {
                println!("{what}: {:?}", app.finish_interrupted().await);
            }
            assert_eq!(scene.store.len(), 1, "{what}: the key is gone");
            scene.expect_recovery(what).await;
        }
    });
}
