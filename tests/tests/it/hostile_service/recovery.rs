//! A device that was bought now, and is lied to about what there is to recover.

use backup_testkit::MemoryStore;
use portal_client::{Curves, Error, Payload};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Method},
    wallets::{TestService, copied, on_runtime, unseen},
};
use serde_json::{Value, json};

use super::{
    lies::{Change, both, claiming, claiming_of, damage, naming, returning, withholding},
    scene::{Scene, back_up, recover},
};

/// What becomes of a recovery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Comes {
    FromHead,
    FromOlder,
    ToNothing,
}

use Comes::{FromHead, FromOlder, ToNothing};

/// Two wallets of two clients with two backups each, the older and the head.
struct Two {
    ours: Scene,
    theirs: Scene,
    older: String,
    head: String,
    their_head: String,
}

impl Two {
    async fn begin(service: &TestService, curves: Curves) -> Self {
        let store = MemoryStore::new();
        let ours = Scene::sharing(service, store.clone(), curves).await;
        let theirs = Scene::sharing(service, store, curves).await;
        let (older, head) = (ours.back_up(false).await, ours.back_up(true).await);
        let their_head = theirs.back_up(false).await;
        Self { ours, theirs, older, head, their_head }
    }

    async fn lies(&self) -> Vec<(&'static str, Change, Comes)> {
        let Self { ours, theirs, older, head, their_head } = self;
        let [old_text, text] = [ours.envelope(older).await, ours.envelope(head).await];
        let their_text = theirs.envelope(their_head).await;
        let their_view = theirs.get("/v1/client").await.value();
        let (their_set, their_signing) = (their_view["backups"][0].clone(), &their_view["signing"]);
        let their_pairs = their_set["pairs"].clone();
        let damaged = damage(&text);
        let swapped_ids = {
            let (older, head) = (older.clone(), head.clone());
            claiming(move |view| {
                for set in view["backups"].as_array_mut().unwrap() {
                    let other = if set["id"] == head.as_str() { &older } else { &head };
                    set["id"] = other.as_str().into();
                }
            })
        };
        let all_theirs = {
            let (view, set) = (their_view.clone(), their_set.clone());
            claiming(move |ours| {
                ours["signing"] = view["signing"].clone();
                ours["backups"] = json!([set]);
            })
        };
        let their_keys = {
            let (signing, pairs) = (their_signing.clone(), their_pairs.clone());
            claiming(move |view| {
                view["signing"]["pairs"] = signing["pairs"].clone();
                for set in view["backups"].as_array_mut().unwrap() {
                    set["pairs"] = pairs.clone();
                }
            })
        };
        let other_client = theirs.client.context.client.as_str().to_owned();
        vec![
            ("another client's envelope", returning(head, &their_text), FromOlder),
            ("another client's, and its hash", naming(head, &their_text), FromOlder),
            ("the older envelope for the head", returning(head, &old_text), FromOlder),
            ("the older one, and its hash", naming(head, &old_text), FromOlder),
            ("the head withheld", withholding(head), FromOlder),
            ("all withheld", both(withholding(head), withholding(older)), ToNothing),
            ("a damaged head", returning(head, &damaged), FromOlder),
            ("a damaged head, and its hash", naming(head, &damaged), FromOlder),
            ("an empty head", naming(head, ""), FromOlder),
            ("the head cut short", naming(head, &text[..text.len() / 2]), FromOlder),
            ("the ids of two sets swapped", swapped_ids, ToNothing),
            ("another wallet's keys", their_keys, ToNothing),
            (
                "another wallet's keys and envelope",
                {
                    let pairs = their_pairs.clone();
                    let keys = claiming_of(head, move |set| set["pairs"] = pairs.clone());
                    both(naming(head, &their_text), keys)
                },
                FromOlder,
            ),
            (
                "another client's wallet and backup",
                { both(all_theirs, returning(their_head, &their_text)) },
                ToNothing,
            ),
            (
                "another client's id",
                { claiming(move |view| view["id"] = other_client.as_str().into()) },
                ToNothing,
            ),
            (
                "another custodian's id",
                { claiming(|view| view["custodianId"] = "somebody-else".into()) },
                ToNothing,
            ),
            (
                "the older set called the head",
                {
                    let older = older.clone();
                    claiming(move |view| {
                        for set in view["backups"].as_array_mut().unwrap() {
                            set["head"] = (set["id"] == older.as_str()).into();
                        }
                    })
                },
                FromOlder,
            ),
            (
                "both called the head",
                {
                    claiming(|view| {
                        for set in view["backups"].as_array_mut().unwrap() {
                            set["head"] = true.into();
                        }
                    })
                },
                FromHead,
            ),
            ("no backup at all", claiming(|view| view["backups"] = json!([])), ToNothing),
            ("no client at all", claiming(|view| *view = json!({})), ToNothing),
            (
                "the head's pairs those of the older",
                {
                    let older = older.clone();
                    claiming(move |view| {
                        let sets = view["backups"].as_array_mut().unwrap();
                        let at = |sets: &[Value]| {
                            let found = sets.iter().find(|set| set["id"] == older.as_str());
                            found.unwrap()["pairs"].clone()
                        };
                        let pairs = at(sets);
                        sets.iter_mut().for_each(|set| set["pairs"] = pairs.clone());
                    })
                },
                FromHead,
            ),
        ]
    }

