//! Every place where something is kept that is sealed under the operator's keys.

use std::iter;

use backup_core::{ClientId, CustodianId, EncryptionContext, KeyContext, Point};
use portal_keys::{SealedShare, ShareContext, ShareRole};
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

use super::{Snapshot, StoreError, Write, columns};
use crate::custody;

/// Where something sealed is kept. A test finds each column of the database that is not here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// The service's halves of signing pairs.
    SigningPairs,
    /// The custodian's halves of backup pairs.
    BackupPairs,
    /// The secrets of webhooks.
    Webhooks,
    /// The keys that the passkey enclave releases, for each passkey that may have them.
    EnclaveKeys,
}

/// Something that is sealed, as it is stored.
#[derive(Debug)]
pub struct SealedRow {
    /// Where it is.
    pub place: Place,
    /// What it is found by there: the id of a pair, or of a custodian; of a key in the enclave,
    /// client, key and fingerprint of the passkey.
    pub id: String,
    /// Whose client it is of, or whose it is.
    pub custodian: String,
    /// Which client it is of, if it is of one.
    pub client: Option<String>,
    /// What it is bound to; an error if the row says nothing sensible.
    pub context: Result<KeyContext, StoreError>,
    /// Its bytes.
    pub sealed: Vec<u8>,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::SigningPairs, Self::BackupPairs, Self::Webhooks, Self::EnclaveKeys];

    /// What is kept there, in a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SigningPairs => "signing pair",
            Self::BackupPairs => "backup pair",
            Self::Webhooks => "webhook",
            Self::EnclaveKeys => "enclave key",
        }
    }

    /// Table and column.
    #[must_use]
    pub const fn column(self) -> (&'static str, &'static str) {
        match self {
            Self::SigningPairs => ("signing_pairs", "sealed_share"),
            Self::BackupPairs => ("backup_pairs", "sealed_share"),
            Self::Webhooks => ("webhooks", "sealed_secret"),
            Self::EnclaveKeys => ("enclave_keys", "sealed_key"),
        }
    }

    const fn count(self) -> &'static str {
        match self {
            Self::SigningPairs => "SELECT count(*) AS n FROM signing_pairs",
            Self::BackupPairs => {
                "SELECT count(*) AS n FROM backup_pairs WHERE sealed_share IS NOT NULL"
            }
            Self::Webhooks => "SELECT count(*) AS n FROM webhooks",
            Self::EnclaveKeys => "SELECT count(*) AS n FROM enclave_keys",
        }
    }

    /// In the order of ids, those after one.
    const fn page(self) -> &'static str {
        match self {
            Self::SigningPairs => {
                "SELECT p.id, p.curve, p.public_key, p.sealed_share AS sealed, s.client_id, \
                 c.custodian_id FROM signing_pairs p \
                 JOIN signing_sets s ON s.device_key = p.device_key \
                 JOIN clients c ON c.id = s.client_id \
                 WHERE p.id > $1 ORDER BY p.id LIMIT $2"
            }
            Self::BackupPairs => {
                "SELECT p.id, p.curve, p.public_key, p.sealed_share AS sealed, p.client_id, \
                 c.custodian_id FROM backup_pairs p JOIN clients c ON c.id = p.client_id \
                 WHERE p.sealed_share IS NOT NULL AND p.id > $1 ORDER BY p.id LIMIT $2"
            }
            Self::Webhooks => {
                "SELECT custodian_id AS id, custodian_id, sealed_secret AS sealed FROM webhooks \
                 WHERE custodian_id > $1 ORDER BY custodian_id LIMIT $2"
            }
            Self::EnclaveKeys => {
                "SELECT k.id, k.key_id, k.holder, k.sealed_key AS sealed, k.client_id, \
                 c.custodian_id FROM enclave_keys k JOIN clients c ON c.id = k.client_id \
                 WHERE k.id > $1 ORDER BY k.id LIMIT $2"
            }
        }
    }

    /// The column by whose value a row is found.
    const fn key(self) -> &'static str {
        match self {
            Self::SigningPairs | Self::BackupPairs | Self::EnclaveKeys => "id",
            Self::Webhooks => "custodian_id",
        }
    }
}

impl Snapshot {
    /// How much is sealed, in all places.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn count_sealed(&mut self) -> Result<u64, StoreError> {
        let mut count = 0;
        for place in Place::ALL {
            let row = sqlx::query(place.count()).fetch_one(self.connection()).await?;
            count += columns::from_column(row.try_get("n")?)?;
        }
        Ok(count)
    }

    /// What is sealed at a place: at most `most`, in the order of their ids, after the id `after`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sealed(
        &mut self,
        place: Place,
        after: &str,
        most: u32,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let query = sqlx::query(place.page()).bind(after).bind(most);
        let rows = query.fetch_all(self.connection()).await?;
        rows.iter().map(|row| SealedRow::of(place, row)).collect()
    }
}

