//! Every place where something is kept that is sealed under the operator's keys.

use std::iter;

use backup_core::{CustodianId, EncryptionContext, Point};
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
}

/// Something that is sealed, as it is stored.
#[derive(Debug)]
pub struct SealedRow {
    /// Where it is.
    pub place: Place,
    /// What it is found by there: the id of a pair, or of a custodian.
    pub id: String,
    /// Whose client it is of, or whose it is.
    pub custodian: String,
    /// Which client it is of, if it is of one.
    pub client: Option<String>,
    /// What it is bound to; an error if the row says nothing sensible.
    pub context: Result<ShareContext, StoreError>,
    /// Its bytes.
    pub sealed: Vec<u8>,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SigningPairs, Self::BackupPairs, Self::Webhooks];

    /// What is kept there, in a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SigningPairs => "signing pair",
            Self::BackupPairs => "backup pair",
            Self::Webhooks => "webhook",
        }
    }

    /// Table and column.
    #[must_use]
    pub const fn column(self) -> (&'static str, &'static str) {
        match self {
            Self::SigningPairs => ("signing_pairs", "sealed_share"),
            Self::BackupPairs => ("backup_pairs", "sealed_share"),
            Self::Webhooks => ("webhooks", "sealed_secret"),
        }
    }

    const fn count(self) -> &'static str {
        match self {
            Self::SigningPairs => "SELECT count(*) AS n FROM signing_pairs",
            Self::BackupPairs => {
                "SELECT count(*) AS n FROM backup_pairs WHERE sealed_share IS NOT NULL"
            }
            Self::Webhooks => "SELECT count(*) AS n FROM webhooks",
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
        }
    }

    /// The column by whose value a row is found.
    const fn key(self) -> &'static str {
        match self {
            Self::SigningPairs | Self::BackupPairs => "id",
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
        let context = self.context.as_ref().ok().filter(|_| self.client.is_some())?;
        Some(EncryptionContext::new(context.custodian.clone(), context.client.clone()))
    }

    fn of(place: Place, row: &SqliteRow) -> Result<Self, StoreError> {
        let client = match place {
            Place::SigningPairs | Place::BackupPairs => Some(row.try_get("client_id")?),
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

fn context(place: Place, row: &SqliteRow) -> Result<ShareContext, StoreError> {
    let custodian: CustodianId = columns::parsed(row.try_get("custodian_id")?, "custodian id")?;
    let role = match place {
        Place::SigningPairs => ShareRole::ServerSigning,
        Place::BackupPairs => ShareRole::CustodianBackup,
        Place::Webhooks => {
            let context = custody::secret_context(&custodian);
            return context.map_err(|_| StoreError::Damaged("custodian id"));
        }
    };
    let wallet = Point::new(columns::curve(row.try_get("curve")?)?, row.try_get("public_key")?);
    Ok(ShareContext {
        custodian,
        client: columns::parsed(row.try_get("client_id")?, "client id")?,
        // A name that is bound. That it is a key of its curve costs more than all else here.
        wallet: wallet.map_err(|_| StoreError::Damaged("public key"))?,
        pair: columns::parsed(row.try_get("id")?, "pair id")?,
        role,
    })
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
