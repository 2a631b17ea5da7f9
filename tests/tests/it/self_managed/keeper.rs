//! A custodian's server, which keeps what it is given, or does not.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use portal_api::webhook::{FetchedHalves, PostedHalf, WantedHalves};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

/// How it behaves.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Way {
    /// It keeps everything.
    #[default]
    Honest,
    /// It keeps one half of each client.
    Overwrites,
    /// It says that it keeps a half, and does not.
    StoresNothing,
    /// It gives nothing back.
    Forgets,
    /// It gives back something else.
    Lies,
    /// It takes this long.
    Late(Duration),
    /// It says no.
    Refuses,
    /// It sends its callers to itself.
    Redirects,
    /// It answers ten megabytes.
    Huge,
}

impl Way {
    /// All but honest ones and late ones.
    pub(crate) const BAD: [Self; 7] = [
        Self::Overwrites,
        Self::StoresNothing,
        Self::Forgets,
        Self::Lies,
        Self::Refuses,
        Self::Redirects,
        Self::Huge,
    ];
}

/// A half that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) client: String,
    pub(crate) method: String,
    pub(crate) pair: String,
    pub(crate) half: String,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) path: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Keeping {
    pub(crate) way: Way,
    pub(crate) kept: Vec<Kept>,
    pub(crate) came: Vec<Came>,
}

/// A server that runs as long as its runtime.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    pub(crate) address: SocketAddr,
    keeping: Arc<Mutex<Keeping>>,
}

impl Keeper {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let keeper = Self { address, keeping: Arc::default() };
        let router = Router::new()
            .route("/hook/backup", post(backup))
            .route("/hook/backup/fetch", post(fetch))
            .with_state(keeper.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        keeper
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook/", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn be(&self, way: Way) {
        self.keeping().way = way;
    }

    pub(crate) fn keeping(&self) -> MutexGuard<'_, Keeping> {
        self.keeping.lock().unwrap()
    }

    /// What is wrong before anything is looked at, if anything is.
    async fn met(&self, path: &'static str, headers: HeaderMap, body: &Bytes) -> Option<Response> {
        let way = self.keeping().way;
        self.keeping().came.push(Came { path, headers, body: body.to_vec() });
        match way {
            Way::Late(time) => tokio::time::sleep(time).await,
            Way::Refuses => return Some(StatusCode::FORBIDDEN.into_response()),
            Way::Redirects => {
                let to = format!("{}backup/fetch", self.url());
                let status = StatusCode::TEMPORARY_REDIRECT;
                return Some((status, [(header::LOCATION, to)]).into_response());
            }
            Way::Huge => return Some(vec![b' '; 10_000_000].into_response()),
            _ => {}
        }
        None
    }
}

async fn backup(State(keeper): State<Keeper>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(answer) = keeper.met("/backup", headers, &body).await {
        return answer;
    }
    let posted: PostedHalf = serde_json::from_slice(&body).unwrap();
    let mut keeping = keeper.keeping();
    match keeping.way {
        Way::StoresNothing => return StatusCode::OK.into_response(),
        Way::Overwrites => keeping.kept.retain(|kept| kept.client != posted.client_id),
        _ => {}
    }
    keeping.kept.push(Kept {
        client: posted.client_id,
        method: posted.backup_method,
        pair: posted.backup_share_pair_id.unwrap(),
        half: posted.share.as_str().to_owned(),
    });
    StatusCode::NO_CONTENT.into_response()
}

async fn fetch(State(keeper): State<Keeper>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(answer) = keeper.met("/backup/fetch", headers, &body).await {
        return answer;
    }
    let wanted: WantedHalves = serde_json::from_slice(&body).unwrap();
    let keeping = keeper.keeping();
    let of_client = keeping.kept.iter().filter(|kept| kept.client == wanted.client_id);
    let halves = of_client.map(|kept| match keeping.way {
        Way::Lies => kept.half.replace("\":\"", "\":\"A"),
        _ => kept.half.clone(),
    });
    let halves = match keeping.way {
        Way::Forgets => Vec::new(),
        _ => halves.map(Zeroizing::new).collect(),
    };
    let json = serde_json::to_vec(&FetchedHalves::new(halves)).unwrap();
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}
