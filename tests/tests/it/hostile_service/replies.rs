//! Replies of sessions that are spoiled.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use backup_testkit::MemoryStore;
use portal_api::ErrorId;
use portal_client::{Notice, Payload};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Middle, StatusCode},
    wallets::{TestService, memory_method, on_runtime, unseen},
};

use super::scene::{Scene, back_up, recover};

/// What becomes of the replies of sessions.
#[derive(Clone, Copy, Debug)]
enum Replies {
    CutShort,
    OneBitChanged,
    Empty,
    /// The reply to another session's post of the same operation.
    OfAnotherSession,
    /// The first reply again, for the second one.
    Duplicated,
    Withheld,
}

impl Replies {
    const ALL: [Self; 6] = [
        Self::CutShort,
        Self::OneBitChanged,
        Self::Empty,
        Self::OfAnotherSession,
        Self::Duplicated,
        Self::Withheld,
    ];
}

/// Spoils the replies to first or second posts, until a certain number of first posts has passed.
struct Spoiler {
    replies: Replies,
    of_second: bool,
    /// Replies to the first and second posts of an earlier session.
    earlier: [Answer; 2],
    first: Mutex<Option<Answer>>,
}

impl Meddler for Spoiler {
    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        if asked.is_first_post() {
            *self.first.lock().unwrap() = Some(answer.clone());
        }
        let is_due = if self.of_second { asked.is_second_post() } else { asked.is_first_post() };
        if !is_due || !answer.status.is_success() {
            return answer;
        }
        let body = answer.body.clone();
        match self.replies {
            Replies::CutShort => answer.with_body(body.slice(..body.len() / 2)),
            Replies::OneBitChanged => {
                let mut bytes = body.to_vec();
                *bytes.last_mut().unwrap() ^= 1;
                answer.with_body(bytes)
            }
            Replies::Empty => answer.with_body(""),
            Replies::OfAnotherSession => self.earlier[usize::from(self.of_second)].clone(),
            Replies::Duplicated => self.first.lock().unwrap().clone().unwrap(),
            Replies::Withheld => Answer::refusal(StatusCode::NOT_FOUND, ErrorId::NotFound),
        }
    }
}

/// What a device does while replies are spoiled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Doing {
    Creating,
    Signing,
    BackingUp,
    Recovering,
}

impl Doing {
    const ALL: [Self; 4] = [Self::Creating, Self::Signing, Self::BackingUp, Self::Recovering];
}

/// The first and the second reply of an operation that another client has done.
async fn earlier(service: &TestService, doing: Doing) -> [Answer; 2] {
    let scene = Scene::begin(service).await;
    match doing {
        Doing::Creating => {}
        Doing::Signing => scene.expect_signature(&scene.app(), "an earlier session").await,
        Doing::BackingUp => drop(scene.back_up(false).await),
        Doing::Recovering => {
            scene.back_up(false).await;
            let before = scene.middle.heard().len();
            scene.expect_recovery("an earlier session").await;
            let heard = scene.middle.heard().split_off(before);
            return replies(&heard, false);
        }
    }
    replies(&scene.middle.heard(), doing != Doing::Creating)
}

/// The replies of the last, or of the first, session that was heard.
fn replies(heard: &[(Asked, Answer)], last: bool) -> [Answer; 2] {
    let of = |is: fn(&Asked) -> bool| {
        let mut of_kind = heard.iter().filter(|(asked, _)| is(asked)).map(|(_, answer)| answer);
        let found = if last { of_kind.next_back() } else { of_kind.next() };
        found.unwrap().clone()
    };
    [of(Asked::is_first_post), of(Asked::is_second_post)]
}

#[test]
fn spoiled_replies_of_sessions_change_nothing_for_good() {
    on_runtime(async {
        let service = Arc::new(TestService::start().await);
        for doing in Doing::ALL {
            let earlier = earlier(&service, doing).await;
            for replies in Replies::ALL {
                for of_second in [false, true] {
                    if matches!(replies, Replies::Duplicated) && !of_second {
                        continue;
                    }
                    let earlier = earlier.clone();
                    let spoiler = Spoiler { replies, of_second, earlier, first: Mutex::default() };
                    spoil(&service, doing, spoiler).await;
                }
            }
        }
    });
}

async fn spoil(service: &TestService, doing: Doing, spoiler: Spoiler) {
    let what = format!("{doing:?}, {:?}, second: {}", spoiler.replies, spoiler.of_second);
    if doing == Doing::Creating {
        return spoil_creation(service, spoiler, &what).await;
    }
    let scene = Scene::begin(service).await;
    if doing != Doing::BackingUp {
        scene.back_up(false).await;
    }
    let app = scene.app();
    let (_device, new) = scene.new_app();
    scene.middle.meddle(spoiler);
    let result = match doing {
        Doing::Signing => app.sign(Payload::Message(b"m")).await.map(drop),
        Doing::BackingUp => back_up(&app, false, &unseen).await.map(drop),
        _ => recover(&new).await.map(drop),
    };
    println!("{what}: {:?}", result.as_ref().expect_err(&what).to_string());
    scene.middle.be_honest();
    let finished = if doing == Doing::Recovering { &new } else { &app };
    finished.finish_interrupted().await.unwrap();
    let status = app.status().await.unwrap();
    assert!(!status.notices.iter().any(|told| matches!(told, Notice::Frozen { .. })), "{what}");
    if doing == Doing::Recovering {
        if !status.live {
            scene.expect_signature(&new, &what).await;
        }
    } else {
        scene.expect_signature(&app, &what).await;
        back_up(&app, false, &unseen).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    scene.expect_recovery(&what).await;
}

async fn spoil_creation(service: &TestService, spoiler: Spoiler, what: &str) {
    let middle = Middle::before(service.address()).await;
    let client = service.client().await;
    let (device, store) = (client.device(), MemoryStore::new());
    let builder = device.app(&middle.url()).patience(Duration::from_millis(250));
    let app = builder.method(memory_method(&store)).build().unwrap();
    middle.meddle(spoiler);
    let error = app.create_wallet(&unseen).await.expect_err(what);
    println!("{what}: {error}");
    middle.be_honest();
    app.finish_interrupted().await.unwrap();
    let addresses = match app.addresses().await.unwrap() {
        Some(addresses) => addresses,
        None => app.create_wallet(&unseen).await.unwrap_or_else(|e| panic!("{what}: {e}")),
    };
    let scene = Scene { middle, client, device, store, addresses };
    scene.expect_signature(&scene.app(), what).await;
    scene.back_up(false).await;
    scene.expect_recovery(what).await;
}
