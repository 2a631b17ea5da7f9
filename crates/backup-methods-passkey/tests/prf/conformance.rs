//! The rules that hold for every backup method.

use backup_core::MethodParams;
use backup_methods_passkey::PasskeyPrf;
use backup_testkit::{
    Fixture, PromptCounter,
    passkey::{PasskeyFault, SoftwareAuthenticator},
};

use crate::support::Page;

backup_testkit::conformance!(SynchronizedPasskeys);

/// A world with one user, whose devices all have the user's passkeys.
struct SynchronizedPasskeys {
    device: SoftwareAuthenticator,
    ceremonies: PromptCounter,
}

impl SynchronizedPasskeys {
    fn method_on(&self, faults: &[Option<PasskeyFault>]) -> PasskeyPrf {
        let devices = faults.iter().map(|fault| match fault {
            Some(fault) => self.device.with_fault(*fault),
            None => self.device.clone(),
        });
        Page::with(devices).counted_by(&self.ceremonies).method()
    }
}

impl Fixture for SynchronizedPasskeys {
    type Method = PasskeyPrf;

    fn new() -> Self {
        Self { device: SoftwareAuthenticator::new(), ceremonies: PromptCounter::new() }
    }

    fn method(&self) -> PasskeyPrf {
        self.method_on(&[None])
    }

    /// A passkey stays on its authenticator: only its user can delete it.
    fn stores(&self) -> bool {
        false
    }

    fn left_behind(&self) -> Option<usize> {
        Some(0)
    }

    fn prompts(&self) -> usize {
        self.ceremonies.count()
    }

    fn with_wrong_user(&self) -> Option<PasskeyPrf> {
        Some(self.method_on(&[Some(PasskeyFault::AnswersWithAnother)]))
    }

    fn with_clumsy_user(&self) -> Option<PasskeyPrf> {
        Some(self.method_on(&[Some(PasskeyFault::AnswersWithAnother), None]))
    }

    fn with_declining_user(&self) -> Option<PasskeyPrf> {
        Some(self.method_on(&[Some(PasskeyFault::Declines)]))
    }

    fn malformed_params(&self) -> Vec<MethodParams> {
        let bytes = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        [
            (2, "example.com", "oKGi", bytes, bytes),
            (1, "https://example.com", "oKGi", bytes, bytes),
            (1, "example.com", "", bytes, bytes),
            (1, "example.com", "oKGi", "AAEC", bytes),
            (1, "example.com", "oKGi", bytes, "AAEC"),
        ]
        .map(|(v, rp, passkey, salt, check)| {
            let ids = format!(r#""v":{v},"rp":"{rp}","passkey":"{passkey}""#);
            let json = format!(r#"{{{ids},"salt":"{salt}","check":"{check}"}}"#);
            MethodParams::from_bytes(json).unwrap()
        })
        .to_vec()
    }
}
