//! Private keys are brought together while the custodian allows it, by who can open a backup.

mod scene;

use std::sync::atomic::Ordering;

use backup_core::{Curve, EncryptionKey, Envelope, ErrorKind, MethodId};
use backup_testkit::MemoryStore;
use portal_api::{
    ErrorId, Proof, ReleaseKey, ReleasedHalf,
    compat::{EjectableShares, PrepareEject, PreparedEject, Timestamp},
    route,
};
use portal_client::{
    ByCurve, Curves, EjectOptions, Error, Payload, RecoverOptions,
    custodian::{self, CustodianShare},
};
use portal_mpc::HoldProof;
use portal_server::clock::Clock;
use portal_tests::{
    middle::{Answer, Asked, Method},
    private_key::{ed25519_public_key, secp256k1_public_key},
    wallets::{memory_id, memory_method, on_runtime, unseen},
};
use serde_json::{Value, json};

use self::scene::{Scene, eject, is_not_allowed, refusal};

#[test]
fn both_private_keys_are_ejected_on_any_device_and_the_wallet_goes_on() {
    on_runtime(async {
        let scene = Scene::begin(Curves::BOTH).await;
        let allowed = scene.enable(None).await;
        assert_eq!(allowed.len(), 2);
        let until = scene.hand.now() + 5 * 60;
        assert!(allowed.iter().all(|wallet| wallet.until == until), "five minutes: {allowed:?}");
        let new = scene.client.device();
        for app in [scene.app(), scene.app_on(&new)] {
            let ejected = eject(&app, None).await.unwrap();
            let private = |curve| ejected.keys.get(curve).unwrap().expose().to_owned();
            let key = scene.key(Curve::Secp256k1).await;
            assert_eq!(secp256k1_public_key(&private(Curve::Secp256k1)), key.as_bytes());
            let key = scene.key(Curve::Ed25519).await;
            assert_eq!(ed25519_public_key(&private(Curve::Ed25519)), key.as_bytes());
            assert!(!format!("{ejected:?}").contains(&private(Curve::Ed25519)));
        }
        scene.app().sign(Payload::Message(b"it signs still")).await.unwrap();
        let options = RecoverOptions::default();
        scene.app_on(&new).recover(&memory_id(), &options, &unseen).await.unwrap();
        assert!(scene.object().await["ejectedAt"].is_string());
    });
}

#[test]
fn a_wallet_is_ejected_only_while_its_custodian_allows_it() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        let app = scene.app();
        let refused = eject(&app, None).await;
        assert!(is_not_allowed(&refused), "{refused:?}");
        assert_eq!(scene.object().await["wallets"][0]["ejectableUntil"], Value::Null);
        scene.enable(None).await;
        let until = Timestamp(scene.hand.now() + 300).to_string();
        assert_eq!(scene.object().await["wallets"][0]["ejectableUntil"], until);
        assert_eq!(scene.object().await["ejectedAt"], Value::Null, "nothing has left yet");
        scene.wait(299);
        eject(&app, None).await.unwrap();
        let ejected_at = scene.object().await["ejectedAt"].clone();
        assert_eq!(ejected_at, Timestamp(scene.hand.now()).to_string());
        scene.wait(1);
        let refused = eject(&app, None).await;
        assert!(is_not_allowed(&refused), "{refused:?}");
        scene.enable(None).await;
        eject(&app, None).await.unwrap();
        assert_eq!(scene.object().await["ejectedAt"], ejected_at, "since the first time");
    });
}

#[test]
fn a_custodian_that_names_an_earlier_time_is_heeded() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        let (url, key) = (scene.service.url(), scene.custodian_key());
        let client = &scene.client.context.client;
        for ahead in [DAY, 60] {
            let until = Some(scene.hand.now() + ahead);
            custodian::enable_eject(&url, &key, client, None, until).await.unwrap();
        }
        eject(&scene.app(), None).await.unwrap();
        scene.wait(60);
        assert!(is_not_allowed(&eject(&scene.app(), None).await));
    });
}

