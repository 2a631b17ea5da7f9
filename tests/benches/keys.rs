//! Keys beside what they cannot do without: wrapping under two at once beside the slower one alone,
//! and rewrapping beside the same writes to the database.

use std::{
    env,
    process::{self, Command},
    sync::Arc,
    time::{Duration, Instant},
};

use backup_core::{
    ClientId, Curve, CustodianId, KeyEncryption, Point, SharePairId,
    secrecy::{SecretSlice, SecretString},
};
use backup_testkit::{MOTO_CREDENTIALS, Moto, SoftHsm};
use portal_keys::{
    AwsKmsKey, KeyFile, KeyRing, Pkcs11Key, Pkcs11Options, SealedShare, ShareContext, ShareRole,
};
use portal_server::{Options, Server, admin::Admin};
use portal_tests::{ratio::median, wallets::on_runtime};
use sqlx::{
    Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

fn main() {
    enter();
    let (mut wrapping, mut rewrapping) = (true, true);
    on_runtime(async {
        wrapping = two_keys().await;
        rewrapping = moved().await;
    });
    assert!(wrapping && rewrapping, "a bound is exceeded");
}

/// Runs this again where there are credentials and a token.
fn enter() {
    if env::var_os(MOTO_CREDENTIALS[0].0).is_none() {
        let mut again = Command::new(env::current_exe().expect("a program knows itself"));
        again.args(env::args_os().skip(1)).envs(MOTO_CREDENTIALS);
        let status = again.status().expect("a program can be run again");
        process::exit(status.code().unwrap_or(1));
    }
    SoftHsm::enter(&["kek"]);
}

type Key = Arc<dyn KeyEncryption>;

/// Sealing under two keys at once, in milliseconds, beside the slower of the two.
async fn two_keys() -> bool {
    let (moto, folder) = (Moto::start(1), tempfile::tempdir().expect("a folder"));
    let file: Key = Arc::new(KeyFile::create(folder.path().join("key")).expect("a key"));
    let kms: Key = Arc::new(AwsKmsKey::new(&moto.arns()[0], Some(moto.url())).expect("an ARN"));
    let (module, token, key) = (SoftHsm::MODULE.into(), SoftHsm::TOKEN.into(), "kek".into());
    let pin = SecretString::from(SoftHsm::PIN);
    let token: Key =
        Arc::new(Pkcs11Key::new(Pkcs11Options { module, token, key, pin }).expect("labels"));
    let mut is_within = true;
    for (name, one, other) in [
        ("KMS and file", &kms, &file),
        ("KMS and token", &kms, &token),
        ("token and file", &token, &file),
    ] {
        let ring = |keys: &[&Key]| KeyRing::new(keys.iter().copied().cloned()).expect("a ring");
        let rings = [ring(&[one]), ring(&[other]), ring(&[one, other])];
        let mut times: [Vec<Duration>; 3] = Default::default();
        // In turn, so that whatever else the machine does is in all of them.
        for round in 0..ROUNDS {
            for (ring, times) in rings.iter().zip(&mut times) {
                let began = Instant::now();
                SealedShare::seal(&share(), &context(), ring).await.expect("it is sealed");
                if round >= WARM_UP {
                    times.push(began.elapsed());
                }
            }
        }
        let [one, other, both] = times.map(|times| millis(median(times)));
        is_within &=
            report(&format!("seal under {name}, ms / the slower alone"), both, one.max(other), 1.1);
    }
    is_within
}

/// Rewrapping, in shares a second, beside the same writes alone.
async fn moved() -> bool {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let folder = tempfile::tempdir().expect("a folder");
        let old: Key = Arc::new(KeyFile::create(folder.path().join("old")).expect("a key"));
        let new: Key = Arc::new(KeyFile::create(folder.path().join("new")).expect("a key"));
        let data = folder.path().join("data");
        let before = KeyRing::new([Arc::clone(&old)]).expect("a ring");
        let after = KeyRing::new([new]).expect("a ring").with_retired([old]).expect("a ring");
        start(&data, &before).await;
        fill(&data, &before).await;
        start(&data, &after).await;
        bare.push(write_again(&data).await);
        bare.push(write_again(&data).await);
        let admin = Admin::open(&data).await.expect("the folder is a service's");
        let began = Instant::now();
        let done = admin.rewrap(&after, |_, _| {}).await.expect("it is rewrapped");
        ours.push(began.elapsed());
        assert_eq!(done.rewrapped, SHARES);
    }
    let (ours, bare) = (rate(median(ours)), rate(median(bare)));
    let is_within = ours >= 0.7 * bare;
    let verdict = if is_within { "ok" } else { "TOO SLOW" };
    println!(
        "rewrap, shares/s / bare writes: {ours:.0} / {bare:.0} = {:.2} (>= 0.7) {verdict}",
        ours / bare
    );
    is_within
}

