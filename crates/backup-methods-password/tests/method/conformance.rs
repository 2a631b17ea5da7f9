//! The rules that hold for every backup method.

use backup_core::{MethodParams, Result, async_trait, secrecy::SecretString};
use backup_methods_password::{Cost, Password, PasswordPrompt, PasswordRequest};
use backup_testkit::{Fixture, PromptCounter, ScriptedUser};

backup_testkit::conformance!(RememberedPassword);

const RIGHT: &str = "anvil tundra quince";
const WRONG: &str = "umber tundra quince";

/// A world with nothing in it but what users remember.
struct RememberedPassword {
    prompts: PromptCounter,
}

impl RememberedPassword {
    fn method_of(&self, user: ScriptedUser) -> Password {
        Password::new(Dialog(user.counted_by(&self.prompts))).with_cost(Cost::LEAST)
    }
}

impl Fixture for RememberedPassword {
    type Method = Password;

    fn new() -> Self {
        Self { prompts: PromptCounter::new() }
    }

    fn method(&self) -> Password {
        self.method_of(ScriptedUser::answering([RIGHT]))
    }

    fn stores(&self) -> bool {
        false
    }

    fn left_behind(&self) -> Option<usize> {
        Some(0)
    }

    fn prompts(&self) -> usize {
        self.prompts.count()
    }

    fn secrets(&self) -> Vec<String> {
        vec![RIGHT.to_owned(), WRONG.to_owned()]
    }

    fn with_wrong_user(&self) -> Option<Password> {
        Some(self.method_of(ScriptedUser::answering([WRONG])))
    }

    fn with_clumsy_user(&self) -> Option<Password> {
        Some(self.method_of(ScriptedUser::answering([WRONG, RIGHT])))
    }

    fn with_declining_user(&self) -> Option<Password> {
        Some(self.method_of(ScriptedUser::declining()))
    }

    fn malformed_params(&self) -> Vec<MethodParams> {
        let salt = "AAECAwQFBgcICQoLDA0ODw";
        [
            (r#""v":2,"algorithm":"argon2id""#, 3, salt),
            (r#""v":1,"algorithm":"argon2d""#, 3, salt),
            (r#""v":1,"algorithm":"argon2id""#, 0, salt),
            (r#""v":1,"algorithm":"argon2id""#, 3, "AAEC"),
        ]
        .map(|(head, passes, salt)| {
            let cost = format!(r#""memory_kib":65536,"passes":{passes},"lanes":4"#);
            format!(r#"{{{head},{cost},"salt":"{salt}"}}"#)
        })
        .into_iter()
        .map(|json| MethodParams::from_bytes(json).expect("it is short"))
        .collect()
    }
}

#[derive(Debug)]
struct Dialog(ScriptedUser);

#[async_trait]
impl PasswordPrompt for Dialog {
    async fn password(&self, _: &PasswordRequest<'_>) -> Result<SecretString> {
        self.0.ask().await
    }
}