    /// A device that was bought now, and knows nothing, is told this lie.
    async fn recover_under(&self, what: &str, lie: Change, comes: Comes) {
        let Self { ours, older, head, .. } = self;
        let (_device, app) = ours.new_app();
        ours.middle.change(lie);
        let recovered = recover(&app).await;
        ours.middle.be_honest();
        let (came, addresses) = match recovered {
            Ok(recovered) => {
                assert_eq!(recovered.addresses, ours.addresses, "{what}: another wallet");
                ours.expect_signature(&app, what).await;
                let from = recovered.backup.as_str();
                assert!(from == older || from == head, "{what}: {from}");
                let came = if from == older { FromOlder } else { FromHead };
                (came, Some(recovered.addresses))
            }
            Err(error) => {
                println!("{what}: {error}");
                (ToNothing, None)
            }
        };
        assert_eq!(came, comes, "{what}");
        assert_eq!(app.addresses().await.unwrap(), addresses, "{what}");
    }
}

#[test]
fn whatever_is_returned_for_a_backup_the_same_wallet_comes_back_or_none() {
    on_runtime(async {
        let service = TestService::start().await;
        let two = Two::begin(&service, Curves::ED25519).await;
        for (what, lie, comes) in two.lies().await {
            two.recover_under(what, lie, comes).await;
        }
        two.ours.expect_recovery("after all lies").await;
    });
}

#[test]
fn on_both_curves_halves_of_another_wallet_are_refused() {
    on_runtime(async {
        let service = TestService::start().await;
        let two = Two::begin(&service, Curves::BOTH).await;
        let their_keys = {
            let theirs = two.theirs.get("/v1/client").await.value();
            claiming_of(&two.head, move |set| {
                let pairs = &theirs["backups"][0]["pairs"];
                set["pairs"]["SECP256K1"] = pairs["SECP256K1"].clone();
            })
        };
        two.recover_under("another key on one curve", their_keys, FromOlder).await;
        two.ours.expect_recovery("on both curves").await;
    });
}

/// Asks for another client's things in the place of this one's, and calls them by its ids.
struct Impostor {
    context: backup_core::EncryptionContext,
    key: portal_client::ApiKey,
}

impl Meddler for Impostor {
    fn forwarded(&self, asked: &Asked) -> Asked {
        asked.clone().with_key(&self.key)
    }

    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        if !asked.is(&Method::GET, "/v1/client") {
            return answer;
        }
        answer.edited(|view| {
            view["custodianId"] = self.context.custodian.as_str().into();
            view["id"] = self.context.client.as_str().into();
        })
    }
}

#[test]
fn another_clients_everything_under_this_ones_name_is_refused() {
    on_runtime(async {
        let service = TestService::start().await;
        let two = Two::begin(&service, Curves::ED25519).await;
        let (ours, key) = (&two.ours, copied(&two.theirs.client.key));
        let (_device, new) = ours.new_app();
        let kept = ours.store.len();
        ours.middle.meddle(Impostor { context: ours.client.context.clone(), key });
        let error = recover(&new).await.unwrap_err();
        assert!(error.backup_kind().is_some() || matches!(error, Error::Damaged(_)), "{error}");
        assert_eq!(new.addresses().await.unwrap(), None);
        let app = ours.impatient_app();
        let told = app.status().await.unwrap();
        assert!(!told.live && told.addresses.as_ref() == Some(&ours.addresses));
        assert!(matches!(back_up(&app, false, &unseen).await, Err(Error::NotLive)));
        assert!(matches!(app.create_wallet(&unseen).await, Err(Error::WalletExists)));
        app.sign(Payload::Message(b"m")).await.unwrap_err();
        app.finish_interrupted().await.unwrap();
        assert_eq!(ours.store.len(), kept, "nothing was deleted");
        ours.middle.be_honest();
        ours.expect_signature(&ours.app(), "the live device").await;
        ours.expect_recovery("after the impostor").await;
    });
}
