//! The invariant: what was told is true, the wallet signs, every completed backup recovers it.

use std::{collections::BTreeSet, net::SocketAddr, path::Path};

use anyhow::{Context as _, Result};
use k256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::{Digest as _, Sha256};

use super::{
    device::{Act, SIGNED},
    folder_store::FolderStore,
    ledger::Ledger,
    scenario::Step,
    site::Site,
    told::{Completed, Signatures, Status, Told, Wallets},
    world,
};

/// What is wrong with a world.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Why a wallet is lost.
    pub lost: Vec<String>,
    /// What the user was told and is not true.
    pub false_words: Vec<String>,
    /// What the user cannot go on with, or what nobody clears away.
    pub stuck: Vec<String>,
}

impl Verdict {
    /// Whether everything is right.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.lost.is_empty() && self.false_words.is_empty() && self.stuck.is_empty()
    }
}

/// Restarts everything, lets every device finish, and looks what is wrong.
///
/// # Errors
///
/// If a program fails in a way that no user is told of.
pub fn check(site: &Site<'_>, ledger: &Ledger, scratch: &Path) -> Result<Verdict> {
    let mut check = Check { site, ledger: ledger.clone(), verdict: Verdict::default() };
    let statuses = match check.settle() {
        Ok(statuses) => statuses,
        Err(error) => {
            check.lost(format!("{error:#}"));
            return Ok(check.verdict);
        }
    };
    check.words(&statuses);
    check.litter(&statuses)?;
    check.backups(&statuses, scratch)?;
    check.backs_up_instead(&statuses, scratch)?;
    check.goes_on(&statuses)?;
    check.verdict.false_words.extend(check.ledger.false_words);
    check.verdict.false_words.sort();
    check.verdict.false_words.dedup();
    Ok(check.verdict)
}

struct Check<'a> {
    site: &'a Site<'a>,
    ledger: Ledger,
    verdict: Verdict,
}

