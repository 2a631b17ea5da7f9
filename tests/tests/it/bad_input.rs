//! Requests that are malformed, too long, of nobody, or out of order: refused in Portal's shape,
//! with nothing changed and nothing secret in any log.

mod compat;
mod eject;
mod enclave;
mod listed;
mod requests;
mod scene;
mod secrets;
mod strangers;
mod webhook;

use backup_core::{ErrorKind, MethodId};
use backup_testkit::{LogCapture, MemoryStore};
use portal_api::{
    ErrorId,
    route::{Asker, Route},
};
use portal_client::{BackUpOptions, Curves, Payload, RecoverOptions};
use portal_tests::{
    middle::Asked,
    wallets::{memory_id, on_runtime, unseen},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use self::{
    listed::Refusals,
    scene::{Scene, app},
};

#[test]
fn whoever_has_no_right_key_is_refused_on_every_route_and_changes_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        for route in Route::ALL {
            for asked in requests::unauthorised(&scene, route) {
                let id = scene.refused("a wrong key", &asked).await;
                assert_eq!(id, ErrorId::AuthFailed, "{route:?}: {:?}", asked.headers);
            }
        }
        scene.expect_unchanged_and_silent().await;
    });
}

/// Its key is right, and what it asks for is not its own.
#[test]
fn another_clients_right_key_gets_and_changes_nothing_of_this_one_on_any_route() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let envelope = scene.envelope().await;
        let all: Vec<_> = Route::ALL
            .into_iter()
            .filter(|route| route.asker() != Asker::Anybody)
            .map(|route| (route, strangers::about(&scene, route, &envelope)))
            .collect();
        let other = strangers::Other::beside(&scene).await;
        let before = scene.dump().await;
        for (route, requests) in &all {
            for about in requests {
                other.asks(&scene, *route, about).await;
            }
        }
        let after = scene.dump().await;
        for row in &before {
            assert!(after.contains(row), "{row}");
        }
        let client = scene.context().client.as_str();
        let added = after.iter().filter(|row| !before.contains(row));
        for row in added {
            assert!(!row.contains(client), "{row}");
        }
    });
}

#[test]
fn what_no_device_of_the_wallet_has_signed_is_refused_on_every_route_and_changes_nothing() {
    on_runtime(async {
        let (scene, mut refusals) = (Scene::begin().await, Refusals::default());
        let envelope = scene.envelope().await;
        for route in Route::ALL {
            for (what, asked) in requests::unsigned(&scene, route, &envelope) {
                refusals.add(route, what, &scene.refusal(what, &asked).await);
            }
        }
        refusals.expect_listed("unsigned");
        scene.expect_unchanged_and_silent().await;
    });
}

#[test]
fn malformed_requests_are_refused_on_every_route_and_change_nothing() {
    on_runtime(async {
        let (scene, mut refusals) = (Scene::begin().await, Refusals::default());
        for route in Route::ALL {
            for (what, asked) in requests::malformed(&scene, route) {
                let refusal = scene.refusal(what, &scene.by(route.asker(), asked)).await;
                refusals.add(route, what, &refusal);
            }
            for asked in requests::wrong_methods(&scene, route) {
                let refusal = scene.refusal("a method", &scene.by(route.asker(), asked)).await;
                assert_eq!(refusal.error.code, 405, "{route:?}");
            }
        }
        for asked in requests::heads_in_arrays(&scene) {
            let refusal = scene.refusal("a head in an array", &scene.signed(asked)).await;
            assert_eq!(refusal.error.id, ErrorId::BadRequest);
            assert!(refusal.error.message.contains("object"), "{}", refusal.error.message);
        }
        refusals.expect_listed("malformed");
        scene.expect_unchanged_and_silent().await;
    });
}

#[test]
fn oversized_requests_are_refused_on_every_route_and_change_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        for route in Route::ALL {
            for (what, asked, status) in requests::oversized(&scene, route) {
                let refusal = scene.refusal(what, &scene.by(route.asker(), asked)).await;
                assert_eq!(refusal.error.code, status, "{route:?}: {what}");
            }
        }
        scene.expect_unchanged_and_silent().await;
    });
}

#[test]
fn requests_out_of_order_are_refused_on_every_route_and_change_nothing() {
    on_runtime(async {
        let (scene, mut refusals) = (Scene::begin().await, Refusals::default());
        let envelope = scene.envelope().await;
        for route in Route::ALL {
            for (what, asked) in requests::out_of_order(&scene, route, &envelope) {
                let refusal = scene.refusal(what, &scene.by(route.asker(), asked)).await;
                refusals.add(route, what, &refusal);
            }
        }
        refusals.expect_listed("out-of-order");
        scene.expect_unchanged_and_silent().await;
    });
}

