//! A commit of one row, as durable as the service's, with nothing around it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

pub(crate) async fn insert(database: &mut SqliteConnection, envelope: &str) -> Duration {
    let began = Instant::now();
    sqlx::query("INSERT INTO envelopes (envelope) VALUES (?)")
        .bind(envelope)
        .execute(database)
        .await
        .expect("a row is inserted");
    began.elapsed()
}

/// A database with the service's durability, on the same disk.
pub(crate) async fn bare_database(folder: &Path, name: &str) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(folder.join(name))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut database = options.connect().await.expect("a database is made");
    let table = "CREATE TABLE envelopes (id INTEGER PRIMARY KEY, envelope TEXT NOT NULL)";
    sqlx::query(table).execute(&mut database).await.expect("a table is made");
    database
}