/// A device, and where it says that the client stands.
type Statuses = Vec<(&'static str, Status)>;

impl Check<'_> {
    /// Every device finishes what was interrupted. Where the client stands then, device by device.
    fn settle(&mut self) -> Result<Statuses> {
        let (service, at) = self.site.serve()?;
        if !self.site.world.client().exists() {
            service.kill()?;
            return Ok(Statuses::new());
        }
        let devices = self.site.scenario.devices();
        for device in &devices {
            self.take(&self.step(device, Act::Finish), at)?;
        }
        let mut statuses = Statuses::new();
        for device in devices {
            statuses.push((device, self.status(device, at)?));
        }
        if let Some((device, status)) = statuses.iter().find(|(_, status)| status.live) {
            self.signs(device, status.wallets.as_ref(), at)?;
        }
        service.kill()?;
        Ok(statuses)
    }

    /// What the user was told agrees with where the client stands.
    fn words(&mut self, statuses: &Statuses) {
        let live: Vec<_> = statuses.iter().filter(|(_, status)| status.live).collect();
        let at_service = statuses.iter().find_map(|(_, status)| status.at_service.as_ref());
        if live.len() > 1 {
            self.verdict.false_words.push("two devices believe that they sign".to_owned());
        }
        let Some(wallets) = self.ledger.wallets.clone() else { return };
        match live.first() {
            None => self.lost("the wallet is on no device any more".to_owned()),
            Some((_, status)) if status.wallets.as_ref() != Some(&wallets) => {
                self.lost("the device that signs has another wallet than was told".to_owned());
            }
            Some((device, _)) => self.signs_where_told(device),
        }
        if at_service != Some(&wallets) {
            self.lost("the service has another wallet than was told".to_owned());
        }
        for (device, status) in statuses {
            if status.wallets.as_ref().is_some_and(|own| *own != wallets) {
                self.verdict.false_words.push(format!("{device} shows another wallet"));
            }
        }
    }

    /// A recovery that was told moves the wallet; another one may have.
    fn signs_where_told(&mut self, device: &str) {
        let operation = &self.site.scenario.operation;
        let may_move = matches!(operation.act, Act::Recover { .. }) && operation.device == device;
        if self.ledger.live.as_deref().is_some_and(|told| told != device) && !may_move {
            self.verdict
                .false_words
                .push(format!("{device} signs, and the user was told otherwise"));
        }
    }

    /// Every backup of which the user was told is there, and every one that is there recovers.
    fn backups(&mut self, statuses: &Statuses, scratch: &Path) -> Result<()> {
        let completed: Vec<_> = statuses.iter().flat_map(|(_, status)| &status.completed).collect();
        let there: BTreeSet<_> = completed.iter().map(|set| set.backup.as_str()).collect();
        for promise in self.ledger.backups.clone() {
            if !there.contains(promise.backup.as_str()) && !self.may_go(&promise.backup) {
                self.lost(format!("the {} backup {} is gone", promise.method, promise.backup));
            }
        }
        for backup in self.ledger.abandoned.iter().filter(|set| there.contains(set.as_str())) {
            let words = format!("{backup} was told to be given up, and is completed");
            self.verdict.false_words.push(words);
        }
        for set in completed.iter().filter(|set| self.ledger.revoked.contains(&set.method)) {
            let words = format!("{} was told to be destroyed, and is there", set.backup);
            self.verdict.false_words.push(words);
        }
        let Some((_, status)) = statuses.iter().find(|(_, status)| !status.completed.is_empty())
        else {
            return Ok(());
        };
        let elsewhere = self.site.copy_to(scratch)?;
        let (service, at) = elsewhere.serve()?;
        for (number, set) in status.completed.iter().enumerate() {
            self.recovers(&elsewhere, set, NEW_DEVICES[number % NEW_DEVICES.len()], at)?;
        }
        service.kill()
    }

    /// The storing method keeps no key that no backup can need.
    fn litter(&mut self, statuses: &Statuses) -> Result<()> {
        let stored = FolderStore::method_id().to_string();
        let of_method =
            |status: &Status| status.completed.iter().filter(|set| set.method == stored).count();
        let completed = statuses.iter().map(|(_, status)| of_method(status)).max().unwrap_or(0);
        // A commit that fails by its custodian is left as it is, and so is its key.
        let left = usize::from(self.site.lab.custodian.is_some());
        let needed = completed + left;
        let files = world::files(&self.site.world.keys())?;
        let keys = files.keys().filter(|name| !name.contains('.')).count();
        if keys > needed {
            let words = format!("{keys} keys are kept for {needed} backups");
            self.verdict.stuck.push(words);
        }
        Ok(())
    }

    /// Whether a backup of which the user was told may be gone by now.
    fn may_go(&self, backup: &str) -> bool {
        let scenario = self.site.scenario;
        let Some(promise) = self.ledger.backups.iter().find(|promise| promise.backup == backup)
        else {
            return false;
        };
        let mut same = self.ledger.backups.iter().filter(|other| other.method == promise.method);
        let is_superseded = same.next_back().is_some_and(|last| last.backup != backup);
        match &scenario.operation.act {
            Act::Revoke { method } => *method == promise.method,
            _ => scenario.after_grace && is_superseded,
        }
    }

    /// A fresh device recovers the wallet from this set, with what the user believes opens it.
    fn recovers(
        &mut self,
        elsewhere: &Site<'_>,
        set: &Completed,
        device: &'static str,
        at: SocketAddr,
    ) -> Result<()> {
        let promised = self.ledger.backups.iter().find(|promise| promise.backup == set.backup);
        let all = || ["second", "first"].map(ToOwned::to_owned).into();
        let secrets = promised.map_or_else(all, |promise| promise.secrets.clone());
        let act = Act::Recover { method: set.method.clone(), backup: Some(set.backup.clone()) };
        let step = Step { device, act, secrets };
        let told = elsewhere.take(&step, at, None)?.told;
        let recovered = told.iter().find_map(|told| match told {
            Told::Recovered { wallets, .. } => Some(wallets),
            _ => None,
        });
        let Some(wallets) = recovered else {
            self.lost(format!("the {} backup does not recover: {}", set.method, words(&told)));
            return Ok(());
        };
        if self.ledger.wallets.as_ref().is_some_and(|known| known != wallets) {
            self.lost(format!("the {} backup recovers another wallet", set.method));
        }
        let signed = elsewhere.take(&self.step(device, Act::Sign), at, None)?.told;
        self.is_signed_by(&signed, Some(wallets));
        Ok(())
    }

    /// A user who did not mean to destroy the backups makes another: what is left over of the
    /// revocation does not harm it.
    fn backs_up_instead(&mut self, statuses: &Statuses, scratch: &Path) -> Result<()> {
        let Act::Revoke { method } = &self.site.scenario.operation.act else { return Ok(()) };
        let live = statuses.iter().find(|(_, status)| status.live);
        let Some((device, _)) = live else { return Ok(()) };
        let elsewhere = self.site.copy_to(scratch)?;
        let (service, at) = elsewhere.serve()?;
        let step = self.step(device, Act::BackUp { method: method.clone(), anew: false });
        let told = elsewhere.take(&step, at, None)?.told;
        let made = told.iter().find_map(|told| match told {
            Told::BackedUp { backup, method, .. } => {
                Some(Completed { backup: backup.clone(), method: method.clone() })
            }
            _ => None,
        });
        match made {
            Some(set) => {
                elsewhere.take(&self.step(device, Act::Finish), at, None)?;
                self.recovers(&elsewhere, &set, NEW_DEVICES[0], at)?;
            }
            None => {
                let words = format!("no backup can be made instead: {}", words(&told));
                self.verdict.stuck.push(words);
            }
        }
        service.kill()
    }

    /// The user repeats what was cut short, and it works.
    fn goes_on(&mut self, statuses: &Statuses) -> Result<()> {
        let operation = &self.site.scenario.operation;
        let live = statuses.iter().find(|(_, status)| status.live).map(|(device, _)| *device);
        let has_wallet = live.is_some();
        if has_wallet && operation.act == Act::Create {
            return Ok(());
        }
        let (service, at) = self.site.serve()?;
        let told = self.site.take(operation, at, None)?.told;
        if !Ledger::is_done(operation, &told) {
            self.verdict.stuck.push(format!("what was cut short fails now: {}", words(&told)));
        }
        self.ledger.hear(operation, &told);
        if operation.act == Act::Join {
            self.take(&self.step(operation.device, Act::Create), at)?;
        }
        let signs = match operation.act {
            Act::Join | Act::Create | Act::Recover { .. } => Some(operation.device),
            _ => live,
        };
        if let Some(device) = signs {
            let wallets = self.ledger.wallets.clone();
            self.signs(device, wallets.as_ref(), at)?;
        }
        service.kill()
    }

    fn signs(&mut self, device: &str, wallets: Option<&Wallets>, at: SocketAddr) -> Result<()> {
        let told = self.site.take(&self.step(device, Act::Sign), at, None)?.told;
        self.is_signed_by(&told, wallets);
        Ok(())
    }

    fn is_signed_by(&mut self, told: &[Told], wallets: Option<&Wallets>) {
        let signatures = told.iter().find_map(|told| match told {
            Told::Signed { signatures } => Some(signatures),
            _ => None,
        });
        match (signatures, wallets) {
            (Some(signatures), Some(wallets)) if fit(signatures, wallets) => {}
            _ => self.lost(format!("the wallet does not sign: {}", words(told))),
        }
    }

    fn status(&mut self, device: &'static str, at: SocketAddr) -> Result<Status> {
        let told = self.take(&self.step(device, Act::Status), at)?;
        let status = told.iter().find_map(|told| match told {
            Told::Status(status) => Some(status.clone()),
            _ => None,
        });
        status.with_context(|| format!("{device} does not say where it stands: {}", words(&told)))
    }

    fn take(&mut self, step: &Step, at: SocketAddr) -> Result<Vec<Told>> {
        let told = self.site.take(step, at, None)?.told;
        self.ledger.hear(step, &told);
        if told.iter().any(|told| matches!(told, Told::Failed { .. })) {
            self.verdict.stuck.push(format!("{:?} fails: {}", step.act, words(&told)));
        }
        Ok(told)
    }

    fn step(&self, device: &str, act: Act) -> Step {
        let device =
            self.site.scenario.devices().into_iter().chain(NEW_DEVICES).find(|d| *d == device);
        let secrets = ["second", "first"].map(ToOwned::to_owned).into();
        Step { device: device.expect("every device has its name"), act, secrets }
    }

    fn lost(&mut self, why: String) {
        self.verdict.lost.push(why);
    }
}

const NEW_DEVICES: [&str; 6] = ["new-1", "new-2", "new-3", "new-4", "new-5", "new-6"];

/// Whether every wallet has signed, by implementations that are not ours.
fn fit(signatures: &Signatures, wallets: &Wallets) -> bool {
    let is_right = |(curve, key): (&String, &String)| {
        let decode = |hex: &str| base16ct::lower::decode_vec(hex).ok();
        let key = decode(key)?;
        let signature = decode(signatures.get(curve)?)?;
        match key.len() {
            33 => {
                let key = k256::ecdsa::VerifyingKey::from_sec1_bytes(&key).ok()?;
                let signature = k256::ecdsa::Signature::from_slice(&signature).ok()?;
                key.verify_prehash(&Sha256::digest(SIGNED), &signature).ok()
            }
            _ => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(key.as_slice().try_into().ok()?);
                let signature = ed25519_dalek::Signature::from_slice(&signature).ok()?;
                key.ok()?.verify_strict(SIGNED, &signature).ok()
            }
        }
    };
    !wallets.is_empty() && wallets.iter().all(|wallet| is_right(wallet).is_some())
}

fn words(told: &[Told]) -> String {
    serde_json::to_string(told).unwrap_or_default()
}
