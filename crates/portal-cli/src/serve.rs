//! `portal serve`: the service, on a folder.

use std::{
    future, io, mem,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use portal_server::{Running, Server};
use serde_json::json;
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::{
    failure::Failure,
    output::{Answer, Output},
    settings::{Flags, LogFormat, Settings},
    signals::Signals,
};

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// The file of settings; without one, that of PORTAL_SERVE_CONFIG, if any
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    /// End when standard input does: whoever started this is gone then
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

pub(crate) async fn run(serve: Serve, output: Output, mut signals: Signals) -> Result<(), Failure> {
    let mut settings = Settings::read(serve.config, &serve.flags)?;
    log_to_stderr(mem::take(&mut settings.log), settings.log_format);
    leave_no_core_dump();
    let keys = settings.ring()?;
    let mut options = settings.options;
    options.keys = keys;
    let data = options.folder.clone();
    let running = Server::start(options).await?;
    output.ready(&ready(&running, &data));
    tokio::select! {
        () = signals.asked_to_end() => {}
        () = stdin_closes(serve.until_stdin_closes) => {}
    }
    running.shutdown().await;
    Ok(())
}

fn ready(running: &Running, data: &Path) -> Answer {
    let url = |address: SocketAddr| format!("http://{address}");
    let (service, metrics) = (url(running.address()), running.metrics_address().map(url));
    let enclave = running.enclave_address().map(url);
    let key_file = data.join(CUSTODIAN_KEY);
    let told = metrics.as_ref().map(|url| format!("; metrics are at {url}/metrics"));
    let enclaves = enclave.as_ref().map(|url| format!("; the passkey enclave is at {url}"));
    Answer {
        text: format!(
            "Ready at {service}; the custodian's key is in {}{}{}",
            key_file.display(),
            told.unwrap_or_default(),
            enclaves.unwrap_or_default()
        ),
        json: json!({
            "url": service,
            "metricsUrl": metrics,
            "enclaveUrl": enclave,
            "custodianKeyFile": key_file.to_string_lossy(),
        }),
    }
}

/// What this process holds in memory is in no file, whatever ends it.
fn leave_no_core_dump() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};

        let nothing = Rlimit { current: Some(0), maximum: Some(0) };
        if let Err(error) = setrlimit(Resource::Core, nothing) {
            tracing::warn!(%error, "core dumps cannot be turned off");
        }
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

fn log_to_stderr(targets: Targets, format: LogFormat) {
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines).with(targets).init();
}
