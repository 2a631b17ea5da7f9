//! The suite on a method that derives its key and keeps nothing.

use backup_core::{
    BackupId, BackupMethod, Enrollment, Error, ErrorKind, MethodId, MethodParams, Operation,
    Result, WrappingKey, async_trait, secrecy::ExposeSecret,
};
use backup_testkit::{Fixture, PromptCounter, ScriptedUser, yield_now};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A hash of a phrase and a salt. A real method would make guessing expensive.
#[derive(Debug)]
struct Phrase(ScriptedUser);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Params {
    v: u8,
    salt: String,
}

impl Phrase {
    async fn derive(&self, op: &Operation<'_>, params: &Params) -> Result<WrappingKey> {
        let phrase = op.ask(self.0.ask()).await?;
        yield_now().await;
        let hash = Sha256::new().chain_update(&params.salt).chain_update(phrase.expose_secret());
        Ok(WrappingKey::copied_from(&hash.finalize().into()))
    }
}

#[async_trait]
impl BackupMethod for Phrase {
    fn id(&self) -> MethodId {
        MethodId::new("com.example.phrase").unwrap()
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        Ok(())
    }

    async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment> {
        let params = Params { v: 1, salt: BackupId::generate()?.as_str().to_owned() };
        let wrapping_key = self.derive(op, &params).await?;
        Ok(Enrollment { wrapping_key, params: MethodParams::encode(&params)? })
    }

    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey> {
        let params: Params = decode(params)?;
        self.derive(op, &params).await
    }

    async fn revoke(&self, _: &Operation<'_>, params: &MethodParams) -> Result<()> {
        decode(params).map(drop)
    }
}

fn decode(params: &MethodParams) -> Result<Params> {
    let decoded: Params = params.decode()?;
    if decoded.v != 1 || decoded.salt.len() != 32 {
        return Err(Error::new(ErrorKind::InvalidParams, "the parameters have no salt"));
    }
    Ok(decoded)
}

struct Person {
    prompts: PromptCounter,
    right: String,
    wrong: String,
}

impl Person {
    fn phrase(&self, answers: &[&String]) -> Phrase {
        let user = ScriptedUser::answering(answers.iter().map(|answer| (*answer).clone()));
        Phrase(user.counted_by(&self.prompts))
    }
}

impl Fixture for Person {
    type Method = Phrase;

    fn new() -> Self {
        let [right, wrong] = [(); 2].map(|()| BackupId::generate().unwrap().as_str().to_owned());
        Self { prompts: PromptCounter::new(), right, wrong }
    }

    fn method(&self) -> Phrase {
        self.phrase(&[&self.right])
    }

    fn stores(&self) -> bool {
        false
    }

    fn prompts(&self) -> usize {
        self.prompts.count()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.right.clone(), self.wrong.clone()]
    }

    fn with_wrong_user(&self) -> Option<Phrase> {
        Some(self.phrase(&[&self.wrong]))
    }

    fn with_clumsy_user(&self) -> Option<Phrase> {
        Some(self.phrase(&[&self.wrong, &self.right]))
    }

    fn with_declining_user(&self) -> Option<Phrase> {
        Some(self.phrase(&[]))
    }

    fn malformed_params(&self) -> Vec<MethodParams> {
        let texts =
            [r#"{"v":2,"salt":"00112233445566778899aabbccddeeff"}"#, r#"{"v":1,"salt":""}"#];
        texts.map(|text| MethodParams::from_bytes(text).unwrap()).into()
    }
}

backup_testkit::conformance!(Person);
