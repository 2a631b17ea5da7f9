//! Custodians and API keys, made and revoked while the service runs.

use std::{fs, thread, time::Duration};

use serde_json::Value;

use crate::support::world::{Ran, World};

impl World {
    fn admin(&self, arguments: &[&str]) -> Value {
        let data = self.path("service");
        self.json("nobody", &[&["admin"], arguments, &["--data", data.to_str().unwrap()]].concat())
    }

    fn refused(&self, arguments: &[&str]) -> Ran {
        let data = self.path("service");
        let rest = ["--json", "--data", data.to_str().unwrap()];
        self.run("nobody", &[&["admin"], arguments, &rest].concat())
    }

    /// Makes a client with the custodian's key in this file.
    fn client_by(&self, profile: &str, key_file: &str) -> Ran {
        let arguments = ["client", "new", "--json", "--service", &self.url];
        self.run(profile, &[&arguments[..], &["--custodian-key-file", key_file]].concat())
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name}: {value}"))
}

#[test]
fn a_custodians_key_is_changed_without_a_gap() {
    let world = World::start();
    let old = world.custodian_key_file.to_str().unwrap().to_owned();
    let custodian = world.admin(&["custodians", "list"])["custodians"][0].clone();
    let custodian = custodian.as_str().unwrap();
    let of_custodian = ["--custodian", custodian];
    let keys = || world.admin(&[&["keys", "list"], &of_custodian[..]].concat())["keys"].clone();
    let first = text(&keys()[0], "key").to_owned();
    let create = [&["keys", "create", "--key-file", "new.key"], &of_custodian[..]].concat();
    let made = world.admin(&create);
    assert_eq!(world.client_by("a", &old).code, Some(0));
    assert_eq!(world.client_by("b", "new.key").code, Some(0));

    world.admin(&["keys", "revoke", &first]);
    let refused = world.client_by("c", &old);
    assert_eq!((refused.code, refused.error_kind().as_str()), (Some(3), "unauthorized"));
    assert_eq!(world.client_by("d", "new.key").code, Some(0));
    let listed = keys();
    for (key, in_force) in [(first.as_str(), false), (text(&made, "key"), true)] {
        let row = listed.as_array().unwrap().iter().find(|row| row["key"] == key).unwrap();
        assert_eq!(row["inForce"], in_force, "{listed}");
    }
    world.admin(&["keys", "revoke", &first]);
    let clients = world.admin(&[&["clients", "list"], &of_custodian[..]].concat());
    assert_eq!(clients["clients"].as_array().unwrap().len(), 3, "{clients}");
}

#[test]
fn a_clients_key_is_over_when_it_is_said_to_be_or_revoked_and_other_keys_are_not() {
    let world = World::start();
    let client = world.new_client("phone");
    let owner = ["--custodian", text(&client, "custodian"), "--client", text(&client, "client")];
    let create = |file: &str, more: &[&str]| {
        world.admin(&[&["keys", "create", "--key-file", file], &owner[..], more].concat())
    };
    let brief = create("brief.key", &["--expires-in", "2s"]);
    let lasting = create("lasting.key", &[]);
    for (profile, file) in [("brief", "brief.key"), ("lasting", "lasting.key")] {
        world.import_client(profile, &client, file);
    }
    let status = |profile: &str| world.run(profile, &["status", "--json"]).code;
    assert_eq!((status("brief"), status("lasting"), status("phone")), (Some(0), Some(0), Some(0)));
    thread::sleep(Duration::from_secs(3));
    assert_eq!((status("brief"), status("lasting")), (Some(3), Some(0)));
    world.admin(&["keys", "revoke", text(&lasting, "key")]);
    assert_eq!((status("lasting"), status("phone")), (Some(3), Some(0)));
    let keys = world.admin(&[&["keys", "list"], &owner[..]].concat());
    assert_eq!(keys["keys"].as_array().unwrap().len(), 3, "{keys}");
    assert!(keys.to_string().contains(text(&brief, "key")));
}

