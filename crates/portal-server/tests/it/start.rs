//! First starts, later starts, and starts that must not be.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use portal_api::{CreatedClient, route};
use portal_keys::{KeyFile, KeyFileError};
use portal_server::{Options, Server, StartError, effects::Effect};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

use crate::common::{DAY, Hands, NOW, Service, http::Request, options};

const KEY: &str = "custody.key";
const CUSTODIAN: &str = "custodian.key";
const DATABASE: &str = "portal.db";

/// Longer than anything here takes, so that what would never come fails.
const LONG: Duration = Duration::from_secs(60);

fn hands() -> Arc<Hands> {
    Arc::new(Hands::at(NOW))
}

async fn refusal(folder: &Path) -> StartError {
    Server::start(options(folder, &hands())).await.unwrap_err()
}

async fn starts(folder: &Path) {
    Server::start(options(folder, &hands())).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_first_start_makes_what_the_service_needs() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("not").join("there");
    starts(&folder).await;
    for name in [KEY, CUSTODIAN, DATABASE] {
        assert!(folder.join(name).exists(), "{name}");
    }
}

#[tokio::test]
async fn a_service_under_which_nobody_could_eject_for_the_usual_time_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = |seconds| {
        let mut options = options(folder.path(), &hands());
        options.longest_eject = Duration::from_secs(seconds);
        Server::start(options)
    };
    assert!(matches!(start(299).await, Err(StartError::EjectTooShort)));
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing was made");
    start(300).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_service_that_keeps_backups_for_less_than_its_restore_window_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = |[grace, window]: [u64; 2]| {
        let mut options = options(folder.path(), &hands());
        options.grace = Duration::from_secs(grace);
        options.restore_window = Duration::from_secs(window);
        Server::start(options)
    };
    for times in [[0, 0], [0, 1], [59, 60], [7 * DAY - 1, 7 * DAY]] {
        let refused = start(times).await;
        assert!(matches!(refused, Err(StartError::GraceTooShort { .. })), "{times:?}");
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing was made");
    start([60, 60]).await.unwrap().shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let service = Service::start().await;
    for name in [KEY, CUSTODIAN, DATABASE] {
        let metadata = fs::metadata(service.folder.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o077, 0, "{name}");
    }
}

#[tokio::test]
async fn a_restart_keeps_everything_and_makes_nothing() {
    let service = Service::start().await;
    let device = service.device().await;
    let before = device.view(&service).await;
    let read = |service: &Service, name| fs::read(service.folder.path().join(name)).unwrap();
    let keys = (read(&service, KEY), read(&service, CUSTODIAN));
    let generation = service.running.service().generation;
    let service = service.restart().await;
    assert_eq!(device.view(&service).await, before);
    assert_eq!((read(&service, KEY), read(&service, CUSTODIAN)), keys);
    assert_ne!(service.running.service().generation, generation);
    service.create_client().await;
}

#[tokio::test]
async fn the_custodians_key_may_be_taken_away() {
    let service = Service::start().await;
    let key = service.custodian_key();
    fs::remove_file(service.folder.path().join(CUSTODIAN)).unwrap();
    let service = service.restart().await;
    assert!(!service.folder.path().join(CUSTODIAN).exists());
    let create = Request::post(route::CUSTODIAN_CLIENTS).by(&key);
    assert!(service.send(create).await.status.is_success());
}

#[tokio::test]
async fn without_its_key_file_a_used_database_does_not_start_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    starts(folder.path()).await;
    fs::remove_file(folder.path().join(KEY)).unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, StartError::KeyFile(KeyFileError::Missing { .. })), "{error}");
    assert!(!folder.path().join(KEY).exists());
}

#[tokio::test]
async fn another_key_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    starts(folder.path()).await;
    let path = folder.path().join(KEY);
    fs::remove_file(&path).unwrap();
    KeyFile::create(&path).unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, StartError::Key(_)), "{error}");
}

