//! The binary encoding of everything versioned: big-endian lengths, nothing optional, no rest.

use crate::{Error, Result, error::damaged};

/// Appends fields to a buffer.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn byte(&mut self, byte: u8) -> &mut Self {
        self.0.push(byte);
        self
    }

    /// Bytes whose length the format fixes.
    pub(crate) fn fixed(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Bytes behind their length in 16 bits.
    ///
    /// # Panics
    ///
    /// If they are longer than 65 535: every caller's type bounds them.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let len = u16::try_from(bytes.len()).expect("the type of every field bounds its length");
        self.0.extend_from_slice(&len.to_be_bytes());
        self.fixed(bytes)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes fields off a buffer. Whatever is missing or left over is [`ErrorKind::Damaged`].
///
/// [`ErrorKind::Damaged`]: crate::ErrorKind::Damaged
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    cut_short: &'static str,
}

impl<'a> Reader<'a> {
    /// A reader that says `cut_short` when bytes are missing.
    pub(crate) fn new(bytes: &'a [u8], cut_short: &'static str) -> Self {
        Self { rest: bytes, cut_short }
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        let [byte] = *self.array::<1>()?;
        Ok(byte)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N]> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(|| damaged(self.cut_short))?;
        self.rest = rest;
        Ok(array)
    }

    /// Bytes whose length the format fixes.
    pub(crate) fn fixed(&mut self, len: usize) -> Result<&'a [u8]> {
        let (bytes, rest) =
            self.rest.split_at_checked(len).ok_or_else(|| damaged(self.cut_short))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Bytes behind their length in 16 bits.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = u16::from_be_bytes(*self.array()?);
        self.fixed(len.into())
    }

    /// Text behind its length in 16 bits, parsed by `parse`.
    pub(crate) fn text<T>(&mut self, parse: impl FnOnce(String) -> Result<T>) -> Result<T> {
        let text = str::from_utf8(self.bytes()?).map_err(|_| damaged("an id is not text"))?;
        parse(text.to_owned()).map_err(|error| damaged("an id is malformed").with_source(error))
    }

    /// Refuses trailing bytes.
    pub(crate) fn finish(self) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(damaged("bytes follow the end")) }
    }
}
