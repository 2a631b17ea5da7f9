//! The tables, and how an older database comes to have them.

use std::borrow::Cow;

use sqlx::{
    Row, SqlStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
};

use super::StoreError;

/// All migrations of this release, which are in it.
pub(super) fn migrator() -> Migrator {
    let migrations = ALL.into_iter().zip(1..);
    let migrations = migrations.map(|((name, sql), number)| migration(number, name, sql));
    Migrator { migrations: Cow::Owned(migrations.collect()), ..Migrator::DEFAULT }
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

/// In their order. What was ever released is never changed, and none is left out.
const ALL: [(&str, &str); 8] = [
    ("initial", include_str!("../../migrations/0001_initial.sql")),
    ("session keys", include_str!("../../migrations/0002_session_keys.sql")),
    ("custodians", include_str!("../../migrations/0003_custodians.sql")),
    ("webhooks", include_str!("../../migrations/0004_webhooks.sql")),
    ("audit", include_str!("../../migrations/0005_audit.sql")),
    ("keys", include_str!("../../migrations/0006_keys.sql")),
    ("enclave", include_str!("../../migrations/0007_enclave.sql")),
    ("changes of keys", include_str!("../../migrations/0008_changes_of_keys.sql")),
];

fn migration(number: i64, name: &'static str, sql: &'static str) -> Migration {
    let (sql, name) = (SqlStr::from_static(sql), Cow::Borrowed(name));
    Migration::new(number, name, MigrationType::Simple, sql, false)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use backup_core::ClientId;

    use super::*;
    use crate::{
        api_key::{ApiKey, Audience},
        effects::Nobody,
        store::Store,
    };

    /// A database as the first release left it, with a client and a session token of its.
    async fn of_the_first_release(path: &std::path::Path, token: &ApiKey) {
        let options = crate::store::options(path).create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let first = migrator().migrations.iter().take(1).cloned().collect();
        Migrator { migrations: Cow::Owned(first), ..Migrator::DEFAULT }.run(&pool).await.unwrap();
        for sql in [
            "INSERT INTO custodians (id, created_at) VALUES ('acme', 1)",
            "INSERT INTO clients (id, custodian_id, is_account_abstracted, created_at) \
             VALUES ('alice', 'acme', FALSE, 1)",
            "INSERT INTO backup_sets \
             (client_id, id, number, method, completion, device_key, created_at) \
             VALUES ('alice', 'backup', 1, 'GDRIVE', 'NOTICE', x'00', 1)",
            "INSERT INTO backup_pairs \
             (id, client_id, backup_id, curve, public_key, stage, sealed_share) \
             VALUES ('pair', 'alice', 'backup', 'ED25519', x'01', 'STAGE', x'02')",
        ] {
            sqlx::query(sql).execute(&pool).await.unwrap();
        }
        sqlx::query("INSERT INTO session_tokens VALUES ($1, 'alice', 1, 1)")
            .bind(token.hash().as_bytes().as_slice())
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
    }

    #[tokio::test]
    async fn a_database_of_the_first_release_is_brought_up_to_date_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.db");
        let token = ApiKey::generate(Audience::Session).unwrap();
        of_the_first_release(&path, &token).await;
        let store = Store::open(&path, Arc::new(Nobody)).await.unwrap();
        let mut view = store.read().await.unwrap();
        let kept = view.session_token(&token.hash()).await.unwrap().unwrap();
        assert_eq!((kept.client.client.as_str(), kept.life.key_ends_at), ("alice", None));
        let (acme, alice) = (kept.client.custodian, ClientId::new("alice").unwrap());
        let client = view.client(&acme, &alice).await.unwrap().unwrap();
        assert_eq!(client.custodian_name, None);
        let sql = "SELECT * FROM backup_pairs WHERE client_id = 'alice' AND backup_id = 'backup'";
        let pair = sqlx::query(sql).fetch_one(&store.pool).await.unwrap();
        let text = ["id", "curve", "stage"].map(|column| pair.get::<String, _>(column));
        assert_eq!(text, ["pair", "ED25519", "STAGE"]);
        let bytes = ["public_key", "sealed_share"].map(|column| pair.get::<Vec<u8>, _>(column));
        assert_eq!(bytes, [[1], [2]]);
        assert_eq!(pair.get::<Option<Vec<u8>>, _>("share_sha256"), None);
        assert_eq!(applied(&store.pool).await.unwrap(), known());
    }
}
