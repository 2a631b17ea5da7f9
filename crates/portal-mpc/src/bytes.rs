//! Reading and writing fields of fixed size.

use crate::error::FormatError;

/// Takes fields off the front of a slice.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], FormatError> {
        let (field, rest) = self.0.split_at_checked(len).ok_or(FormatError::Malformed)?;
        self.0 = rest;
        Ok(field)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (field, rest) = self.0.split_first_chunk().ok_or(FormatError::Malformed)?;
        self.0 = rest;
        Ok(*field)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, FormatError> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), FormatError> {
        if self.byte()? == byte { Ok(()) } else { Err(FormatError::WrongKind) }
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) const fn finish(self) -> Result<(), FormatError> {
        if self.0.is_empty() { Ok(()) } else { Err(FormatError::Malformed) }
    }
}

/// Fills a slice field by field. The slice has exactly the length of the fields.
pub(crate) struct Writer<'a>(&'a mut [u8]);

impl<'a> Writer<'a> {
    pub(crate) const fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn slot(&mut self, len: usize) -> &'a mut [u8] {
        let (field, rest) = std::mem::take(&mut self.0).split_at_mut(len);
        self.0 = rest;
        field
    }

    pub(crate) fn put(&mut self, field: &[u8]) {
        self.slot(field.len()).copy_from_slice(field);
    }

    pub(crate) fn rest(self) -> &'a mut [u8] {
        self.0
    }

    pub(crate) fn finish(self) {
        debug_assert!(self.0.is_empty(), "a field was left out");
    }
}
