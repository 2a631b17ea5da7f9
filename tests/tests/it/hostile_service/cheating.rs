//! A service that cheats while it signs on secp256k1, in a way that leaks something of a pair.

use backup_core::Curve;
use backup_testkit::MemoryStore;
use portal_client::{Curves, Error, Notice, Payload, Portal, Signature};
use portal_tests::{
    forged,
    middle::{Answer, Asked, Middle},
    wallets::{TestService, memory_method, on_runtime, unseen},
};

use super::scene::{Scene, back_up, recover};

const DIGEST: [u8; 32] = [0x5a; 32];

/// The place in the first reply of a signature of a row of the oblivious-transfer extension: behind
/// header, parties, binding, commitment, nonce, and the length of the rows.
const ROW: usize = 36 + 2 + 32 + 32 + 32 + 3 + 1000;

/// The first reply of a session of this operation, with a bit of that row changed and a right tag.
fn cheated(operation: &str, asked: &Asked, answer: Answer) -> Answer {
    let of_operation = asked.is_first_post() && {
        let head = &asked.body[..asked.body.len().min(300)];
        head.windows(operation.len()).any(|window| window == operation.as_bytes())
    };
    if !of_operation || !answer.status.is_success() {
        return answer;
    }
    let flip = |message: &mut [u8]| message[ROW] ^= 1;
    let body = forged::reply(&answer.body, forged::secret(&asked.body), flip).unwrap();
    answer.with_body(body)
}

/// Whether the device says that it signs no more, by curve.
async fn frozen(app: &Portal) -> Vec<Curve> {
    let notices = app.status().await.unwrap().notices;
    let frozen = notices.into_iter().filter_map(|notice| match notice {
        Notice::Frozen { curve } => Some(curve),
        _ => None,
    });
    frozen.collect()
}

async fn expect_ecdsa(app: &Portal, scene: &Scene) {
    let signature = app.sign(Payload::Digest(&DIGEST)).await.unwrap();
    let Signature::Ecdsa(signature) = signature else { panic!("another curve") };
    let key = scene.addresses.public_key(Curve::Secp256k1).unwrap();
    let key = k256::ecdsa::VerifyingKey::from_sec1_bytes(key.as_bytes()).unwrap();
    let signature = k256::ecdsa::Signature::from_slice(signature.as_bytes()).unwrap();
    k256::ecdsa::signature::hazmat::PrehashVerifier::verify_prehash(&key, &DIGEST, &signature)
        .unwrap();
}

#[test]
fn a_service_that_cheats_freezes_its_curve_on_the_device_and_a_recovery_leads_out() {
    on_runtime(async {
        let service = TestService::start().await;
        let scene = Scene::sharing(&service, MemoryStore::new(), Curves::BOTH).await;
        let app = scene.app();
        // What was only damaged on the way has nothing frozen.
        scene.middle.change(|asked, answer| match asked.is_first_post() {
            true => {
                let mut body = answer.body.to_vec();
                let at = body.len() / 2;
                body[at] ^= 1;
                answer.with_body(body)
            }
            false => answer,
        });
        let error = app.sign(Payload::Digest(&DIGEST)).await.unwrap_err();
        assert!(!matches!(error, Error::Frozen { .. }), "{error}");
        scene.middle.be_honest();
        assert_eq!(frozen(&app).await, []);
        expect_ecdsa(&app, &scene).await;

        scene.middle.change(|asked, answer| cheated("sign", asked, answer));
        let error = app.sign(Payload::Digest(&DIGEST)).await.unwrap_err();
        assert!(matches!(error, Error::Frozen { curve: Curve::Secp256k1 }), "{error}");
        assert_eq!(frozen(&app).await, [Curve::Secp256k1]);
        scene.middle.be_honest();
        // The app starts again: it is on the disk.
        let app = scene.app();
        assert_eq!(frozen(&app).await, [Curve::Secp256k1]);
        let error = app.sign(Payload::Digest(&DIGEST)).await.unwrap_err();
        assert!(matches!(error, Error::Frozen { curve: Curve::Secp256k1 }), "{error}");
        scene.expect_signature(&app, "the other curve").await;

        back_up(&app, false, &unseen).await.unwrap();
        let recovered = recover(&app).await.unwrap();
        assert_eq!(recovered.addresses, scene.addresses);
        assert_eq!(frozen(&app).await, []);
        expect_ecdsa(&app, &scene).await;
        scene.expect_signature(&app, "both curves").await;
    });
}

#[test]
fn a_wallet_that_a_service_cheats_on_before_it_is_live_is_made_anew() {
    on_runtime(async {
        let service = TestService::start().await;
        let middle = Middle::before(service.address()).await;
        let (client, store) = (service.client().await, MemoryStore::new());
        let device = client.device();
        let app = device.app(&middle.url()).curves(Curves::SECP256K1).method(memory_method(&store));
        let app = app.build().unwrap();
        middle.change(|asked, answer| cheated("confirm", asked, answer));
        let error = app.create_wallet(&unseen).await.unwrap_err();
        assert!(matches!(error, Error::Frozen { curve: Curve::Secp256k1 }), "{error}");
        assert!(app.addresses().await.unwrap().is_none());
        middle.be_honest();
        app.create_wallet(&unseen).await.unwrap();
        app.sign(Payload::Digest(&DIGEST)).await.unwrap();
    });
}
