//! Writes the golden vectors that do not exist yet; those that exist are never touched.
//!
//! `cargo run -p portal-tests --example make_vectors`

mod points;
mod refused;

use std::{collections::BTreeMap, error::Error, fs, path::PathBuf};

use backup_core::{
    BackupId, BackupMethod, Curve, EncryptionContext, EncryptionKey, KeyName, KeyPrefix, MethodId,
    MethodParams, Operation, Point, Purpose, Sealer, Threshold, WrappingKey, secrecy::ExposeSecret,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use futures_executor::block_on;
use portal_tests::{
    fixed_key::FixedKey,
    vector::{Key, Member, Share, Vector, curve_named, hex, method, unhex},
};

const PREFIX: &str = "portal-backup-1.";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    opens()?;
    refused::envelopes()?;
    refused::records()
}

/// The vectors that open.
fn opens() -> Result<()> {
    let both = ["SECP256K1", "ED25519"];
    let (key, stored) = stored_key("acme", "alice")?;
    let seal = |curves: &[&str]| sealed("acme", "alice", "GDRIVE", &key, &stored, curves);
    write("envelope/opens/both-curves", &seal(&both)?)?;
    write("envelope/opens/secp256k1-only", &seal(&["SECP256K1"])?)?;
    write("envelope/opens/ed25519-only", &seal(&["ED25519"])?)?;

    let (long_custodian, long_client) = ("c".repeat(128), "~".repeat(128));
    let (key, params) = stored_key(&long_custodian, &long_client)?;
    let id = format!("com.{}", "x".repeat(60));
    let longest = sealed(&long_custodian, &long_client, &id, &key, &params, &both)?;
    write("envelope/opens/longest-ids", &longest)?;
    let empty = MethodParams::from_bytes([])?;
    let bare = sealed("acme", "alice", "com.example.bare", &key, &empty, &both)?;
    write("envelope/opens/no-parameters", &bare)?;
    let full = MethodParams::from_bytes(vec![b' '; MethodParams::MAX_LEN])?;
    let full = sealed("acme", "alice", "com.example.full", &key, &full, &both)?;
    write("envelope/opens/longest-parameters", &full)?;

    let (sealer, backup_key) = Sealer::without_slot(&context("acme", "alice"))?;
    let backup_key = Key::BackupKey(hex(EncryptionKey::from(backup_key).expose()));
    write("envelope/opens/without-slot", &vector(&sealer, None, backup_key, &both)?)?;
    claims()?;
    passwords()?;

    let (method, key) = threshold_of_fixed_keys()?;
    let sealer = enroll(&context("acme", "alice"), &method)?;
    let mut threshold = vector(&sealer, Some("portal.threshold"), key, &both)?;
    write("envelope/opens/threshold-all-members", &threshold.clone())?;
    if let Key::Members(members) = &mut threshold.key {
        members.remove("drive");
    }
    threshold.comment = "one of three members is not at hand".to_owned();
    write("envelope/opens/threshold-without-one", &threshold)?;

    let (key, stored) = stored_key("acme", "alice")?;
    let fixed = FixedKey::new(MethodId::GDRIVE, WrappingKey::copied_from(key.expose()), stored);
    let sealer = enroll(&context("acme", "alice"), &fixed)?;
    let mut record = vector(&sealer, Some("GDRIVE"), Key::WrappingKey(hex(key.expose())), &both)?;
    record.record = Some(hex(sealer.encode().expose_secret()));
    write("sealing-record/opens/with-slot", &record)?;
    let (sealer, backup_key) = Sealer::without_slot(&context("acme", "alice"))?;
    let backup_key = Key::BackupKey(hex(EncryptionKey::from(backup_key).expose()));
    let mut record = vector(&sealer, None, backup_key, &both)?;
    record.record = Some(hex(sealer.encode().expose_secret()));
    write("sealing-record/opens/without-slot", &record)
}

/// Passwords, typed in ways that Unicode has several encodings for.
fn passwords() -> Result<()> {
    let both = ["SECP256K1", "ED25519"];
    let enrolled = |typed: &str| -> Result<Vector> {
        let key = Key::Password(typed.to_owned());
        let sealer = enroll(&context("acme", "alice"), &*method("PASSWORD", &key))?;
        vector(&sealer, Some("PASSWORD"), key, &both)
    };
    write("envelope/opens/password", &enrolled("seven teal lanterns drift")?)?;
    let mut unicode = enrolled("Ångström\u{a0}und\u{3000}Brücke")?;
    unicode.comment = "enrolled in NFC with odd spaces, entered decomposed".to_owned();
    unicode.key = Key::Password("A\u{30a}ngstro\u{308}m und Bru\u{308}cke".to_owned());
    write("envelope/opens/password-decomposed", &unicode)
}

/// Envelopes whose claims are scratched, or that are read by somebody who knows more wallets.
fn claims() -> Result<()> {
    let scratched = |name: &str, base: &str, comment: &str, change: fn(&mut Vec<u8>)| {
        let mut vector = read(&format!("envelope/opens/{base}"))?;
        vector.comment = comment.to_owned();
        change_body(&mut vector, &change);
        write(&format!("envelope/opens/{name}"), &vector)
    };
    scratched("claims-another-custodian", "both-curves", "claims `bcme`", |b| b[2] = b'b')?;
    scratched("claims-another-method", "both-curves", "claims `HDRIVE`", |b| b[15] = b'H')?;
    scratched("claims-another-method-without-slot", "without-slot", "claims `DUSTOM`", |b| {
        b[15] = b'D';
    })?;
    let mut more = read("envelope/opens/ed25519-only")?;
    more.comment = "the reader has a wallet that this backup does not hold".to_owned();
    more.wallets.insert("SECP256K1".to_owned(), hex(&points::of_a_pair(Curve::Secp256k1)?[0]));
    write("envelope/opens/more-wallets-known", &more)
}

