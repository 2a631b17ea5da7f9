//! Custodians that keep their halves themselves, on real sockets: honest ones, and others.

mod keeper;
mod real;
mod scene;

use std::{fs, process::Stdio, time::Duration};

use backup_core::Curve;
use backup_testkit::LogCapture;
use portal_api::{
    ErrorId,
    compat::EjectableShare,
    route,
    webhook::{ID_HEADER, SECRET_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookSecret},
};
use portal_client::{BackUpOptions, BackedUp, Error};
use portal_tests::{
    cutting_proxy::{self, CuttingProxy},
    node::node,
    private_key::ed25519_public_key,
    wallets::{memory_id, on_runtime, unseen},
};
use serde_json::json;

use self::{
    keeper::Way,
    scene::{SECRET, Scene, is_webhook_failed},
};

#[test]
fn a_wallet_is_made_backed_up_lost_recovered_and_ejected_by_way_of_the_custodian() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let made = scene.back_up().await.unwrap();
        assert!(made.proved);
        let addresses = scene.app().addresses().await.unwrap().unwrap();
        let device = scene.recover(None).await.unwrap();
        assert_eq!(scene.app_on(&device).addresses().await.unwrap().unwrap(), addresses);
        let scene = Scene { device, ..scene };
        scene.back_up_anew().await.unwrap();
        let public_key = addresses.public_key(Curve::Ed25519).unwrap();
        let ejected = scene.eject().await.unwrap();
        assert_eq!(ed25519_public_key(&ejected), public_key.as_bytes());
        let kept = &scene.keeper.keeping().kept;
        let of_client = |kept: &&keeper::Kept| kept.client == scene.client.context.client.as_str();
        assert_eq!(kept.iter().filter(of_client).count(), 2);
    });
}

#[test]
fn backups_that_the_apps_word_completes_come_back_by_way_of_the_custodian() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let options = BackUpOptions { by_notice: true, ..Default::default() };
        let made = scene.app().back_up(&memory_id(), &options, &unseen).await.unwrap();
        scene.app().stored_client_backup_share(&memory_id(), true).await.unwrap();
        scene.recover(Some(made.cipher_text)).await.unwrap();
    });
}

#[test]
fn neither_database_nor_log_ever_holds_a_half_or_the_secret() {
    on_runtime(async {
        let log = LogCapture::start();
        let scene = Scene::begin().await;
        scene.back_up().await.unwrap();
        scene.keeper.be(Way::Forgets);
        assert!(is_webhook_failed(&scene.recover(None).await));
        scene.keeper.be(Way::Honest);
        scene.recover(None).await.unwrap();
        let halves: Vec<_> =
            scene.keeper.keeping().kept.iter().map(|kept| kept.half.clone()).collect();
        let mut secrets = vec![SECRET.as_bytes().to_vec()];
        for half in &halves {
            let share: EjectableShare = serde_json::from_str(half).unwrap();
            secrets.push(share.share.as_bytes().to_vec());
            secrets.push(share.bytes().unwrap().to_vec());
            // The scalar alone, which stands after head and pair.
            secrets.extend(share.bytes().unwrap().get(36..68).map(<[u8]>::to_vec));
        }
        assert!(secrets.len() > 6);
        let mut places = vec![("the log".to_owned(), log.text().into_bytes())];
        for file in fs::read_dir(scene.service.folder()).unwrap() {
            let path = file.unwrap().path();
            places.push((path.display().to_string(), fs::read(path).unwrap()));
        }
        assert!(places.len() > 3 && places.iter().any(|(_, bytes)| bytes.len() > 50_000));
        for (place, bytes) in places {
            for secret in &secrets {
                let found = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "{place} holds what is secret");
            }
        }
    });
}

#[test]
fn each_bad_custodian_fails_the_new_backup_and_leaves_the_old_one() {
    on_runtime(async {
        for way in Way::BAD {
            let scene = Scene::begin().await;
            scene.back_up().await.unwrap();
            let before = scene.keeper.keeping().kept.clone();
            scene.keeper.be(way);
            let failed = scene.back_up_anew().await;
            assert!(is_webhook_failed(&failed), "{way:?}: {failed:?}");
            // A custodian that overwrites has lost it all the same; the others have it.
            scene.keeper.keeping().kept = before;
            scene.keeper.be(Way::Honest);
            scene.wait_days(400).await;
            scene.recover(None).await.unwrap();
        }
    });
}

