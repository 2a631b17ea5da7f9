//! The file that says whose profile it is. Nothing in it is secret.

use backup_core::{ClientId, CustodianId, EncryptionContext};
use serde_json::{Value, json};

/// Where the service is, and who asks it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Record {
    pub(super) service: String,
    pub(super) client: EncryptionContext,
}

impl Record {
    pub(super) fn to_json(&self) -> Vec<u8> {
        let json = json!({
            "version": VERSION,
            "service": self.service,
            "custodian": self.client.custodian.as_str(),
            "client": self.client.client.as_str(),
        });
        format!("{json:#}\n").into_bytes()
    }

    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, &'static str> {
        let json: Value = serde_json::from_slice(bytes).map_err(|_| "not JSON")?;
        if json["version"] != VERSION {
            return Err("of another version; update `portal`");
        }
        let text = |name: &str| json[name].as_str().ok_or("a field is missing");
        let custodian = CustodianId::new(text("custodian")?).map_err(|_| "no custodian id")?;
        let client = ClientId::new(text("client")?).map_err(|_| "no client id")?;
        let client = EncryptionContext::new(custodian, client);
        Ok(Self { service: text("service")?.to_owned(), client })
    }
}

const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_nothing_else_is() {
        let custodian = CustodianId::new("business").unwrap();
        let client = EncryptionContext::new(custodian, ClientId::new("user").unwrap());
        let record = Record { service: "http://localhost:8080".to_owned(), client };
        let json = record.to_json();
        assert_eq!(Record::from_json(&json).unwrap(), record);
        let text = String::from_utf8(json).unwrap();
        for (from, to) in [("1", "2"), ("\"user\"", "\"\""), ("custodian", "c"), ("{", "")] {
            assert!(Record::from_json(text.replacen(from, to, 1).as_bytes()).is_err(), "{from}");
        }
    }
}
