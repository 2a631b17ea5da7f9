//! What the user has been told so far, and what of it cannot be true.

use super::{
    device::Act,
    scenario::Step,
    told::{Told, Wallets},
};

/// A backup that the user believes in.
#[derive(Clone, Debug)]
pub struct Promise {
    /// The method.
    pub method: String,
    /// The set.
    pub backup: String,
    /// What the user would type.
    pub secrets: Vec<String>,
}

/// What the user believes.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The wallet, once the user was told of it.
    pub wallets: Option<Wallets>,
    /// The device that signs.
    pub live: Option<String>,
    /// The completed backups.
    pub backups: Vec<Promise>,
    /// The sets of which the user was told that they are given up.
    pub abandoned: Vec<String>,
    /// The methods whose backups are destroyed.
    pub revoked: Vec<String>,
    /// What cannot be true.
    pub false_words: Vec<String>,
}

impl Ledger {
    /// The user was told this during `step`.
    pub fn hear(&mut self, step: &Step, told: &[Told]) {
        told.iter().for_each(|told| self.hear_one(step, told));
    }

    /// Whether the operation of this step was told to be done.
    #[must_use]
    pub fn is_done(step: &Step, told: &[Told]) -> bool {
        let is_of_it = |told: &Told| {
            matches!(
                (&step.act, told),
                (Act::Join, Told::Joined)
                    | (Act::Create, Told::Created { .. })
                    | (Act::BackUp { .. }, Told::BackedUp { .. })
                    | (Act::BackUpByNotice { .. }, Told::BackedUpByNotice { .. })
                    | (Act::AllowEject, Told::EjectAllowed)
                    | (Act::Eject { .. }, Told::Ejected { .. })
                    | (Act::Recover { .. }, Told::Recovered { .. })
                    | (Act::Revoke { .. }, Told::Revoked { .. })
                    | (Act::Sign, Told::Signed { .. })
                    | (Act::Finish, Told::Finished)
                    | (Act::Status, Told::Status(_))
            )
        };
        told.iter().any(is_of_it)
    }

    fn hear_one(&mut self, step: &Step, told: &Told) {
        match told {
            Told::Created { wallets } => {
                self.is_wallet(wallets);
                self.live = Some(step.device.to_owned());
            }
            Told::Recovered { wallets, .. } => {
                self.is_wallet(wallets);
                self.live = Some(step.device.to_owned());
            }
            Told::BackedUp { method, backup, proved } => {
                self.promise(step, method, backup);
                if !proved {
                    self.doubt(step, "a backup that was tried out is not proved");
                }
            }
            Told::BackedUpByNotice { method, backup } => self.promise(step, method, backup),
            Told::Ejected { wallets } => self.is_wallet(wallets),
            Told::Revoked { method } => self.revoked(method),
            Told::Notice { kind, backup, method, text } => {
                self.notice(step, kind, (method.as_deref(), backup.as_deref()), text);
            }
            Told::Failed { kind, text } if !can_fail(kind) => {
                self.doubt(step, &format!("failed with {kind}: {text}"));
            }
            _ => {}
        }
    }

    /// The devices and the service are honest, and nobody steps in between.
    fn notice(&mut self, step: &Step, kind: &str, set: (Option<&str>, Option<&str>), text: &str) {
        match (kind, set) {
            ("BackupFinished", (Some(method), Some(backup))) => self.promise(step, method, backup),
            ("BackupAbandoned", (_, Some(backup))) => self.abandoned.push(backup.to_owned()),
            ("RevocationFinished", (Some(method), _)) => self.revoked(method),
            ("WalletLive", _) => self.live = Some(step.device.to_owned()),
            ("RolledBack" | "BackupUnusable" | "Frozen" | "NotRemoved", _) => {
                self.doubt(step, &format!("{kind}: {text}"));
            }
            _ => {}
        }
    }

    fn is_wallet(&mut self, wallets: &Wallets) {
        match &self.wallets {
            Some(known) if known != wallets => {
                self.false_words.push("the wallet has other keys than before".to_owned());
            }
            _ => self.wallets = Some(wallets.clone()),
        }
    }

    fn promise(&mut self, step: &Step, method: &str, backup: &str) {
        if self.backups.iter().any(|promise| promise.backup == backup) {
            return;
        }
        let all = step.secrets.iter().cloned();
        // A new secret counts from when the user is told so; until then either may.
        let secrets =
            if let Act::BackUp { .. } = step.act { all.take(1).collect() } else { all.collect() };
        let (method, backup) = (method.to_owned(), backup.to_owned());
        self.backups.push(Promise { method, backup, secrets });
    }

    fn revoked(&mut self, method: &str) {
        self.backups.retain(|promise| promise.method != method);
        self.revoked.push(method.to_owned());
    }

    fn doubt(&mut self, step: &Step, words: &str) {
        self.false_words.push(format!("{} was told: {words}", step.device));
    }
}

/// What an honest service that dies, and comes back, may be the reason of.
fn can_fail(kind: &str) -> bool {
    matches!(kind, "Service" | "Unreachable" | "NotLive" | "NoWallet" | "WalletExists" | "NoBackup")
}
