//! Secrets, and every form in which they could stand in a text.

use std::{collections::BTreeSet, fmt};

use base64ct::{Base64, Base64Url, Encoding};

/// Secrets that must not appear: not raw, not in hexadecimal, base64 or as a list of numbers, and
/// of a key not even eight bytes in a row.
#[derive(Default)]
pub struct Secrets {
    raw: Vec<Vec<u8>>,
    /// Needle, and what it is a form of.
    forms: BTreeSet<(String, &'static str)>,
}

impl Secrets {
    /// Nothing to look for yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds 32 random bytes.
    #[must_use]
    pub fn with_key(mut self, key: &[u8; 32]) -> Self {
        for window in key.windows(WINDOW) {
            self.raw.push(window.to_vec());
            self.add_numbers(window);
        }
        self.add_base64(key, Some(10));
        self
    }

    /// Adds what a user typed. A long one: a short PIN stands in many innocent texts.
    ///
    /// # Panics
    ///
    /// If it is shorter than eight bytes.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        assert!(
            text.len() >= WINDOW,
            "a test's secret has at least {WINDOW} bytes, or it would be found by accident"
        );
        self.raw.push(text.as_bytes().to_vec());
        self.add_numbers(text.as_bytes());
        self.add_base64(text.as_bytes(), None);
        self
    }

    /// In which form a secret stands in `text`, if one does.
    #[must_use]
    pub fn found_in(&self, text: impl AsRef<[u8]>) -> Option<&'static str> {
        let text = text.as_ref();
        if self.raw.iter().any(|raw| text.windows(raw.len()).any(|window| window == raw)) {
            return Some("as it is");
        }
        let text = String::from_utf8_lossy(text);
        let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let lower = dense.to_ascii_lowercase();
        let found = |(needle, form): &&(String, &'static str)| {
            if *form == BASE64 { dense.contains(needle) } else { lower.contains(needle) }
        };
        self.forms.iter().find(found).map(|(_, form)| *form)
    }

    /// Asserts that no secret stands in `text`, which is `place`.
    ///
    /// # Panics
    ///
    /// If one does. The message does not repeat it.
    #[track_caller]
    pub fn assert_absent(&self, text: impl AsRef<[u8]>, place: &str) {
        if let Some(form) = self.found_in(text) {
            panic!("{place} shows a secret ({form}): whoever reads it can open the backup");
        }
    }

    fn add_numbers(&mut self, bytes: &[u8]) {
        let join = |render: fn(&u8) -> String, separator: &str| {
            bytes.iter().map(render).collect::<Vec<_>>().join(separator)
        };
        let hex = |byte: &u8| format!("{byte:02x}");
        self.forms.extend([
            (join(hex, ""), "in hexadecimal"),
            (join(hex, ":"), "in hexadecimal"),
            (join(|byte| format!("{byte:x}"), ","), "as a list of numbers"),
            (join(|byte| format!("0x{byte:x}"), ","), "as a list of numbers"),
            (join(|byte| format!("0x{byte:02x}"), ","), "as a list of numbers"),
            (join(u8::to_string, ","), "as a list of numbers"),
        ]);
    }

    /// Base64 shifts with what stands before, so there are three forms; `piece` characters of one
    /// are enough.
    fn add_base64(&mut self, bytes: &[u8], piece: Option<usize>) {
        for offset in 0..3 {
            let mut shifted = vec![0; offset];
            shifted.extend_from_slice(bytes);
            let whole = (bytes.len() + offset) * 8 / 6;
            let first = (offset * 8).div_ceil(6);
            for text in [Base64::encode_string(&shifted), Base64Url::encode_string(&shifted)] {
                let inner = &text[first..whole];
                let size = piece.unwrap_or(inner.len()).min(inner.len());
                let pieces = (0..=inner.len() - size).map(|at| inner[at..at + size].to_owned());
                self.forms.extend(pieces.map(|piece| (piece, BASE64)));
            }
        }
    }
}

const WINDOW: usize = 8;
const BASE64: &str = "in base64";

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [
        0xa1, 0x0b, 0x72, 0xc3, 0x04, 0x95, 0xe6, 0x37, 0x18, 0xd9, 0x5a, 0x8b, 0xfc, 0x0d, 0x6e,
        0x2f, 0x90, 0x41, 0xb2, 0x53, 0xe4, 0x75, 0xc6, 0x07, 0xa8, 0x39, 0x1a, 0xdb, 0x4c, 0x9d,
        0xfe, 0x5f,
    ];

    #[test]
    fn a_key_is_found_in_every_form() {
        let secrets = Secrets::new().with_key(&KEY);
        let hex: String = KEY.iter().map(|byte| format!("{byte:02X}")).collect();
        let in_a_blob = Base64Url::encode_string(&[&b"{k:"[..], &KEY].concat());
        let shifted = Base64::encode_string(&[&b"xy"[..], &KEY, b"z"].concat());
        let texts = [
            hex.clone(),
            hex[..20].to_owned(),
            format!("{KEY:?}"),
            format!("{KEY:#?}"),
            format!("{KEY:x?}"),
            format!("{KEY:#04x?}"),
            in_a_blob,
            shifted,
        ];
        for text in texts {
            assert!(secrets.found_in(&text).is_some(), "{text}");
        }
        assert_eq!(secrets.found_in([&b"raw"[..], &KEY].concat()), Some("as it is"));
        assert_eq!(secrets.found_in("WrappingKey([REDACTED]) a10b72c3"), None);
    }

    #[test]
    fn a_users_secret_is_found_raw_and_encoded() {
        let secrets = Secrets::new().with_text("correct horse");
        for text in ["pw=correct horse;", "Y29ycmVjdCBob3JzZQ==", "636F727265637420686f727365"] {
            assert!(secrets.found_in(text).is_some(), "{text}");
        }
        assert_eq!(secrets.found_in("correct hors"), None);
    }
}
