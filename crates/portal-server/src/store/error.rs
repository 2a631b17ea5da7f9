//! What can be wrong with the database.

use sqlx::migrate::MigrateError;

/// What is wrong with the database. Its text holds no value of a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database does not do what was asked.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// Another write failed that was to become durable together with this one.
    #[error("the commit that this was a part of has failed")]
    Undone,
    /// The tables cannot be brought up to date.
    #[error("the database cannot be brought up to date: {0}")]
    Migration(#[from] MigrateError),
    /// The tables are those of another release.
    #[error("the database is of another release: start the service of this one on it first")]
    OtherRelease,
    /// A row holds what this release does not write.
    #[error("the database holds what is no {0}")]
    Damaged(&'static str),
}

impl StoreError {
    /// Whether others kept it busy, so that the same may succeed later.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::PoolTimedOut) | Self::Undone => true,
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| BUSY.contains(&code.as_ref()))
            }
            _ => false,
        }
    }
}

/// `SQLITE_BUSY` and its extended codes for a snapshot and for a time that is over.
const BUSY: [&str; 3] = ["5", "517", "773"];