impl Write {
    /// Puts other wraps in the place of those of rows, each unless it has changed; how many it did.
    ///
    /// It is one statement, and a trip to the database for all of them. It comes in few lengths, so
    /// that it is prepared already: rows that are nowhere fill it up to a power of two.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn rewrap(
        &mut self,
        place: Place,
        rows: &[(SealedRow, SealedShare)],
    ) -> Result<u64, StoreError> {
        let ((table, column), key) = (place.column(), place.key());
        let mut sql = QueryBuilder::<Sqlite>::new("WITH given (id, before, after) AS (");
        let given = rows.iter().map(Some).chain(iter::repeat(None));
        sql.push_values(given.take(rows.len().next_power_of_two()), |mut values, row| {
            values
                .push_bind(row.map(|(row, _)| row.id.as_str()))
                .push_bind(row.map(|(row, _)| row.sealed.as_slice()))
                .push_bind(row.map(|(_, rewrapped)| rewrapped.encode()));
        });
        sql.push(format_args!(
            ") UPDATE {table} SET {column} = given.after FROM given \
             WHERE {table}.{key} = given.id AND {table}.{column} = given.before"
        ));
        let done = sql.build().execute(self.connection()).await?;
        Ok(done.rows_affected())
    }
}

impl SealedRow {
    /// The client that it is of, if it is of one.
    pub(crate) fn of_client(&self) -> Option<EncryptionContext> {
        let client = self.client.as_ref()?.parse().ok()?;
        Some(EncryptionContext::new(self.custodian.parse().ok()?, client))
    }

    fn of(place: Place, row: &SqliteRow) -> Result<Self, StoreError> {
        let client = match place {
            Place::SigningPairs | Place::BackupPairs | Place::EnclaveKeys => {
                Some(row.try_get("client_id")?)
            }
            Place::Webhooks => None,
        };
        Ok(Self {
            place,
            id: row.try_get("id")?,
            custodian: row.try_get("custodian_id")?,
            client,
            context: context(place, row),
            sealed: row.try_get("sealed")?,
        })
    }
}

fn context(place: Place, row: &SqliteRow) -> Result<KeyContext, StoreError> {
    let custodian: CustodianId = columns::parsed(row.try_get("custodian_id")?, "custodian id")?;
    let client = || {
        let client: ClientId = columns::parsed(row.try_get("client_id")?, "client id")?;
        Ok::<_, StoreError>(EncryptionContext::new(custodian.clone(), client))
    };
    let of_pair = |role| {
        let wallet = Point::new(columns::curve(row.try_get("curve")?)?, row.try_get("public_key")?);
        let context = ShareContext {
            custodian: custodian.clone(),
            client: client()?.client,
            // A name that is bound. That it is a key of its curve costs more than all else here.
            wallet: wallet.map_err(|_| StoreError::Damaged("public key"))?,
            pair: columns::parsed(row.try_get("id")?, "pair id")?,
            role,
        };
        Ok(context.key_context())
    };
    match place {
        Place::SigningPairs => of_pair(ShareRole::ServerSigning),
        Place::BackupPairs => of_pair(ShareRole::CustodianBackup),
        Place::Webhooks => {
            let context = custody::secret_context(&custodian);
            Ok(context.map_err(|_| StoreError::Damaged("custodian id"))?.key_context())
        }
        Place::EnclaveKeys => {
            let (key, holder) = (row.try_get("key_id")?, row.try_get("holder")?);
            Ok(custody::enclave_key_context(&client()?, key, holder))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use super::*;
    use crate::{effects::Nobody, store::Store};

    /// What is sealed under a session's keys, which no file has, and ends with the process.
    const OF_SESSIONS: [(&str, &str); 3] = [
        ("sessions", "sealed_first_reply"),
        ("sessions", "sealed_second_reply"),
        ("sessions", "sealed_state"),
    ];

    #[tokio::test]
    async fn every_column_that_is_sealed_is_a_place_or_a_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), Arc::new(Nobody)).await.unwrap();
        let sql = "SELECT t.name AS place, c.name AS of FROM sqlite_schema t \
                   JOIN pragma_table_info(t.name) c WHERE t.type = 'table' \
                   AND c.name LIKE 'sealed%' ORDER BY 1, 2";
        let rows = sqlx::query(sql).fetch_all(&store.pool).await.unwrap();
        let found: BTreeSet<(String, String)> =
            rows.iter().map(|row| (row.get("place"), row.get("of"))).collect();
        let known = Place::ALL.map(Place::column).into_iter().chain(OF_SESSIONS);
        let known = known.map(|(table, column)| (table.to_owned(), column.to_owned()));
        assert_eq!(found, known.collect());
    }
}
