//! The memory of a service process after a wallet's life, as a core dump would show it.
//!
//! Read is `/proc/PID/mem`, which has the bytes that a dump has, and needs neither a limit nor a
//! folder for dumps. Searched is all that the process can write to: heap, stacks, and statics. What
//! has to be there is left out: the key of the operator's key file, and the key that sessions are
//! sealed under.

#![cfg(target_os = "linux")]

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use backup_core::{BackupMethod, DataKey, EncryptionContext, StoredKey};
use backup_testkit::MemoryStore;
use portal_client::{
    ApiKey, BackUpOptions, Curves, Payload, Portal, RecoverOptions, custodian, device::DeviceStore,
};
use portal_mpc::StoredShare;
use portal_server::{Options, Server};

use crate::support::world::{FREE_PORT, serve};

/// A client of a service that is another process.
struct User {
    url: String,
    custodian_key: String,
    context: EncryptionContext,
    key: ApiKey,
    method: Arc<dyn BackupMethod>,
}

impl User {
    async fn of(url: &str, data: &Path) -> Self {
        let custodian_key = fs::read_to_string(data.join("custodian.key")).unwrap();
        let custodian_key = custodian_key.trim().to_owned();
        let key = ApiKey::new(custodian_key.as_str()).unwrap();
        let (context, key) = custodian::create_client(url, &key).await.unwrap();
        let method = Arc::new(StoredKey::new(MemoryStore::new()));
        Self { url: url.to_owned(), custodian_key, context, key, method }
    }

    fn app(&self, device: &Path) -> Portal {
        fs::create_dir_all(device).unwrap();
        let key = DataKey::copied_from(&[7; 32]);
        let store = DeviceStore::new(device, self.context.clone(), key);
        let api_key = ApiKey::new(self.key.expose()).unwrap();
        let app = Portal::builder(&self.url, api_key, store).curves(Curves::BOTH);
        app.method(Arc::clone(&self.method)).build().unwrap()
    }

    async fn live_on(&self, device: &Path) {
        let app = self.app(device);
        app.create_wallet(&|_| {}).await.unwrap();
        sign(&app).await;
        app.back_up(&self.method.id(), &BackUpOptions::default(), &|_| {}).await.unwrap();
    }

    async fn recover_on(&self, device: &Path) {
        let app = self.app(device);
        app.recover(&self.method.id(), &RecoverOptions::default(), &|_| {}).await.unwrap();
        sign(&app).await;
    }
}

async fn sign(app: &Portal) {
    app.sign(Payload::Message(b"m")).await.unwrap();
    app.sign(Payload::Digest(&[7; 32])).await.unwrap();
}

/// The service's halves: of the live pairs, and of all backups.
async fn halves(data: &Path, user: &User) -> Vec<(String, Vec<u8>)> {
    let copy = tempfile::tempdir().unwrap();
    for name in ["portal.db", "portal.db-wal", "custody.key", "custodian.key"] {
        let _ = fs::copy(data.join(name), copy.path().join(name));
    }
    let running = Server::start(Options::new(copy.path())).await.unwrap();
    let service = Arc::clone(running.service());
    let (mut read, client) = (service.store.read().await.unwrap(), &user.context.client);
    let mut halves = Vec::new();
    let live = read.live_key(client).await.unwrap().unwrap();
    let shares = read.signing_shares(client, &live).await.unwrap().unwrap();
    for (curve, sealed) in shares.iter() {
        let share = service.custody.open_signing(&user.context, sealed).await.unwrap();
        let StoredShare::Live(share) = share else { panic!("it is live") };
        // After head, pair, condition and challenge.
        halves
            .push((format!("half of a {curve} signing pair"), share.to_bytes()[69..101].to_vec()));
    }
    for row in read.backups(client).await.unwrap() {
        let sealed = read.custodian_halves(client, &row.set.id).await.unwrap().unwrap();
        for (curve, half) in sealed.iter() {
            let sealed = half.sealed().unwrap();
            let share = service.custody.verify_backup(&user.context, sealed).await.unwrap();
            // After head and pair.
            halves.push((format!("half of a {curve} backup"), share.to_bytes()[36..68].to_vec()));
        }
    }
    drop(read);
    drop(service);
    running.shutdown().await;
    halves
}

