//! Backups whose halves go to a custodian beside those whose halves stay with the service, in one
//! run: how much longer they take beyond the custodian's answers, which are measured at it.

use std::{
    mem,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use backup_testkit::MemoryStore;
use portal_api::{
    route,
    webhook::{BACKUP, FETCH, FetchedHalves, PostedHalf, RegisterWebhook, WantedHalves},
};
use portal_client::{BackUpOptions, Portal};
use portal_tests::{
    ratio::median,
    wallets::{Device, TestService, memory_id, memory_method, on_runtime, unseen},
};
use tokio::{net::TcpListener, time};
use zeroize::Zeroizing;

fn main() {
    on_runtime(async {
        let custodian = Custodian::default();
        let services = [here().await, there(&custodian).await];
        let mut times: [Times; 3] = Default::default();
        // In turn, so that whatever else the machine does is in all of them.
        for round in 0..ROUNDS + WARM_UP {
            for (is_there, service) in [false, true].into_iter().zip(&services) {
                let took = lives(service, &custodian).await;
                for (times, took) in times.iter_mut().zip(took).filter(|_| round >= WARM_UP) {
                    times.add(is_there, took);
                }
            }
        }
        let names = ["the first, by its app's word", "the first, committed", "the next, committed"];
        let are_within = names.into_iter().zip(times).map(|(name, times)| times.report(name));
        assert!(are_within.fold(true, |all, one| all & one), "a bound is exceeded");
    });
}

/// What a backup took, and how long each answer of the custodian's took of that.
struct Took {
    all: Duration,
    answers: Vec<Duration>,
}

/// Of one kind of backup.
#[derive(Default)]
struct Times {
    here: Vec<Duration>,
    there: Vec<Duration>,
    beyond: Vec<Duration>,
    answers: usize,
}

impl Times {
    fn add(&mut self, is_there: bool, Took { all, answers }: Took) {
        if is_there {
            self.there.push(all);
            self.beyond.push(all - answers.iter().sum::<Duration>());
            self.answers = answers.len();
        } else {
            self.here.push(all);
        }
    }

    fn report(self, name: &str) -> bool {
        let millis = |times| median(times).as_secs_f64() * 1e3;
        let (here, there, beyond) = (millis(self.here), millis(self.there), millis(self.beyond));
        let is_within = beyond - here <= MOST_MILLIS;
        let verdict = if is_within { "ok" } else { "TOO SLOW" };
        println!(
            "{name}, ms: here {here:.2}, with a custodian {there:.2}, of that its {} answers \
             {:.2}, and {:.2} more (<= {MOST_MILLIS}) {verdict}",
            self.answers,
            there - beyond,
            beyond - here
        );
        is_within
    }
}

/// A client that is backed up once by its app's word, and one that is backed up twice.
async fn lives(service: &TestService, custodian: &Custodian) -> [Took; 3] {
    let options = BackUpOptions { by_notice: true, ..Default::default() };
    let (_device, app) = wallet(service).await;
    let noticed = custodian.during(async {
        app.back_up(&memory_id(), &options, &unseen).await.expect("it is backed up");
        let stored = app.stored_client_backup_share(&memory_id(), true).await;
        stored.expect("it is complete");
    });
    let noticed = noticed.await;
    let (_device, app) = wallet(service).await;
    let options = BackUpOptions::default();
    let back_up = || {
        custodian.during(async {
            app.back_up(&memory_id(), &options, &unseen).await.expect("it is backed up");
        })
    };
    [noticed, back_up().await, back_up().await]
}

async fn wallet(service: &TestService) -> (Device, Portal) {
    let device = service.client().await.device();
    let app = device.portal(&service.url(), &memory_method(&MemoryStore::new()));
    app.create_wallet(&unseen).await.expect("a wallet is made");
    (device, app)
}

async fn here() -> TestService {
    TestService::start().await
}

async fn there(custodian: &Custodian) -> TestService {
    let service = TestService::start_with(|options| {
        options.backup_with_portal = Some(false);
        options.webhooks.plain_http = true;
        options.webhooks.private_addresses = true;
    });
    let (service, webhook) = (service.await, custodian.clone().start().await);
    let key = std::fs::read_to_string(service.folder().join("custodian.key")).expect("a key");
    let secret = Zeroizing::new("a-secret-that-travels".to_owned());
    let asked = reqwest::Client::new()
        .post(format!("{}{}", service.url(), route::WEBHOOK))
        .bearer_auth(key.trim())
        .json(&RegisterWebhook { webhook, secret, client_id: None });
    let answer = asked.send().await.expect("it answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    service
}

/// A custodian's server, which thinks for a while before each answer.
#[derive(Clone, Default)]
struct Custodian {
    kept: Arc<Mutex<Vec<PostedHalf>>>,
    answers: Arc<Mutex<Vec<Duration>>>,
}

impl Custodian {
    async fn start(self) -> String {
        let router = Router::new().route(BACKUP, post(keep)).route(FETCH, post(fetch));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router.with_state(self)).await });
        url
    }

    async fn during(&self, backup: impl Future<Output = ()>) -> Took {
        mem::take(&mut *self.answers.lock().expect("nobody panics"));
        let began = Instant::now();
        backup.await;
        let all = began.elapsed();
        Took { all, answers: mem::take(&mut *self.answers.lock().expect("nobody panics")) }
    }

    async fn think<T>(&self, done: impl FnOnce(&mut Vec<PostedHalf>) -> T) -> T {
        let began = Instant::now();
        time::sleep(THINKS).await;
        let done = done(&mut self.kept.lock().expect("nobody panics"));
        self.answers.lock().expect("nobody panics").push(began.elapsed());
        done
    }
}

async fn keep(State(custodian): State<Custodian>, body: Bytes) -> StatusCode {
    let half: PostedHalf = serde_json::from_slice(&body).expect("it is a half");
    custodian.think(|kept| kept.push(half)).await;
    StatusCode::OK
}

async fn fetch(State(custodian): State<Custodian>, body: Bytes) -> Vec<u8> {
    let wanted: WantedHalves = serde_json::from_slice(&body).expect("it names a client");
    let of_client = custodian.think(|kept| {
        let kept = kept.iter().filter(|half| half.client_id == wanted.client_id);
        kept.map(|half| half.share.clone()).collect()
    });
    serde_json::to_vec(&FetchedHalves::new(of_client.await)).expect("it is plain text")
}

const ROUNDS: usize = 40;
const WARM_UP: usize = 5;

/// As long as a server somewhere else takes.
const THINKS: Duration = Duration::from_millis(10);

const MOST_MILLIS: f64 = 5.0;
