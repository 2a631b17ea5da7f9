//! What every route is asked for, rightly and wrongly. Each of these goes through all routes, so
//! that a new one does not compile before it is said here what it refuses.

use backup_core::{BackupId, ClientId, Envelope};
use portal_api::{
    Commit, DeviceKey, FirstPost, Nothing, PairName, PerCurve, PostFrame, Revocations, SignPayload,
    mpc_context,
    route::{self, Asker, Route},
};
use portal_client::Curves;
use portal_mpc::{Generate, Outgoing, SessionSecret};
use portal_tests::{
    middle::{Asked, Method},
    wallets::RELYING_PARTY,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{compat, eject, enclave, scene::Scene, webhook};

/// A key that nobody has.
pub(crate) const STRANGER: &str = "ck_QmVhcmVyIG9mIG5vdGhpbmcgYXQgYWxsLCBub3QgMQQ";

/// The name of nothing.
const NOBODYS: &str = "of-nobody";

/// The longest body that a route takes. The service reads its limits from `Route::body`, so they
/// are said here once more: a test that took them from there would find any limit right.
const fn longest(route: Route) -> usize {
    match route {
        _ if route.reads() => 0,
        Route::FirstPost | Route::SecondPost => PostFrame::MAX_LEN,
        Route::StoreEnvelope => Envelope::MAX_LEN,
        Route::StoreCipherText => Envelope::MAX_LEN + 1024,
        _ => 64 * 1024,
    }
}

/// The methods that the path of a route has. The service gives each handler its method by itself,
/// as each handler says by itself who may ask; `Route` is what the document says of both.
fn methods(route: Route) -> Vec<Method> {
    let same_path = Route::ALL.into_iter().filter(|other| other.path() == route.path());
    same_path.map(|other| other.method().parse().unwrap()).collect()
}

impl Scene {
    /// The route, asked for as it should be but for what is in the body and who asks.
    pub(crate) fn asked(&self, route: Route) -> Asked {
        let post =
            |path: &str| Asked::with_body(Method::POST, path, portal_api::MEDIA_TYPE, vec![0; 100]);
        match route {
            Route::Health
            | Route::Ready
            | Route::Description
            | Route::Client
            | Route::ClientObject => Asked::get(route.path()),
            Route::BackupPairs => Asked::get(route::backup_pairs(NOBODYS)),
            Route::SigningPairs => Asked::get(route::signing_pairs(NOBODYS)),
            Route::CipherText => Asked::get(route::cipher_text(&self.pending_pair)),
            Route::StoreCipherText => compat::cipher_text(&self.pending_pair, "no envelope"),
            Route::BackupPairNotice | Route::SigningPairNotice => {
                said(Method::PATCH, route.path(), &json!({ "status": "DONE" }))
            }
            Route::StoredShare | Route::StoredShareV1 | Route::StoredKey => {
                said(Method::PUT, route.path(), &json!({ "backupMethod": "PASSWORD" }))
            }
            Route::Clients => Asked::get(route.path()),
            Route::ClientOfCustodian => Asked::get(route::client_of_custodian(NOBODYS)),
            Route::CreateClientSession => Asked::json(route::client_sessions(NOBODYS), &json!({})),
            Route::CreateClientSessionV1 => {
                Asked::json(route::client_session_v1(NOBODYS), &json!({}))
            }
            Route::EndClientSessions => {
                said(Method::DELETE, &route::client_sessions(NOBODYS), &json!({}))
            }
            Route::PrepareEject => {
                let body = json!({ "backupMethod": "PASSWORD" });
                Asked::json(route::prepare_eject(&self.wallet()), &body)
            }
            Route::EjectableShares => Asked::get(route::ejectable_shares(&self.wallet())),
            Route::Ejected => Asked::json(route.path(), &json!({ "clientPlatform": "RUST" })),
            Route::EnableEject => {
                let body = json!({ "walletId": NOBODYS });
                said(Method::PATCH, &route::enable_eject(self.context().client.as_str()), &body)
            }
            Route::EjectableSharesOfCustodian => {
                let client = self.context().client.as_str();
                Asked::get(route::ejectable_shares_of_custodian(client, &self.wallet()))
            }
            Route::RegisterWebhook | Route::RegisterWebhookShort => {
                Asked::json(route.path(), &json!({ "webhook": "https://127.0.0.1" }))
            }
            Route::Webhook => Asked::get(route.path()),
            Route::ErasedPairs => Asked::json(route.path(), &json!({ "pairs": [] })),
            Route::Identify => Asked::json(route.path(), &json!({ "traits": 1 })),
            Route::Track => Asked::json(route.path(), &json!({ "properties": {} })),
            Route::CreateClient => Asked::json(route.path(), &json!({ "isAccountAbstracted": 1 })),
            Route::FirstPost => post(route::SESSIONS),
            Route::SecondPost => post(&format!("{}/{}", route::SESSIONS, "ab".repeat(32))),
            Route::StoreEnvelope => {
                let path = route::envelope(&self.pending);
                Asked::with_body(Method::PUT, path, "text/plain", "no envelope")
            }
            Route::Envelope => Asked::get(route::envelope(&self.completed)),
            Route::Commit => Asked::json(route::commit(&self.pending), &Nothing {}),
            Route::DropPending => Asked::json(route::drop_pending(&self.completed), &Nothing {}),
            Route::Revoke => Asked::json(route::REVOCATIONS, &Nothing {}),
            Route::Passkeys | Route::PasskeyKeys | Route::PasskeyStatus | Route::RelatedOrigins => {
                Asked::get(route.path())
            }
            Route::BeginRegistration
            | Route::FinishRegistration
            | Route::BeginLogin
            | Route::ReadKey
            | Route::WriteKey
            | Route::DeleteKey
            | Route::GrantKeys
            | Route::RenamePasskey
            | Route::RemovePasskey => enclave::asked(route, "example.org"),
        }
    }

    /// The same request by who may ask for the route.
    pub(crate) fn by(&self, asker: Asker, asked: Asked) -> Asked {
        match asker {
            Asker::Anybody => asked,
            Asker::Custodian => asked.with_key(&self.custodian_key()),
            Asker::Client => asked.with_key(&self.client.key),
            Asker::Device => self.signed(asked),
        }
    }

    pub(crate) fn signed(&self, asked: Asked) -> Asked {
        asked.signed_by(self.context(), &self.device, None).with_key(&self.client.key)
    }
}

/// The path of a route, with this for every id in it.
pub(crate) fn path_with(route: Route, id: &str) -> String {
    let parts = route.path().split('/');
    let parts = parts.map(|part| if part.starts_with('{') { id } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// A body in JSON that nobody signs.
pub(crate) fn said(method: Method, path: &str, body: &Value) -> Asked {
    Asked { method, ..Asked::json(path, body) }
}

/// Requests with an API key that is none, or another's.
pub(crate) fn unauthorised(scene: &Scene, route: Route) -> Vec<Asked> {
    let (own, custodian) = (scene.client.key.expose(), scene.custodian_key());
    let other = match route.asker() {
        Asker::Anybody => return Vec::new(),
        Asker::Custodian => own,
        Asker::Client | Asker::Device => custodian.expose(),
    };
    let asked = scene.asked(route).signed_by(scene.context(), &scene.device, None);
    let headers = [
        "",
        "Bearer",
        "Bearer ",
        "Basic Og==",
        "Bearer x",
        "Bearer ck_",
        "Bearer ck_short",
        &format!("Bearer {STRANGER}"),
        &format!("Bearer {}", STRANGER.replace("ck_", "pk_")),
        &format!("Bearer {other}"),
        &format!("Bearer {own}A"),
        &format!("Bearer {own} {own}"),
        &format!("Token {own}"),
    ];
    let with = headers.map(|header| asked.clone().with_header("authorization", header));
    [asked].into_iter().chain(with).collect()
}

/// Requests of the right client that no device of its wallet has signed. Signed, they would be
/// looked at further: but for that, they are in good form. A second post is not, since it needs a
/// session: what is refused here is its form, and tests of sessions sign it wrongly.
pub(crate) fn unsigned(scene: &Scene, route: Route, envelope: &str) -> Vec<(&'static str, Asked)> {
    let asked = match route {
        Route::FirstPost => first_posts(scene).swap_remove(0).1,
        Route::SecondPost => second_posts(scene).swap_remove(0).1,
        Route::StoreEnvelope => put(&scene.pending, envelope),
        Route::Commit => commit(&scene.pending, Some(&scene.completed)),
        Route::DropPending => Asked::json(route::drop_pending(&scene.completed), &Nothing {}),
        Route::Revoke => revoke(&[&scene.completed]),
        route if route.asker() == Asker::Device => panic!("{route:?} is signed, and not here"),
        _ => return Vec::new(),
    };
    let mut someone = scene.context().clone();
    someone.client = ClientId::new("someone").unwrap();
    let other = DeviceKey::generate().unwrap();
    let signed = scene.signed(asked.clone());
    let by = |context, device, reply| {
        asked.clone().signed_by(context, device, reply).with_key(&scene.client.key)
    };
    let plain = asked.clone().with_digest().with_key(&scene.client.key);
    let with = |signature: &str| plain.clone().with_header(DeviceKey::HEADER, signature);
    vec![
        ("unsigned", plain.clone()),
        ("without a digest", signed.clone().without_header("content-digest")),
        ("no digest", signed.clone().with_header("content-digest", "sha-256=AAAA")),
        ("another digest", signed.clone().with_header("content-digest", "sha-512=:AAAA:")),
        ("no signature", with("")),
        ("a short signature", with("AAAA")),
        ("zeros for a signature", with(&"A".repeat(86))),
        ("another device's", by(scene.context(), &other, None)),
        ("for another client", by(&someone, &scene.device, None)),
        ("as after a reply", by(scene.context(), &scene.device, Some([0; 32]))),
        ("damaged on the way", Asked { body: "damaged".into(), ..signed }),
    ]
}

/// Requests that nobody could understand, by who may ask.
pub(crate) fn malformed(scene: &Scene, route: Route) -> Vec<(&'static str, Asked)> {
    let asked = scene.asked(route);
    let mut bodies: Vec<(&str, Vec<u8>)> = vec![
        ("zeros", vec![0; 1000]),
        ("ones", vec![0xff; 1000]),
        ("no JSON", b"{".to_vec()),
        ("an array", b"[]".to_vec()),
        ("an array of fields", b"[true]".to_vec()),
        ("null", b"null".to_vec()),
        ("a deep one", "[".repeat(20_000).into_bytes()),
        ("a frame with a long head", [&[7; 32][..], &[0xff; 4], b"{}"].concat()),
        ("a frame with no message", [&[7; 32][..], &[0, 0, 0, 2], b"{}"].concat()),
        ("what it is asked with here", asked.body.to_vec()),
    ];
    // Who makes a client may say nothing, or what we do not know.
    if route.asker() == Asker::Device {
        bodies.extend([("nothing", vec![]), ("a field too many", br#"{"more":1}"#.to_vec())]);
    }
    if route.reads() {
        bodies.retain(|(_, body)| !body.is_empty());
    }
    // What is dropped is described by nothing, and that is out of order and not malformed.
    if route == Route::DropPending {
        bodies.retain(|(what, _)| *what != "what it is asked with here");
    }
    let mut all: Vec<_> = bodies
        .into_iter()
        .map(|(what, body)| (what, Asked { body: body.into(), ..asked.clone() }))
        .collect();
    if !route.reads() {
        all.push(("a wrong type", asked.clone().with_header("content-type", "application/xml")));
        all.push(("no type", asked.without_header("content-type")));
    }
    all
}

/// A request that is too long, in its body and in its head.
pub(crate) fn oversized(scene: &Scene, route: Route) -> Vec<(&'static str, Asked, u16)> {
    let asked = scene.asked(route);
    let long = Asked { body: vec![b' '; longest(route) + 1].into(), ..asked.clone() };
    let path = format!("{}?{}", asked.path, "a".repeat(40_000));
    vec![
        ("a body too long", long, if route.reads() { 400 } else { 413 }),
        ("a header too long", asked.clone().with_header("x-long", &"a".repeat(40_000)), 431),
        ("a path too long", Asked { path, ..asked }, 431),
    ]
}

/// Every method that the path of the route has not.
pub(crate) fn wrong_methods(scene: &Scene, route: Route) -> Vec<Asked> {
    let all = [
        Method::GET,
        Method::PUT,
        Method::POST,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
        Method::TRACE,
    ];
    let wrong = all.into_iter().filter(|method| !methods(route).contains(method));
    let asked = wrong.map(|method| match method {
        Method::GET => Asked::get(scene.asked(route).path),
        method => Asked { method, ..scene.asked(route) },
    });
    asked.collect()
}

/// Good requests, when they do not belong.
pub(crate) fn out_of_order(
    scene: &Scene,
    route: Route,
    envelope: &str,
) -> Vec<(&'static str, Asked)> {
    let nobodys = BackupId::new(NOBODYS).unwrap();
    match route {
        // There is no order in them.
        Route::Health
        | Route::Ready
        | Route::Description
        | Route::CreateClient
        | Route::Client
        | Route::ClientObject
        | Route::Clients
        | Route::Identify
        | Route::Track => Vec::new(),
        Route::RegisterWebhook | Route::RegisterWebhookShort => webhook::registered(route),
        Route::Webhook => vec![("a webhook that is not registered", scene.asked(route))],
        Route::ErasedPairs => webhook::erased(scene),
        Route::ClientOfCustodian
        | Route::CreateClientSession
        | Route::CreateClientSessionV1
        | Route::EndClientSessions => vec![("a client of nobody", scene.asked(route))],
        Route::PrepareEject => eject::prepared(scene),
        Route::EjectableShares | Route::EjectableSharesOfCustodian => {
            vec![("the halves of a wallet that may not be ejected", scene.asked(route))]
        }
        Route::Ejected => eject::ejected(),
        Route::EnableEject => eject::enabled(scene),
        Route::StoreCipherText => compat::cipher_texts(scene, envelope),
        Route::CipherText => compat::reads(scene),
        Route::BackupPairNotice => compat::backup_pairs(scene),
        Route::SigningPairNotice => compat::signing_pairs(scene),
        Route::StoredShare | Route::StoredShareV1 | Route::StoredKey => {
            compat::stored(route.path())
        }
        Route::BackupPairs | Route::SigningPairs => {
            vec![("the pairs of no wallet", scene.asked(route))]
        }
        Route::FirstPost => first_posts(scene),
        Route::SecondPost => second_posts(scene),
        Route::StoreEnvelope => vec![
            ("another set's envelope", put(&scene.pending, envelope)),
            ("an envelope for nothing", put(&nobodys, envelope)),
        ],
        Route::Envelope => vec![
            ("an envelope that is not stored yet", Asked::get(route::envelope(&scene.pending))),
            ("the envelope of nothing", Asked::get(route::envelope(&nobodys))),
        ],
        Route::Commit => vec![
            ("a commit without an envelope", commit(&scene.pending, Some(&scene.completed))),
            ("a commit of nothing", commit(&nobodys, None)),
            ("a commit of a completed set, with another envelope", commit(&scene.completed, None)),
        ],
        Route::DropPending => {
            let path = route::drop_pending(&scene.completed);
            vec![("a drop of a completed set", Asked::json(path, &Nothing {}))]
        }
        Route::Revoke => vec![
            ("a revocation of the last one", revoke(&[&scene.completed])),
            ("a revocation of a pending one", revoke(&[&scene.pending])),
            ("a revocation of both", revoke(&[&scene.completed, &scene.pending])),
        ],
        Route::Passkeys
        | Route::PasskeyKeys
        | Route::PasskeyStatus
        | Route::RelatedOrigins
        | Route::BeginRegistration => Vec::new(),
        Route::BeginLogin => {
            vec![("a login without a passkey", enclave::asked(route, RELYING_PARTY))]
        }
        Route::FinishRegistration
        | Route::ReadKey
        | Route::WriteKey
        | Route::DeleteKey
        | Route::GrantKeys
        | Route::RenamePasskey
        | Route::RemovePasskey => {
            vec![("the end of no ceremony", enclave::asked(route, RELYING_PARTY))]
        }
    }
}

fn put(backup: &BackupId, envelope: &str) -> Asked {
    let path = route::envelope(backup);
    Asked::with_body(Method::PUT, path, "text/plain", envelope.to_owned())
}

pub(crate) fn commit(backup: &BackupId, replaces: Option<&BackupId>) -> Asked {
    let commit = Commit {
        replaces: replaces.cloned(),
        envelope_sha256: [0; 32],
        opened_after_enrollment: true,
        proofs: PerCurve { secp256k1: None, ed25519: None },
    };
    Asked::json(route::commit(backup), &commit)
}

fn revoke(backups: &[&BackupId]) -> Asked {
    let backups = backups.iter().copied().cloned().collect();
    Asked::json(route::REVOCATIONS, &Revocations { backups })
}

/// A message that is good, and the secret of its session.
fn message(scene: &Scene) -> (portal_mpc::SessionId, SessionSecret, Outgoing) {
    let context = mpc_context(scene.context(), &scene.device.public());
    let (started, post) = Generate::start(&context, Curves::ED25519).unwrap();
    (started.session_id(), SessionSecret::from_bytes(started.secret().expose()), post)
}

fn posted(path: &str, secret: &SessionSecret, head: &impl Serialize, post: &Outgoing) -> Asked {
    let body = PostFrame::encode(secret, head, post.as_bytes()).to_vec();
    Asked::with_body(Method::POST, path, portal_api::MEDIA_TYPE, body)
}

fn generate(scene: &Scene) -> FirstPost {
    let curves = PerCurve { secp256k1: None, ed25519: Some(Nothing {}) };
    FirstPost::Generate { curves, device_key: scene.device.public() }
}

fn first_posts(scene: &Scene) -> Vec<(&'static str, Asked)> {
    let device_key = scene.device.public();
    let (_, secret, post) = message(scene);
    let first = |head: &FirstPost| posted(route::SESSIONS, &secret, head, &post);
    let payload = Some(SignPayload::Message(b"m".to_vec()));
    let payloads = PerCurve { secp256k1: None, ed25519: payload };
    let pairs = PerCurve { secp256k1: None, ed25519: Some(PairName(scene.pair.clone())) };
    vec![
        ("a second wallet", first(&generate(scene))),
        ("a message of another operation", first(&FirstPost::Sign { payloads })),
        ("a recovery from signing pairs", first(&FirstPost::Recover { pairs, device_key })),
        ("a confirmation with another message", first(&FirstPost::Confirm { device_key })),
    ]
}

fn second_posts(scene: &Scene) -> Vec<(&'static str, Asked)> {
    let (session, secret, post) = message(scene);
    let path = route::session(&session);
    vec![
        ("a second post that is a first", posted(&path, &secret, &Nothing {}, &post)),
        ("a first post to a session", posted(&path, &secret, &generate(scene), &post)),
    ]
}

/// Good messages behind heads that are arrays of what belongs into an object.
pub(crate) fn heads_in_arrays(scene: &Scene) -> Vec<Asked> {
    let (session, secret, post) = message(scene);
    let device_key = scene.device.public().to_string();
    let first = json!(["generate", { "ED25519": {} }, device_key]);
    vec![
        posted(route::SESSIONS, &secret, &first, &post),
        posted(&route::session(&session), &secret, &json!([]), &post),
    ]
}
