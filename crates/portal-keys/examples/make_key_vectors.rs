//! Writes the golden vectors that do not exist yet; those that exist are never touched.
//!
//! `cargo run -p portal-keys --all-features --example make_key_vectors`

#![allow(clippy::unwrap_used, reason = "run by hand, by whoever adds a vector")]

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use backup_core::{DataKey, KeyEncryption, secrecy::SecretSlice};
use futures_executor::block_on;
use portal_keys::{KeyCheck, KeyFile, KeyRing, SealedShare};
use serde::Serialize;

use crate::vector::{ShareVector, Vector, WrapVector, hex, read_text, unhex};

#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/support/vector.rs"]
mod vector;

fn main() {
    let good = good();
    opens(&good);
    refused_files(&good);
    refused_wraps(&good);
    refused_shares(&good);
    refused_checks(&good);
    #[cfg(feature = "pkcs11")]
    token::wrap();
}

/// Under a key that is known, in a token: `--all-features`.
#[cfg(feature = "pkcs11")]
mod token {
    use backup_testkit::SoftHsm;
    use portal_keys::{Pkcs11Key, Pkcs11Options};

    use super::*;
    use crate::vector::TokenVector;

    /// `SoftHSM` reads keys from files of text, as well.
    const KEY: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";

    pub(super) fn wrap() {
        SoftHsm::enter_with(&[], &[("golden", KEY)]);
        let (token, object) = (SoftHsm::TOKEN.to_owned(), "golden".to_owned());
        let options = Pkcs11Options {
            module: SoftHsm::MODULE.into(),
            token: token.clone(),
            key: object.clone(),
            pin: SoftHsm::PIN.into(),
        };
        let (provider, data) = (Pkcs11Key::new(options).unwrap(), DataKey::generate().unwrap());
        let context = [("pair", "p1"), ("role", "custodian")];
        let context = context.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut wrap = WrapVector { context, data_key: hex(data.expose()), ..Default::default() };
        wrap.wrapped = hex(&block_on(provider.wrap(&data, &wrap.context())).unwrap());
        let (key, key_id) = (hex(&KEY), provider.key_id().to_owned());
        write_new("token/wrap", &TokenVector { token, object, key, key_id, wrap });
    }
}

fn opens(good: &Vector) {
    let two = shares_under(&[new_key_file(), new_key_file()]);
    let first_only = |mut vector: Vector| {
        vector.key_files.truncate(1);
        vector.key_ids.truncate(1);
        vector
    };
    let last_only = |mut vector: Vector| {
        vector.key_files.remove(0);
        vector.key_ids.remove(0);
        vector
    };
    write("opens/wrap-share-and-check", good.clone());
    write("opens/two-keys", two.clone());
    write("opens/two-keys-the-first-at-hand", first_only(two.clone()));
    write("opens/two-keys-the-last-at-hand", last_only(two));
    write("opens/no-facts", of_wrap(&good.key_files[0], BTreeMap::new()));
}

fn refused_files(good: &Vector) {
    let text = &good.key_files[0];
    let changed = |from: &str, to: &str| text.replacen(from, to, 1);
    let flipped = |line: usize| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let other = if lines[line].pop() == Some('0') { '1' } else { '0' };
        lines[line].push(other);
        lines.join("\n") + "\n"
    };
    let file = |name: &str, comment: &str, text: String, error: &str| {
        let vector = Vector { key_files: vec![text], ..refused(comment, error) };
        write(&format!("refused/key-file-{name}"), vector);
    };
    file("later-version", "", changed("file-1", "file-2"), "UnknownVersion");
    file("no-version", "", changed("file-1", "file-"), "Damaged");
    file("empty", "", String::new(), "Damaged");
    file("another-id", "the id is not the key's", flipped(1), "Damaged");
    file("another-key", "the key is not the id's", flipped(2), "Damaged");
    file("cut-short", "without the last newline", text.trim_end().to_owned(), "Damaged");
    file("too-long", "an empty line follows", format!("{text}\n"), "Damaged");
    file("windows-lines", "carriage returns", text.replace('\n', "\r\n"), "Damaged");
    let upper = text.lines().map(|line| match line.strip_prefix("key: ") {
        Some(key) => format!("key: {}\n", key.to_uppercase()),
        None => format!("{line}\n"),
    });
    file("upper-case", "digits in upper case", upper.collect(), "Damaged");
}