/// Opening a half may take long: a key service is asked for it.
#[test]
fn a_half_that_is_opened_when_the_time_is_over_does_not_leave() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        scene.enable(None).await;
        eject(&scene.app(), None).await.unwrap();
        let heard = scene.middle.heard();
        let is_asked = |asked: &&(Asked, Answer)| asked.0.path.ends_with("/prepare-eject");
        let (asked, _) = heard.iter().find(is_asked).unwrap();
        // The clock is looked at for key, request and audit, and before the half leaves.
        for (step, leaves) in [(75, true), (125, false)] {
            scene.enable(None).await;
            scene.hand.1.store(step, Ordering::SeqCst);
            let answer = scene.by_client(asked.clone()).await;
            scene.hand.1.store(0, Ordering::SeqCst);
            assert_eq!(answer.status.is_success(), leaves, "{}", answer.text());
        }
    });
}

#[test]
fn each_wallet_is_allowed_by_itself() {
    on_runtime(async {
        let scene = Scene::begin(Curves::BOTH).await;
        let allowed = scene.enable(Some(Curve::Ed25519)).await;
        assert_eq!(allowed.len(), 1);
        let app = scene.app();
        for only in [None, Some(Curve::Secp256k1)] {
            let refused = eject(&app, only).await;
            assert!(is_not_allowed(&refused), "{refused:?}");
        }
        let ejected = eject(&app, Some(Curve::Ed25519)).await.unwrap();
        assert!(ejected.keys.ed25519.is_some() && ejected.keys.secp256k1.is_none());
    });
}

#[test]
fn a_custodian_allows_it_for_a_minute_at_least_and_for_its_own_clients_wallets_alone() {
    on_runtime(async {
        let (scene, other) =
            (Scene::begin(Curves::ED25519).await, Scene::begin(Curves::ED25519).await);
        let (own, foreign) =
            (scene.wallet(Curve::Ed25519).await, other.wallet(Curve::Ed25519).await);
        let ask = async |client: &str, wallet: &str, ahead: Option<u64>| {
            let until = ahead.map(|ahead| Timestamp(scene.hand.now() + ahead));
            let body = json!({ "walletId": wallet, "ejectableUntil": until });
            let asked = Asked::json(route::enable_eject(client), &body);
            scene.by_custodian(Asked { method: Method::PATCH, ..asked }).await
        };
        let client = scene.client.context.client.as_str();
        assert_eq!(refusal(&ask(client, &own, Some(59)).await), ErrorId::BadRequest);
        assert_eq!(refusal(&ask(client, &foreign, None).await), ErrorId::NotFound);
        let stranger = other.client.context.client.as_str();
        assert_eq!(refusal(&ask(stranger, &own, None).await), ErrorId::NotFound);
        assert!(is_not_allowed(&eject(&scene.app(), None).await));
        let answer = ask(client, &own, Some(60)).await;
        let until = Timestamp(scene.hand.now() + 60).to_string();
        assert_eq!(answer.value(), json!({ "ejectableUntil": until }));
        scene.wait(59);
        eject(&scene.app(), None).await.unwrap();
        scene.wait(1);
        assert!(is_not_allowed(&eject(&scene.app(), None).await));
    });
}

#[test]
fn who_cannot_open_the_backup_ejects_nothing() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        scene.enable(None).await;
        let device = scene.client.device();
        let empty = memory_method(&MemoryStore::new());
        let app = device.portal(&scene.middle.url(), &empty);
        let error = eject(&app, None).await.unwrap_err();
        assert_eq!(error.backup_kind(), Some(ErrorKind::NotFound), "{error}");
        let error = app.eject(&MethodId::GDRIVE, &EjectOptions::default(), &unseen).await;
        assert_eq!(error.unwrap_err().backup_kind(), Some(ErrorKind::Unsupported));
        assert_eq!(scene.object().await["ejectedAt"], Value::Null);
    });
}

