//! The service and its client beside what they cannot do without, in one run.

#[path = "service/answered.rs"]
mod answered;
#[path = "service/bare.rs"]
mod bare;
#[path = "mpc/raw.rs"]
#[allow(dead_code, reason = "of the operations only some are measured here")]
mod raw;

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, http::StatusCode, routing::put};
use backup_testkit::MemoryStore;
use cpu_time::ProcessTime;
use portal_api::route::Route;
use portal_client::{BackUpOptions, Curves, Effect, Payload, RecoverOptions};
use portal_tests::{
    own_process::{OwnProcess, has_served},
    ratio::median,
    wallets::{TestService, memory_id, memory_method, on_runtime, unseen},
};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{net::TcpListener, runtime::Handle, task};

use self::{
    answered::Answered,
    bare::{bare_database, insert},
};

fn main() {
    if has_served() {
        return;
    }
    let recovery = recovery();
    let storing = storing();
    let memory = idle_memory();
    assert!(recovery && storing && memory, "a bound is exceeded");
}

/// A whole recovery, both sides, HTTP, database and files included, beside the protocols alone.
fn recovery() -> bool {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let backup = raw::back_up_ecdsa(&raw::generate_ecdsa());
    let share = raw::generate_eddsa();
    on_runtime(async {
        let (service, store) = (TestService::start().await, MemoryStore::new());
        let client = service.client().await;
        let method = memory_method(&store);
        let app = |device: &portal_tests::wallets::Device| {
            let app = device.app(&service.url()).curves(Curves::BOTH).method(Arc::clone(&method));
            app.build().expect("the app is set up")
        };
        let first = client.device();
        app(&first).create_wallet(&unseen).await.expect("a wallet is made");
        let options = BackUpOptions::default();
        app(&first).back_up(&memory_id(), &options, &unseen).await.expect("it is backed up");
        for _ in 0..7 {
            let device = client.device();
            let app = app(&device);
            let began = ProcessTime::now();
            let recovered = app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await;
            ours.push(began.elapsed());
            recovered.expect("it is recovered");
            let began = ProcessTime::now();
            let pair = raw::recover_ecdsa(&backup);
            raw::sign_ecdsa(&pair, [7; 32]);
            raw::sign_eddsa(&raw::refresh_eddsa(&share), b"test");
            bare.push(began.elapsed());
        }
    });
    let name = "recover, processor ms / both protocols and a signature";
    report(name, millis(median(ours)), millis(median(bare)), 1.5)
}

/// Storing an envelope: the service's own time beside a commit of one row of that length, as
/// durable, on the same disk; and the time from its device's request to the answer beside that of a
/// service which does nothing but this commit. Whoever comes first after a protocol finds nothing
/// of what it needs in the processor's caches, and whoever comes next finds it there: by turns the
/// references come first, and the service does.
fn storing() -> bool {
    let answered = Answered::watched("PUT", Route::StoreEnvelope.path());
    let (mut inside, mut commit, mut ours, mut least) = (vec![], vec![], vec![], vec![]);
    on_runtime(async {
        let (service, store) = (TestService::start().await, MemoryStore::new());
        let stopwatch = Arc::new(Stopwatch::of(References::start(service.folder()).await));
        let device = service.client().await.device();
        let app = device.app(&service.url()).method(memory_method(&store));
        let app = app.observed_by(Arc::clone(&stopwatch) as _).build().expect("the app is set up");
        app.create_wallet(&unseen).await.expect("a wallet is made");
        let back_up = async || {
            let made = app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await;
            made.expect("it is backed up");
        };
        back_up().await;
        let length = stored_length(service.folder()).await;
        stopwatch.references.lock().await.envelope = "x".repeat(length);
        for round in 0..100 {
            let references_first = round % 2 == 0;
            stopwatch.references_first.store(references_first, Ordering::Relaxed);
            back_up().await;
            ours.push(stopwatch.taken());
            inside.push(answered.last());
            if !references_first {
                stopwatch.references.lock().await.run().await;
            }
        }
        let references = stopwatch.references.lock().await;
        commit.clone_from(&references.commit);
        least.clone_from(&references.least);
    });
    let (inside, commit, ours, least) =
        (median(inside), median(commit), median(ours), median(least));
    let name = "store a ciphertext, in the service, ms / one commit";
    let inside = report(name, millis(inside), millis(commit), 1.5);
    let name = "the same, request to answer, ms / the least service";
    inside & report(name, millis(ours), millis(least), 1.5)
}

/// What storing an envelope is compared with.
struct References {
    envelope: String,
    database: SqliteConnection,
    service: LeastService,
    commit: Vec<Duration>,
    least: Vec<Duration>,
}

