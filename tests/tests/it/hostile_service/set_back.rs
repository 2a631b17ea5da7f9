//! A service that is set back to an earlier day.

use std::{fs, path::Path};

use backup_testkit::MemoryStore;
use portal_client::{Error, Notice, Payload};
use portal_tests::{
    middle::Middle,
    wallets::{TestService, memory_id, on_runtime, unseen},
};

use super::scene::{Scene, back_up, recover};

/// All files of a folder.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A service whose days are kept.
struct Days {
    service: TestService,
    copies: tempfile::TempDir,
}

impl Days {
    async fn begin() -> Self {
        let copies = tempfile::tempdir().unwrap();
        Self { service: TestService::start().await, copies }
    }

    async fn keep(&mut self, day: &str, middle: &Middle) {
        self.service.stop().await;
        copy(self.service.folder(), &self.copies.path().join(day));
        self.go_on(middle).await;
    }

    async fn restore(&mut self, day: &str, middle: &Middle) {
        self.service.stop().await;
        for entry in fs::read_dir(self.service.folder()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for entry in fs::read_dir(self.copies.path().join(day)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), self.service.folder().join(entry.file_name())).unwrap();
        }
        self.go_on(middle).await;
    }

    async fn go_on(&mut self, middle: &Middle) {
        self.service.start_again().await;
        middle.forward_to(self.service.address());
    }
}

#[test]
fn a_service_set_back_behind_the_last_enrolment_is_noticed_and_no_key_goes() {
    on_runtime(async {
        let mut days = Days::begin().await;
        let scene = Scene::begin(&days.service).await;
        let older = scene.back_up(false).await;
        days.keep("yesterday", &scene.middle).await;
        scene.back_up(true).await;
        days.restore("yesterday", &scene.middle).await;
        let app = scene.impatient_app();
        let rolled_back = Notice::RolledBack { method: memory_id() };
        assert!(app.status().await.unwrap().notices.contains(&rolled_back));
        assert!(app.finish_interrupted().await.unwrap().contains(&rolled_back));
        scene.expect_signature(&app, "the live device").await;
        assert_eq!(scene.store.len(), 2, "nothing was deleted");
        let (_device, new) = scene.new_app();
        let recovered = recover(&new).await.unwrap();
        assert_eq!((recovered.backup.as_str(), &recovered.addresses), (&*older, &scene.addresses));
    });
}

#[test]
fn a_service_set_back_behind_the_wallet_has_nothing_destroyed_and_no_other_wallet_made() {
    on_runtime(async {
        let mut days = Days::begin().await;
        let empty = Middle::before(days.service.address()).await;
        let client = days.service.client().await;
        days.keep("yesterday", &empty).await;
        let (device, store) = (client.device(), MemoryStore::new());
        let middle = empty;
        let first = device.app(&middle.url()).build().unwrap();
        let addresses = first.create_wallet(&unseen).await.unwrap();
        let scene = Scene { middle, client, device, store, addresses };
        scene.back_up(false).await;
        days.keep("today", &scene.middle).await;
        days.restore("yesterday", &scene.middle).await;
        let app = scene.impatient_app();
        assert!(matches!(app.create_wallet(&unseen).await, Err(Error::RolledBack(_))));
        assert!(matches!(back_up(&app, false, &unseen).await, Err(Error::RolledBack(_))));
        app.sign(Payload::Message(b"m")).await.unwrap_err();
        app.finish_interrupted().await.unwrap();
        assert_eq!(app.addresses().await.unwrap().as_ref(), Some(&scene.addresses));
        assert_eq!(scene.store.len(), 1, "nothing was deleted");
        days.restore("today", &scene.middle).await;
        scene.expect_signature(&app, "the service has its data again").await;
        scene.expect_recovery("the service has its data again").await;
    });
}

#[test]
fn a_service_set_back_behind_a_recovery_lets_the_new_device_recover_again() {
    on_runtime(async {
        let mut days = Days::begin().await;
        let scene = Scene::begin(&days.service).await;
        scene.back_up(false).await;
        days.keep("yesterday", &scene.middle).await;
        let (_device, new) = scene.new_app();
        recover(&new).await.unwrap();
        days.restore("yesterday", &scene.middle).await;
        let status = new.status().await.unwrap();
        assert!(!status.live && status.notices.contains(&Notice::NotLive));
        assert!(matches!(new.sign(Payload::Message(b"m")).await, Err(Error::NotLive)));
        assert_eq!(recover(&new).await.unwrap().addresses, scene.addresses);
        scene.expect_signature(&new, "after recovering again").await;
    });
}