fn refused_wraps(good: &Vector) {
    let wrap = |name: &str, comment: &str, change: &dyn Fn(&mut WrapVector)| {
        let mut changed = good.wrap.clone().unwrap();
        change(&mut changed);
        let key_files = good.key_files.clone();
        let vector = Vector { key_files, wrap: Some(changed), ..refused(comment, "Unauthorized") };
        write(&format!("refused/wrap-{name}"), vector);
    };
    wrap("another-fact", "", &|wrap| drop(wrap.context.insert("pair".into(), "p2".into())));
    wrap("missing-fact", "", &|wrap| drop(wrap.context.remove("pair")));
    wrap("moved-bytes", "one fact holds what two held", &|wrap| {
        wrap.context = [("pair".to_owned(), "p1\0\x04role\0\x09custodian".to_owned())].into();
    });
    for (name, at) in [("version", 0), ("salt", 1), ("commitment", 33), ("key", 65), ("tag", 97)] {
        wrap(&format!("changed-{name}"), "", &|wrap| wrap.wrapped = flip(&wrap.wrapped, at));
    }
    wrap("cut-short", "", &|wrap| wrap.wrapped.truncate(wrap.wrapped.len() - 2));
    wrap("too-long", "", &|wrap| wrap.wrapped.push_str("00"));
    wrap("empty", "", &|wrap| wrap.wrapped.clear());
}

fn refused_shares(good: &Vector) {
    let share = |name: &str, error: &str, change: &dyn Fn(&mut ShareVector)| {
        let mut changed = good.sealed_share.clone().unwrap();
        change(&mut changed);
        let key_files = good.key_files.clone();
        let vector = Vector { key_files, sealed_share: Some(changed), ..refused("", error) };
        write(&format!("refused/sealed-share-{name}"), vector);
    };
    let wrong = "Unauthorized";
    share("another-custodian", wrong, &|share| share.custodian = "acmf".into());
    share("another-client", wrong, &|share| share.client = "bob".into());
    share("another-wallet", wrong, &|share| share.wallet = flip(&share.wallet, 31));
    share("another-pair", wrong, &|share| share.pair = "pair-2".into());
    share("another-role", wrong, &|share| share.role = "server-signing".into());
    let record_len = good.sealed_share.as_ref().unwrap().record.len() / 2;
    let change = |share: &mut ShareVector, at| share.record = flip(&share.record, at);
    share("later-version", "UnknownVersion", &|share| share.record.replace_range(..2, "02"));
    share("no-wraps", "Damaged", &|share| share.record.replace_range(2..4, "00"));
    share("nine-wraps", "Damaged", &|share| share.record.replace_range(2..4, "09"));
    share("changed-tag", "Damaged", &|share| change(share, record_len - 1));
    share("changed-wrap", wrong, &|share| change(share, 2 + 2 + 37 + 2 + 100));
    share("another-key-id", "NotFound", &|share| change(share, 2 + 2 + 36));
    share("empty", "Damaged", &|share| share.record.clear());
    share("cut-in-half", "Damaged", &|share| share.record.truncate(record_len / 2 * 2));
    share("too-long", "Damaged", &|share| share.record.push_str("00"));

    let mut other_key = good.clone();
    other_key.key_files = vec![new_key_file()];
    other_key.wrap = None;
    other_key.key_check = None;
    write("refused/sealed-share-other-key", Vector { error: Some("NotFound".into()), ..other_key });
}