impl References {
    async fn start(folder: &Path) -> Self {
        Self {
            envelope: String::new(),
            database: bare_database(folder, "bare.db").await,
            service: LeastService::start(folder).await,
            commit: Vec::new(),
            least: Vec::new(),
        }
    }

    async fn run(&mut self) {
        self.commit.push(insert(&mut self.database, &self.envelope).await);
        self.least.push(self.service.store(self.envelope.clone()).await);
    }
}

/// A service that commits what it is sent and looks at nothing, and a client of it.
struct LeastService {
    url: String,
    client: reqwest::Client,
}

impl LeastService {
    async fn start(folder: &Path) -> Self {
        let database = bare_database(folder, "least.db").await;
        let database = Arc::new(tokio::sync::Mutex::new(database));
        let store = async move |envelope: String| {
            insert(&mut *database.lock().await, &envelope).await;
            StatusCode::NO_CONTENT
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/", put(store));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, client: reqwest::Client::new() }
    }

    async fn store(&self, envelope: String) -> Duration {
        let began = Instant::now();
        let answer = self.client.put(&self.url).body(envelope).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        answer.expect("it is stored");
        began.elapsed()
    }
}

/// How long the newest envelope is that the service has.
async fn stored_length(folder: &Path) -> usize {
    let options = SqliteConnectOptions::new().filename(folder.join("portal.db")).read_only(true);
    let mut database = options.connect().await.expect("the service has a database");
    let sql = "SELECT length(envelope) FROM backup_sets ORDER BY number DESC LIMIT 1";
    let length: i64 = sqlx::query_scalar(sql).fetch_one(&mut database).await.expect("a length");
    database.close().await.expect("nothing is under way");
    usize::try_from(length).expect("a length")
}

/// Takes the time from the sending of an envelope to its answer, and lets the references go before
/// it if it is their turn.
struct Stopwatch {
    references: tokio::sync::Mutex<References>,
    references_first: AtomicBool,
    watch: Mutex<(Option<Instant>, Duration)>,
}

impl Stopwatch {
    fn of(references: References) -> Self {
        let references = tokio::sync::Mutex::new(references);
        Self { references, references_first: false.into(), watch: Mutex::default() }
    }

    fn taken(&self) -> Duration {
        self.watch.lock().expect("nobody panics with it").1
    }

    fn run_references(&self) {
        let run = async { self.references.lock().await.run().await };
        task::block_in_place(|| Handle::current().block_on(run));
    }
}

impl portal_client::EffectObserver for Stopwatch {
    fn before(&self, effect: Effect<'_>) -> io::Result<()> {
        let is_put = matches!(effect, Effect::Send { method: "PUT", .. });
        if is_put && self.references_first.load(Ordering::Relaxed) {
            self.run_references();
        }
        let mut watch = self.watch.lock().expect("nobody panics with it");
        match effect {
            Effect::Send { method: "PUT", .. } => watch.0 = Some(Instant::now()),
            Effect::Received { method: "PUT", .. } => {
                watch.1 = watch.0.take().map_or(Duration::ZERO, |began| began.elapsed());
            }
            _ => {}
        }
        Ok(())
    }
}

/// What the service holds of memory: as it starts, and after it took part in a wallet's life.
fn idle_memory() -> bool {
    let service = OwnProcess::start();
    let idle = report("idle, resident MB / the limit", service.resident_mb(), 60.0, 1.0);
    on_runtime(live(&service));
    std::thread::sleep(Duration::from_secs(2));
    let after = service.resident_mb();
    idle & report("idle after a recovery, resident MB / the limit", after, 60.0, 1.0)
}

/// A wallet's life.
async fn live(service: &OwnProcess) {
    let client = service.custodian().new_client().await.expect("a client is made");
    let (store, devices) = (MemoryStore::new(), [(); 2].map(|()| client.device()));
    let [first, second] = devices.each_ref().map(|device| {
        let app = device.app(service.url()).curves(Curves::BOTH).method(memory_method(&store));
        app.build().expect("the app is set up")
    });
    first.create_wallet(&unseen).await.expect("a wallet is made");
    let options = BackUpOptions::default();
    first.back_up(&memory_id(), &options, &unseen).await.expect("it is backed up");
    let options = RecoverOptions::default();
    second.recover(&memory_id(), &options, &unseen).await.expect("it is recovered");
    second.sign(Payload::Digest(&[7; 32])).await.expect("it signs");
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn report(name: &str, ours: f64, reference: f64, bound: f64) -> bool {
    let ratio = ours / reference;
    let bound_text = if bound < f64::MAX { format!(" (at most {bound})") } else { String::new() };
    println!("{name:<56} {ours:>9.2} / {reference:>9.2} = {ratio:.2}{bound_text}");
    ratio <= bound
}
