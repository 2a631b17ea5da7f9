//! A user who types what a test says, and a wallet to back up.

use std::sync::{Arc, Mutex};

use backup_core::{
    BackupId, ClientBackupShare, ClientId, Curve, CustodianId, EncryptionContext, Envelope, Error,
    ErrorKind, MethodParams, Opened, Operation, Point, Progress, Purpose, Result, Sealer,
    SharePairId, async_trait,
    secrecy::{SecretSlice, SecretString},
};
use backup_methods_password::{Cost, Password, PasswordPrompt, PasswordRequest, Problem, Why};
use serde_json::json;

pub(crate) use futures_executor::block_on;

/// Types one password after another, then declines. Remembers what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Typist(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    script: Vec<String>,
    asked: Vec<Asked>,
}

/// What the user was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Asked {
    to_choose: bool,
    attempt: u32,
    attempts: u32,
    problem: Option<Problem>,
}

impl Asked {
    pub(crate) fn to_choose(attempt: u32, attempts: u32, problem: Option<Problem>) -> Self {
        Self { to_choose: true, attempt, attempts, problem }
    }

    pub(crate) fn to_enter(attempt: u32, attempts: u32, problem: Option<Problem>) -> Self {
        Self { to_choose: false, attempt, attempts, problem }
    }
}

impl Typist {
    pub(crate) fn new(script: &[&str]) -> Self {
        let script = script.iter().map(ToString::to_string).collect();
        Self(Arc::new(Mutex::new(State { script, asked: Vec::new() })))
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.lock().unwrap().asked.clone()
    }
}

#[async_trait]
impl PasswordPrompt for Typist {
    async fn password(&self, request: &PasswordRequest<'_>) -> Result<SecretString> {
        let mut state = self.0.lock().unwrap();
        let next = state.asked.len();
        state.asked.push(Asked {
            to_choose: matches!(request.why, Why::Choose { .. }),
            attempt: request.attempt,
            attempts: request.attempts,
            problem: request.problem.clone(),
        });
        let typed = state.script.get(next).cloned();
        typed.map(SecretString::from).ok_or_else(|| Error::new(ErrorKind::Cancelled, "declined"))
    }
}

/// Everything that was reported.
#[derive(Debug, Default)]
pub(crate) struct Reports(Mutex<Vec<Progress>>);

impl Reports {
    pub(crate) fn push(&self, progress: Progress) {
        self.0.lock().unwrap().push(progress);
    }

    pub(crate) fn all(&self) -> Vec<Progress> {
        self.0.lock().unwrap().clone()
    }
}

/// A method whose user types `script`.
pub(crate) fn method(script: &[&str]) -> Password {
    cheap(Typist::new(script))
}

/// A method at the least cost that is chosen.
pub(crate) fn cheap(typist: Typist) -> Password {
    Password::new(typist).with_cost(Cost::LEAST)
}

pub(crate) fn params(memory_kib: u32, passes: u32, lanes: u32) -> MethodParams {
    let json = json!({
        "v": 1, "algorithm": "argon2id", "memory_kib": memory_kib, "passes": passes,
        "lanes": lanes, "salt": "AAECAwQFBgcICQoLDA0ODw",
    });
    MethodParams::from_bytes(json.to_string()).unwrap()
}

pub(crate) fn context() -> EncryptionContext {
    EncryptionContext::new(CustodianId::new("custodian").unwrap(), ClientId::new("client").unwrap())
}

pub(crate) fn envelope(method: &Password) -> Envelope {
    let context = context();
    let op = Operation::new(Purpose::Enroll, &context);
    let sealer = block_on(Sealer::enroll(method, &op)).unwrap();
    let secret = SecretSlice::from(vec![9; 32]);
    let pair = SharePairId::new("pair").unwrap();
    let share = ClientBackupShare::new(pair, wallet(), wallet(), wallet(), secret).unwrap();
    sealer.seal(&BackupId::generate().unwrap(), &[share]).unwrap()
}

pub(crate) fn open(envelope: &Envelope, method: &Password, attempts: u32) -> Result<Opened> {
    let context = context();
    let op = Operation::new(Purpose::Unlock, &context).with_attempts(attempts);
    block_on(envelope.open(method, &op, &[wallet()]))
}

fn wallet() -> Point {
    Point::new(Curve::Ed25519, &[7; 32]).unwrap()
}
