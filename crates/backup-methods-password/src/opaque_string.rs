//! Passwords as RFC 8265's OpaqueString: typed differently, yet the same.
//!
//! Different keyboards write the same text differently: é as one code point or as two, a space as
//! U+0020 or U+3000. RFC 8265, section 4.2.2, has them all become the same: spaces other than
//! U+0020 become that one, then NFC. Neither case nor width is mapped. Code points outside of the
//! FreeformClass of RFC 8264 are refused, with differences that only let more pass: they are looked
//! for after NFC, so that Korean typed in decomposed form passes; the contextual rules of RFC 8264,
//! appendix A, which keep names from looking alike, are not applied; and visible format characters,
//! such as Arabic number signs, pass.
//!
//! The `precis` crates are not used: their tables stop at Unicode 6.3, which lacks letters and
//! symbols that phones have keys for, and they leave copies of the password in memory.

use std::fmt;

use unicode_normalization::{UnicodeNormalization, char::is_public_assigned};
use zeroize::Zeroizing;

use crate::Refusal;

/// A password in the one form in which it is counted, judged and hashed.
pub(crate) struct OpaqueString(Zeroizing<String>);

impl OpaqueString {
    /// Brings what was typed into that form.
    pub(crate) fn enforce(typed: &str) -> Result<Self, Refusal> {
        // NFC makes UTF-8 at most three times as long (UAX #15): the buffer never grows, so no copy
        // is left behind.
        let mut text = Zeroizing::new(String::with_capacity(3 * typed.len()));
        text.extend(typed.chars().map(map_space).nfc());
        if text.is_empty() {
            return Err(Refusal::Empty);
        }
        for (index, c) in text.chars().enumerate() {
            check(c, index + 1)?;
        }
        Ok(Self(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for OpaqueString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueString([REDACTED])")
    }
}

fn map_space(c: char) -> char {
    if is_space(c) { ' ' } else { c }
}

/// General category Zs. Unicode has not changed it since 6.3 and has no plans to.
fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

fn check(c: char, position: usize) -> Result<(), Refusal> {
    if c.is_control() || matches!(c, LINE_SEPARATOR | PARAGRAPH_SEPARATOR) {
        Err(Refusal::Control { position })
    } else if is_invisible(c) {
        Err(Refusal::Invisible { position })
    } else if is_old_jamo(c) || !is_public_assigned(c) {
        Err(Refusal::Unassigned { position })
    } else {
        Ok(())
    }
}

const LINE_SEPARATOR: char = '\u{2028}';
const PARAGRAPH_SEPARATOR: char = '\u{2029}';

/// `Default_Ignorable_Code_Point`, which RFC 8264 disallows (section 9.13), and annotation marks;
/// but not the two joiners, which it allows in context: Persian and the languages of India are not
/// spelled without them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Conjoining jamo that NFC has not composed (RFC 8264, section 9.9).
fn is_old_jamo(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97c}' | '\u{d7b0}'..='\u{d7fb}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn enforced(typed: &str) -> Result<String, Refusal> {
        OpaqueString::enforce(typed).map(|text| text.as_str().to_owned())
    }

    /// RFC 8265, section 4.3, examples 12 to 16.
    #[test]
    fn the_rfcs_legal_passwords_are_taken() {
        for (typed, expected) in [
            ("correct horse battery staple", "correct horse battery staple"),
            ("Correct Horse Battery Staple", "Correct Horse Battery Staple"),
            ("πßå", "πßå"),
            ("Jack of ♦s", "Jack of ♦s"),
            ("foo\u{1680}bar", "foo bar"),
        ] {
            assert_eq!(enforced(typed).unwrap(), expected);
        }
    }

    /// RFC 8265, section 4.3, examples 17 and 18.
    #[test]
    fn the_rfcs_illegal_passwords_are_refused() {
        assert_eq!(enforced("").unwrap_err(), Refusal::Empty);
        assert_eq!(enforced("my cat is a \tby").unwrap_err(), Refusal::Control { position: 13 });
    }

    #[test]
    fn composed_and_decomposed_forms_are_the_same() {
        assert_eq!(enforced("e\u{301}").unwrap(), "é");
        assert_eq!(enforced("\u{1112}\u{1161}\u{11ab}").unwrap(), "한");
        assert_eq!(enforced("\u{212b}").unwrap(), "å".to_uppercase());
    }

    #[test]
    fn every_space_becomes_the_one_on_the_keyboard() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_whitespace()) {
            match enforced(&format!("a{c}b")) {
                Ok(text) => assert_eq!(text, "a b", "{c:?}"),
                Err(refusal) => assert_eq!(refusal, Refusal::Control { position: 2 }, "{c:?}"),
            }
        }
    }

    #[test]
    fn neither_case_nor_width_is_mapped() {
        assert_ne!(enforced("A").unwrap(), enforced("a").unwrap());
        assert_ne!(enforced("Ａ").unwrap(), enforced("A").unwrap());
        assert_ne!(enforced("ﬁ").unwrap(), enforced("fi").unwrap());
    }

    #[test]
    fn what_cannot_be_typed_again_is_refused() {
        assert_eq!(enforced("a\u{200b}").unwrap_err(), Refusal::Invisible { position: 2 });
        assert_eq!(enforced("❤\u{fe0f}").unwrap_err(), Refusal::Invisible { position: 2 });
        for unassigned in ["\u{378}", "\u{e000}", "\u{fffe}", "\u{10ffff}", "\u{1100}"] {
            assert_eq!(enforced(unassigned).unwrap_err(), Refusal::Unassigned { position: 1 });
        }
    }

    #[test]
    fn languages_that_need_joiners_have_them() {
        assert!(enforced("می\u{200c}خواهم").is_ok());
        assert!(enforced("👨\u{200d}👩\u{200d}👧").is_ok());
    }

    #[test]
    fn a_password_does_not_print_itself() {
        let text = OpaqueString::enforce("hunter2").unwrap();
        assert_eq!(format!("{text:?}"), "OpaqueString([REDACTED])");
    }

    proptest! {
        #[test]
        fn enforcing_twice_changes_nothing(typed in any::<String>()) {
            if let Ok(once) = enforced(&typed) {
                prop_assert_eq!(enforced(&once).unwrap(), once);
            }
        }

        #[test]
        fn every_typed_form_is_the_same(typed in "[\\p{L}\\p{M}\\p{N}\\p{Zs}]{0,24}") {
            let composed = enforced(&typed.nfc().collect::<String>());
            let decomposed = enforced(&typed.nfd().collect::<String>());
            prop_assert_eq!(&composed, &enforced(&typed));
            prop_assert_eq!(composed, decomposed);
        }

        #[test]
        fn the_buffer_never_grows(typed in any::<String>()) {
            if let Ok(text) = OpaqueString::enforce(&typed) {
                prop_assert_eq!(text.0.capacity(), 3 * typed.len());
            }
        }
    }
}
