//! A service under a little load. `cargo xtask load` is the whole of it, with its bounds.

use std::process::Command;

#[test]
fn clients_that_come_at_once_all_come_to_their_end() {
    let program = env!("CARGO_BIN_EXE_portal-load");
    let run = Command::new(program).args(["--brief", "--clients", "8", "--minutes", "3"]).output();
    let run = run.unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("whole cycles"), "{said}");
}
