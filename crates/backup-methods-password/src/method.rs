//! The backup method: a password, and what was chosen when it was enrolled.

use backup_core::{
    BackupMethod, Enrollment, MethodId, MethodParams, Operation, Progress, Result, Stage,
    WrappingKey, async_trait, secrecy::ExposeSecret,
};

use crate::{
    Cost, CostLimit, PasswordPrompt, PasswordRequest, Policy, Problem, Refusal, Why, derive,
    opaque_string::OpaqueString, params::Params, prompt::refused,
};

/// A backup method that derives the wrapping key from a password or PIN, by Argon2id.
///
/// <div class="warning">
///
/// **A forgotten password cannot be recovered**, by anybody: nothing of it is kept anywhere. Tell
/// users so when they choose one, and offer a second method beside it.
///
/// **Whoever holds a backup can guess its password offline**, as long and as fast as they can pay
/// for. The cost of a guess is what stands in between, and the password itself; the README has
/// numbers.
///
/// </div>
///
/// Choosing a password is [`enroll`](BackupMethod::enroll); confirming it is the
/// [`unlock`](BackupMethod::unlock) that verifies the backup before it counts. There is nothing to
/// [`revoke`](BackupMethod::revoke) and nothing [`held`](BackupMethod::held): an old password opens
/// its old backups for as long as copies of them exist.
#[derive(Debug)]
pub struct Password {
    prompt: Box<dyn PasswordPrompt>,
    policy: Policy,
    cost: Cost,
    limit: CostLimit,
}

impl Password {
    /// A method that asks by `prompt`, under the default policy, at the recommended cost.
    #[must_use]
    pub fn new(prompt: impl PasswordPrompt + 'static) -> Self {
        Self {
            prompt: Box::new(prompt),
            policy: Policy::default(),
            cost: Cost::RECOMMENDED,
            limit: CostLimit::DEFAULT,
        }
    }

    /// Asks this of passwords when they are chosen.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Makes new enrolments cost this much.
    #[must_use]
    pub fn with_cost(self, cost: Cost) -> Self {
        Self { cost, ..self }
    }

    /// Opens backups that cost up to `limit`, instead of [`CostLimit::DEFAULT`].
    ///
    /// # Security
    ///
    /// A stored backup is hostile input. Whoever can replace it can make this device fill that much
    /// memory and work that long, at every attempt. Raise the limit for one backup that you trust,
    /// and only after [`ErrorKind::TooCostly`](backup_core::ErrorKind::TooCostly).
    #[must_use]
    pub fn dangerously_allow_cost(self, limit: CostLimit) -> Self {
        Self { limit, ..self }
    }

    /// Asks until `accept` takes the answer, at most as often as `op` allows.
    async fn ask(
        &self,
        op: &Operation<'_>,
        why: Why<'_>,
        accept: impl Fn(&str) -> Result<OpaqueString, Refusal> + Send,
    ) -> Result<OpaqueString> {
        let mut request = PasswordRequest {
            why,
            attempt: op.attempt(),
            attempts: op.attempts(),
            problem: (op.attempt() > 1).then_some(Problem::Wrong),
        };
        loop {
            let typed = op.ask(self.prompt.password(&request)).await?;
            match accept(typed.expose_secret()) {
                Ok(password) => return Ok(password),
                Err(refusal) if request.attempt >= request.attempts => {
                    return Err(refused(refusal));
                }
                Err(refusal) => {
                    request.attempt += 1;
                    request.problem = Some(Problem::Refused(refusal));
                }
            }
        }
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl BackupMethod for Password {
    fn id(&self) -> MethodId {
        MethodId::PASSWORD
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        Ok(())
    }

    async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment> {
        let why = Why::Choose { policy: &self.policy };
        let password = self.ask(op, why, |typed| self.policy.accept(typed)).await?;
        let chosen = Params::generate(self.cost)?;
        let params = chosen.encode()?;
        let wrapping_key = derive::wrapping_key(password, chosen).await?;
        Ok(Enrollment { wrapping_key, params })
    }

    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey> {
        let params = Params::decode(params)?;
        self.limit.check(params.cost)?;
        if params.cost.is_weak() && op.attempt() == 1 {
            op.report(Progress::WeakParameters);
        }
        let password = self.ask(op, Why::Enter, OpaqueString::enforce).await?;
        op.report(Progress::Stage(Stage::ReadingShare));
        derive::wrapping_key(password, params).await
    }

    async fn revoke(&self, _: &Operation<'_>, params: &MethodParams) -> Result<()> {
        Params::decode(params).map(drop)
    }
}
