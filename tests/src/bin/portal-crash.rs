//! Kills devices and services between any two of their effects, and counts the wallets lost.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use portal_tests::crash::{
    campaign::Campaign,
    custodian::{self, Custodian},
    device::{self, Device},
    service::{self, Service},
};

/// "No crash loses a wallet": `docs/crash.md`
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Try every point of every scenario, or some of them
    Sweep(Campaign),
    /// Be a device
    Device(Device),
    /// Be the service
    Service(Service),
    /// Be a custodian that keeps its halves itself
    Custodian(Custodian),
}

fn main() -> ExitCode {
    match run(Cli::parse().role) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(role: Role) -> Result<bool> {
    match role {
        Role::Sweep(campaign) => Ok(campaign.run()?.is_fine()),
        Role::Device(device) => device::run(&device).map(|()| true),
        Role::Service(service) => service::run(&service).map(|()| true),
        Role::Custodian(custodian) => custodian::run(&custodian).map(|()| true),
    }
}
