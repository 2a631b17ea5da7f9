//! The tables, and how an older database comes to have them.

use std::borrow::Cow;

use sqlx::{
    Row, SqlStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
};

use super::StoreError;

/// All migrations of this release, which are in it.
pub(super) fn migrator() -> Migrator {
    Migrator { migrations: Cow::Owned(vec![initial()]), ..Migrator::DEFAULT }
}

/// The migrations of this release: number and checksum of each.
pub(super) fn known() -> Vec<(i64, Vec<u8>)> {
    let migrator = migrator();
    let known = migrator.migrations.iter();
    known.map(|migration| (migration.version, migration.checksum.to_vec())).collect()
}

/// The migrations that a database has gone through, likewise. None if it is no service's.
pub(super) async fn applied(pool: &SqlitePool) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let sql = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
    let Ok(rows) = sqlx::query(sql).fetch_all(pool).await else { return Ok(Vec::new()) };
    rows.iter().map(|row| Ok((row.try_get("version")?, row.try_get("checksum")?))).collect()
}

fn initial() -> Migration {
    let sql = include_str!("../../migrations/0001_initial.sql");
    let (sql, name) = (SqlStr::from_static(sql), Cow::Borrowed("initial"));
    Migration::new(1, name, MigrationType::Simple, sql, false)
}
