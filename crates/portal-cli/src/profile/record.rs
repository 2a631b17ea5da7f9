//! The file that says whose profile it is. Nothing in it is secret.

use backup_core::{ClientId, CustodianId, EncryptionContext};
use serde_json::{Value, json};

/// Where the service is, and who asks it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Record {
    pub(super) service: String,
    pub(super) client: EncryptionContext,
    pub(super) device_key: KeyPlace,
}

/// Where the key is that encrypts what the device keeps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum KeyPlace {
    /// In a file of the profile. Version 1 of a profile knows nothing else.
    File,
    /// In the system's keychain, under this name.
    Keychain(String),
}

impl Record {
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = json!({
            "version": 1,
            "service": self.service,
            "custodian": self.client.custodian.as_str(),
            "client": self.client.client.as_str(),
        });
        if let KeyPlace::Keychain(name) = &self.device_key {
            json["version"] = 2.into();
            json["deviceKeyInKeychain"] = name.as_str().into();
        }
        format!("{json:#}\n").into_bytes()
    }

    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, &'static str> {
        let json: Value = serde_json::from_slice(bytes).map_err(|_| "not JSON")?;
        let text = |name: &str| json[name].as_str().ok_or("a field is missing");
        let device_key = match json["version"].as_u64() {
            Some(1) => KeyPlace::File,
            Some(2) => KeyPlace::Keychain(text("deviceKeyInKeychain")?.to_owned()),
            _ => return Err("of another version; update `portal`"),
        };
        let custodian = CustodianId::new(text("custodian")?).map_err(|_| "no custodian id")?;
        let client = ClientId::new(text("client")?).map_err(|_| "no client id")?;
        let client = EncryptionContext::new(custodian, client);
        Ok(Self { service: text("service")?.to_owned(), client, device_key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_keychain_is_a_version_that_older_programs_refuse() {
        let json = |version| {
            format!(
                r#"{{"version":{version},"service":"s","custodian":"c","client":"u",
                "deviceKeyInKeychain":"portal-0-1"}}"#
            )
        };
        let read = |version| Record::from_json(json(version).as_bytes());
        assert_eq!(read(1).unwrap().device_key, KeyPlace::File);
        assert_eq!(read(2).unwrap().device_key, KeyPlace::Keychain("portal-0-1".to_owned()));
        assert!(read(3).is_err());
        assert!(
            Record::from_json(br#"{"version":2,"service":"s","custodian":"c","client":"u"}"#)
                .is_err()
        );
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_nothing_else_is() {
        let custodian = CustodianId::new("business").unwrap();
        let client = EncryptionContext::new(custodian, ClientId::new("user").unwrap());
        for device_key in [KeyPlace::File, KeyPlace::Keychain("portal-0-1".to_owned())] {
            let (service, client) = ("http://localhost:8080".to_owned(), client.clone());
            let record = Record { service, client, device_key };
            let json = record.to_json();
            assert_eq!(Record::from_json(&json).unwrap(), record);
            let text = String::from_utf8(json).unwrap();
            for (from, to) in
                [("version", "v"), ("\"user\"", "\"\""), ("custodian", "c"), ("{", "")]
            {
                let changed = text.replacen(from, to, 1);
                assert!(Record::from_json(changed.as_bytes()).is_err(), "{from}");
            }
        }
    }
}
