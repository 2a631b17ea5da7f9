//! `portal serve`: the service, on a folder.

use std::{
    future, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use portal_server::{Options, Server};
use serde_json::json;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    duration,
    failure::{Failure, Kind},
    output::{Answer, Output},
    signals::Signals,
};

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// The folder of the service's database and keys; made if it is not there
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// How long a backup is kept after newer ones that work have taken its place
    ///
    /// A number and a unit: 30d, 12h, 90m, 60s. Longer than the time within which you may have to
    /// restore the folder from a copy.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration::parse)]
    grace: Duration,
    /// Whether the service keeps the ciphertexts of backups that apps make by Portal's own routes
    ///
    /// What was said last stays; it does as long as nothing is said. With `false` the apps keep
    /// them, and complete a backup by telling so. Other backups are not concerned.
    #[arg(long, value_name = "BOOL")]
    backup_with_portal: Option<bool>,
    /// End when standard input does: whoever started this is gone then
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

pub(crate) async fn run(serve: Serve, output: Output, mut signals: Signals) -> Result<(), Failure> {
    log_to_stderr()?;
    let mut options = Options::new(&serve.data);
    (options.listen, options.grace) = (serve.listen, serve.grace);
    options.backup_with_portal = serve.backup_with_portal;
    let running = Server::start(options).await?;
    output.ready(&ready(running.address(), &serve.data));
    tokio::select! {
        () = signals.asked_to_end() => {}
        () = stdin_closes(serve.until_stdin_closes) => {}
    }
    running.shutdown().await;
    Ok(())
}

fn ready(address: SocketAddr, data: &Path) -> Answer {
    let url = format!("http://{address}");
    let key_file = data.join(CUSTODIAN_KEY);
    Answer {
        text: format!("Ready at {url}; the custodian's key is in {}", key_file.display()),
        json: json!({ "url": url, "custodianKeyFile": key_file }),
    }
}

/// The name under which the service keeps the key of its first custodian.
const CUSTODIAN_KEY: &str = "custodian.key";

/// Returns when standard input ends, or fails; never, unless it is to be watched.
async fn stdin_closes(is_watched: bool) {
    if !is_watched {
        return future::pending().await;
    }
    let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
}

/// Libraries are heard only if they are named.
fn log_to_stderr() -> Result<(), Failure> {
    let wanted = std::env::var("PORTAL_LOG").unwrap_or_default();
    let wanted = if wanted.is_empty() { "info" } else { &wanted };
    let targets: Targets = format!("{QUIET},{wanted}").parse().map_err(|error| {
        Failure::new(Kind::Usage, format!("PORTAL_LOG: {error}; try PORTAL_LOG=debug"))
    })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    tracing_subscriber::registry().with(lines).with(targets).init();
    Ok(())
}

const QUIET: &str = "h2=warn,hyper=warn,hyper_util=warn,sqlx=warn,tower=warn";