/// Goes by way of a proxy that cuts once, and backs up; how many bytes of answers came by then, and
/// how many for the registration alone.
async fn back_up_through(scene: &Scene, cut_after: usize) -> (Result<BackedUp, Error>, [usize; 2]) {
    let way = cutting_proxy::Way::ToDevice;
    let proxy = CuttingProxy::start(scene.keeper.address(), way, cut_after).await;
    scene.register(&format!("{}/hook/", proxy.url()), SECRET).await.unwrap();
    let registered = proxy.passed();
    let made = scene.back_up_anew().await;
    scene.register(&scene.keeper.url(), SECRET).await.unwrap();
    (made, [registered, proxy.passed()])
}

#[test]
fn a_custodian_that_dies_in_the_middle_of_any_answer_fails_the_backup_and_leaves_the_old_one() {
    const CUTS: usize = 12;
    on_runtime(async {
        let mut scene = Scene::begin().await;
        let (made, [first, end]) = back_up_through(&scene, usize::MAX).await;
        made.unwrap();
        for cut in 0..CUTS {
            let (failed, _) = back_up_through(&scene, first + (end - first) * cut / CUTS).await;
            assert!(is_webhook_failed(&failed), "cut {cut}: {failed:?}");
            let device = scene.recover(None).await.unwrap();
            scene = Scene { device, ..scene };
        }
        scene.back_up_anew().await.unwrap();
    });
}

#[test]
fn a_custodian_that_answers_late_is_waited_for_ten_seconds_in_all() {
    on_runtime(async {
        let scene = Scene::begin().await;
        scene.keeper.be(Way::Late(Duration::from_secs(6)));
        let begun = std::time::Instant::now();
        // Each answer is in time, and all of them are not.
        scene.back_up().await.unwrap_err();
        scene.keeper.be(Way::Late(Duration::from_secs(60)));
        assert!(is_webhook_failed(&scene.back_up().await));
        assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
        let failure = scene.webhook().await.last_failure.unwrap();
        assert!(failure.contains("10 seconds"), "{failure}");
        scene.keeper.be(Way::Honest);
        scene.back_up().await.unwrap();
        scene.recover(None).await.unwrap();
    });
}

#[test]
fn a_webhook_is_registered_only_if_two_halves_of_one_client_come_back() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let registered = scene.webhook().await;
        for way in Way::BAD {
            scene.keeper.be(way);
            let refused = scene.register(&scene.keeper.url(), "another-secret-of-it").await;
            assert_eq!(refused.unwrap_err().error.id, ErrorId::WebhookFailed, "{way:?}");
            assert_eq!(scene.webhook().await, registered, "{way:?}");
        }
        scene.keeper.be(Way::Honest);
        scene.keeper.keeping().came.clear();
        scene.register(&scene.keeper.url(), "another-secret-of-it").await.unwrap();
        let came = scene.keeper.keeping().came.clone();
        assert_eq!(came.len(), 4);
        let kept = scene.keeper.keeping().kept.clone();
        let [.., one, other] = kept.as_slice() else { panic!("there are two") };
        assert_eq!((&one.client, &one.method), (&other.client, &other.method));
        assert_ne!(one.pair, other.pair);
    });
}

#[test]
fn where_nothing_is_allowed_no_webhook_near_the_service_is_asked() {
    on_runtime(async {
        let scene = Scene::without_webhook(|options| options.webhooks.plain_http = true).await;
        let port = scene.keeper.address.port();
        for host in ["127.0.0.1", "localhost", "2130706433", "[::1]", "[::ffff:127.0.0.1]"] {
            let url = format!("http://{host}:{port}/hook");
            let error = scene.register(&url, SECRET).await.unwrap_err().error;
            assert!(error.message.contains("not a public one"), "{host}: {}", error.message);
        }
        assert!(scene.keeper.keeping().came.is_empty());
        let scene = Scene::without_webhook(|options| options.webhooks.private_addresses = true);
        let scene = scene.await;
        let error = scene.register(&scene.keeper.url(), SECRET).await.unwrap_err().error;
        assert_eq!(error.id, ErrorId::BadRequest);
        assert!(scene.keeper.keeping().came.is_empty());
    });
}