#[test]
fn a_custodian_allows_it_for_no_longer_than_the_operator_does() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        let (url, key) = (scene.service.url(), scene.custodian_key());
        let client = &scene.client.context.client;
        let allow = async |ahead: u64| {
            let until = Some(scene.hand.now() + ahead);
            custodian::enable_eject(&url, &key, client, None, until).await
        };
        let refused = allow(DAY + 1).await.unwrap_err();
        assert!(matches!(refused, Error::Service { id: ErrorId::BadRequest, .. }), "{refused}");
        assert!(refused.to_string().contains(&DAY.to_string()), "{refused}");
        assert!(is_not_allowed(&eject(&scene.app(), None).await));
        assert_eq!(allow(DAY).await.unwrap()[0].until, scene.hand.now() + DAY);
        eject(&scene.app(), None).await.unwrap();
    });
}

const DAY: u64 = 24 * 60 * 60;

#[test]
fn a_wallet_is_ejected_with_the_key_that_the_app_has_kept() {
    on_runtime(async {
        let scene = Scene::begin(Curves::BOTH).await;
        let app = scene.app();
        let generated = app.generate_backup_share(&unseen).await.unwrap();
        app.stored_client_backup_share(&MethodId::CUSTOM, true).await.unwrap();
        scene.enable(None).await;
        let options = EjectOptions::default();
        let wrong = EncryptionKey::copied_from(&[7; 32]);
        let refused = app.eject_with_key(wrong, &options, &unseen).await.unwrap_err();
        assert_eq!(refused.backup_kind(), Some(ErrorKind::Unauthorized), "{refused}");
        assert_eq!(scene.object().await["ejectedAt"], Value::Null);
        let key = generated.encryption_key;
        let ejected = app.eject_with_key(key, &options, &unseen).await.unwrap();
        assert_eq!(ejected.backup, generated.backup);
        let private = ejected.keys.ed25519.unwrap();
        let key = scene.key(Curve::Ed25519).await;
        assert_eq!(ed25519_public_key(private.expose()), key.as_bytes());
    });
}

/// As Portal's guides have it: the custodian's servers read their halves, and hand them to the app.
#[test]
fn a_wallet_is_ejected_with_the_halves_that_the_custodian_hands_over() {
    on_runtime(async {
        let scene = Scene::begin(Curves::BOTH).await;
        let (url, key) = (scene.service.url(), scene.custodian_key());
        let client = &scene.client.context.client;
        let early = custodian::ejectable_shares(&url, &key, client, None).await.unwrap_err();
        assert!(matches!(early, Error::Service { id: ErrorId::StateInvalid, .. }), "{early}");
        scene.enable(None).await;
        let shares = custodian::ejectable_shares(&url, &key, client, None).await.unwrap();
        let sent = shares.map(|share| share.expose().to_owned());
        let read = || sent.as_ref().try_map(|_, text| CustodianShare::parse(text)).unwrap();
        assert!(!format!("{:?}", read()).contains(&sent.ed25519.as_ref().unwrap()[60..90]));
        // It is not for the service to allow any more.
        scene.wait(DAY);
        let options = EjectOptions { custodian_shares: read(), ..EjectOptions::default() };
        let ejected = scene.app().eject(&memory_id(), &options, &unseen).await.unwrap();
        let private = ejected.keys.secp256k1.unwrap();
        let key = scene.key(Curve::Secp256k1).await;
        assert_eq!(secp256k1_public_key(private.expose()), key.as_bytes());
        assert!(!scene.middle.heard().iter().any(|(asked, _)| asked.path.contains("eject")));

        let missing = ByCurve { secp256k1: None, ..read() };
        let options = EjectOptions { custodian_shares: missing, ..EjectOptions::default() };
        let refused = scene.app().eject(&memory_id(), &options, &unseen).await;
        assert!(is_not_allowed(&refused), "the service is asked for the other: {refused:?}");
    });
}

