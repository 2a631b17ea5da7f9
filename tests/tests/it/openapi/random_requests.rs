//! Schemathesis makes requests of the description, and looks whether the answers are in it.

use std::{collections::HashSet, env, fs, path::Path, process::Command};

use backup_core::{DataKey, secrecy::ExposeSecret};
use backup_testkit::MemoryStore;
use portal_api::{
    DeviceKey,
    route::{self, Route},
};
use portal_client::{BackUpOptions, Curves, Portal, device::DeviceStore};
use portal_tests::{
    python::python,
    wallets::{TestClient, TestService, copied, memory_id, memory_method, unseen},
};
use serde_json::{Value, json};

/// For how long it asks, and what its choices follow from, unless the environment says otherwise.
const DEFAULTS: [(&str, &str); 2] = [("PORTAL_ASK_SECONDS", "60"), ("PORTAL_ASK_SEED", "1")];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_is_answered_as_the_description_says() {
    let service = TestService::start_with_enclave().await;
    let client = service.client().await;
    let folder = tempfile::tempdir().unwrap();
    let device = wallet(&service, &client, folder.path()).await;
    let scene = folder.path().join("scene.json");
    let called = folder.path().join("called");
    let mut known = scene_of(&service, &client, &device).await;
    known["called"] = called.to_string_lossy().into();
    fs::write(&scene, known.to_string()).unwrap();
    let mut schemathesis = schemathesis(&service.url(), &scene);
    let output = tokio::task::spawn_blocking(move || schemathesis.output().unwrap());
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("No issues found"), "it asked for nothing: {said}");
    assert_eq!(never_let_in(&fs::read_to_string(called).unwrap()), [""; 0]);
}

/// The operations that nobody called, or that nobody had the right key for; but for the
/// description, which is read to begin with.
fn never_let_in(called: &str) -> Vec<String> {
    let let_in: HashSet<_> = called
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .filter(|(_, status)| *status != "401")
        .map(|(operation, _)| operation)
        .collect();
    let operations = Route::ALL.map(|route| format!("{} {}", route.method(), route.path()));
    let description = format!("GET {}", route::DESCRIPTION);
    let is_missing =
        |operation: &String| *operation != description && !let_in.contains(operation.as_str());
    operations.into_iter().filter(is_missing).collect()
}

/// Makes a wallet with a completed backup, and says which key its device has.
async fn wallet(service: &TestService, client: &TestClient, folder: &Path) -> DeviceKey {
    let store = || DeviceStore::new(folder, client.context.clone(), DataKey::copied_from(&[7; 32]));
    let app = Portal::builder(&service.url(), copied(&client.key), store());
    let app = app.curves(Curves::ED25519).method(memory_method(&MemoryStore::new()));
    let app = app.build().unwrap();
    app.create_wallet(&unseen).await.unwrap();
    app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
    drop(app);
    let store = store();
    let operation = store.begin().unwrap();
    DeviceKey::from_bytes(operation.state().live().unwrap().device_key().expose_secret())
}

/// Who asks, and what there is to ask for.
async fn scene_of(service: &TestService, client: &TestClient, device: &DeviceKey) -> Value {
    let get = async |path: &str| {
        let request = reqwest::Client::new().get(service.url() + path);
        let answer = request.bearer_auth(client.key.expose()).send().await.unwrap();
        answer.json::<Value>().await.unwrap()
    };
    let (own, portals) = (get(route::CLIENT).await, get(route::ME).await);
    let custodian = fs::read_to_string(service.folder().join("custodian.key")).unwrap();
    let (set, wallet) = (&own["backups"][0], &portals["wallets"][0]);
    json!({
        "custodian": client.context.custodian.as_str(),
        "custodianKey": custodian.trim(),
        "client": client.context.client.as_str(),
        "clientKey": client.key.expose(),
        "deviceKey": device.public().to_string(),
        "device": base16ct::lower::encode_string(device.expose()),
        "ids": {
            "backup": [set["id"]],
            "client": [client.context.client.as_str()],
            "pair": [set["pairs"]["ED25519"]["id"], wallet["signingSharePairs"][0]["id"]],
            "wallet": [wallet["id"]],
        },
    })
}

fn schemathesis(url: &str, scene: &Path) -> Command {
    let [seconds, seed] =
        DEFAULTS.map(|(name, default)| env::var(name).unwrap_or_else(|_| default.to_owned()));
    let mut python = python();
    python.args(["-m", "schemathesis.cli", "run", &format!("{url}{}", route::DESCRIPTION)]);
    python.args(["--max-time", &seconds, "--seed", &seed, "--phases", "examples,coverage,fuzzing"]);
    // What is right by its schema may still be no envelope, or signed by another device.
    python.args(["--exclude-checks", "positive_data_acceptance"]);
    python.args(["--generation-with-security-parameters", "false"]);
    python.args(["--generation-database", "none", "--continue-on-failure"]);
    python.args(["--no-color", "--warnings", "off"]);
    let python_files = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    python.env("PYTHONPATH", python_files).env("SCHEMATHESIS_HOOKS", "random_requests");
    python.env("PORTAL_SCENE", scene).current_dir(scene.parent().unwrap());
    python
}