/// Where some bytes stand in the writable memory of a process, by the names of its mappings.
fn places(process: u32, needle: &[u8]) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let writable = maps.lines().filter(|line| line.contains(" rw"));
    let places = writable.flat_map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let (from, to) = columns[0].split_once('-').unwrap();
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        let name = *columns.get(5).unwrap_or(&"[anonymous]");
        vec![name.to_owned(); count_in(&memory, from, to, needle)]
    });
    places.collect()
}

/// How often they stand there between these addresses.
fn count_in(memory: &File, from: u64, to: u64, needle: &[u8]) -> usize {
    let mut found = 0;
    let mut bytes = vec![0; CHUNK + needle.len() - 1];
    let mut at = from;
    while at < to {
        let len = bytes.len().min(usize::try_from(to - at).unwrap());
        if memory.read_exact_at(&mut bytes[..len], at).is_ok() {
            let windows = bytes[..len].windows(needle.len());
            found += windows.filter(|window| window[0] == needle[0] && *window == needle).count();
        }
        at += u64::try_from(CHUNK).unwrap();
    }
    found
}

const CHUNK: usize = 1 << 20;

/// The middle half: an allocator writes into the beginning of what is freed.
fn inner(secret: &[u8]) -> &[u8] {
    &secret[secret.len() / 4..secret.len() * 3 / 4]
}

/// What of these the memory of a process shows, and where.
fn shown(process: u32, secrets: &[(String, Vec<u8>)]) -> Vec<(&str, Vec<String>)> {
    let places = |secret: &[u8]| places(process, inner(secret));
    let shown = secrets.iter().filter_map(|(what, secret)| {
        let backwards: Vec<u8> = secret.iter().rev().copied().collect();
        let found = [places(secret), places(&backwards)].concat();
        (!found.is_empty()).then_some((what.as_str(), found))
    });
    shown.collect()
}

#[test]
fn a_core_dump_of_a_service_shows_no_half_and_no_api_key() {
    let folder = tempfile::tempdir().unwrap();
    let (data, second) = (folder.path().join("data"), folder.path().join("second"));
    let (mut service, ready) = serve(&data, FREE_PORT, &[]);
    let url = ready["url"].as_str().unwrap().to_owned();
    let process = service.id();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (user, mut secrets) = runtime.block_on(async {
        let user = User::of(&url, &data).await;
        user.live_on(&folder.path().join("first")).await;
        let mut known = halves(&data, &user).await;
        user.recover_on(&second).await;
        known.extend(halves(&data, &user).await);
        (user, known)
    });
    assert!(
        !places(process, user.context.client.as_str().as_bytes()).is_empty(),
        "the search finds nothing"
    );
    for _ in 0..SIGNATURES {
        assert_eq!(shown(process, &secrets), []);
        runtime.block_on(async { sign(&user.app(&second)).await });
    }
    // With its connections, on which the API key came.
    drop(runtime);
    secrets.extend([
        ("the client's API key".to_owned(), user.key.expose().as_bytes().to_vec()),
        ("the custodian's API key".to_owned(), user.custodian_key.as_bytes().to_vec()),
    ]);
    wait_until_all_hung_up(process);
    assert_eq!(shown(process, &secrets), []);
    drop(service.stdin.take());
    service.wait().unwrap();
}

/// What one leaves in memory, the next may cover.
const SIGNATURES: usize = 4;

/// Waits until the service has closed its connections, in whose buffers the last requests are.
fn wait_until_all_hung_up(process: u32) {
    let is_connected = || {
        let rows = fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap();
        sockets(process).iter().any(|inode| {
            rows.lines().any(|row| {
                let columns: Vec<_> = row.split_whitespace().collect();
                columns[3] != LISTENING && columns.get(9) == Some(&inode.as_str())
            })
        })
    };
    let since = Instant::now();
    while is_connected() {
        assert!(since.elapsed() < Duration::from_secs(20), "a connection stays open");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The inodes of a process's sockets.
fn sockets(process: u32) -> Vec<String> {
    let files = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let targets = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
    let inode = |target: PathBuf| {
        let name = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        Some(name.to_owned())
    };
    targets.filter_map(inode).collect()
}

/// The state of a socket that listens, in `/proc/net/tcp`.
const LISTENING: &str = "0A";