#[test]
fn a_half_of_another_backup_or_of_nothing_ejects_no_wallet() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        let other = Scene::begin(Curves::ED25519).await;
        other.enable(None).await;
        let (url, key) = (other.service.url(), other.custodian_key());
        let client = &other.client.context.client;
        let shares = custodian::ejectable_shares(&url, &key, client, None).await.unwrap();
        let theirs = shares.ed25519.unwrap();
        // With the name of our own pair, as whoever wants to see what happens would write it.
        let mut renamed: Value = serde_json::from_str(theirs.expose()).unwrap();
        renamed["backupSharePairId"] = json!(scene.pair().await.as_str());
        let renamed = CustodianShare::parse(&renamed.to_string()).unwrap();
        for share in [theirs, renamed] {
            let custodian_shares = ByCurve::ed25519(share);
            let options = EjectOptions { custodian_shares, ..EjectOptions::default() };
            let refused = scene.app().eject(&memory_id(), &options, &unseen).await.unwrap_err();
            assert!(matches!(refused, Error::InvalidInput(_)), "{refused}");
        }
        for wrong in ["", "{}", r#"{"backupSharePairId":"p","share":"AAAA"}"#, "AAAA"] {
            let refused = CustodianShare::parse(wrong).unwrap_err();
            assert!(matches!(refused, Error::InvalidInput(_)), "{wrong}");
        }
    });
}

/// Whoever has the API key, has heard all that was sent, and asks while it is allowed.
#[test]
fn a_stolen_api_key_gets_no_half_that_helps() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        scene.enable(None).await;
        let (wallet, pair) = (scene.wallet(Curve::Ed25519).await, scene.pair().await);
        let half = scene.half().await;
        let path = route::prepare_eject(&wallet);
        let as_portal = json!({ "backupMethod": memory_id().as_str() });
        let refused = scene.by_client(Asked::json(path.as_str(), &as_portal)).await;
        assert_eq!(refusal(&refused), ErrorId::BadRequest);

        let own = ReleaseKey::generate().unwrap();
        let forged = |proof| PrepareEject {
            backup_method: None,
            backup_share_pair_id: pair.clone(),
            recipient: own.recipient(),
            proof,
        };
        let nothing = Proof::from(HoldProof::from_bytes(&[1; HoldProof::LEN]).unwrap());
        let refused = scene.by_client(Asked::json(path.as_str(), &forged(nothing))).await;
        assert_eq!(refusal(&refused), ErrorId::DkgRefreshMismatch);

        let read = scene.by_client(Asked::get(route::ejectable_shares(&wallet))).await;
        let read: EjectableShares = serde_json::from_str(&read.text()).unwrap();
        assert!(read.custodian_backup_share.is_none());
        assert!(read.encrypted_client_backup_share.unwrap().starts_with("portal-backup-1."));
        assert_eq!(scene.object().await["ejectedAt"], Value::Null, "nothing was released");

        eject(&scene.app(), None).await.unwrap();
        let heard = scene.middle.heard();
        let (asked, _) = heard.iter().find(|(asked, _)| asked.path == path).unwrap();
        let repeated = scene.by_client(asked.clone()).await.text();
        let released: PreparedEject = serde_json::from_str(&repeated).unwrap();
        let released: ReleasedHalf = serde_json::from_str(&released.share).unwrap();
        own.open(&scene.client.context, &pair, &released).unwrap_err();
        assert!(!holds(&released.sealed_share, &half.to_bytes()));
        let said: PrepareEject = serde_json::from_slice(&asked.body).unwrap();
        let stolen = scene.by_client(Asked::json(path, &forged(said.proof))).await;
        assert_eq!(refusal(&stolen), ErrorId::DkgRefreshMismatch, "the proof is for its recipient");
    });
}

/// Whether some part of a secret, as long as half a scalar, stands in what was answered.
fn holds(answered: &[u8], secret: &[u8]) -> bool {
    secret.windows(16).any(|part| answered.windows(16).any(|other| other == part))
}

