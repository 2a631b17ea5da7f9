//! Another client of the same custodian, with a right key and a device of its own: what it asks for
//! that is not its own, on every route.

use portal_api::{
    DeviceKey, ErrorId,
    route::{self, Asker, Route},
};
use portal_client::{BackUpOptions, Curves, Payload};
use portal_tests::{
    middle::Asked,
    wallets::{TestClient, memory_id, unseen},
};
use tempfile::TempDir;

use super::{
    eject,
    requests::{STRANGER, out_of_order},
    scene::{Scene, app, device_key, expect_shape},
};

/// A client with a wallet and a backup of its own.
pub(crate) struct Other {
    client: TestClient,
    device: DeviceKey,
}

/// A request about what is the scene's client's.
pub(crate) struct About {
    pub(crate) what: &'static str,
    pub(crate) asked: Asked,
    /// Whether the scene's own device was, or would be, answered with success.
    pub(crate) is_right: bool,
}

impl Other {
    pub(crate) async fn beside(scene: &Scene) -> Self {
        let (client, folder) = (scene.service.client().await, TempDir::new().unwrap());
        let url = scene.middle.url();
        let app = app(&url, &client, folder.path(), &scene.store, Curves::ED25519);
        app.create_wallet(&unseen).await.unwrap();
        app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
        app.sign(Payload::Message(b"mine")).await.unwrap();
        let device = device_key(&client, folder.path());
        Self { client, device }
    }

    /// With this client's key: signed by nobody, by its own device, and by the scene's.
    fn forms(&self, scene: &Scene, asked: &Asked) -> [Asked; 3] {
        let plain = asked.clone().with_digest().without_header(DeviceKey::HEADER);
        let own = asked.clone().signed_by(&self.client.context, &self.device, None);
        let theirs = asked.clone().signed_by(scene.context(), &scene.device, None);
        [plain, own, theirs].map(|asked| asked.with_key(&self.client.key))
    }

    /// Asks in every form, and sees that nothing of the scene's client comes of it.
    pub(crate) async fn asks(&self, scene: &Scene, route: Route, about: &About) {
        let forms = self.forms(scene, &about.asked);
        for (form, asked) in ["plain", "signed", "signed by theirs"].into_iter().zip(&forms) {
            let what = format!("{route:?}, {}, {form}: {}", about.what, asked.path);
            let answer = scene.middle.ask(asked).await;
            if answer.status.is_success() {
                assert!(says_nothing_of_others(route), "{what}: {}", answer.text());
                scene.expect_nothing_of_its_client(&what, &answer.text());
                continue;
            }
            let refusal = expect_shape(&what, &answer).error;
            let is_of_client = route.asker() == Asker::Client || form == "signed";
            if route.asker() == Asker::Custodian {
                assert_eq!(refusal.id, ErrorId::AuthFailed, "{what}");
            } else if about.is_right && is_of_client {
                // A first post names the device that has to sign it.
                let is_mismatch =
                    route == Route::FirstPost && refusal.id == ErrorId::SignShareMismatch;
                let is_hidden = matches!(refusal.code, 403 | 404) || is_mismatch;
                assert!(is_hidden, "{what}: {}", answer.text());
            }
        }
    }
}

/// Routes that are about whoever asks, and those that remove what may be gone already.
fn says_nothing_of_others(route: Route) -> bool {
    !route.path().contains('{') || matches!(route, Route::DropPending)
}

/// What the scene's client sent on this route, what it could ask, and what is out of order.
pub(crate) fn about(scene: &Scene, route: Route, envelope: &str) -> Vec<About> {
    let heard = scene.middle.heard().into_iter();
    let heard = heard.filter(|(asked, answer)| is_of(route, asked) && answer.status.is_success());
    let heard = heard.map(|(asked, _)| About { what: "what was sent", asked, is_right: true });
    let reads = match route {
        Route::Envelope => vec![Asked::get(route::envelope(&scene.completed))],
        Route::CipherText => vec![Asked::get(route::cipher_text(&scene.completed_pair))],
        Route::BackupPairs => vec![Asked::get(route::backup_pairs(&scene.wallet()))],
        Route::SigningPairs => vec![Asked::get(route::signing_pairs(&scene.wallet()))],
        Route::EjectableShares => vec![Asked::get(route::ejectable_shares(&scene.wallet()))],
        Route::PrepareEject => eject::prepared(scene).into_iter().map(|(_, asked)| asked).collect(),
        _ => Vec::new(),
    };
    let reads = reads.into_iter().map(|asked| About { what: "a read", asked, is_right: true });
    let wrong = out_of_order(scene, route, envelope).into_iter();
    let wrong = wrong.map(|(what, asked)| About { what, asked, is_right: false });
    let empty = About { what: "nothing", asked: scene.asked(route), is_right: false };
    heard.chain(reads).chain(wrong).chain([empty]).collect()
}

/// Whether a request is one for this route.
fn is_of(route: Route, asked: &Asked) -> bool {
    let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (of_route, of_request) = (parts(route.path()), parts(&asked.path));
    asked.method.as_str() == route.method()
        && of_route.len() == of_request.len()
        && of_route.iter().zip(&of_request).all(|(own, part)| own.starts_with('{') || own == part)
}

impl Scene {
    /// Neither its name, nor one of its things.
    fn expect_nothing_of_its_client(&self, what: &str, text: &str) {
        let names = [
            self.context().client.as_str(),
            self.completed.as_str(),
            self.pending.as_str(),
            self.pair.as_str(),
            self.completed_pair.as_str(),
            self.pending_pair.as_str(),
        ];
        for name in names {
            assert!(!text.contains(name), "{what}: {text}");
        }
        assert!(!text.contains(STRANGER), "{what}");
    }
}
