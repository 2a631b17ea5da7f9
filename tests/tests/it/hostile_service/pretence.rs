//! A service that says it has done what it has not.

use std::{sync::Mutex, time::Duration};

use backup_core::{Progress, Stage};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Method, Middle, StatusCode},
    wallets::{TestService, memory_id, on_runtime, unseen},
};
use serde_json::{Value, json};

use super::{
    lies::damage,
    scene::{Scene, back_up},
};

/// Lets no answer to a confirmation through: the second of a creation's second posts.
#[derive(Default)]
struct NoConfirmation {
    second_posts: std::sync::atomic::AtomicUsize,
    /// Whether the confirmation does not even arrive.
    is_lost: bool,
}

impl NoConfirmation {
    fn is_due(&self, asked: &Asked) -> bool {
        use std::sync::atomic::Ordering::SeqCst;

        asked.is_second_post() && self.second_posts.fetch_add(1, SeqCst) >= 1
    }
}

impl Meddler for NoConfirmation {
    fn instead(&self, asked: &Asked) -> Option<Answer> {
        let refusal = Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, portal_api::ErrorId::Error);
        (self.is_lost && self.is_due(asked)).then_some(refusal)
    }

    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        if self.is_lost || !self.is_due(asked) {
            return answer;
        }
        Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, portal_api::ErrorId::Error)
    }
}

#[test]
fn no_address_is_told_before_the_confirmation_of_a_new_wallet_is_answered() {
    on_runtime(async {
        let service = TestService::start().await;
        for is_lost in [false, true] {
            let middle = Middle::before(service.address()).await;
            let client = service.client().await;
            let device = client.device();
            let app = device.app(&middle.url()).patience(Duration::from_millis(250));
            let app = app.build().unwrap();
            middle.meddle(NoConfirmation { is_lost, ..Default::default() });
            let stages = Mutex::new(Vec::new());
            let sink = |progress: Progress| stages.lock().unwrap().push(progress);
            app.create_wallet(&sink).await.unwrap_err();
            let done = Progress::Stage(Stage::Done);
            assert!(!stages.lock().unwrap().contains(&done), "nobody was told that it is done");
            assert!(app.addresses().await.unwrap().is_none());
            let status = app.status().await.unwrap();
            assert!(status.addresses.is_none() && !status.live);
            app.sign(portal_client::Payload::Message(b"m")).await.unwrap_err();
            assert!(app.addresses().await.unwrap().is_none());

            middle.be_honest();
            app.finish_interrupted().await.unwrap();
            let addresses = match app.addresses().await.unwrap() {
                Some(addresses) => addresses,
                None => app.create_wallet(&unseen).await.unwrap(),
            };
            let status = app.status().await.unwrap();
            assert_eq!(status.service_addresses, Some(addresses));
            assert!(status.live);
        }
    });
}

/// What a service says it has done, and has not.
#[derive(Clone, Copy, Debug)]
enum Pretended {
    /// The envelope is not stored.
    Stored,
    /// It is not stored, and returned from memory.
    StoredAndReadBack,
    /// The set is not committed.
    Committed,
    /// All three.
    Everything,
    /// Another set's envelope is stored in its place.
    ReadBackOther,
    /// Another set is committed.
    CommittedOther,
    /// The backup is dropped between its commit and the answer.
    CommittedAndLost,
}

impl Pretended {
    const ALL: [Self; 7] = [
        Self::Stored,
        Self::StoredAndReadBack,
        Self::Committed,
        Self::Everything,
        Self::ReadBackOther,
        Self::CommittedOther,
        Self::CommittedAndLost,
    ];

    const fn drops_envelope(self) -> bool {
        matches!(self, Self::Stored | Self::StoredAndReadBack | Self::Everything)
    }

    const fn drops_commit(self) -> bool {
        matches!(self, Self::Committed | Self::Everything)
    }
}

/// A service that says so.
struct Pretender {
    pretended: Pretended,
    envelope: Mutex<Option<String>>,
}

impl Meddler for Pretender {
    fn instead(&self, asked: &Asked) -> Option<Answer> {
        if asked.is(&Method::PUT, "/envelope") {
            let text = String::from_utf8(asked.body.to_vec()).unwrap();
            *self.envelope.lock().unwrap() = Some(text);
            return self.pretended.drops_envelope().then(Answer::no_content);
        }
        let is_commit = asked.is(&Method::POST, "/commit");
        (is_commit && self.pretended.drops_commit()).then(|| committed(asked))
    }

    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        let kept = self.envelope.lock().unwrap().clone();
        let is_read = asked.is(&Method::GET, "/envelope");
        match (self.pretended, kept) {
            (Pretended::StoredAndReadBack | Pretended::Everything, Some(text)) if is_read => {
                Answer::new(StatusCode::OK, "text/plain", text)
            }
            (Pretended::ReadBackOther, Some(text)) if is_read => answer.with_body(damage(&text)),
            (Pretended::CommittedOther, _) if asked.is(&Method::POST, "/commit") => {
                answer.edited(|set| set["id"] = "another".into())
            }
            (Pretended::CommittedAndLost, Some(_)) if asked.is(&Method::GET, "/v1/client") => {
                answer.edited(|view| view["backups"] = json!([]))
            }
            _ => answer,
        }
    }
}

/// The answer to a commit, as the service would have given it.
fn committed(asked: &Asked) -> Answer {
    let commit: Value = serde_json::from_slice(&asked.body).unwrap();
    let backup = asked.path.split('/').nth(3).unwrap();
    let set = json!({
        "id": backup, "method": memory_id().as_str(), "status": "COMPLETED", "head": true,
        "proved": true, "createdAt": 1, "completedAt": 1, "retiresAt": null,
        "deviceKey": "A".repeat(43), "envelopeSha256": commit["envelopeSha256"], "pairs": {},
    });
    Answer::json(StatusCode::OK, &set)
}

#[test]
fn a_backup_that_was_not_stored_and_committed_is_never_called_done() {
    on_runtime(async {
        let service = TestService::start().await;
        for pretended in Pretended::ALL {
            for (earlier, enroll_anew) in [(false, false), (true, false), (true, true)] {
                let scene = Scene::begin(&service).await;
                if earlier {
                    scene.back_up(false).await;
                }
                let what = format!("{pretended:?}, after one: {earlier}, anew: {enroll_anew}");
                pretend(&scene, pretended, enroll_anew, &what).await;
                scene.middle.be_honest();
                let app = scene.impatient_app();
                app.finish_interrupted().await.unwrap();
                scene.expect_signature(&app, &what).await;
                if earlier {
                    scene.expect_recovery(&what).await;
                    continue;
                }
                back_up(&app, false, &unseen).await.unwrap_or_else(|e| panic!("{what}: {e}"));
                scene.expect_recovery(&what).await;
            }
        }
    });
}

async fn pretend(scene: &Scene, pretended: Pretended, enroll_anew: bool, what: &str) {
    let seen = Mutex::new(Vec::new());
    let sink = |progress: Progress| seen.lock().unwrap().push(progress);
    scene.middle.meddle(Pretender { pretended, envelope: Mutex::default() });
    let made = back_up(&scene.impatient_app(), enroll_anew, &sink).await;
    let error = made.map(drop).expect_err(what);
    println!("{what}: {error}");
    let is_done = seen.lock().unwrap().contains(&Progress::Stage(Stage::Done));
    assert!(!is_done, "{what}: it was called done");
}
