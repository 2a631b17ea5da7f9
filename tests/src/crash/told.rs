//! What the user is told, one line of JSON each: it counts as far as it was printed.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// The public keys of wallets, in hex, by curve.
pub type Wallets = BTreeMap<String, String>;

/// Signatures, in hex, by curve.
pub type Signatures = BTreeMap<String, String>;

/// Something that the user was told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "told", rename_all = "camelCase")]
pub enum Told {
    /// The device belongs to a client now.
    Joined,
    /// There is a wallet.
    Created {
        /// It.
        wallets: Wallets,
    },
    /// A backup is complete.
    BackedUp {
        /// The method that opens it.
        method: String,
        /// The set.
        backup: String,
        /// Whether it is known to work.
        proved: bool,
    },
    /// A backup is complete by the word of its app. Whether it works is not known.
    BackedUpByNotice {
        /// The method that opens it.
        method: String,
        /// The set.
        backup: String,
    },
    /// The custodian lets the wallets be ejected.
    EjectAllowed,
    /// The private keys are in one place.
    Ejected {
        /// What they are the keys of.
        wallets: Wallets,
    },
    /// The wallet is back.
    Recovered {
        /// It.
        wallets: Wallets,
        /// From which set.
        backup: String,
    },
    /// The backups of a method are destroyed.
    Revoked {
        /// The method.
        method: String,
    },
    /// A signature was made.
    Signed {
        /// The signatures over what every device signs here, in hex, by curve.
        signatures: Signatures,
    },
    /// Nothing is left to finish.
    Finished,
    /// Something happened besides.
    Notice {
        /// Its kind.
        kind: String,
        /// The set that it is about, if it is about one.
        backup: Option<String>,
        /// The method that it is about, if it is about one.
        method: Option<String>,
        /// What the user reads.
        text: String,
    },
    /// Where the client stands.
    Status(Status),
    /// It failed.
    Failed {
        /// The kind of the error.
        kind: String,
        /// What the user reads.
        text: String,
    },
}

/// Where a client stands, as a device sees it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The wallets on this device.
    pub wallets: Option<Wallets>,
    /// The wallets that the service names.
    pub at_service: Option<Wallets>,
    /// Whether this device signs.
    pub live: bool,
    /// The completed backups, newest first.
    pub completed: Vec<Completed>,
}

/// A completed backup.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Completed {
    /// The set.
    pub backup: String,
    /// The method that opens it.
    pub method: String,
}

impl Told {
    /// Tells the user, and returns when it has been told.
    ///
    /// # Errors
    ///
    /// If it cannot be printed.
    pub fn say(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(self)?)?;
        out.flush()
    }

    /// What was told, from what was printed.
    ///
    /// # Errors
    ///
    /// If something else was printed.
    pub fn heard(printed: &str) -> Result<Vec<Self>> {
        let lines = printed.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        Ok(lines.map(serde_json::from_str).collect::<Result<_, _>>()?)
    }
}
