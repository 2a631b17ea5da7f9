//! What a file is that is no envelope, for an error that helps.

use std::borrow::Cow;

/// Says what `bytes` look like and what to do, or nothing if there is nothing better to say than
/// what the parser said.
pub(super) fn what_is(bytes: &[u8]) -> Option<Cow<'static, str>> {
    let Ok(text) = str::from_utf8(bytes) else {
        return Some(
            "this is binary data, not an envelope; an envelope is one line of text that begins \
             with `portal-backup-`"
                .into(),
        );
    };
    let text = text.trim();
    if text.is_empty() {
        return Some("the file is empty; take another copy of the backup".into());
    }
    if !is_hex(text) {
        return None;
    }
    Some(match text.len() / 2 {
        KEY_LEN => {
            "this is 32 bytes in hexadecimal, as an encryption key is. If it is one, it is secret: \
             keep it apart from the backup and show it to nobody"
                .into()
        }
        len if len > PORTAL_OVERHEAD => format!(
            "this looks like a ciphertext made by one of Portal's SDKs: {len} bytes in \
             hexadecimal, without version or header, so it says nothing about itself. Import it \
             with the app that it belongs to, then make a new backup"
        )
        .into(),
        _ => "this is hexadecimal, and too short to be a backup; take another copy".into(),
    })
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

const KEY_LEN: usize = 32;

/// Nonce and tag: what such a ciphertext has beside its plaintext, at the least.
const PORTAL_OVERHEAD: usize = 28;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        what_is(bytes).unwrap().into_owned()
    }

    #[test]
    fn a_ciphertext_of_portals_sdks_is_recognized() {
        assert!(said(format!("{}\n", "0a".repeat(200)).as_bytes()).contains("200 bytes"));
    }

    #[test]
    fn a_key_is_called_secret_and_not_shown() {
        let key = "5e".repeat(32);
        assert!(said(key.as_bytes()).contains("secret"));
        assert!(!said(key.as_bytes()).contains(&key));
    }

    #[test]
    fn empty_short_and_binary_files_are_called_what_they_are() {
        assert!(said(b" \n").contains("empty"));
        assert!(said(b"beef").contains("too short"));
        assert!(said(&[0xff, 0]).contains("binary"));
    }

    #[test]
    fn anything_else_is_left_to_the_parser() {
        assert_eq!(what_is(b"hello"), None);
        assert_eq!(what_is(b"abc"), None);
    }
}
