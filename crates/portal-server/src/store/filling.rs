//! Putting envelopes into their places, many by one statement.

use std::{collections::HashSet, iter};

use backup_core::{BackupId, ClientId};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{StoreError, columns};
use crate::api_key::ApiKeyHash;

/// Where an envelope is put.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Place {
    pub(super) client: ClientId,
    pub(super) backup: BackupId,
}

/// An envelope that is to be put into a place, and what was seen when that was looked at.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) key: Option<KeyAt>,
    pub(super) place: Place,
    pub(super) number: i64,
    pub(super) live_key: Option<Vec<u8>>,
    pub(super) text: String,
    pub(super) sha256: [u8; 32],
    pub(super) enrollment: [u8; 32],
}

/// A client's API key, and the time at which it has to be in force.
#[derive(Clone, Copy, Debug)]
pub struct KeyAt {
    /// The key.
    pub key: ApiKeyHash,
    /// The time.
    pub now: u64,
}

/// Puts each envelope into its place, unless that is there no longer, has another envelope, or
/// another device signs, or the API key is not the client's: what was looked at is looked at again
/// by the database. Which places have their envelope by then.
///
/// It is one statement, and a trip to the database for all of them: that as many rows have changed
/// says all. Only if not is it asked which, since each row that comes back is handed from thread
/// to thread while the commit waits.
pub(super) async fn fill(
    connection: &mut SqliteConnection,
    fillings: &[Filling],
) -> Result<HashSet<Place>, StoreError> {
    let mut sql = given(fillings);
    sql.push(
        "UPDATE backup_sets SET envelope = given.envelope, \
         envelope_sha256 = given.envelope_sha256, enrollment = given.enrollment FROM given \
         WHERE backup_sets.envelope IS NULL AND ",
    );
    let done = sql.push(FITS).build().execute(&mut *connection).await?;
    if done.rows_affected() == u64::try_from(fillings.len()).unwrap_or(u64::MAX) {
        return Ok(fillings.iter().map(|filling| filling.place.clone()).collect());
    }
    let mut sql = given(fillings);
    sql.push(
        "SELECT backup_sets.client_id, backup_sets.id FROM given, backup_sets \
         WHERE backup_sets.envelope_sha256 = given.envelope_sha256 AND ",
    );
    let rows = sql.push(FITS).build().fetch_all(connection).await?;
    rows.iter().map(Place::of).collect()
}

/// Whether what is given is for a place that is as it was seen.
const FITS: &str = "backup_sets.client_id = given.client_id AND backup_sets.id = given.id \
     AND backup_sets.number = given.number \
     AND given.live_key IS NOT DISTINCT FROM (SELECT device_key FROM signing_sets l \
     WHERE l.client_id = given.client_id AND l.is_live) \
     AND (given.key_hash IS NULL OR EXISTS (SELECT 1 FROM api_keys k \
     WHERE k.key_hash = given.key_hash AND k.client_id = given.client_id \
     AND (k.ends_at IS NULL OR k.ends_at > given.now)))";

/// The beginning of a statement over `fillings`. It comes in few lengths, so that it is prepared
/// already: places that are nowhere fill it up to a power of two.
fn given(fillings: &[Filling]) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(
        "WITH given (client_id, id, number, live_key, key_hash, now, \
         envelope, envelope_sha256, enrollment) AS (",
    );
    let rows = fillings.iter().map(Some).chain(iter::repeat(None));
    sql.push_values(rows.take(fillings.len().next_power_of_two()), |mut row, filling| {
        let key = filling.and_then(|filling| filling.key.as_ref());
        row.push_bind(filling.map(|filling| filling.place.client.as_str()))
            .push_bind(filling.map(|filling| filling.place.backup.as_str()))
            .push_bind(filling.map(|filling| filling.number))
            .push_bind(filling.and_then(|filling| filling.live_key.as_deref()))
            .push_bind(key.map(|key| key.key.as_bytes().as_slice()))
            .push_bind(key.map(|key| columns::to_column(key.now)))
            .push_bind(filling.map(|filling| filling.text.as_str()))
            .push_bind(filling.map(|filling| filling.sha256.as_slice()))
            .push_bind(filling.map(|filling| filling.enrollment.as_slice()));
    });
    sql.push(") ");
    sql
}

impl Place {
    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            client: columns::parsed(row.try_get("client_id")?, "client id")?,
            backup: columns::parsed(row.try_get("id")?, "backup id")?,
        })
    }
}