#[test]
fn a_half_is_released_for_its_own_wallet_and_method_and_a_completed_backup() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        scene.enable(None).await;
        eject(&scene.app(), None).await.unwrap();
        let heard = scene.middle.heard();
        let is_asked = |asked: &Asked| asked.path.ends_with("/prepare-eject");
        let (asked, _) = heard.iter().find(|(asked, _)| is_asked(asked)).unwrap();
        let with = |key: &str, value: Value| {
            let mut body: Value = serde_json::from_slice(&asked.body).unwrap();
            body[key] = value;
            asked.clone().with_other_body(body.to_string())
        };
        let same = scene.by_client(with("backupMethod", json!(memory_id().as_str()))).await;
        assert!(same.status.is_success(), "{}", same.text());
        let unknown = scene.by_client(with("backupMethod", json!("UNKNOWN"))).await;
        assert!(unknown.status.is_success(), "{}", unknown.text());
        let other = scene.by_client(with("backupMethod", json!("GDRIVE"))).await;
        assert_eq!(refusal(&other), ErrorId::NotFound);
        let no_pair = scene.by_client(with("backupSharePairId", json!("of-nobody"))).await;
        assert_eq!(refusal(&no_pair), ErrorId::NotFound);
        let elsewhere = Asked { path: route::prepare_eject("of-nobody"), ..asked.clone() };
        assert_eq!(refusal(&scene.by_client(elsewhere).await), ErrorId::NotFound);
        let other = scene.service.client().await;
        let by_other = asked.clone().with_key(&other.key);
        assert_eq!(refusal(&scene.middle.ask(&by_other).await), ErrorId::NotFound);
    });
}

#[test]
fn a_half_of_a_backup_that_was_never_completed_stays() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        scene.enable(None).await;
        let app = scene.app();
        let generated = app.generate_backup_share(&unseen).await.unwrap();
        let envelope = Envelope::parse(&generated.cipher_text).unwrap();
        let request = PrepareEject {
            backup_method: None,
            backup_share_pair_id: envelope.header().wallets[0].pair.clone(),
            recipient: ReleaseKey::generate().unwrap().recipient(),
            proof: Proof::from(HoldProof::from_bytes(&[1; HoldProof::LEN]).unwrap()),
        };
        let path = route::prepare_eject(&scene.wallet(Curve::Ed25519).await);
        let ask = || scene.by_client(Asked::json(path.as_str(), &request));
        assert_eq!(refusal(&ask().await), ErrorId::StateInvalid);
        app.stored_client_backup_share(&MethodId::CUSTOM, true).await.unwrap();
        assert_eq!(refusal(&ask().await), ErrorId::DkgRefreshMismatch, "now it is for the proof");
    });
}

#[test]
fn the_custodian_reads_its_own_half_while_it_allows_ejecting() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        let client = scene.client.context.client.as_str();
        let wallet = scene.wallet(Curve::Ed25519).await;
        let path = route::ejectable_shares_of_custodian(client, &wallet);
        let early = scene.by_custodian(Asked::get(path.as_str())).await;
        assert_eq!(refusal(&early), ErrorId::StateInvalid);
        scene.enable(None).await;
        let read = scene.by_custodian(Asked::get(path.as_str())).await.value();
        let half: Value =
            serde_json::from_str(read["custodianBackupShare"].as_str().unwrap()).unwrap();
        assert_eq!(half["backupSharePairId"], scene.pair().await.as_str());
        use base64ct::Encoding;
        let bytes = base64ct::Base64UrlUnpadded::decode_vec(half["share"].as_str().unwrap());
        assert_eq!(bytes.unwrap(), *scene.half().await.to_bytes());
        assert!(scene.object().await["ejectedAt"].is_string());
        let other = route::ejectable_shares_of_custodian("nobody", &wallet);
        assert_eq!(refusal(&scene.by_custodian(Asked::get(other)).await), ErrorId::NotFound);
        scene.wait(300);
        let late = scene.by_custodian(Asked::get(path)).await;
        assert_eq!(refusal(&late), ErrorId::StateInvalid);
    });
}

#[test]
fn an_app_tells_that_it_has_ejected_only_when_it_can_have() {
    on_runtime(async {
        let scene = Scene::begin(Curves::ED25519).await;
        let body = json!({ "clientPlatform": "WEB", "clientPlatformVersion": "3.4.1" });
        let tell = || scene.by_client(Asked::json(route::EJECTED, &body));
        scene.enable(None).await;
        assert_eq!(refusal(&tell().await), ErrorId::StateInvalid);
        eject(&scene.app(), None).await.unwrap();
        for _ in 0..2 {
            assert_eq!(tell().await.status.as_u16(), 204);
        }
    });
}
