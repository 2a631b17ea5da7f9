//! The keychain method beside the calls of `keyring` that it needs, on a real Secret Service.

#[cfg(target_os = "linux")]
mod secret_service {
    use std::{collections::HashMap, hint::black_box, sync::Arc};

    use backup_core::{
        ClientId, CustodianId, EncryptionContext, EncryptionKey, KeyName, KeyPrefix, KeyStore,
        Operation, Purpose,
    };
    use backup_methods_keychain::{
        Keychain,
        keyring_core::{Entry, api::CredentialStoreApi},
    };
    use backup_testkit::SessionBus;
    use futures_executor::block_on;
    use portal_tests::ratio;
    use secret_service::{EncryptionType, blocking::SecretService};
    use zbus_secret_service_keyring_store::Store;

    pub(crate) fn main() {
        let bus = SessionBus::enter();
        let home = tempfile::tempdir().expect("a folder for the keyring");
        let _keyring = bus.keyring(home.path(), "the login password");
        let (bare, keychain, context) = (Bare::new(), Keychain::system(), context());
        let op = Operation::new(Purpose::Enroll, &context);
        let name = || KeyName::generate(&KeyPrefix::of(&context)).expect("there is randomness");
        let key = EncryptionKey::copied_from(&[7; 32]);

        let kept = name();
        block_on(keychain.put(&op, &kept, &key)).expect("it is put");
        bare.put(kept.as_str());
        let get = ratio::print(
            "keychain get / keyring get",
            BOUND,
            || drop(black_box(block_on(keychain.get(&op, &kept)))),
            || drop(black_box(bare.entry(kept.as_str()).get_secret())),
        );
        let prefix = KeyPrefix::of(&context);
        let list = ratio::print(
            "keychain list / keyring search",
            BOUND,
            || assert_eq!(block_on(keychain.list(&op, &prefix)).expect("it is listed").len(), 1),
            || assert_eq!(bare.names().len(), 1),
        );
        let check = ratio::print(
            "keychain check / keyring search",
            BOUND,
            || block_on(keychain.check(&op)).expect("it is there"),
            || assert!(bare.search("nothing is called so").is_empty()),
        );
        let absent = name();
        let nothing = ratio::print(
            "keychain get of nothing / get, is it locked",
            BOUND,
            || drop(block_on(keychain.get(&op, &absent)).expect_err("it is not there")),
            || {
                drop(bare.entry(absent.as_str()).get_secret().expect_err("it is not there"));
                assert!(!bare.is_locked());
            },
        );
        block_on(keychain.delete(&op, &kept)).expect("it is deleted");
        bare.delete(kept.as_str());
        let put_and_delete = ratio::print(
            "keychain put and delete / their keyring calls",
            BOUND,
            || {
                let name = name();
                block_on(keychain.put(&op, &name, &key)).expect("it is put");
                block_on(keychain.delete(&op, &name)).expect("it is deleted");
            },
            || {
                let name = name();
                bare.put(name.as_str());
                bare.delete(name.as_str());
            },
        );
        let kept = [get, list, check, nothing, put_and_delete];
        assert!(!kept.contains(&false), "a bound is exceeded");
    }

    const BOUND: f64 = 1.2;

    fn context() -> EncryptionContext {
        EncryptionContext::new(
            CustodianId::new("bench").expect("it is visible ASCII"),
            ClientId::new("bench").expect("it is visible ASCII"),
        )
    }

    /// `keyring` with nothing of ours, on a connection that it keeps. It cannot say whether the
    /// keychain is locked, or just shows nothing: that is asked on another.
    struct Bare(Arc<Store>, SecretService<'static>);

    const SERVICE: &str = "bare";
    const VALUE: [u8; 64] = [b'0'; 64];

    impl Bare {
        fn new() -> Self {
            let service = SecretService::connect(EncryptionType::Plain);
            Self(Store::new().expect("the keyring runs"), service.expect("the keyring runs"))
        }

        fn is_locked(&self) -> bool {
            let default = self.1.get_default_collection().expect("there is a keyring");
            default.is_locked().expect("it answers")
        }

        fn names(&self) -> Vec<String> {
            let found = self.search(SERVICE).into_iter();
            found.filter_map(|found| Some(found.get_specifiers()?.1)).collect()
        }

        fn entry(&self, user: &str) -> Entry {
            self.0.build(SERVICE, user, None).expect("an entry can be named")
        }

        /// What creating only what is not there takes: to look, to claim, to look who else has, to
        /// set, and to withdraw the claim.
        fn put(&self, user: &str) {
            let (entry, claim) = (self.entry(user), self.entry(&format!("{user}-claim")));
            let _ = black_box(entry.get_secret());
            claim.set_secret(&VALUE).expect("it is set");
            for found in self.search(SERVICE) {
                let _ = black_box((found.get_specifiers(), found.get_secret()));
            }
            entry.set_secret(&VALUE).expect("it is set");
            claim.delete_credential().expect("it is deleted");
        }

        fn delete(&self, user: &str) {
            for found in self.search(SERVICE) {
                if found.get_specifiers().is_some_and(|(_, found)| found == user) {
                    found.delete_credential().expect("it is deleted");
                }
            }
        }

        fn search(&self, service: &str) -> Vec<Entry> {
            self.0.search(&HashMap::from([("service", service)])).expect("it can be searched")
        }
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    secret_service::main();
}