#[test]
fn requests_are_signed_as_standard_webhooks_are_and_a_secret_of_theirs_does_not_travel() {
    on_runtime(async {
        let scene = Scene::begin().await;
        scene.back_up().await.unwrap();
        let standard = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        for came in scene.keeper.keeping().came.drain(..) {
            assert_eq!(came.headers[SECRET_HEADER], SECRET);
            assert!(verifies(SECRET, &came));
        }
        scene.register(&scene.keeper.url(), standard).await.unwrap();
        scene.back_up_anew().await.unwrap();
        let came = scene.keeper.keeping().came.clone();
        let ids: std::collections::HashSet<_> =
            came.iter().map(|came| came.headers[ID_HEADER].clone()).collect();
        assert_eq!(ids.len(), came.len());
        for came in &came {
            assert!(!came.headers.contains_key(SECRET_HEADER));
            assert!(verifies(standard, came) && !verifies(SECRET, came));
        }
        let other = came.last().unwrap();
        let said = json!({
            "secret": standard,
            "headers": {
                ID_HEADER: other.headers[ID_HEADER].to_str().unwrap(),
                TIMESTAMP_HEADER: other.headers[TIMESTAMP_HEADER].to_str().unwrap(),
                SIGNATURE_HEADER: other.headers[SIGNATURE_HEADER].to_str().unwrap(),
            },
            "body": String::from_utf8(other.body.clone()).unwrap(),
        });
        // The specification's own library.
        let mut verifier = node("verify_webhook.cjs");
        let answer = verifier.arg(said.to_string()).stderr(Stdio::inherit()).output().unwrap();
        assert_eq!(String::from_utf8(answer.stdout).unwrap().trim(), "verified, and no other body");
    });
}

fn verifies(secret: &str, came: &keeper::Came) -> bool {
    let header = |name: &str| came.headers[name].to_str().unwrap();
    let time = header(TIMESTAMP_HEADER).parse().unwrap();
    let secret = WebhookSecret::new(secret).unwrap();
    secret.verifies(header(ID_HEADER), time, &came.body, header(SIGNATURE_HEADER))
}

#[test]
fn dead_pairs_are_named_until_they_are_erased_and_no_other_is() {
    on_runtime(async {
        let scene = Scene::begin().await;
        scene.back_up().await.unwrap();
        scene.keeper.be(Way::StoresNothing);
        scene.back_up_anew().await.unwrap_err();
        assert!(scene.webhook().await.dead_pairs.is_empty(), "its session may go on");
        scene.wait_days(1).await;
        let dead = scene.webhook().await.dead_pairs;
        assert_eq!(dead.len(), 1);
        assert_eq!(dead[0].client_id, scene.client.context.client);
        let living = scene.keeper.keeping().kept.last().unwrap().pair.clone();
        assert_ne!(dead[0].backup_share_pair_id.as_str(), living);
        let erase = |pairs: [&str; 1]| json!({ "backupSharePairIds": pairs });
        let refused = scene.post(route::ERASED_PAIRS, &erase([&living])).await;
        assert_eq!(refused.status(), 409);
        let dead = dead[0].backup_share_pair_id.as_str();
        assert!(scene.post(route::ERASED_PAIRS, &erase([dead])).await.status().is_success());
        assert!(scene.webhook().await.dead_pairs.is_empty());
        scene.keeper.be(Way::Honest);
        scene.recover(None).await.unwrap();
    });
}

#[test]
fn what_is_superseded_by_a_backup_that_was_forgotten_stays_and_recovers() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let (first, all) = scene.forget_newer_backup().await;
        scene.wait_days(400).await;
        scene.recover(Some(first.cipher_text)).await.unwrap();
        scene.keeper.keeping().kept = all;
        scene.wait_days(1).await;
        let dead = scene.webhook().await.dead_pairs;
        assert_eq!(dead.len(), 1, "it goes once the newer one is there");
    });
}

#[test]
fn nothing_is_posted_to_a_custodian_that_has_lost_an_earlier_half() {
    on_runtime(async {
        let scene = Scene::begin().await;
        scene.back_up().await.unwrap();
        let kept = std::mem::take(&mut scene.keeper.keeping().kept);
        scene.keeper.keeping().came.clear();
        assert!(is_webhook_failed(&scene.back_up_anew().await));
        assert!(scene.keeper.keeping().came.iter().all(|came| came.path == "/backup/fetch"));
        scene.keeper.keeping().kept = kept;
        scene.back_up_anew().await.unwrap();
    });
}

#[test]
fn a_backup_is_not_revoked_for_one_whose_half_is_lost() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let (first, all) = scene.forget_newer_backup().await;
        let revoke =
            async || scene.app().remove_superseded(std::slice::from_ref(&first.backup)).await;
        revoke().await.unwrap_err();
        scene.keeper.keeping().kept = all;
        revoke().await.unwrap();
    });
}
