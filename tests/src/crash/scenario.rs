//! What is tried: a life up to an operation, and the operation, which is cut short everywhere.

use super::{device::Act, folder_store::FolderStore, typed_secret::TypedSecret};

/// One step in the life of a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// The device that takes it.
    pub device: &'static str,
    /// What it does.
    pub act: Act,
    /// What the user types.
    pub secrets: Vec<String>,
}

impl Step {
    /// Whether a custodian is given a half in it.
    #[must_use]
    pub fn makes_backup(&self) -> bool {
        matches!(self.act, Act::BackUp { .. } | Act::BackUpByNotice { .. })
    }
}

/// A life, and the operation in it that is cut short.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What happens in it.
    pub about: &'static str,
    /// What has happened before, undisturbed.
    pub before: Vec<Step>,
    /// What is cut short.
    pub operation: Step,
    /// Whether the grace is over when it happens.
    pub after_grace: bool,
}

/// The grace of service and device, in seconds.
pub const GRACE_SECONDS: u64 = 30 * 24 * 60 * 60;

impl Scenario {
    /// The devices that take part.
    #[must_use]
    pub fn devices(&self) -> Vec<&'static str> {
        let mut devices: Vec<_> = self.steps().map(|step| step.device).collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }

    /// How far the clocks are ahead during the operation, in seconds.
    #[must_use]
    pub fn later(&self) -> u64 {
        if self.after_grace { GRACE_SECONDS + 60 } else { 0 }
    }

    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.before.iter().chain([&self.operation])
    }

    fn new(name: &'static str, about: &'static str, steps: Vec<Step>) -> Self {
        let first = step(steps[0].device, Act::Join);
        let mut before: Vec<_> = [first].into_iter().chain(steps).collect();
        let operation = before.pop().expect("a scenario has an operation");
        Self { name, about, before, operation, after_grace: false }
    }

    fn after_grace(self) -> Self {
        Self { after_grace: true, ..self }
    }
}

/// The method that stores.
fn stored() -> String {
    FolderStore::method_id().to_string()
}

/// The method that derives.
fn typed() -> String {
    TypedSecret::method_id().to_string()
}

fn step(device: &'static str, act: Act) -> Step {
    Step { device, act, secrets: vec!["first".to_owned()] }
}

/// Of a user who has changed the secret.
fn with_second(step: Step) -> Step {
    Step { secrets: ["second", "first"].map(ToOwned::to_owned).into(), ..step }
}

fn create(device: &'static str) -> Step {
    step(device, Act::Create)
}

fn back_up(device: &'static str, method: String) -> Step {
    step(device, Act::BackUp { method, anew: false })
}

fn enroll_anew(device: &'static str, method: String) -> Step {
    with_second(step(device, Act::BackUp { method, anew: true }))
}

fn recover(device: &'static str, method: String) -> Step {
    step(device, Act::Recover { method, backup: None })
}

fn revoke(device: &'static str, method: String) -> Step {
    step(device, Act::Revoke { method })
}

fn back_up_by_notice(device: &'static str, method: String) -> Step {
    step(device, Act::BackUpByNotice { method })
}

fn eject(device: &'static str, method: String) -> Step {
    step(device, Act::Eject { method })
}

fn finish(device: &'static str) -> Step {
    step(device, Act::Finish)
}

fn first_start() -> Scenario {
    Scenario {
        name: "first-start",
        about: "a service starts for the first time, and makes a client",
        before: Vec::new(),
        operation: step("a", Act::Join),
        after_grace: false,
    }
}

/// Every scenario.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let backed_up = || vec![create("a"), back_up("a", stored())];
    let then = |mut life: Vec<Step>, more: Vec<Step>| {
        life.extend(more);
        life
    };
    vec![
        first_start(),
        Scenario::new("create", "a wallet is made", vec![create("a")]),
        Scenario::new("sign", "a wallet signs", vec![create("a"), step("a", Act::Sign)]),
        Scenario::new("back-up-stored", "the first backup, whose key is stored", backed_up()),
        Scenario::new(
            "back-up-typed",
            "the first backup, whose key is derived",
            vec![create("a"), back_up("a", typed())],
        ),
        Scenario::new(
            "back-up-again",
            "another backup, silently",
            then(backed_up(), vec![back_up("a", stored())]),
        ),
        Scenario::new(
            "enroll-anew-stored",
            "another backup under a new stored key",
            then(backed_up(), vec![enroll_anew("a", stored())]),
        ),
        Scenario::new(
            "enroll-anew-typed",
            "another backup under a new secret",
            vec![create("a"), back_up("a", typed()), enroll_anew("a", typed())],
        ),
        Scenario::new(
            "recover",
            "a second device takes the wallet over",
            then(backed_up(), vec![recover("b", stored())]),
        ),
        Scenario::new(
            "recover-typed",
            "a second device takes the wallet over, by a secret",
            vec![create("a"), back_up("a", typed()), recover("b", typed())],
        ),
        Scenario::new(
            "recover-back",
            "the first device takes the wallet back",
            then(backed_up(), vec![recover("b", stored()), recover("a", stored())]),
        ),
        Scenario::new(
            "back-up-elsewhere",
            "the second device backs up, silently",
            then(backed_up(), vec![recover("b", stored()), back_up("b", stored())]),
        ),
        Scenario::new(
            "retire",
            "a superseded backup goes, and its stored key",
            then(backed_up(), vec![enroll_anew("a", stored()), finish("a")]),
        )
        .after_grace(),
        Scenario::new(
            "retire-same-key",
            "a superseded backup goes, whose stored key the newer one needs",
            then(backed_up(), vec![back_up("a", stored()), finish("a")]),
        )
        .after_grace(),
        Scenario::new(
            "back-up-by-notice",
            "a backup that the word of its app completes, beside one that a device committed",
            then(backed_up(), vec![back_up_by_notice("a", typed())]),
        ),
        Scenario::new(
            "eject",
            "the private keys are brought together, while the custodian allows it",
            then(backed_up(), vec![step("a", Act::AllowEject), eject("a", stored())]),
        ),
        Scenario::new(
            "eject-elsewhere",
            "the private keys are brought together on a device that never had the wallet",
            then(backed_up(), vec![step("a", Act::AllowEject), eject("b", stored())]),
        ),
        Scenario::new(
            "revoke",
            "the backups of one method are destroyed",
            then(backed_up(), vec![back_up("a", typed()), revoke("a", stored())]),
        ),
    ]
}