/// A nested threshold: two of `drive`, `passkey` and (one of `laptop`, `paper`).
fn threshold_of_fixed_keys() -> Result<(Threshold, Key)> {
    let fixed = |id: &str| -> Result<Member> {
        let key = Key::WrappingKey(hex(WrappingKey::generate()?.expose()));
        Ok(Member { method: id.to_owned(), key })
    };
    let inner = Key::Members(BTreeMap::from([
        ("laptop".to_owned(), fixed("com.example.laptop")?),
        ("paper".to_owned(), fixed("com.example.paper")?),
    ]));
    let inner = Member { method: "portal.threshold".to_owned(), key: inner };
    let members = BTreeMap::from([
        ("drive".to_owned(), fixed("GDRIVE")?),
        ("passkey".to_owned(), fixed("portal.passkey-prf")?),
        ("things".to_owned(), inner),
    ]);
    let methods = members.iter().map(|(label, m)| (label.clone(), method(&m.method, &m.key)));
    let threshold = Threshold::new(2, methods)?;
    Ok((threshold, Key::Members(members)))
}

fn context(custodian: &str, client: &str) -> EncryptionContext {
    EncryptionContext::new(
        backup_core::CustodianId::new(custodian).expect("a valid id"),
        backup_core::ClientId::new(client).expect("a valid id"),
    )
}

fn stored_key(custodian: &str, client: &str) -> Result<(WrappingKey, MethodParams)> {
    let name = KeyName::generate(&KeyPrefix::of(&context(custodian, client)))?;
    let json = format!(r#"{{"v":1,"name":"{}"}}"#, name.as_str());
    Ok((WrappingKey::generate()?, MethodParams::from_bytes(json)?))
}

fn enroll(context: &EncryptionContext, method: &dyn BackupMethod) -> Result<Sealer> {
    let op = Operation::new(Purpose::Enroll, context);
    Ok(block_on(Sealer::enroll(method, &op))?)
}

fn sealed(
    custodian: &str,
    client: &str,
    id: &str,
    key: &WrappingKey,
    params: &MethodParams,
    curves: &[&str],
) -> Result<Vector> {
    let copy = WrappingKey::copied_from(key.expose());
    let fixed = FixedKey::new(MethodId::new(id.to_owned())?, copy, params.clone());
    let sealer = enroll(&context(custodian, client), &fixed)?;
    vector(&sealer, Some(id), Key::WrappingKey(hex(key.expose())), curves)
}

/// Seals made-up shares: commitments that fit their wallet, secrets of random bytes.
fn vector(sealer: &Sealer, method: Option<&str>, key: Key, curves: &[&str]) -> Result<Vector> {
    let (mut wallets, mut shares) = (BTreeMap::new(), Vec::new());
    for &name in curves {
        let [wallet, client, custodian] = points::of_a_pair(curve_named(name))?;
        wallets.insert(name.to_owned(), hex(&wallet));
        shares.push(Share {
            curve: name.to_owned(),
            pair: format!("pair-{}", random_hex(8)?),
            client_commitment: hex(&client),
            custodian_commitment: hex(&custodian),
            secret: random_hex(134)?,
        });
    }
    let point = |share: &Share| -> Result<Point> {
        let curve: Curve = curve_named(&share.curve);
        Ok(Point::new(curve, &unhex(&wallets[&share.curve]))?)
    };
    let clear = shares
        .iter()
        .map(|share| Ok(share.with_wallet(point(share)?)))
        .collect::<Result<Vec<_>>>()?;
    let backup = BackupId::generate()?;
    let context = sealer.context();
    Ok(Vector {
        comment: String::new(),
        record: None,
        envelope: sealer.seal(&backup, &clear)?.to_string(),
        custodian: context.custodian.to_string(),
        client: context.client.to_string(),
        wallets,
        method: method.map(str::to_owned),
        key,
        backup: Some(backup.to_string()),
        shares,
        error: None,
    })
}

fn random_hex(len: usize) -> Result<String> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        bytes.extend_from_slice(WrappingKey::generate()?.expose());
    }
    Ok(hex(&bytes[..len]))
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name).with_extension("json")
}

fn read(name: &str) -> Result<Vector> {
    Ok(serde_json::from_str(&fs::read_to_string(path(name))?)?)
}

fn write(name: &str, vector: &Vector) -> Result<()> {
    let path = path(name);
    if !path.exists() {
        fs::create_dir_all(path.parent().expect("a vector lies in a folder"))?;
        fs::write(path, serde_json::to_string_pretty(vector)? + "\n")?;
        println!("{name}");
    }
    Ok(())
}

fn body_of(vector: &Vector) -> Vec<u8> {
    let body = vector.envelope.strip_prefix(PREFIX).expect("an envelope");
    Base64UrlUnpadded::decode_vec(body).expect("an envelope")
}

fn change_body(vector: &mut Vector, change: &dyn Fn(&mut Vec<u8>)) {
    let mut body = body_of(vector);
    change(&mut body);
    vector.envelope = format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&body));
}
