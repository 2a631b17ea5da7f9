//! The binary encoding of everything versioned: big-endian lengths, nothing optional, no rest.

use backup_core::{KeyContext, Result};

use crate::error::{damaged, invalid_input};

/// Appends bytes behind their length in 16 bits.
///
/// # Panics
///
/// If they are longer than 65 535: every caller bounds them.
pub(crate) fn write_bytes(buffer: &mut Vec<u8>, bytes: &[u8]) {
    let len = u16::try_from(bytes.len()).expect("every caller bounds the length of its fields");
    buffer.extend_from_slice(&len.to_be_bytes());
    buffer.extend_from_slice(bytes);
}

/// What a ciphertext is bound to: a label, and the facts of a context, each with its length.
///
/// The length prefixes keep one fact from passing for part of another, the label keeps one kind of
/// ciphertext from passing for another.
pub(crate) fn facts(label: &str, fixed: &[&[u8]], context: &KeyContext) -> Result<Vec<u8>> {
    let named = context.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    let mut facts = Vec::new();
    for fact in [label.as_bytes()].into_iter().chain(fixed.iter().copied()).chain(named) {
        if fact.len() > u16::MAX.into() {
            return Err(invalid_input("a fact of a key context has more than 65 535 bytes"));
        }
        write_bytes(&mut facts, fact);
    }
    Ok(facts)
}

/// Takes fields off a buffer. Whatever is missing or left over is `Damaged`.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// A reader that says `what` when bytes are missing or left over.
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        let [byte] = *self.array::<1>()?;
        Ok(byte)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N]> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(|| damaged(self.what))?;
        self.rest = rest;
        Ok(array)
    }

    /// Bytes behind their length in 16 bits.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = u16::from_be_bytes(*self.array()?).into();
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or_else(|| damaged(self.what))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Everything up to the end.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Refuses trailing bytes.
    pub(crate) fn finish(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(damaged(self.what)) }
    }
}