#[tokio::test]
async fn a_damaged_key_file_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    starts(folder.path()).await;
    fs::write(folder.path().join(KEY), "?").unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, StartError::KeyFile(KeyFileError::Damaged { .. })), "{error}");
}

#[tokio::test]
async fn two_processes_do_not_share_a_folder() {
    let service = Service::start().await;
    let error = refusal(service.folder.path()).await;
    assert!(matches!(error, StartError::InUse(_)), "{error}");
    let Service { running, folder, .. } = service;
    running.shutdown().await;
    starts(folder.path()).await;
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let service = Service::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.listen = service.running.address();
    let error = Server::start(options).await.unwrap_err();
    assert!(error.to_string().contains(&service.running.address().to_string()), "{error}");
}

/// The effects of a first start, with copies of the folder as each of them found it.
async fn folders_on_the_way(copies: &Path) -> Vec<Effect> {
    let folder = tempfile::tempdir().unwrap();
    let effects = Arc::new(Mutex::new(Vec::new()));
    let mut options = options(folder.path(), &hands());
    let (noted, from, to) = (Arc::clone(&effects), folder.path().to_owned(), copies.to_owned());
    options.observer = Arc::new(move |effect| {
        let mut noted = noted.lock().unwrap();
        copy(&from, &to.join(noted.len().to_string()));
        noted.push(effect);
    });
    Server::start(options).await.unwrap().shutdown().await;
    let effects = effects.lock().unwrap();
    effects.clone()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_first_start_that_was_cut_short_anywhere_is_finished_by_the_next() {
    let copies = tempfile::tempdir().unwrap();
    let effects = folders_on_the_way(copies.path()).await;
    for name in [KEY, CUSTODIAN] {
        assert!(effects.contains(&Effect::File { name }), "{effects:?}");
    }
    assert!(effects.contains(&Effect::Committed), "{effects:?}");
    for cut in 0..effects.len() {
        let folder = copies.path().join(cut.to_string());
        let running = Server::start(options(&folder, &hands())).await.unwrap();
        let key = fs::read_to_string(folder.join(CUSTODIAN)).unwrap();
        let url = format!("http://{}{}", running.address(), route::CUSTODIAN_CLIENTS);
        let request = Request::post(route::CUSTODIAN_CLIENTS).by(key.trim()).json("{}");
        let answer = request.send(&reqwest::Client::new(), &url).await;
        assert!(answer.status.is_success(), "cut at {cut}: {}", answer.text());
        running.shutdown().await;
    }
}

#[tokio::test]
async fn a_key_file_beside_a_used_database_is_never_replaced() {
    let copies = tempfile::tempdir().unwrap();
    let effects = folders_on_the_way(copies.path()).await;
    let made = effects.iter().position(|effect| *effect == Effect::File { name: CUSTODIAN });
    let folder = copies.path().join(made.unwrap().to_string());
    let before = fs::read(folder.join(KEY)).unwrap();
    starts(&folder).await;
    assert_eq!(fs::read(folder.join(KEY)).unwrap(), before);
}

/// Half of what it asks for is on the way when the end begins.
#[tokio::test]
async fn what_was_asked_before_the_end_is_answered() {
    let service = Service::start().await;
    let (address, key) = (service.running.address(), service.custodian_key());
    let (first, second) = ("{ ", "}");
    let mut asked = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        route::CUSTODIAN_CLIENTS,
        first.len() + second.len(),
    );
    asked.write_all(head.as_bytes()).await.unwrap();
    // It says so when it waits for the body.
    let mut waits = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    asked.read_exact(&mut waits).await.unwrap();
    assert!(waits.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&waits));
    asked.write_all(first.as_bytes()).await.unwrap();

    let end = tokio::spawn(service.running.shutdown());
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    time::timeout(LONG, refused).await.expect("new connections are refused once the end begins");
    assert!(!end.is_finished(), "it waits for what was asked");

    asked.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    time::timeout(LONG, asked.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str::<CreatedClient>(body).unwrap();
    time::timeout(LONG, end).await.unwrap().unwrap();
}
