//! The file of an OAuth client, as Google's console lets a developer download it.

use std::path::Path;

use backup_core::secrecy::SecretString;
use serde_json::Value;

use crate::{
    bounded_file,
    failure::{Failure, Kind},
};

/// The app, as Google knows it. The console calls one half a secret; it is in every copy of an app.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: Option<SecretString>,
}

const MAX_LEN: usize = 64 * 1024;

/// Reads it. Addresses of servers that stand in it are not used: a file cannot lead a user astray.
pub(super) fn read(path: &Path) -> Result<Client, Failure> {
    parse(&bounded_file::read(path, MAX_LEN)?).map_err(|problem| {
        let path = path.display();
        let message = format!(
            "{path} {problem}; in Google's console, under Clients, make one of the type `Desktop \
             app`, or for --by-code `TVs and Limited Input devices`, and download its JSON"
        );
        Failure::new(Kind::Damaged, message)
    })
}

fn parse(bytes: &[u8]) -> Result<Client, &'static str> {
    let json: Value = serde_json::from_slice(bytes).map_err(|_| "is not JSON")?;
    if json["type"] == "service_account" {
        return Err("is the key of a service account, which has no user and no Drive of theirs");
    }
    if json["web"].is_object() {
        return Err("is of a web application, whose users Google does not send to this machine");
    }
    let client = json["installed"].as_object().ok_or("is not the file of an OAuth client")?;
    let text = |name: &str| client.get(name).and_then(Value::as_str).filter(|text| is_word(text));
    let id = text("client_id").ok_or("names no client")?.to_owned();
    Ok(Client { id, secret: text("client_secret").map(Into::into) })
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use backup_core::secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_file_of_the_console_is_read_and_its_addresses_are_not() {
        let file = br#"{"installed":{"client_id":"1234-abcd.apps.googleusercontent.com",
            "project_id":"wallet","auth_uri":"https://evil.example/auth",
            "token_uri":"https://evil.example/token","client_secret":"GOCSPX-x",
            "redirect_uris":["http://localhost"]}}"#;
        let client = parse(file).unwrap();
        assert_eq!(client.id, "1234-abcd.apps.googleusercontent.com");
        assert_eq!(client.secret.as_ref().unwrap().expose_secret(), "GOCSPX-x");
        assert!(!format!("{client:?}").contains("GOCSPX"));
    }

    #[test]
    fn what_is_no_client_of_a_desktop_or_device_is_refused_with_its_reason() {
        for (file, reason) in [
            ("", "not JSON"),
            ("[]", "not the file"),
            ("{}", "not the file"),
            (r#"{"installed":{}}"#, "names no client"),
            (r#"{"installed":{"client_id":""}}"#, "names no client"),
            (r#"{"installed":{"client_id":"a b"}}"#, "names no client"),
            (r#"{"web":{"client_id":"1234"}}"#, "web application"),
            (r#"{"type":"service_account","private_key":"x"}"#, "service account"),
        ] {
            let refused = parse(file.as_bytes()).err().unwrap_or("it was taken");
            assert!(refused.contains(reason), "{file}: {refused}");
        }
    }
}
