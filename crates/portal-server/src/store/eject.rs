//! Wallets that may be ejected, and the custodian's halves that were released for it.

use backup_core::{ClientId, SharePairId};
use sqlx::Row;

use super::{Snapshot, StoreError, Write, columns};

/// Until when a wallet may be ejected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EjectWindow {
    /// The wallet.
    pub wallet: String,
    /// Until then (seconds since 1970).
    pub until: u64,
}

/// To whom a custodian's half is released.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Audience {
    /// A client, who has proved that it holds the other half.
    Client,
    /// The custodian.
    Custodian,
}

impl Snapshot {
    /// The wallets of a client that its custodian has ever let it eject, and until when.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn eject_windows(
        &mut self,
        client: &ClientId,
    ) -> Result<Vec<EjectWindow>, StoreError> {
        let sql = "SELECT wallet_id, until FROM eject_windows WHERE client_id = $1";
        let rows = sqlx::query(sql).bind(client.as_str()).fetch_all(self.connection()).await?;
        let windows = rows.iter().map(|row| {
            let until = columns::from_column(row.try_get("until")?)?;
            Ok(EjectWindow { wallet: row.try_get("wallet_id")?, until })
        });
        windows.collect()
    }

    /// When a custodian's half of this client was first released: since then its private keys may
    /// be in one place.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn first_release(&mut self, client: &ClientId) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT MIN(released_at) AS first FROM releases WHERE client_id = $1";
        let row = sqlx::query(sql).bind(client.as_str()).fetch_one(self.connection()).await?;
        columns::from_column_option(row.try_get("first")?)
    }
}

impl Write {
    /// Lets a client eject a wallet for a while, in place of what was allowed before.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn set_eject_window(
        &mut self,
        client: &ClientId,
        window: &EjectWindow,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO eject_windows (client_id, wallet_id, until) VALUES ($1, $2, $3) \
                   ON CONFLICT (client_id, wallet_id) DO UPDATE SET until = excluded.until";
        sqlx::query(sql)
            .bind(client.as_str())
            .bind(&window.wallet)
            .bind(columns::to_column(window.until))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes that a custodian's half is about to be released.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn note_release(
        &mut self,
        client: &ClientId,
        wallet: &str,
        pair: &SharePairId,
        audience: Audience,
        now: u64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO releases (client_id, wallet_id, pair_id, audience, released_at) \
                   VALUES ($1, $2, $3, $4, $5)";
        sqlx::query(sql)
            .bind(client.as_str())
            .bind(wallet)
            .bind(pair.as_str())
            .bind(audience.as_str())
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

impl Audience {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "CLIENT",
            Self::Custodian => "CUSTODIAN",
        }
    }
}
