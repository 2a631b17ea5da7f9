//! A key as a record of CloudKit: version 1, in `docs/format.md`.

use backup_core::{EncryptionKey, Error, ErrorKind, KeyName, Result};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The zone of all records of ours. CloudKit lists without an index only what is in a zone that
/// an app made.
pub(crate) const ZONE: ZoneId = ZoneId { zone_name: "PortalBackup" };
pub(crate) const RECORD_TYPE: &str = "PortalBackupKey";
/// What is enough to see that a record is there.
pub(crate) const WITHOUT_KEY: &[&str] = &["version"];

const VERSION: i64 = 1;
const KEY_LEN: usize = 32;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ZoneId {
    zone_name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewRecord<'a> {
    record_name: &'a str,
    record_type: &'static str,
    fields: NewFields<'a>,
}

#[derive(Serialize)]
struct NewFields<'a> {
    key: NewField<&'a str>,
    version: NewField<i64>,
}

#[derive(Serialize)]
struct NewField<T> {
    value: T,
    r#type: &'static str,
}

/// The fields of a record as Apple gives them back.
#[derive(Deserialize)]
pub(crate) struct Fields {
    key: Option<Field<Zeroizing<String>>>,
    version: Option<Field<i64>>,
}

#[derive(Deserialize)]
struct Field<T> {
    value: T,
}

/// The request that creates a record, in memory that is wiped.
pub(crate) fn create(name: &KeyName, key: &EncryptionKey) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Operation<'a> {
        operation_type: &'static str,
        record: NewRecord<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Create<'a> {
        operations: [Operation<'a>; 1],
        #[serde(rename = "zoneID")]
        zone_id: ZoneId,
        desired_keys: &'static [&'static str],
    }
    let text = Zeroizing::new(Base64::encode_string(key.expose()));
    let fields = NewFields {
        key: NewField { value: &text, r#type: "BYTES" },
        version: NewField { value: VERSION, r#type: "INT64" },
    };
    let record = NewRecord { record_name: name.as_str(), record_type: RECORD_TYPE, fields };
    wiped(&Create {
        operations: [Operation { operation_type: "create", record }],
        zone_id: ZONE,
        desired_keys: WITHOUT_KEY,
    })
}

/// A body that does not outgrow its memory, which is wiped.
fn wiped(request: &impl Serialize) -> Bytes {
    let mut body = Zeroizing::new(Vec::with_capacity(1024));
    serde_json::to_writer(&mut *body, request).expect("memory takes what is written to it");
    Bytes::from_owner(body)
}

/// The key in a record.
///
/// # Errors
///
/// [`ErrorKind::Damaged`] if it holds none, [`ErrorKind::UnknownVersion`] if it is of a newer
/// version.
pub(crate) fn read(fields: Option<Fields>) -> Result<EncryptionKey> {
    let Some(Fields { key, version: Some(version) }) = fields else { return Err(damaged()) };
    if version.value > VERSION {
        let message = "a newer version of this software wrote this key; update, then try again";
        return Err(Error::new(ErrorKind::UnknownVersion, message));
    }
    let key = key.filter(|_| version.value == VERSION).ok_or_else(damaged)?;
    EncryptionKey::try_init_with(|bytes| match Base64::decode(key.value.as_bytes(), bytes) {
        Ok(decoded) if decoded.len() == KEY_LEN => Ok(()),
        _ => Err(damaged()),
    })
}

fn damaged() -> Error {
    Error::new(ErrorKind::Damaged, "the record in iCloud does not hold a key")
}

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId, EncryptionContext, KeyPrefix};
    use proptest::prelude::*;

    use super::*;

    const CREATE: &str = include_str!("../tests/vectors/create.json");
    const FIELDS: &str = include_str!("../tests/vectors/fields.json");

    fn key() -> EncryptionKey {
        EncryptionKey::copied_from(&std::array::from_fn(|i| 0x20 + u8::try_from(i).unwrap()))
    }

    #[test]
    fn a_record_is_written_and_read_as_in_the_vectors() {
        let custodian = CustodianId::new("business").unwrap();
        let context = EncryptionContext::new(custodian, ClientId::new("user").unwrap());
        let name = "portal-93e10cfb0a6bae8b-000102030405060708090a0b0c0d0e0f";
        let name = KeyName::parse(&KeyPrefix::of(&context), name).unwrap();
        assert_eq!(create(&name, &key()), CREATE.trim_end());
        let fields = serde_json::from_str(FIELDS).unwrap();
        assert_eq!(read(Some(fields)).unwrap(), key());
    }

    #[test]
    fn what_is_no_key_is_not_read_as_one() {
        let kind = |json: &str| read(serde_json::from_str(json).unwrap()).unwrap_err().kind();
        let whole = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
        let of = |key: &str, version: &str| {
            format!(r#"{{"key":{{"value":"{key}"}},"version":{{"value":{version}}}}}"#)
        };
        assert_eq!(read(serde_json::from_str(&of(whole, "1")).unwrap()).unwrap(), key());
        assert_eq!(kind(&of(whole, "2")), ErrorKind::UnknownVersion);
        assert_eq!(kind(&of(whole, "0")), ErrorKind::Damaged);
        for key in ["", "AAAA", &whole[4..], &format!("AAAA{whole}"), "ICEi IyQ"] {
            assert_eq!(kind(&of(key, "1")), ErrorKind::Damaged, "{key}");
        }
        for partial in ["null", "{}", r#"{"version":{"value":1}}"#] {
            assert_eq!(kind(partial), ErrorKind::Damaged, "{partial}");
        }
    }

    proptest! {
        #[test]
        fn any_key_comes_back(bytes in any::<[u8; 32]>()) {
            let text = Base64::encode_string(&bytes);
            let json = format!(r#"{{"key":{{"value":"{text}"}},"version":{{"value":1}}}}"#);
            let key = read(serde_json::from_str(&json).unwrap()).unwrap();
            prop_assert_eq!(key.expose(), &bytes);
        }

        #[test]
        fn any_text_is_a_key_of_32_bytes_or_none(text in ".{0,80}", version in any::<i64>()) {
            let json = serde_json::json!({"key": {"value": text}, "version": {"value": version}});
            let read = read(serde_json::from_value(json).unwrap());
            prop_assert!(read.is_err() || version == 1);
        }
    }
}
