//! The rules that hold for every backup method, for that of an enclave over sockets.

use std::{future::Future, time::Duration};

use backup_core::{MethodParams, secrecy::SecretString};
use backup_methods_passkey::{PasskeyEnclave, RelyingParty};
use backup_testkit::{
    Fixture, PromptCounter,
    passkey::{PasskeyFault, SoftwareAuthenticator},
};

use crate::{page::Page, service::Service, support::RP};

backup_testkit::conformance!(UserOfAnEnclave);

/// A world with one user, whose devices all have the user's passkeys.
struct UserOfAnEnclave {
    service: Service,
    device: SoftwareAuthenticator,
    ceremonies: PromptCounter,
}

impl UserOfAnEnclave {
    fn method_on(&self, faults: &[Option<PasskeyFault>]) -> PasskeyEnclave {
        self.method_at(&format!("http://{}", self.service.address), faults)
    }

    fn method_at(&self, address: &str, faults: &[Option<PasskeyFault>]) -> PasskeyEnclave {
        let devices = faults.iter().map(|fault| match fault {
            Some(fault) => self.device.with_fault(*fault),
            None => self.device.clone(),
        });
        let page = Page::with(devices).counted_by(&self.ceremonies);
        let key = SecretString::from("alice-key");
        PasskeyEnclave::new(page, RelyingParty::new(RP, "Acme").unwrap(), address, key).unwrap()
    }
}

impl Fixture for UserOfAnEnclave {
    type Method = PasskeyEnclave;

    fn new() -> Self {
        Self {
            service: Service::start(),
            device: SoftwareAuthenticator::new(),
            ceremonies: PromptCounter::new(),
        }
    }

    fn method(&self) -> PasskeyEnclave {
        self.method_on(&[None])
    }

    fn stores(&self) -> bool {
        true
    }

    fn left_behind(&self) -> Option<usize> {
        Some(self.service.world.store.tables().sealed.len())
    }

    fn prompts(&self) -> usize {
        self.ceremonies.count()
    }

    fn with_wrong_user(&self) -> Option<PasskeyEnclave> {
        Some(self.method_on(&[Some(PasskeyFault::AnswersWithAnother)]))
    }

    fn with_clumsy_user(&self) -> Option<PasskeyEnclave> {
        Some(self.method_on(&[Some(PasskeyFault::AnswersWithAnother), None]))
    }

    fn with_declining_user(&self) -> Option<PasskeyEnclave> {
        Some(self.method_on(&[Some(PasskeyFault::Declines)]))
    }

    /// Nobody listens there.
    fn with_back_end_away(&self) -> Option<PasskeyEnclave> {
        Some(self.method_at("http://127.0.0.1:9", &[None]).with_patience(Duration::ZERO))
    }

    fn malformed_params(&self) -> Vec<MethodParams> {
        let key = "portal-0011223344556677-00112233445566778899aabbccddeeff";
        [(2, RP, key), (1, "https://example.com", key), (1, RP, key), (1, RP, "")]
            .map(|(v, rp, key)| format!(r#"{{"v":{v},"rp":"{rp}","key":"{key}"}}"#))
            .map(|json| MethodParams::from_bytes(json).unwrap())
            .to_vec()
    }

    fn block_on<T>(&self, rule: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(rule)
    }
}
