//! The tables, and how an older database comes to have them.

use std::borrow::Cow;

use sqlx::{
    SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};

/// All migrations of this release, which are in it.
pub(super) fn migrator() -> Migrator {
    Migrator { migrations: Cow::Owned(vec![initial()]), ..Migrator::DEFAULT }
}

fn initial() -> Migration {
    let sql = include_str!("../../migrations/0001_initial.sql");
    let (sql, name) = (SqlStr::from_static(sql), Cow::Borrowed("initial"));
    Migration::new(1, name, MigrationType::Simple, sql, false)
}
