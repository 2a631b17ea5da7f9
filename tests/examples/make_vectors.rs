//! Writes the golden vectors that do not exist yet; those that exist are never touched.
//!
//! `cargo run -p portal-tests --example make_vectors`

use std::{collections::BTreeMap, error::Error, fs, path::PathBuf};

use backup_core::{
    BackupId, BackupMethod, Curve, EncryptionContext, EncryptionKey, Envelope, KeyName, KeyPrefix,
    MethodId, MethodParams, Operation, Point, Purpose, Sealer, Threshold, WrappingKey,
    secrecy::ExposeSecret,
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
    write("envelope/opens/both-curves", seal(&both)?)?;
    write("envelope/opens/secp256k1-only", seal(&["SECP256K1"])?)?;
    write("envelope/opens/ed25519-only", seal(&["ED25519"])?)?;

    let (long_custodian, long_client) = ("c".repeat(128), "~".repeat(128));
    let (key, params) = stored_key(&long_custodian, &long_client)?;
    let id = format!("com.{}", "x".repeat(60));
    let longest = sealed(&long_custodian, &long_client, &id, &key, &params, &both)?;
    write("envelope/opens/longest-ids", longest)?;
    let empty = MethodParams::from_bytes([])?;
    let bare = sealed("acme", "alice", "com.example.bare", &key, &empty, &both)?;
    write("envelope/opens/no-parameters", bare)?;
    let full = MethodParams::from_bytes(vec![b' '; MethodParams::MAX_LEN])?;
    let full = sealed("acme", "alice", "com.example.full", &key, &full, &both)?;
    write("envelope/opens/longest-parameters", full)?;

    let (sealer, backup_key) = Sealer::without_slot(&context("acme", "alice"))?;
    let backup_key = Key::BackupKey(hex(EncryptionKey::from(backup_key).expose()));
    write("envelope/opens/without-slot", vector(&sealer, None, backup_key, &both)?)?;
    claims()?;
    passwords()?;

    let (method, key) = threshold_of_fixed_keys()?;
    let sealer = enroll(&context("acme", "alice"), &method)?;
    let mut threshold = vector(&sealer, Some("portal.threshold"), key, &both)?;
    write("envelope/opens/threshold-all-members", threshold.clone())?;
    if let Key::Members(members) = &mut threshold.key {
        members.remove("drive");
    }
    threshold.comment = "one of three members is not at hand".to_owned();
    write("envelope/opens/threshold-without-one", threshold)?;

    let (key, stored) = stored_key("acme", "alice")?;
    let fixed = FixedKey::new(MethodId::GDRIVE, WrappingKey::copied_from(key.expose()), stored);
    let sealer = enroll(&context("acme", "alice"), &fixed)?;
    let mut record = vector(&sealer, Some("GDRIVE"), Key::WrappingKey(hex(key.expose())), &both)?;
    record.record = Some(hex(sealer.encode().expose_secret()));
    write("sealing-record/opens/with-slot", record)?;
    let (sealer, backup_key) = Sealer::without_slot(&context("acme", "alice"))?;
    let backup_key = Key::BackupKey(hex(EncryptionKey::from(backup_key).expose()));
    let mut record = vector(&sealer, None, backup_key, &both)?;
    record.record = Some(hex(sealer.encode().expose_secret()));
    write("sealing-record/opens/without-slot", record)
}

/// Passwords, typed in ways that Unicode has several encodings for.
fn passwords() -> Result<()> {
    let both = ["SECP256K1", "ED25519"];
    let enrolled = |typed: &str| -> Result<Vector> {
        let key = Key::Password(typed.to_owned());
        let sealer = enroll(&context("acme", "alice"), &*method("PASSWORD", &key))?;
        vector(&sealer, Some("PASSWORD"), key, &both)
    };
    write("envelope/opens/password", enrolled("seven teal lanterns drift")?)?;
    let mut unicode = enrolled("Ångström\u{a0}und\u{3000}Brücke")?;
    unicode.comment = "enrolled in NFC with odd spaces, entered decomposed".to_owned();
    unicode.key = Key::Password("A\u{30a}ngstro\u{308}m und Bru\u{308}cke".to_owned());
    write("envelope/opens/password-decomposed", unicode)
}