#[test]
fn paths_of_nothing_are_refused_and_change_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let long = "a".repeat(5000);
        let ids = [
            "%",
            "%00",
            "%ff",
            "a%20b",
            // Alone, `%2e%2e` is taken out of a path by whoever sends it.
            "%2e%2e%2f",
            "..%2f..",
            &long,
            "';%20DROP%20TABLE%20client;--",
        ];
        // Unless it is no path, or one where something else is asked for, or in another way.
        let of_nothing = [
            (404, ErrorId::NotFound),
            (400, ErrorId::BadRequest),
            (401, ErrorId::AuthFailed),
            (405, ErrorId::BadRequest),
            (415, ErrorId::BadRequest),
        ];
        for id in ids {
            let with_id = Route::ALL.map(|route| requests::path_with(route, id) + "/");
            let paths = with_id.iter().map(|path| match path.trim_end_matches('/') {
                path if path.contains(id) => path.to_owned(),
                path => format!("{path}/{id}"),
            });
            for path in paths.chain([format!("/{id}")]) {
                let get = Asked::get(path.as_str());
                let body = requests::commit(&scene.pending, None);
                let forms = [scene.by(Asker::Client, get), scene.signed(Asked { path, ..body })];
                for asked in forms {
                    let refusal = scene.refusal("a path of nothing", &asked).await.error;
                    assert!(of_nothing.contains(&(refusal.code, refusal.id)), "{asked:?}");
                }
            }
        }
        scene.expect_unchanged_and_silent().await;
    });
}

#[test]
fn what_is_no_http_is_refused_and_changes_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let head = "HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
        let long = "a".repeat(1_000_000);
        let many = "x: y\r\n".repeat(1000);
        let requests = [
            (400, "\r\n\r\n\r\nnothing\r\n\r\n".to_owned()),
            (400, "GET /health HTTP/9.9\r\n\r\n".to_owned()),
            (431, format!("GET /health {head}x-long: {long}\r\n\r\n")),
            (431, format!("GET /{long} {head}\r\n")),
            (431, format!("GET /health {head}{many}\r\n")),
            (400, format!("GET /health {head}: no name\r\n\r\n")),
            (400, format!("POST /v1/sessions {head}content-length: -1\r\n\r\n")),
            (
                400,
                format!("POST /v1/sessions {head}content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
            ),
            // Before its body is read, whoever sends it has to say who asks.
            (
                401,
                format!(
                    "POST /v1/sessions {head}transfer-encoding: chunked\r\n\r\nno length\r\n\r\n"
                ),
            ),
        ];
        for (status, request) in requests {
            let what = &request[..request.len().min(120)];
            let mut stream = TcpStream::connect(scene.service.address()).await.unwrap();
            // The service may hang up before it has read all.
            let _ = stream.write_all(request.as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            let answer = String::from_utf8(answer).unwrap();
            let is_refused = answer.starts_with(&format!("HTTP/1.1 {status} "));
            // Of whoever still sends, the answer may be lost as the connection ends.
            let is_lost = answer.is_empty() && status == 431;
            assert!(is_refused || is_lost, "{what}: {answer}");
        }
        scene.expect_unchanged_and_silent().await;
    });
}

#[test]
fn neither_service_nor_client_logs_a_secret_whatever_happens() {
    on_runtime(async {
        let capture = LogCapture::start();
        let scene = Scene::begin().await;
        live(&scene).await;
        for route in Route::ALL {
            let asked = scene.asked(route);
            let _ = scene.middle.ask(&asked.clone().with_key(&scene.client.key)).await;
            let _ = scene.middle.ask(&scene.by(route.asker(), asked)).await;
        }
        for (asked, _) in scene.middle.heard() {
            let body = [&asked.body[..], b"?"].concat();
            let _ = scene.middle.ask(&asked.clone()).await;
            let _ = scene.middle.ask(&scene.signed(asked.with_other_body(body))).await;
        }
        let heard = capture.text();
        assert!(heard.contains("portal_server"), "the service logs, and is heard");
        let folders = [scene.folder.path()];
        let secrets = secrets::of(&scene, &scene.client, &folders, &scene.store).await;
        secrets.assert_absent(&heard, "a log");
    });
}

/// Both curves, both methods, a wrong key, a lost device: all with errors on the way.
async fn live(scene: &Scene) {
    let client = scene.service.client().await;
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let capture = LogCapture::start();
    let store = MemoryStore::new();
    let url = scene.middle.url();
    let old = app(&url, &client, first.path(), &store, Curves::BOTH);
    old.sign(Payload::Message(b"m")).await.unwrap_err();
    old.create_wallet(&unseen).await.unwrap();
    old.create_wallet(&unseen).await.unwrap_err();
    old.sign(Payload::Digest(&[7; 32])).await.unwrap();
    for method in [memory_id(), MethodId::PASSWORD] {
        old.back_up(&method, &BackUpOptions::default(), &unseen).await.unwrap();
    }
    scene.middle.change(|asked, answer| {
        let is_reply = asked.is_first_post() || asked.is_second_post();
        if is_reply { answer.with_body("damaged") } else { answer }
    });
    old.sign(Payload::Digest(&[8; 32])).await.unwrap_err();
    scene.middle.be_honest();
    let new = app(&url, &client, second.path(), &store, Curves::BOTH);
    let options = RecoverOptions::default();
    let empty = app(&url, &client, second.path(), &MemoryStore::new(), Curves::BOTH);
    let error = empty.recover(&memory_id(), &options, &unseen).await.unwrap_err();
    assert_eq!(error.backup_kind(), Some(ErrorKind::NotFound));
    new.recover(&memory_id(), &options, &unseen).await.unwrap();
    old.sign(Payload::Digest(&[9; 32])).await.unwrap_err();
    new.sign(Payload::Digest(&[9; 32])).await.unwrap();
    let folders = [first.path(), second.path()];
    let secrets = secrets::of(scene, &client, &folders, &store).await;
    new.revoke(&memory_id(), &unseen).await.unwrap();
    let heard = [capture.text(), format!("{old:?} {new:?} {error} {error:?}")].concat();
    println!("{} bytes were logged", heard.len());
    secrets.assert_absent(&heard, "a log");
}
