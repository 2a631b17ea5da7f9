//! Webhooks that are none, and pairs that must not be erased.

use portal_api::route::{self, Route};
use portal_tests::middle::Asked;
use serde_json::json;

use super::scene::Scene;

/// Registrations of what must not be asked.
pub(crate) fn registered(route: Route) -> Vec<(&'static str, Asked)> {
    let with = |webhook: &str, secret: &str| {
        Asked::json(route.path(), &json!({ "webhook": webhook, "secret": secret }))
    };
    let secret = "a secret of 16 characters".replace(' ', "-");
    vec![
        ("a webhook on this machine", with("https://127.0.0.1/", &secret)),
        ("a webhook on this machine, by another name", with("https://localhost/", &secret)),
        ("a webhook of the cloud's own", with("https://169.254.169.254/", &secret)),
        ("a webhook without TLS", with("http://example.com/", &secret)),
        ("a webhook that is no URL", with("example.com", &secret)),
        ("a secret that is none", with("https://example.com/", "secret")),
    ]
}

/// A pair that is of use.
pub(crate) fn erased(scene: &Scene) -> Vec<(&'static str, Asked)> {
    let body = json!({ "backupSharePairIds": [scene.pending_pair.as_str()] });
    vec![("the half of a pending backup, erased", Asked::json(route::ERASED_PAIRS, &body))]
}
