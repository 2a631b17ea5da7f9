//! `portal admin custody`: the keys that shares are sealed under.

use std::path::PathBuf;

use backup_core::KeyEncryption as _;
use clap::{Args, Subcommand};
use portal_keys::{KeyFile, KeyRing};
use portal_server::admin::{Admin, Rewrapped, Unopened, Verified};
use serde_json::{Value, json};

use super::vacant;
use crate::{
    failure::{Failure, Kind, exit_codes},
    output::{Answer, Output},
    progress::Count,
    settings::{Flags, Settings},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a key in a file of its own
    ///
    /// It is used once the settings of the service name it. Keep a copy of the file, apart from
    /// those of the database: whoever loses it loses what is sealed under it alone.
    #[command(after_help = concat!(
        "Example:\n  portal admin custody make-key second.key\n\n", exit_codes!()
    ))]
    MakeKey(MakeKey),
    /// Opens everything that is sealed, by each of its keys, and lists what does not open
    ///
    /// The service may run. Nothing is changed; the audit says which halves were opened.
    #[command(after_help = concat!(
        "Example:\n  portal admin custody verify --config portal.toml\n\n", exit_codes!()
    ))]
    Verify(Settled),
    /// Moves everything that is sealed to the active keys of the settings
    ///
    /// First start the service with these settings: it may run, and serve, while this does its
    /// work. Shares are not touched, only what their keys are wrapped in. Ended at any point, it is
    /// continued by running it again. When it is done, keys that it names can be left out of the
    /// settings.
    #[command(after_help = concat!(
        "Example:\n  portal admin custody rewrap --config portal.toml\n\n", exit_codes!()
    ))]
    Rewrap(Settled),
}

#[derive(Args, Debug)]
pub(crate) struct MakeKey {
    /// The file; there must be none
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Settled {
    /// The file of the service's settings; without one, that of PORTAL_SERVE_CONFIG, if any
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the service, if the settings do not say
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
}

pub(super) async fn run(command: Command, output: Output) -> Result<Answer, Failure> {
    match command {
        Command::MakeKey(make) => make_key(&make),
        Command::Verify(settled) => verify(settled, output).await,
        Command::Rewrap(settled) => rewrap(settled, output).await,
    }
}

impl Settled {
    async fn open(self) -> Result<(Admin, KeyRing), Failure> {
        let settings = Settings::read(self.config, &Flags::with_data(self.data))?;
        let admin = Admin::open(&settings.options.folder).await?;
        Ok((admin, settings.ring_of_the_service()?))
    }
}

fn make_key(make: &MakeKey) -> Result<Answer, Failure> {
    let path = vacant(&make.file)?;
    let key = KeyFile::create(&path).map_err(backup_core::Error::from)?;
    Ok(Answer {
        text: format!("Key       {}\nKey file  {}", key.key_id(), path.display()),
        json: json!({ "key": key.key_id(), "keyFile": path.to_string_lossy() }),
    })
}

async fn verify(settled: Settled, output: Output) -> Result<Answer, Failure> {
    let (admin, ring) = settled.open().await?;
    let count = Count::new(output, "looked at");
    let Verified { total, unopened } = admin.verify_sealed(&ring, |n, of| count.at(n, of)).await?;
    drop(count);
    if unopened.is_empty() {
        let text = format!("All {total} open, by each of their keys.");
        return Ok(Answer { text, json: json!({ "total": total, "unopened": [] }) });
    }
    let what = "do not open; restore the keys that are named, or rewrap while another one opens";
    Err(refusal(&unopened, what, json!({ "total": total })))
}

async fn rewrap(settled: Settled, output: Output) -> Result<Answer, Failure> {
    let (admin, ring) = settled.open().await?;
    let count = Count::new(output, "wrapped");
    let done = admin.rewrap(&ring, |n, of| count.at(n, of)).await?;
    drop(count);
    let Rewrapped { total, rewrapped, unopened, forgotten } = done;
    let json = json!({ "total": total, "rewrapped": rewrapped, "unneededKeys": forgotten });
    if !unopened.is_empty() {
        let what = "do not open, and stay as they were; restore a key that opens them";
        return Err(refusal(&unopened, what, json));
    }
    let mut text = format!("All {total} are under the active keys; {rewrapped} were not before.");
    for key in &forgotten {
        text += &format!("\nNothing is under {key} any more: leave it out of the settings.");
    }
    Ok(Answer { text, json })
}

/// Names every one of them.
fn refusal(unopened: &[Unopened], what: &str, json: Value) -> Failure {
    let lines: Vec<_> = unopened.iter().map(line).collect();
    let message = format!("{} {what}:\n  {}", unopened.len(), lines.join("\n  "));
    let values: Vec<_> = unopened.iter().map(value).collect();
    let failure = Failure::new(Kind::Damaged, message);
    failure.with_details(json).with_details(json!({ "unopened": values }))
}

fn line(unopened: &Unopened) -> String {
    let Unopened { place, id, custodian, client, reason, .. } = unopened;
    let client = client.as_ref().map(|client| format!(", client {client}")).unwrap_or_default();
    format!("{} {id} (custodian {custodian}{client}): {reason}", place.as_str())
}

fn value(unopened: &Unopened) -> Value {
    json!({
        "what": unopened.place.as_str(),
        "id": unopened.id,
        "custodian": unopened.custodian,
        "client": unopened.client,
        "key": unopened.key_id,
        "reason": unopened.reason,
    })
}
