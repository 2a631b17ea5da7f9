//! Trace ids: what an app asks for is found in the log of the service.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
};

use backup_testkit::{LogCapture, MemoryStore};
use portal_client::{ApiKey, BackUpOptions, Error, TraceId};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Middle, StatusCode},
    wallets::{TestClient, TestService, memory_id, memory_method, on_runtime, unseen},
};

/// Loses the first answer.
#[derive(Default)]
struct Losing(AtomicBool);

impl Meddler for Losing {
    fn changed(&self, _: &Asked, answer: Answer) -> Answer {
        if self.0.swap(true, Ordering::SeqCst) {
            return answer;
        }
        Answer { status: StatusCode::BAD_GATEWAY, ..answer }
    }
}

fn traces(heard: &[(Asked, Answer)], of: fn(&(Asked, Answer)) -> &str) -> HashSet<String> {
    heard.iter().map(|passed| of(passed).to_owned()).collect()
}

fn of_request((asked, _): &(Asked, Answer)) -> &str {
    asked.headers[TraceId::HEADER].to_str().unwrap()
}

fn of_answer((_, answer): &(Asked, Answer)) -> &str {
    answer.headers[TraceId::HEADER].to_str().unwrap()
}

#[test]
fn all_that_an_operation_asks_for_is_called_in_the_services_log_as_its_app_calls_it() {
    on_runtime(async {
        let log = LogCapture::start();
        let service = TestService::start().await;
        let middle = Middle::before(service.address()).await;
        let client = service.client().await;
        let device = client.device();
        let app = device.app(&middle.url()).method(memory_method(&MemoryStore::new()));
        let app = app.build().unwrap();
        app.create_wallet(&unseen).await.unwrap();
        let (apart, trace) = (middle.heard(), TraceId::generate());
        assert_eq!(traces(&apart, of_request).len(), apart.len(), "each has its own");
        let traced = app.traced(trace);
        traced.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
        let together = middle.heard().split_off(apart.len());
        let only = HashSet::from([trace.to_string()]);
        assert_eq!(traces(&together, of_request), only);
        assert_eq!(traces(&together, of_answer), only);
        let lines = log.text().lines().filter(|line| line.contains(&trace.to_string())).count();
        assert!(lines >= together.len(), "{lines} of {}", together.len());
    });
}

#[test]
fn a_request_that_is_repeated_is_called_the_same() {
    on_runtime(async {
        let service = TestService::start().await;
        let middle = Middle::before(service.address()).await;
        let device = service.client().await.device();
        let app = device.app(&middle.url()).build().unwrap();
        middle.meddle(Losing::default());
        app.status().await.unwrap();
        let heard = middle.heard();
        assert_eq!(of_request(&heard[0]), of_request(&heard[1]));
    });
}

#[test]
fn whoever_is_refused_is_told_what_to_look_for_in_the_log() {
    on_runtime(async {
        let log = LogCapture::start();
        let service = TestService::start().await;
        let nobodys = ApiKey::new("ck_of-nobody").unwrap();
        let client = TestClient { key: nobodys, ..service.client().await };
        let device = client.device();
        let app = device.app(&service.url()).build().unwrap();
        let refused = app.status().await.unwrap_err();
        let Error::Service { trace, .. } = &refused else { panic!("{refused}") };
        assert!(refused.to_string().contains(&trace.to_string()), "{refused}");
        assert!(log.text().contains(&trace.to_string()));
    });
}