#[test]
fn a_new_custodian_has_clients_of_its_own_also_after_the_service_was_stopped() {
    let mut world = World::start();
    assert_eq!(world.stop_service(), Some(0));
    let made = world.admin(&["custodians", "create", "--key-file", "other.key"]);
    world.restart_service();
    let ran = world.client_by("theirs", "other.key");
    assert_eq!(ran.json()["custodian"], made["custodian"], "{}", ran.said());
    let all = world.admin(&["custodians", "list"]);
    assert_eq!(all["custodians"].as_array().unwrap().len(), 2, "{all}");
}

#[test]
fn a_custodian_gets_a_name_for_people() {
    let world = World::start();
    let custodian = world.admin(&["custodians", "list"])["custodians"][0].clone();
    let custodian = custodian.as_str().unwrap();
    let named = world.admin(&["custodians", "name", "--custodian", custodian, "Acme Bank"]);
    assert_eq!(named["name"], "Acme Bank");
    let nameless = world.refused(&["custodians", "name", "--custodian", custodian, ""]);
    assert_eq!((nameless.code, nameless.error_kind().as_str()), (Some(2), "usage"));
    let nobody = world.refused(&["custodians", "name", "--custodian", "nobody", "Nobody"]);
    assert_eq!((nobody.code, nobody.error_kind().as_str()), (Some(5), "state"));
}

#[test]
fn what_is_not_there_is_not_made_and_no_file_is_overwritten() {
    let world = World::start();
    let custodians = world.admin(&["custodians", "list"]);
    let custodian = custodians["custodians"][0].as_str().unwrap();
    let key = ["keys", "create", "--custodian"];
    let of_nobody = world.refused(&[&key[..], &["nobody", "--key-file", "a.key"]].concat());
    assert_eq!((of_nobody.code, of_nobody.error_kind().as_str()), (Some(5), "state"));
    assert!(!fs::exists(world.path("a.key")).unwrap());
    assert_eq!(world.refused(&["keys", "revoke", "0a0a"]).code, Some(5));
    world.write("taken.key", "precious");
    let taken = world.refused(&[&key[..], &[custodian, "--key-file", "taken.key"]].concat());
    assert_eq!(taken.code, Some(1), "{}", taken.said());
    assert_eq!(fs::read_to_string(world.path("taken.key")).unwrap(), "precious");
    let keys = world.admin(&["keys", "list", "--custodian", custodian]);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1, "{keys}");
    let nowhere = ["admin", "custodians", "list", "--json", "--data", "no-folder"];
    assert_eq!(world.run("nobody", &nowhere).code, Some(5));
    assert!(!fs::exists(world.path("no-folder")).unwrap());
}

#[test]
fn the_audit_is_verified_from_where_it_ended_before_and_written_out_whole() {
    let world = World::start();
    assert_eq!(world.admin(&["audit", "verify"])["records"], 0);
    world.new_client("phone");
    world.json("phone", &["wallet", "create"]);
    world.json("phone", &["backup", "--password-file", "password"]);
    let end = world.admin(&["audit", "verify"]);
    assert!(end["records"].as_u64().unwrap() > 1, "{end}");
    world.json("phone", &["backup"]);
    let written =
        world.admin(&["audit", "export", "--file", "all.jsonl", "--known", text(&end, "end")]);
    let lines = fs::read_to_string(world.path("all.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!(
        (lines.len() as u64, &last["number"]),
        (written["records"].as_u64().unwrap(), &written["records"])
    );
    let said = format!("{}:{}", last["number"], text(last, "hash"));
    assert_eq!(said, text(&written, "end"));

    let other =
        text(&end, "end").replace(':', ":00").split_at(text(&end, "end").len()).0.to_owned();
    let broken = world.refused(&["audit", "verify", "--known", &other]);
    assert_eq!((broken.code, broken.error_kind().as_str()), (Some(6), "damaged"));
    assert_eq!(world.refused(&["audit", "verify", "--known", "5"]).code, Some(2));
    let refused = world.refused(&["audit", "export", "--file", "new.jsonl", "--known", &other]);
    assert!(refused.code == Some(6) && !fs::exists(world.path("new.jsonl")).unwrap());
    let taken = world.refused(&["audit", "export", "--file", "all.jsonl"]);
    assert_eq!(taken.code, Some(1), "{}", taken.said());
}