fn refused_checks(good: &Vector) {
    let check = |name: &str, error: &str, check: String| {
        let key_files = good.key_files.clone();
        let vector = Vector { key_files, key_check: Some(check), ..refused("", error) };
        write(&format!("refused/key-check-{name}"), vector);
    };
    let text = good.key_check.as_ref().unwrap();
    check("later-version", "UnknownVersion", format!("02{}", &text[2..]));
    check("changed-digest", "Unauthorized", flip(text, text.len() / 2 - 1));
    check("changed-wrap", "Unauthorized", flip(text, 1 + 2 + 37 + 2 + 100));
    check("cut-short", "Damaged", text[..text.len() - 2].to_owned());
    check("too-long", "Damaged", format!("{text}00"));
    check("empty", "Damaged", String::new());
    let other = make_check(&read_text(new_key_file().as_bytes()).unwrap());
    check("of-another-key", "NotFound", other);
}

fn good() -> Vector {
    let text = new_key_file();
    let facts = [("pair", "p1"), ("role", "custodian")];
    let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let check = make_check(&read_text(text.as_bytes()).unwrap());
    let wrap = of_wrap(&text, facts).wrap;
    Vector { wrap, key_check: Some(check), ..shares_under(&[text]) }
}

fn of_wrap(text: &str, context: BTreeMap<String, String>) -> Vector {
    let (file, key) = (read_text(text.as_bytes()).unwrap(), DataKey::generate().unwrap());
    let mut wrap = WrapVector { context, data_key: hex(key.expose()), ..WrapVector::default() };
    wrap.wrapped = hex(&block_on(file.wrap(&key, &wrap.context())).unwrap());
    let (key_files, key_ids) = (vec![text.to_owned()], vec![file.key_id().to_owned()]);
    Vector { key_files, key_ids, wrap: Some(wrap), ..Vector::default() }
}

fn shares_under(texts: &[String]) -> Vector {
    let files: Vec<_> =
        texts.iter().map(|text| Arc::new(read_text(text.as_bytes()).unwrap())).collect();
    let key_ids = files.iter().map(|file| file.key_id().to_owned()).collect();
    let ring = KeyRing::new(files.into_iter().map(|file| file as Arc<dyn KeyEncryption>)).unwrap();
    let (wallet, share) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
    let mut vector = ShareVector {
        custodian: "acme".into(),
        client: "alice".into(),
        curve: "ED25519".into(),
        wallet: hex(wallet.expose()),
        pair: "pair-1".into(),
        role: "custodian-backup".into(),
        share: hex(share.expose()),
        record: String::new(),
    };
    let secret = SecretSlice::from(share.expose().to_vec());
    let record = block_on(SealedShare::seal(&secret, &vector.context(), &ring)).unwrap();
    vector.record = hex(&record.encode());
    let sealed_share = Some(vector);
    Vector { key_files: texts.to_vec(), key_ids, sealed_share, ..Vector::default() }
}

fn make_check(file: &KeyFile) -> String {
    hex(&block_on(KeyCheck::make(file)).unwrap().encode())
}

fn new_key_file() -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    KeyFile::create(&path).unwrap();
    fs::read_to_string(path).unwrap()
}

fn refused(comment: &str, error: &str) -> Vector {
    Vector { comment: comment.into(), error: Some(error.into()), ..Vector::default() }
}

fn flip(text: &str, at: usize) -> String {
    let mut bytes = unhex(text);
    bytes[at] ^= 1;
    hex(&bytes)
}

fn write(name: &str, vector: Vector) {
    let vector =
        if vector.error.is_some() { Vector { key_ids: Vec::new(), ..vector } } else { vector };
    write_new(name, &vector);
}

fn write_new(name: &str, vector: &impl Serialize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let path = path.with_extension("json");
    if path.exists() {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, serde_json::to_string_pretty(vector).unwrap() + "\n").unwrap();
}
