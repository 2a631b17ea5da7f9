//! The real binary's `serve`.

use std::process::Command;

use crate::support::world::{FREE_PORT, Ran, World, portal, serve};

#[test]
fn a_data_folder_has_one_service_and_an_address_too() {
    let world = World::start();
    let data = world.path("service");
    let ran = Ran::of(portal().args(["serve", "--json", "--data"]).arg(data).output().unwrap());
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(5), "state"), "{}", ran.said());

    let address = world.url.strip_prefix("http://").unwrap();
    let other = world.path("other");
    let mut command = portal();
    command.args(["serve", "--json", "--listen", address, "--data"]).arg(other);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(4), "unavailable"), "{}", ran.said());
    assert!(ran.stdout.contains(address), "{}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn a_service_ends_well_on_both_signals_and_starts_again_on_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for signal in ["-TERM", "-INT", "-TERM"] {
        let (mut service, ready) = serve(&data, FREE_PORT, &[]);
        assert!(ready["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{ready}");
        let id = service.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(service.wait().unwrap().code(), Some(0), "{signal}");
    }
}
