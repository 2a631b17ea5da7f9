//! JSON whose secrets are not copied, and the wrappings that Portal puts around it.
//!
//! `serde_json` hands over each value where it stands in the text. Its own strings would leave
//! copies in buffers that nobody wipes, and its errors quote what they did not expect.

use base64ct::{Base64, Base64Unpadded, Encoding};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{ImportError, error::Result};

/// The most that is read of anything: forty times what Portal writes for two curves.
pub(crate) const MOST_CHARACTERS: usize = 1 << 20;

/// Strings in strings, base64, and envelopes: Portal needs three of them.
const MOST_WRAPPINGS: usize = 8;

/// A value where it stands in the text.
pub(crate) type Raw<'a> = Option<&'a RawValue>;

/// What the native library answers, around what was asked for.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Raw<'a>,
    #[serde(borrow)]
    plaintext: Raw<'a>,
}

/// Reads an object's fields; those that `T` does not name are passed over.
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    // An array would be taken for the fields in their order.
    if !text.starts_with('{') {
        return Err(ImportError::NotJson);
    }
    serde_json::from_str(text).map_err(|_| ImportError::NotJson)
}

/// Takes the wrappings off, down to an object, and hands its text to `read`.
pub(crate) fn unwrapped<T>(text: &str, read: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    if text.len() > MOST_CHARACTERS {
        return Err(ImportError::TooLong { limit: MOST_CHARACTERS });
    }
    let mut text = Zeroizing::new(text.to_owned());
    for _ in 0..MOST_WRAPPINGS {
        match without_one(text.trim())? {
            Some(inner) => text = inner,
            None => return read(text.trim()),
        }
    }
    Err(ImportError::NoShare)
}

/// The text without its outermost wrapping, or `None` if it has none.
fn without_one(text: &str) -> Result<Option<Zeroizing<String>>> {
    if !text.starts_with('{') {
        return unquoted(text).or_else(|| from_base64(text)).ok_or(ImportError::NotJson).map(Some);
    }
    let envelope: Envelope<'_> = object(text)?;
    let inner = envelope.data.or(envelope.plaintext);
    Ok(inner.map(|inner| Zeroizing::new(inner.get().to_owned())))
}

/// The text that a JSON string stands for.
pub(crate) fn unquoted(json: &str) -> Option<Zeroizing<String>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    // No escape is shorter than what it stands for, so this buffer never grows and leaves a copy.
    let mut text = Zeroizing::new(String::with_capacity(inner.len()));
    let mut rest = inner.chars();
    while let Some(char) = rest.next() {
        match char {
            '\\' => text.push(escaped(&mut rest)?),
            '"' | '\0'..='\x1f' => return None,
            char => text.push(char),
        }
    }
    Some(text)
}

fn escaped(rest: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        char @ ('"' | '\\' | '/') => char,
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return utf16(rest),
        _ => return None,
    })
}

fn utf16(rest: &mut std::str::Chars<'_>) -> Option<char> {
    let first = code_unit(rest)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first.into());
    }
    let second = (rest.next()? == '\\' && rest.next()? == 'u').then(|| code_unit(rest))??;
    char::decode_utf16([first, second]).next()?.ok()
}

fn code_unit(rest: &mut std::str::Chars<'_>) -> Option<u16> {
    let digits = rest.as_str().get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    *rest = rest.as_str()[4..].chars();
    u16::from_str_radix(digits, 16).ok()
}

/// Text out of the standard alphabet, with padding or without.
fn from_base64(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(vec![0; text.len()]);
    let decoded = match text.ends_with('=') {
        true => Base64::decode(text, &mut bytes).ok()?.len(),
        false => Base64Unpadded::decode(text, &mut bytes).ok()?.len(),
    };
    let text = std::str::from_utf8(bytes.get(..decoded)?).ok()?;
    (!text.is_empty()).then(|| Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Escapes of one character, halves of surrogate pairs, other code units, characters.
    const ESCAPES: &str =
        r#"(\\["\\/bfnrtuxa]|\\u[dD][89a-fA-F][0-9a-f]{2}|\\u[0-9a-g]{4}|x|é){0,8}"#;

    proptest! {
        #[test]
        fn a_string_is_unquoted_as_serde_json_does(text: String, spoiled: String) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unquoted(&json).map(|text| text.to_string()), Some(text));
            let spoiled = format!("\"{spoiled}\"");
            let expected: Option<String> = serde_json::from_str(&spoiled).ok();
            prop_assert_eq!(unquoted(&spoiled).map(|text| text.to_string()), expected);
        }

        #[test]
        fn escapes_are_those_of_serde_json(escapes in ESCAPES) {
            let json = format!("\"{escapes}\"");
            let expected: Option<String> = serde_json::from_str(&json).ok();
            prop_assert_eq!(unquoted(&json).map(|text| text.to_string()), expected);
        }
    }

    #[test]
    fn an_endless_nest_of_wrappings_is_refused() {
        let mut text = "{}".to_owned();
        for _ in 0..MOST_WRAPPINGS {
            text = format!(r#"{{"data":{text}}}"#);
        }
        assert_eq!(unwrapped(&text, |_| Ok(())), Err(ImportError::NoShare));
        assert_eq!(unwrapped(r#"{"data":{}}"#, |_| Ok(())), Ok(()));
    }

    #[test]
    fn a_text_over_the_limit_is_refused_before_it_is_read() {
        let text = " ".repeat(MOST_CHARACTERS + 1);
        let refused = unwrapped(&text, |_| Ok(()));
        assert_eq!(refused, Err(ImportError::TooLong { limit: MOST_CHARACTERS }));
    }
}
