//! The binary encoding of what the device keeps: big-endian lengths, nothing optional, no rest.

use backup_core::{Curve, Error, ErrorKind, Result};
use zeroize::{Zeroize, Zeroizing};

/// Appends fields to a buffer that leaves no copy behind when it grows.
#[derive(Default)]
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(crate) fn byte(&mut self, byte: u8) -> &mut Self {
        self.fixed(&[byte])
    }

    /// A number of things that follow; every caller's type bounds it.
    pub(crate) fn count(&mut self, count: usize) -> &mut Self {
        let count = u16::try_from(count).expect("the type of every list bounds its length");
        self.fixed(&count.to_be_bytes())
    }

    /// Bytes whose length the format fixes.
    pub(crate) fn fixed(&mut self, bytes: &[u8]) -> &mut Self {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Bytes behind their length in 32 bits.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let len = u32::try_from(bytes.len()).expect("the type of every field bounds its length");
        self.fixed(&len.to_be_bytes()).fixed(bytes)
    }

    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    fn reserve(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed <= self.0.capacity() {
            return;
        }
        let mut larger = Vec::with_capacity(needed.next_power_of_two());
        larger.extend_from_slice(&self.0);
        self.0.zeroize();
        *self.0 = larger;
    }
}

/// Takes fields off a buffer. Whatever is missing or left over is `Damaged`.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        let [byte] = *self.array::<1>()?;
        Ok(byte)
    }

    pub(crate) fn flag(&mut self) -> Result<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(damaged()),
        }
    }

    pub(crate) fn count(&mut self) -> Result<usize> {
        Ok(u16::from_be_bytes(*self.array()?).into())
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N]> {
        let (array, rest) = self.0.split_first_chunk().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(array)
    }

    pub(crate) fn fixed(&mut self, len: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Bytes behind their length in 32 bits.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = u32::from_be_bytes(*self.array()?);
        self.fixed(usize::try_from(len).map_err(|_| damaged())?)
    }

    /// Text behind its length, parsed by `parse`.
    pub(crate) fn text<T>(&mut self, parse: impl FnOnce(String) -> Result<T>) -> Result<T> {
        let text = str::from_utf8(self.bytes()?).map_err(|_| damaged())?;
        parse(text.to_owned()).map_err(|_| damaged())
    }

    pub(crate) fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged()) }
    }
}

/// The key opened the file, and what it holds is not what this version writes.
pub(crate) fn damaged() -> Error {
    Error::new(ErrorKind::Damaged, "what the device keeps is damaged; recover from a backup")
}

/// The key opened the file, and a later release of this software wrote it.
pub(crate) fn unknown_version() -> Error {
    Error::new(
        ErrorKind::UnknownVersion,
        "a newer version of this software wrote what the device keeps; update",
    )
}

/// The byte that stands for a curve.
pub(crate) fn curve_code(curve: Curve) -> u8 {
    match curve {
        Curve::Secp256k1 => 1,
        Curve::Ed25519 => 2,
        _ => unreachable!("every curve of the format has a code here"),
    }
}

pub(crate) fn read_curve(reader: &mut Reader<'_>) -> Result<Curve> {
    let code = reader.byte()?;
    Curve::ALL.into_iter().find(|curve| curve_code(*curve) == code).ok_or_else(damaged)
}

pub(crate) fn invalid_input(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}