async fn start(data: &std::path::Path, ring: &KeyRing) {
    let mut options = Options::new(data);
    options.keys = Some(ring.clone());
    Server::start(options).await.expect("it starts").shutdown().await;
}

async fn open(data: &std::path::Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(data.join("portal.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON");
    SqliteConnection::connect_with(&options).await.expect("a database")
}

/// Backup pairs of one client, as many as are measured.
async fn fill(data: &std::path::Path, ring: &KeyRing) {
    let mut db = open(data).await;
    let mut write = db.begin().await.expect("a transaction");
    let custodian = sqlx::query("SELECT id FROM custodians").fetch_one(&mut *write).await;
    let custodian: String = custodian.expect("a custodian").get("id");
    let sql = "INSERT INTO clients (id, custodian_id, is_account_abstracted, created_at) \
               VALUES ('alice', $1, FALSE, 1)";
    sqlx::query(sql).bind(&custodian).execute(&mut *write).await.expect("a client");
    for at in 0..SHARES {
        let (set, pair) = (format!("set-{at}"), format!("pair-{at}"));
        let mut context = context();
        context.custodian = CustodianId::new(custodian.as_str()).expect("an id");
        context.pair = SharePairId::new(pair.as_str()).expect("an id");
        let sealed = SealedShare::seal(&share(), &context, ring).await.expect("it is sealed");
        let sql = "INSERT INTO backup_sets \
                   (client_id, id, number, method, completion, device_key, created_at, \
                   completed_at) \
                   VALUES ('alice', $1, $2, 'GDRIVE', 'NOTICE', x'00', 1, 1)";
        let set_number = i64::try_from(at).expect("few");
        let query = sqlx::query(sql).bind(&set).bind(set_number);
        query.execute(&mut *write).await.expect("a set");
        let sql = "INSERT INTO backup_pairs \
                   (id, client_id, backup_id, curve, public_key, sealed_share) \
                   VALUES ($1, 'alice', $2, 'ED25519', $3, $4)";
        let query = sqlx::query(sql).bind(&pair).bind(&set).bind(&WALLET[..]).bind(sealed.encode());
        query.execute(&mut *write).await.expect("a pair");
    }
    write.commit().await.expect("it is committed");
    db.close().await.expect("it is closed");
}

/// The writes alone: each row read, and replaced by as many other bytes if it is as it was, 256 at
/// once. `SQLite` writes no page whose bytes stay the same; so every bit is turned, and turned back
/// by calling this again.
async fn write_again(data: &std::path::Path) -> Duration {
    let mut db = open(data).await;
    let began = Instant::now();
    let mut after = String::new();
    loop {
        let sql = "SELECT id, sealed_share FROM backup_pairs WHERE id > $1 ORDER BY id LIMIT 256";
        let rows = sqlx::query(sql).bind(&after).fetch_all(&mut db).await.expect("rows");
        let Some(last) = rows.last() else { break };
        after = last.get("id");
        let mut write = db.begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
        for row in &rows {
            let (id, sealed): (String, Vec<u8>) = (row.get("id"), row.get("sealed_share"));
            let turned: Vec<_> = sealed.iter().map(|byte| !byte).collect();
            let sql = "UPDATE backup_pairs SET sealed_share = $3 \
                       WHERE id = $1 AND sealed_share = $2";
            let query = sqlx::query(sql).bind(id).bind(sealed).bind(turned);
            query.execute(&mut *write).await.expect("a row");
        }
        write.commit().await.expect("it is committed");
    }
    let took = began.elapsed();
    db.close().await.expect("it is closed");
    took
}

fn context() -> ShareContext {
    ShareContext {
        custodian: CustodianId::new("acme").expect("an id"),
        client: ClientId::new("alice").expect("an id"),
        wallet: Point::new(Curve::Ed25519, &WALLET).expect("a point"),
        pair: SharePairId::new("pair").expect("an id"),
        role: ShareRole::CustodianBackup,
    }
}

/// As long as the custodian's half of a pair.
fn share() -> SecretSlice<u8> {
    SecretSlice::from(vec![9; 200])
}

/// Ed25519's base point.
const WALLET: [u8; 32] = {
    let mut point = [0x66; 32];
    point[0] = 0x58;
    point
};

const SHARES: u64 = 10_000;
const ROUNDS: usize = 220;
const WARM_UP: usize = 20;

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn rate(time: Duration) -> f64 {
    10_000.0 / time.as_secs_f64()
}

fn report(name: &str, ours: f64, bare: f64, most: f64) -> bool {
    let is_within = ours <= most * bare;
    let verdict = if is_within { "ok" } else { "TOO SLOW" };
    println!("{name}: {ours:.3} / {bare:.3} = {:.2} (<= {most}) {verdict}", ours / bare);
    is_within
}
