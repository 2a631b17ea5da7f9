//! The description of the service: it is what its types and routes make, it is served, and the
//! service keeps to it.

mod random_requests;

use std::{fs, path::Path};

use portal_api::{
    description,
    route::{self, Route},
};
use portal_tests::wallets::TestService;
use serde_json::Value;

#[test]
fn the_document_is_what_the_types_and_routes_make() {
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let made = value(&description::text());
    assert!(value(portal_api::OPENAPI) == made, "it is old: run `cargo xtask openapi write`");
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    assert_eq!(fs::read_to_string(copy).unwrap(), portal_api::OPENAPI);
}

#[test]
fn every_route_is_in_it_once_and_says_what_it_refuses() {
    let document: Value = serde_json::from_str(portal_api::OPENAPI).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().map(|path| path.as_object().unwrap().len());
    assert_eq!(operations.sum::<usize>(), Route::ALL.len());
    for route in Route::ALL {
        let operation = &paths[route.path()][route.method().to_lowercase()];
        for (status, id) in route.refusals() {
            let shared = operation["responses"][status.to_string()]["$ref"].as_str().unwrap();
            let shared = document.pointer(shared.trim_start_matches('#')).unwrap();
            let schema = &shared["content"]["application/json"]["schema"];
            let ids = schema.pointer("/allOf/1/properties/error/properties/id/enum").unwrap();
            let is_named = ids.as_array().unwrap().iter().any(|named| named == id.as_str());
            assert!(is_named, "{route:?}: {status} {id}");
        }
    }
}

#[tokio::test]
async fn it_is_served_to_everybody() {
    let service = TestService::start().await;
    let url = service.url() + route::DESCRIPTION;
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.text().await.unwrap(), portal_api::OPENAPI);
}
