//! What is left of a session in the database: a mark, and nothing that opens.

use std::fs;

use portal_api::ErrorId;
use portal_mpc::Curves;
use sqlx::{Row, SqlitePool, sqlite::SqliteConnectOptions};

use crate::{
    common::{DAY, Service},
    wallet::{device_key, generating, live, recover},
    wire::User,
};

async fn database(service: &Service) -> SqlitePool {
    let path = service.folder.path().join("portal.db");
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(path)).await.unwrap()
}

/// How many sessions there are, or marks of them.
pub async fn count(service: &Service) -> i64 {
    let pool = database(service).await;
    let row = sqlx::query("SELECT COUNT(*) AS n FROM sessions").fetch_one(&pool).await.unwrap();
    row.get("n")
}

/// The sealed columns of the session that was begun last.
async fn sealed(service: &Service) -> [Option<Vec<u8>>; 3] {
    let sql = "SELECT sealed_state, sealed_first_reply, sealed_second_reply FROM sessions \
               ORDER BY created_at DESC, rowid DESC LIMIT 1";
    let row = sqlx::query(sql).fetch_one(&database(service).await).await.unwrap();
    [row.get("sealed_state"), row.get("sealed_first_reply"), row.get("sealed_second_reply")]
}

#[tokio::test]
async fn no_state_is_left_of_a_finished_session_and_its_replies_are_sealed() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let key = device_key();
    let begun = generating(&user, &key, Curves::ED25519);
    let first = begun.post.send(&service, &user, &key).await;
    let continued = begun.advance(&first).unwrap();
    let [state, ..] = sealed(&service).await;
    assert!(state.is_some());
    let second = continued.post.send(&service, &user, &key).await;
    let [state, first_reply, second_reply] = sealed(&service).await;
    assert!(state.is_none());
    for (sealed, reply) in [(first_reply, first.body), (second_reply, second.body)] {
        let sealed = sealed.unwrap();
        for part in reply.windows(16) {
            assert!(!sealed.windows(16).any(|window| window == part));
        }
    }
    service.wait(10 * 60).await;
    assert_eq!(sealed(&service).await, [None, None, None]);
    assert_eq!(count(&service).await, 1);
}

/// The server's key of sessions is in no file, and the session's secret is on the device.
#[tokio::test]
async fn a_copy_of_the_database_and_the_key_file_opens_no_session() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let done = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    let post = done.post.clone();
    done.close(&service, &user, &wallet.key).await.unwrap();
    let open = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();

    let copied = tempfile::tempdir().unwrap();
    for file in fs::read_dir(service.folder.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copied.path().join(file.file_name())).unwrap();
    }
    let copy = Service::start_with(|options| options.folder = copied.path().to_owned()).await;
    for post in [post.clone(), open.post.clone()] {
        post.send(&copy, &user, &wallet.key).await.is_error(404, ErrorId::NotFound);
    }
    assert!(post.send(&service, &user, &wallet.key).await.status.is_success());
    open.close(&service, &user, &wallet.key).await.unwrap();
}

/// Whether some bytes are in any file of the service's folder, as they are or in hexadecimal.
fn is_in_a_file(service: &Service, bytes: &[u8]) -> bool {
    let hex = base16ct::lower::encode_string(bytes);
    service.has_on_disk(bytes) || service.has_on_disk(hex.as_bytes())
}

/// Neither half of what a session is sealed under: the service's key, and the secret that comes
/// with each post. While the session waits, when it is over, and when its process has ended.
#[tokio::test]
async fn neither_the_key_of_sessions_nor_a_sessions_secret_is_in_a_file() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let begun = wallet.signing(&user);
    let secret = *begun.started.secret().expose();
    let key = *service.running.service().session_key.expose();
    let open = begun.open(&service, &user, &wallet.key).await.unwrap();
    assert!(sealed(&service).await[0].is_some(), "the session waits");
    let id = open.advanced.session_id();
    assert!(is_in_a_file(&service, id.as_bytes()), "what is in a file is found");
    assert!(!is_in_a_file(&service, &secret) && !is_in_a_file(&service, &key));
    open.close(&service, &user, &wallet.key).await.unwrap();
    assert!(!is_in_a_file(&service, &secret) && !is_in_a_file(&service, &key));
    let service = service.restart().await;
    assert!(!is_in_a_file(&service, &secret) && !is_in_a_file(&service, &key));
    assert_ne!(*service.running.service().session_key.expose(), key, "each process has its own");
}

#[tokio::test]
async fn a_session_id_is_not_used_twice_as_long_as_its_pair_is_there() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let begun = wallet.signing(&user);
    let first = begun.post.clone();
    begun.run(&service, &user, &wallet.key).await.unwrap();
    service.wait(2 * DAY).await;
    first.send(&service, &user, &wallet.key).await.is_error(404, ErrorId::NotFound);
    let other = first.said_otherwise();
    other.send(&service, &user, &wallet.key).await.is_error(409, ErrorId::StateInvalid);
}

#[tokio::test]
async fn a_mark_goes_a_day_after_its_pair_or_after_a_session_without_one() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let backup = wallet.back_up(&service, &user).await;
    wallet.sign(&service, &user).await.unwrap();
    assert_eq!(count(&service).await, 4);
    service.wait(DAY).await;
    assert_eq!(count(&service).await, 3, "that of generate is gone");
    let new = recover(&service, &user, &backup).await.unwrap();
    new.confirm(&service, &user).await.unwrap();
    service.wait(0).await;
    assert_eq!(count(&service).await, 2, "recover and confirm");
}