/// Envelopes whose claims are scratched, or that are read by somebody who knows more wallets.
fn claims() -> Result<()> {
    let scratched = |name: &str, base: &str, comment: &str, change: fn(&mut Vec<u8>)| {
        let mut vector = read(&format!("envelope/opens/{base}"))?;
        vector.comment = comment.to_owned();
        change_body(&mut vector, &change);
        write(&format!("envelope/opens/{name}"), vector)
    };
    scratched("claims-another-custodian", "both-curves", "claims `bcme`", |b| b[2] = b'b')?;
    scratched("claims-another-method", "both-curves", "claims `HDRIVE`", |b| b[15] = b'H')?;
    scratched("claims-another-method-without-slot", "without-slot", "claims `DUSTOM`", |b| {
        b[15] = b'D';
    })?;
    let mut more = read("envelope/opens/ed25519-only")?;
    more.comment = "the reader has a wallet that this backup does not hold".to_owned();
    more.wallets.insert("SECP256K1".to_owned(), hex(&points::of_a_pair(Curve::Secp256k1)?[0]));
    write("envelope/opens/more-wallets-known", more)
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

fn write(name: &str, vector: Vector) -> Result<()> {
    let path = path(name);
    if !path.exists() {
        fs::create_dir_all(path.parent().expect("a vector lies in a folder"))?;
        fs::write(path, serde_json::to_string_pretty(&vector)? + "\n")?;
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

/// Points of both curves.
mod points {
    use curve25519_dalek::{EdwardsPoint, Scalar as EdwardsScalar};
    use k256::{
        FieldBytes, ProjectivePoint, Scalar,
        elliptic_curve::{ops::Reduce, sec1::ToSec1Point},
    };

    use super::*;

    /// A wallet's public key and the commitments of its two halves, which are the values at 1 and 2
    /// of a line whose value at 0 is the wallet's key.
    pub(super) fn of_a_pair(curve: Curve) -> Result<[Vec<u8>; 3]> {
        let halves = [*WrappingKey::generate()?.expose(), *WrappingKey::generate()?.expose()];
        Ok(match curve {
            Curve::Secp256k1 => {
                let [y1, y2] = halves.map(|half| {
                    ProjectivePoint::GENERATOR
                        * <Scalar as Reduce<FieldBytes>>::reduce(&half.into())
                });
                [y1 + y1 - y2, y1, y2]
                    .map(|point| point.to_affine().to_sec1_point(true).as_bytes().to_vec())
            }
            _ => {
                let [y1, y2] = halves
                    .map(|half| EdwardsPoint::mul_base(&EdwardsScalar::from_bytes_mod_order(half)));
                [y1 + y1 - y2, y1, y2].map(|point| point.compress().to_bytes().to_vec())
            }
        })
    }
}

/// The vectors that are refused: each is one that opens, with one thing wrong.
mod refused {
    use hpke::{
        Deserializable, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256,
        kem::X25519HkdfSha256, single_shot_seal,
    };

    use super::*;

    pub(super) fn envelopes() -> Result<()> {
        text()?;
        body()?;
        readers()?;
        slots()?;
        threshold()?;
        passwords()
    }

    /// Wrong as text.
    fn text() -> Result<()> {
        let text = |name, comment, change: fn(&str) -> String| {
            edit(name, comment, "Damaged", |v| v.envelope = change(&v.envelope))
        };
        text("empty", "no text at all", |_| String::new())?;
        text("no-body", "the prefix alone", |_| PREFIX.to_owned())?;
        text("padded", "base64 with padding", |text| format!("{text}="))?;
        text("spaces", "a line break at the end", |text| format!("{text}\n"))?;
        text("cut-short-by-4", "four characters less", |text| text[..text.len() - 4].to_owned())?;
        text("cut-in-half", "half of it", |text| text[..text.len() / 2].to_owned())?;
        text("portal-sdk-blob", "a blob of Portal's SDKs: hex without a version", |_| {
            "00112233445566778899aabbccddeeff".repeat(8)
        })?;
        text("prefix-cut-short", "not even a version", |_| "portal-back".to_owned())?;
        text("too-long", "longer than any envelope", |text| {
            text.to_owned() + &"A".repeat(Envelope::MAX_LEN)
        })?;
        edit("no-version", "a version of nothing", "UnknownVersion", |v| {
            v.envelope = "portal-backup-".to_owned();
        })?;
        edit("unknown-version", "a version to come", "UnknownVersion", |v| {
            v.envelope = v.envelope.replace("portal-backup-1.", "portal-backup-2.");
        })
    }

    /// Wrong in the body. Offsets are those of `both-curves`: acme, alice, GDRIVE.
    fn body() -> Result<()> {
        const SLOT_KIND: usize = 6 + 7 + 8 + 32 + 34;
        let damaged = |name, comment, change: &dyn Fn(&mut Vec<u8>)| {
            edit(name, comment, "Damaged", |v| change_body(v, change))
        };
        let slot = 1 + 2 + 73 + 92;
        let count_at = SLOT_KIND + slot;
        damaged("trailing-bytes", "one byte more", &|b| b.push(0))?;
        damaged("slot-kind-2", "a slot of an unknown kind", &|b| {
            assert_eq!(std::mem::replace(&mut b[SLOT_KIND], 2), 1);
        })?;
        damaged("no-wallets", "a backup of nothing", &|b| {
            assert_eq!(std::mem::replace(&mut b[count_at], 0), 2);
        })?;
        damaged("three-wallets", "more wallets than curves", &|b| b[count_at] = 3)?;
        damaged("unknown-curve", "a wallet on curve 9", &|b| {
            assert_eq!(std::mem::replace(&mut b[count_at + 1], 9), 1);
        })?;
        damaged("curves-out-of-order", "Ed25519 first", &|b| b.swap_wallets(count_at + 1))?;
        damaged("id-not-text", "a custodian id of 0xff", &|b| b[2] = 0xff)?;
        damaged("id-with-a-space", "a custodian id with a space", &|b| b[2] = b' ')?;
        damaged("sealed-shares-flipped", "the last bit of the tag", &|b| {
            *b.last_mut().expect("a body") ^= 1;
        })?;
        damaged("other-backup-id", "the backup id of another backup", &|b| {
            b[SLOT_KIND - 32..SLOT_KIND].copy_from_slice(&[b'0'; 32]);
        })?;
        edit("other-sealing-key", "one bit of the sealing key", "Unauthorized", |v| {
            change_body(v, &|b| b[6 + 7 + 8] ^= 1);
        })?;
        edit("sealed-without-psk", "shares that anybody could seal", "Damaged", forge_base_mode)
    }

    /// Right in itself, but read by somebody with other facts.
    fn readers() -> Result<()> {
        edit("other-custodian", "another custodian reads", "Unauthorized", |v| {
            v.custodian = "evil".to_owned();
        })?;
        edit("other-client", "another client reads", "Unauthorized", |v| {
            v.client = "mallory".to_owned();
        })?;
        edit("other-method", "read as another method's", "Unauthorized", |v| {
            v.method = Some("ICLOUD".to_owned());
        })?;
        edit("other-wallet", "another wallet is expected", "Damaged", |v| {
            v.wallets.insert("ED25519".to_owned(), "00".repeat(32));
        })?;
        edit("wallet-not-named", "no wallet is expected on a curve inside", "InvalidInput", |v| {
            v.wallets.remove("ED25519");
        })?;
        edit("wrong-key", "another wrapping key", "Unauthorized", |v| {
            v.key = Key::WrappingKey("00".repeat(32));
        })?;
        from("without-slot", "wrong-backup-key", "another backup key", "Unauthorized", |v| {
            v.key = Key::BackupKey("00".repeat(32));
        })?;
        from("without-slot", "without-slot-other-client", "another client", "Damaged", |v| {
            v.client = "mallory".to_owned();
        })
    }

    /// Slots that do not belong.
    fn slots() -> Result<()> {
        let range = 6 + 7 + 8 + 32 + 34..6 + 7 + 8 + 32 + 34 + 1 + 2 + 73 + 92;
        let other = body_of(&read("envelope/opens/ed25519-only")?);
        edit("swapped-slot", "the slot of another enrolment", "Unauthorized", |v| {
            change_body(v, &|b| b[range.clone()].copy_from_slice(&other[range.clone()]));
        })?;
        edit("changed-parameters", "one space in the parameters", "Unauthorized", |v| {
            change_body(v, &|b| {
                let comma = b.iter().position(|&byte| byte == b',').expect("JSON");
                b[comma] = b' ';
                b[comma - 1] = b',';
            });
        })?;
        edit("slot-removed", "a slot cut away, opened with a key", "Unauthorized", |v| {
            change_body(v, &|b| {
                b.splice(range.clone(), [0]);
            });
            v.method = None;
            v.key = Key::BackupKey("00".repeat(32));
        })
    }

    fn threshold() -> Result<()> {
        let policy = |name, comment, error, old: &str, new: &str| {
            from("threshold-all-members", name, comment, error, |v| {
                change_text_in_body(v, old, new);
            })
        };
        policy(
            "downgraded-policy",
            "one member instead of two, wraps and all the same",
            "Unauthorized",
            r#""required":2"#,
            r#""required":1"#,
        )?;
        policy(
            "upgraded-policy",
            "three members instead of two",
            "InvalidParams",
            r#""required":2"#,
            r#""required":3"#,
        )?;
        policy(
            "renamed-member",
            "another label",
            "Unauthorized",
            r#""label":"things""#,
            r#""label":"thinks""#,
        )?;
        from("threshold-all-members", "too-few-members", "one of two", "NotFound", |v| {
            if let Key::Members(members) = &mut v.key {
                members.retain(|label, _| label == "passkey");
            }
        })?;
        from("threshold-all-members", "wrong-member-keys", "two wrong keys", "Unauthorized", |v| {
            if let Key::Members(members) = &mut v.key {
                for label in ["drive", "passkey"] {
                    let member = members.get_mut(label).expect("a member");
                    member.key = Key::WrappingKey("00".repeat(32));
                }
            }
        })
    }

    fn passwords() -> Result<()> {
        let changed = |name, comment, error, old: &str, new: &str| {
            from("password", name, comment, error, |v| change_text_in_body(v, old, new))
        };
        from("password", "wrong-password", "another password", "Unauthorized", |v| {
            v.key = Key::Password("seven teal lanterns Drift".to_owned());
        })?;
        changed("hostile-memory", "almost a GiB of memory", "TooCostly", "131072", "999999")?;
        changed("cheaper-memory", "less memory than enrolled", "Unauthorized", "131072", "100000")?;
        changed(
            "other-passes",
            "fewer passes than enrolled",
            "Unauthorized",
            r#""passes":3"#,
            r#""passes":1"#,
        )?;
        changed(
            "no-lanes",
            "nothing to compute with",
            "InvalidParams",
            r#""lanes":4"#,
            r#""lanes":0"#,
        )?;
        changed("other-algorithm", "Argon2i", "InvalidParams", r#""argon2id""#, r#""argon2_i""#)
    }

    pub(super) fn records() -> Result<()> {
        let record = |name, comment, error, change: fn(&mut Vec<u8>)| -> Result<()> {
            let mut vector = read("sealing-record/opens/with-slot")?;
            let mut record = unhex(vector.record.as_deref().expect("a record"));
            change(&mut record);
            vector.record = Some(hex(&record));
            refuse(&format!("sealing-record/refused/{name}"), comment, error, vector)
        };
        record("empty", "no bytes at all", "Damaged", Vec::clear)?;
        record("unknown-version", "a version to come", "UnknownVersion", |r| r[0] = 2)?;
        record("cut-short", "one byte less", "Damaged", |r| r.truncate(r.len() - 1))?;
        record("trailing-bytes", "one byte more", "Damaged", |r| r.push(0))?;
        record("slot-removed", "a slotless record of GDRIVE", "Damaged", |r| {
            let at = 1 + 6 + 7 + 8 + 32;
            r.splice(at..at + 1 + 2 + 73 + 92, [0]);
        })
    }

    fn edit(
        name: &str,
        comment: &str,
        error: &str,
        change: impl FnOnce(&mut Vector),
    ) -> Result<()> {
        from("both-curves", name, comment, error, change)
    }

    fn from(
        base: &str,
        name: &str,
        comment: &str,
        error: &str,
        change: impl FnOnce(&mut Vector),
    ) -> Result<()> {
        let mut vector = read(&format!("envelope/opens/{base}"))?;
        change(&mut vector);
        refuse(&format!("envelope/refused/{name}"), comment, error, vector)
    }

    fn refuse(name: &str, comment: &str, error: &str, mut vector: Vector) -> Result<()> {
        vector.comment = comment.to_owned();
        vector.error = Some(error.to_owned());
        (vector.backup, vector.shares) = (None, Vec::new());
        write(name, vector)
    }

    fn change_text_in_body(vector: &mut Vector, from: &str, to: &str) {
        assert_eq!(from.len(), to.len());
        change_body(vector, &|body| {
            let at = body.windows(from.len()).position(|w| w == from.as_bytes());
            let at = at.expect("the text stands in the body");
            body[at..at + to.len()].copy_from_slice(to.as_bytes());
        });
    }

    trait SwapWallets {
        fn swap_wallets(&mut self, at: usize);
    }

    impl SwapWallets for Vec<u8> {
        /// Swaps the two wallets at `at`: 33 and 32 bytes of key, and 21 of pair id each.
        fn swap_wallets(&mut self, at: usize) {
            let (first, both) = (1 + 33 + 2 + 21, 1 + 33 + 2 + 21 + 1 + 32 + 2 + 21);
            self[at..at + both].rotate_left(first);
        }
    }

    /// Seals in HPKE's base mode, which takes only what is public.
    fn forge_base_mode(vector: &mut Vector) {
        type Kem = X25519HkdfSha256;
        let header = Envelope::parse(&vector.envelope).expect("an envelope").header().clone();
        let public = <Kem as hpke::Kem>::PublicKey::from_bytes(&header.sealing_public_key);
        let facts = facts(&header);
        let plaintext: Vec<u8> = header
            .wallets
            .iter()
            .flat_map(|w| [w.wallet.as_bytes(), w.wallet.as_bytes(), &[0, 1, 42]].concat())
            .collect();
        let (encapsulated, ciphertext) = single_shot_seal::<AesGcm256, HkdfSha256, Kem>(
            &OpModeS::Base,
            &public.expect("a public key"),
            &facts,
            &plaintext,
            &[],
        )
        .expect("sealing takes a public key");
        change_body(vector, &|body| {
            let sealed = 32 + 2 + 2 * (2 + 134) + 2 * (33 + 32) + 16;
            body.truncate(body.len() - sealed);
            body.extend_from_slice(&encapsulated.to_bytes());
            let len = u16::try_from(ciphertext.len()).expect("a short ciphertext");
            body.extend_from_slice(&len.to_be_bytes());
            body.extend_from_slice(&ciphertext);
        });
    }

    /// The facts of the shares, written down a second time.
    fn facts(header: &backup_core::Header) -> Vec<u8> {
        let mut fields: Vec<Vec<u8>> = vec![
            b"portal-backup/1 shares".to_vec(),
            header.context.custodian.as_str().into(),
            header.context.client.as_str().into(),
            header.method.as_str().into(),
            header.sealing_public_key.to_vec(),
            header.backup.as_str().into(),
            vec![2],
        ];
        for (code, sealed) in (1..).zip(&header.wallets) {
            fields.push(vec![code]);
            fields.push(sealed.wallet.as_bytes().to_vec());
            fields.push(sealed.pair.as_str().into());
        }
        let prefixed = |field: Vec<u8>| {
            let len = u16::try_from(field.len()).expect("a short fact");
            [&len.to_be_bytes()[..], &field].concat()
        };
        fields.into_iter().flat_map(prefixed).collect()
    }
}
