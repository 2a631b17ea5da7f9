//! A custodian that keeps its halves itself: `portal-webhook` on its `SQLite` store, with effects
//! that can be its last, and with bad habits if that is wanted.

use std::{future, net::SocketAddr, path::PathBuf, process, sync::Arc, thread, time::Duration};

use anyhow::Result;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use backup_core::{CustodianId, KeyEncryption, async_trait};
use clap::{Args, ValueEnum};
use portal_api::webhook::{BACKUP, FETCH, FetchedHalves, MAX_FETCHED_LEN};
use portal_keys::{KeyFile, KeyRing};
use portal_webhook::{
    Kept, Kind, Numbered, Resealed, SqliteStore, Store, StoreError, Webhook, WebhookSecret,
};
use tokio::{net::TcpListener, time};
use zeroize::Zeroizing;

use super::{
    recorder::{Death, Effect, Recorder},
    service::die_with_input,
};

/// What the service proves itself by.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How a custodian behaves. Whatever it does, it has a copy of what it was given: when it is honest
/// again, all of it comes back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Way {
    /// It keeps everything and gives it back
    #[default]
    Honest,
    /// It gives back the newest half of a client only, as if that had taken the place of the others
    Overwrites,
    /// It gives nothing back
    Forgets,
    /// It gives back other halves than it was given
    Lies,
    /// It keeps a half, and says so when nobody waits any more
    Late,
}

/// A custodian. It dies when its standard input is closed, and so with whoever started it.
#[derive(Args, Debug)]
pub struct Custodian {
    /// Its folder.
    #[arg(long)]
    folder: PathBuf,
    /// Where it listens.
    #[arg(long)]
    listen: SocketAddr,
    /// How it behaves.
    #[arg(long, value_enum, default_value_t)]
    way: Way,
    /// Where effects are written down.
    #[arg(long)]
    log: PathBuf,
    /// Die before the effect of this number.
    #[arg(long)]
    die_at: Option<usize>,
}

/// Serves until it is killed; prints where it listens.
///
/// # Errors
///
/// If it cannot be started.
pub fn run(custodian: &Custodian) -> Result<()> {
    thread::spawn(die_with_input);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let router = custodian.router().await?;
        let listener = match TcpListener::bind(custodian.listen).await {
            Ok(listener) => listener,
            Err(error) => anyhow::bail!("cannot listen on {}: {error}", custodian.listen),
        };
        println!("{}", listener.local_addr()?);
        axum::serve(listener, router).await?;
        future::pending::<Result<()>>().await
    })
}

impl Custodian {
    async fn router(&self) -> Result<Router> {
        let death = self.die_at.map(|at| Death { at, torn: false });
        let habits = Habits { way: self.way, recorder: Arc::new(Recorder::new(&self.log, death)?) };
        let store = SqliteStore::open(&self.folder.join("shares.db")).await?;
        let file = self.folder.join("custody.key");
        let key = KeyFile::open(&file).or_else(|_| KeyFile::create(&file))?;
        let ring = KeyRing::new([Arc::new(key) as Arc<dyn KeyEncryption>])?;
        // Only it knows what it calls itself.
        let (id, secret) = (CustodianId::new("the-custodian")?, WebhookSecret::new(SECRET)?);
        let watched = Watched { store, habits: habits.clone() };
        let router = Webhook::new(id, secret, ring, watched).router();
        Ok(router.layer(middleware::from_fn_with_state(habits, answer)))
    }
}

#[derive(Clone, Debug)]
struct Habits {
    way: Way,
    recorder: Arc<Recorder>,
}

impl Habits {
    /// A point at which it may die.
    fn before(&self, name: &str) {
        // Nothing more can be found out without the log.
        let written = self.recorder.before(&Effect::Other(name.to_owned()));
        written.unwrap_or_else(|_| process::abort());
    }
}

async fn answer(State(habits): State<Habits>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    match habits.way {
        Way::Late if path == BACKUP => time::sleep(LONGER_THAN_ANYBODY_WAITS).await,
        Way::Lies if path == FETCH => response = with_lies(response).await,
        _ => {}
    }
    habits.before(&format!("answer {path}"));
    response
}

/// Halves of which one digit is another.
async fn with_lies(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let body = to_bytes(body, MAX_FETCHED_LEN).await.unwrap_or_default();
    let Ok(halves) = serde_json::from_slice::<FetchedHalves>(&body) else {
        return Response::from_parts(head, Body::from(body));
    };
    let lie = |half: Zeroizing<String>| Zeroizing::new(half.replace("\":\"", "\":\"A"));
    let lies = FetchedHalves::new(halves.into_halves().map(lie).collect());
    head.headers.remove("content-length");
    Response::from_parts(head, Body::from(serde_json::to_vec(&lies).unwrap_or_default()))
}

/// The store that custodians have, whose calls are effects, before them and after.
#[derive(Debug)]
struct Watched {
    store: SqliteStore,
    habits: Habits,
}

#[async_trait]
impl Store for Watched {
    async fn add(&self, kept: &Kept) -> Result<(), StoreError> {
        self.habits.before("add a half");
        self.store.add(kept).await?;
        self.habits.before("have added a half");
        Ok(())
    }

    async fn all(&self, kind: Kind, client: &str) -> Result<Vec<Kept>, StoreError> {
        self.habits.before("read halves");
        let mut all = self.store.all(kind, client).await?;
        match self.habits.way {
            Way::Overwrites => all.truncate(1),
            Way::Forgets => all.clear(),
            Way::Honest | Way::Lies | Way::Late => {}
        }
        Ok(all)
    }

    async fn erase(&self, client: &str, pair: &str) -> Result<(), StoreError> {
        self.store.erase(client, pair).await
    }

    async fn after(&self, after: u64, most: u32) -> Result<Vec<Numbered>, StoreError> {
        self.store.after(after, most).await
    }

    async fn reseal(&self, values: &[Resealed]) -> Result<u64, StoreError> {
        self.store.reseal(values).await
    }

    async fn is_first(&self, id: &str, until: u64, now: u64) -> Result<bool, StoreError> {
        self.habits.before("note a request");
        self.store.is_first(id, until, now).await
    }
}

/// The service waits for ten seconds.
const LONGER_THAN_ANYBODY_WAITS: Duration = Duration::from_secs(11);
