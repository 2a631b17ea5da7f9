//! The vectors that are refused: each is one that opens, with one thing wrong.

use hpke::{
    Deserializable, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256,
    single_shot_seal,
};

use backup_core::Envelope;
use portal_tests::vector::{Key, Vector, hex, unhex};

use crate::{PREFIX, Result, body_of, change_body, read, write};

pub(crate) fn envelopes() -> Result<()> {
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

pub(crate) fn records() -> Result<()> {
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

fn edit(name: &str, comment: &str, error: &str, change: impl FnOnce(&mut Vector)) -> Result<()> {
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
    write(name, &vector)
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
