//! The service, as it runs elsewhere, with an observer that can end it.

use std::{
    future,
    io::{self, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process,
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Result;
use clap::Args;
use portal_server::{
    Options, Server,
    clock::{Clock, SystemClock},
    effects::Effect as ServerEffect,
};
use sqlx::{
    Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

use super::{
    provider::Key,
    recorder::{Death, Effect, Recorder},
};

/// A service. It dies when its standard input is closed, and so with whoever started it.
#[derive(Args, Debug)]
pub struct Service {
    /// Its data folder.
    #[arg(long)]
    folder: PathBuf,
    /// Where it listens.
    #[arg(long)]
    listen: SocketAddr,
    /// How many seconds its clock is ahead.
    #[arg(long, default_value_t = 0)]
    later: u64,
    /// Where effects are written down.
    #[arg(long)]
    log: PathBuf,
    /// Die before the effect of this number.
    #[arg(long)]
    die_at: Option<usize>,
    /// Where the custodian is that keeps its halves itself.
    #[arg(long)]
    webhook: Option<String>,
    #[command(flatten)]
    key: Key,
}

/// Serves until it is killed; prints where it listens.
///
/// # Errors
///
/// If it cannot be started.
pub fn run(service: &Service) -> Result<()> {
    thread::spawn(die_with_input);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        if let Some(webhook) = &service.webhook {
            move_webhook(&service.folder, webhook).await?;
        }
        let running = Server::start(service.options()?).await?;
        println!("{}", running.address());
        future::pending::<()>().await;
        Ok(())
    })
}

impl Service {
    fn options(&self) -> Result<Options> {
        let death = self.die_at.map(|at| Death { at, torn: false });
        let recorder = Recorder::new(&self.log, death)?;
        let mut options = Options::new(&self.folder);
        options.listen = self.listen;
        options.keys = self.key.ring()?;
        options.backup_with_portal = self.webhook.as_ref().map(|_| false);
        options.webhooks.plain_http = true;
        options.webhooks.private_addresses = true;
        options.clock = Arc::new(Ahead(self.later));
        // Maintenance runs at the start, and then no more: when it runs is not left to chance.
        options.maintenance_interval = Duration::from_secs(24 * 60 * 60);
        options.observer = Arc::new(move |effect: ServerEffect| {
            // Nothing more can be found out without the log.
            recorder.before(&Effect::Other(named(effect))).unwrap_or_else(|_| process::abort());
        });
        Ok(options)
    }
}

/// The custodian is where it was, as far as the service knows: worlds are copied, ports are not.
async fn move_webhook(folder: &Path, webhook: &str) -> Result<()> {
    let database = folder.join("portal.db");
    if !database.is_file() {
        return Ok(());
    }
    let options =
        SqliteConnectOptions::new().filename(database).synchronous(SqliteSynchronous::Full);
    let mut database = SqliteConnection::connect_with(&options).await?;
    let moved = sqlx::query("UPDATE webhooks SET url = $1 WHERE url <> $1").bind(webhook);
    match moved.execute(&mut database).await {
        // The service died before it made its tables.
        Err(sqlx::Error::Database(_)) => {}
        done => {
            done?;
        }
    }
    Ok(database.close().await?)
}

/// The system's clock, so many seconds later.
#[derive(Debug)]
struct Ahead(u64);

impl Clock for Ahead {
    fn now(&self) -> u64 {
        SystemClock.now() + self.0
    }
}

fn named(effect: ServerEffect) -> String {
    match effect {
        ServerEffect::File { name } => format!("file {name}"),
        ServerEffect::Commit => "commit".to_owned(),
        ServerEffect::Committed => "committed".to_owned(),
        ServerEffect::Reply { status } => format!("reply {status}"),
        other => format!("{other:?}"),
    }
}

pub(super) fn die_with_input() {
    // Closed or broken: either way nobody is there any more.
    let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
    process::abort();
}
