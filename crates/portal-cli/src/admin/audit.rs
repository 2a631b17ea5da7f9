//! `portal admin audit`: whether the record of every access to a custodian's half is whole.

use std::{
    io::{BufWriter, Write},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use portal_server::audit::{AuditHead, AuditRecord};
use serde_json::{Value, json};

use super::{DataFolder, vacant};
use crate::{
    durable::Draft,
    failure::{Failure, exit_codes},
    output::Answer,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sees whether a record was changed, added or removed
    ///
    /// It shows where the audit ends: keep that where the service cannot write, and give it back
    /// with --known the next time. Without it, nobody sees that the last records are missing.
    #[command(after_help = concat!(
        "Examples:\n  portal admin audit verify --data portal-data\n  \
         portal admin audit verify --data portal-data --known 5120:9f86d0…\n\n",
        exit_codes!()
    ))]
    Verify(Verify),
    /// Writes all records to a file, one JSON object a line, and verifies them on the way
    #[command(after_help = concat!(
        "Example:\n  portal admin audit export --data portal-data --file audit.jsonl\n\n",
        exit_codes!()
    ))]
    Export(Export),
}

#[derive(Args, Debug)]
pub(crate) struct Audit {
    #[command(flatten)]
    at: DataFolder,
    /// Where the audit ended when it was verified before
    #[arg(long, value_name = "END")]
    known: Option<AuditHead>,
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    #[command(flatten)]
    audit: Audit,
}

#[derive(Args, Debug)]
pub(crate) struct Export {
    #[command(flatten)]
    audit: Audit,
    /// The file to write; there must be none
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

pub(super) async fn run(command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Verify(Verify { audit }) => verify(audit).await,
        Command::Export(export) => write_out(export).await,
    }
}

async fn verify(Audit { at, known }: Audit) -> Result<Answer, Failure> {
    let head = at.open().await?.audit(known, |_| Ok(())).await?;
    Ok(Answer {
        text: format!("{}\nEnd      {head}", whole(head)),
        json: json!({ "records": head.number, "end": head.to_string() }),
    })
}

async fn write_out(Export { audit, file }: Export) -> Result<Answer, Failure> {
    let path = vacant(&file)?;
    let admin = audit.at.open().await?;
    let mut out = BufWriter::new(Draft::begin(path.clone())?);
    let head = admin.audit(audit.known, |record| writeln!(out, "{}", line(record))).await?;
    let draft = out.into_inner().map_err(|error| {
        let error = error.into_error();
        Failure::of_file("write", &path, &error)
    })?;
    draft.finish()?;
    Ok(Answer {
        text: format!("{}\nEnd      {head}\nFile     {}", whole(head), path.display()),
        json: json!({
            "records": head.number,
            "end": head.to_string(),
            "file": path.to_string_lossy(),
        }),
    })
}

fn whole(AuditHead { number, .. }: AuditHead) -> String {
    format!("Records  {number}, as they were written")
}

fn line(record: &AuditRecord) -> Value {
    let AuditRecord { number, at, access, custodian, client, pair, hash } = record;
    json!({
        "number": number,
        "at": at,
        "access": access.as_str(),
        "custodian": custodian.as_str(),
        "client": client.as_str(),
        "pair": pair,
        "hash": base16ct::lower::encode_string(hash),
    })
}
