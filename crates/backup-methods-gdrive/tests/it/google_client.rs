//! The double of Drive, as Google's own client for Python finds it.

use backup_testkit::drive::{APP_DATA, DriveDouble, OWN_FILES};

use crate::python::python;

#[test]
fn the_double_of_drive_does_what_googles_client_expects() {
    let drive = DriveDouble::start();
    let tokens =
        [APP_DATA, OWN_FILES].map(|scope| drive.token("alice.w@example.com", "app", &[scope]));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python/google_drive_client.py");
    let output = python().arg(script).arg(drive.url()).args(tokens).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(output.stdout, b"as Google's client expects\n");
}
