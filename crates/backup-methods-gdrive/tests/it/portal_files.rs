//! Key files of Portal's SDKs, in both places where they kept them.

use backup_core::{
    ClientId, CustodianId, EncryptionContext, ErrorKind, Operation, Purpose, secrecy::ExposeSecret,
};
use backup_methods_gdrive::Place;
use backup_testkit::drive::{NewFile, Space};

use crate::common::{ALICE, APP, World, visible};

/// Names of the client `client` of `custodian`.
const NAMES: [&str; 2] =
    ["3c6a15d51c09c6316a93992670f05e17cae88775b3071386485f20aa13ce9fcc.txt", "768588601.txt"];
const KEYS: [&str; 2] = [
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    "FFEEDDCCBBAA99887766554433221100ffeeddccbbaa99887766554433221100",
];

fn context() -> EncryptionContext {
    let custodian = CustodianId::new("custodian").unwrap();
    EncryptionContext::new(custodian, ClientId::new("client").unwrap())
}

fn add(world: &World, space: Space, name: &str, content: &str) {
    world.drive.add(&NewFile {
        name,
        space,
        owner: ALICE,
        app: APP,
        mime_type: "text/plain",
        content: content.as_bytes(),
        shared_with: None,
    });
}

async fn found(world: &World) -> Result<Vec<String>, ErrorKind> {
    let context = context();
    let op = Operation::new(Purpose::Unlock, &context);
    let keys = world.store().portal_keys(&op).await.map_err(|error| error.kind())?;
    assert!(!format!("{keys:?}").to_lowercase().contains("00112233"), "`Debug` shows a key");
    Ok(keys.iter().map(|found| found.key.expose_secret().to_owned()).collect())
}

#[tokio::test]
async fn keys_are_found_under_every_name_in_both_places_newest_first() {
    for (place, space) in [(Place::Hidden, Space::AppData), (visible(), Space::Drive)] {
        let world = World::new(place);
        assert_eq!(found(&world).await, Ok(Vec::new()));
        add(&world, space, NAMES[1], KEYS[0]);
        add(&world, space, NAMES[0], &format!("{}\n", KEYS[1]));
        add(&world, space, NAMES[1], KEYS[0]);
        add(&world, space, "portal_test.txt", "test_value");
        assert_eq!(found(&world).await.unwrap(), KEYS.map(str::to_lowercase));
    }
}

#[tokio::test]
async fn what_is_no_key_is_passed_over() {
    let world = World::new(Place::Hidden);
    let long = "0".repeat(100_000);
    for content in ["", "test_value", &KEYS[0][1..], &format!(" {}", KEYS[0]), &long] {
        add(&world, Space::AppData, NAMES[0], content);
    }
    assert_eq!(found(&world).await, Err(ErrorKind::Damaged));
    add(&world, Space::AppData, NAMES[1], KEYS[0]);
    assert_eq!(found(&world).await.unwrap(), [KEYS[0]]);
}

#[tokio::test]
async fn files_of_another_app_are_not_seen() {
    let world = World::new(visible());
    add(&world, Space::AppData, NAMES[0], KEYS[0]);
    world.drive.add(&NewFile {
        name: NAMES[0],
        space: Space::Drive,
        owner: ALICE,
        app: "another project",
        mime_type: "text/plain",
        content: KEYS[0].as_bytes(),
        shared_with: None,
    });
    assert_eq!(found(&world).await, Ok(Vec::new()));
}
