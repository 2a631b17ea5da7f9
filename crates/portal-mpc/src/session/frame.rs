//! The frame of every message: version, operation, step, curves, session id, body, tag.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::secret::TagKey;
use super::{SessionId, SessionSecret};
use crate::by_curve::Curves;
use crate::bytes::Reader;
use crate::error::{Error, FormatError};
use crate::operation::OperationKind;

/// What a message is, in its first 36 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) operation: OperationKind,
    pub(crate) step: Step,
    pub(crate) curves: Curves,
    pub(crate) id: SessionId,
}

/// The place of a message in its session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    FirstPost = 1,
    FirstReply = 2,
    SecondPost = 3,
    SecondReply = 4,
}

/// Bytes to send to the other side. They hold secrets, and are erased when dropped: do not log or
/// keep them.
pub struct Outgoing(Zeroizing<Box<[u8]>>);

/// A post of the client, whose integrity the server has verified.
#[derive(Debug)]
pub struct Post<'a>(Frame<'a>);

/// A reply of the server, whose integrity the client has verified.
#[derive(Debug)]
pub struct Reply<'a>(Frame<'a>);

/// A message whose integrity was verified, and the key to answer under.
pub(crate) struct Frame<'a> {
    pub(crate) header: Header,
    body: &'a [u8],
    key: TagKey,
}

impl Outgoing {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Outgoing {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes)", self.0.len())
    }
}

impl<'a> Post<'a> {
    /// The length of the longest post.
    pub const MAX_LEN: usize = 180_000;

    /// Verifies what came with a post. It touches no state: after an error the client can send the
    /// same post again.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if these are not the bytes that the client sent, [`Error::Version`] if
    /// they are of another version.
    pub fn open(bytes: &'a [u8], secret: &SessionSecret) -> Result<Self, Error> {
        let frame = Frame::open(bytes, secret)?;
        match frame.header.step {
            Step::FirstPost | Step::SecondPost => Ok(Self(frame)),
            Step::FirstReply | Step::SecondReply => Err(Error::WrongSession),
        }
    }

    /// Which session it belongs to.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.0.header.id
    }

    /// Which operation it belongs to.
    #[must_use]
    pub const fn operation(&self) -> OperationKind {
        self.0.header.operation
    }

    /// Which curves it is about.
    #[must_use]
    pub const fn curves(&self) -> Curves {
        self.0.header.curves
    }

    /// Whether it opens a session, or is its second and last post.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        matches!(self.0.header.step, Step::FirstPost)
    }

    pub(crate) fn into_frame(self) -> Frame<'a> {
        self.0
    }
}

impl<'a> Reply<'a> {
    /// Verifies what came back from a post.
    ///
    /// # Errors
    ///
    /// As [`Post::open`]; the client then sends its post again.
    pub fn open(bytes: &'a [u8], secret: &SessionSecret) -> Result<Self, Error> {
        let frame = Frame::open(bytes, secret)?;
        match frame.header.step {
            Step::FirstReply | Step::SecondReply => Ok(Self(frame)),
            Step::FirstPost | Step::SecondPost => Err(Error::WrongSession),
        }
    }

    pub(crate) fn into_frame(self) -> Frame<'a> {
        self.0
    }
}

impl<'a> Frame<'a> {
    /// Parses and verifies. Nothing behind the tag is looked at before it has been verified, and
    /// only a message of the one right length gets that far.
    fn open(bytes: &'a [u8], secret: &SessionSecret) -> Result<Self, Error> {
        let header = Header::read(bytes).map_err(|error| match error {
            FormatError::Version(version) => Error::Version(version),
            _ => Error::Damaged,
        })?;
        if bytes.len() != header.frame_len() {
            return Err(Error::Damaged);
        }
        let key = secret.tag_key();
        let (message, tag) = bytes.split_at(bytes.len() - TAG);
        mac(&key, message).verify_slice(tag).map_err(|_| Error::Damaged)?;
        Ok(Self { header, body: &message[HEADER..], key })
    }

    pub(crate) const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// A message of this session and direction, whose body `fill` writes.
    pub(crate) fn answer<T, E>(
        &self,
        step: Step,
        fill: impl FnOnce(&mut [u8]) -> Result<T, E>,
    ) -> Result<(Outgoing, T), E> {
        Header { step, ..self.header }.seal(&self.key, fill)
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header.fmt(f)
    }
}

impl Header {
    /// A message under this header, whose body `fill` writes.
    pub(crate) fn seal<T, E>(
        &self,
        key: &TagKey,
        fill: impl FnOnce(&mut [u8]) -> Result<T, E>,
    ) -> Result<(Outgoing, T), E> {
        let mut bytes = Zeroizing::new(vec![0; self.frame_len()].into_boxed_slice());
        let (message, tag) = bytes.split_at_mut(self.frame_len() - TAG);
        let (header, body) = message.split_at_mut(HEADER);
        header[..4].copy_from_slice(&[
            VERSION,
            self.operation.code(),
            self.step as u8,
            self.curves.bits(),
        ]);
        header[4..].copy_from_slice(self.id.as_bytes());
        let state = fill(body)?;
        tag.copy_from_slice(&mac(key, message).finalize().into_bytes());
        Ok((Outgoing(bytes), state))
    }

    fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        let version = reader.byte()?;
        if version != VERSION {
            return Err(FormatError::Version(version));
        }
        Ok(Self {
            operation: OperationKind::from_code(reader.byte()?).ok_or(FormatError::Malformed)?,
            step: Step::from_code(reader.byte()?).ok_or(FormatError::Malformed)?,
            curves: Curves::from_bits(reader.byte()?).ok_or(FormatError::Malformed)?,
            id: SessionId::from_bytes(reader.array()?),
        })
    }

    fn frame_len(&self) -> usize {
        HEADER + self.operation.body_len(self.step, self.curves) + TAG
    }
}

impl Step {
    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::FirstPost),
            2 => Some(Self::FirstReply),
            3 => Some(Self::SecondPost),
            4 => Some(Self::SecondReply),
            _ => None,
        }
    }
}

fn mac(key: &TagKey, message: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key.0.as_slice())
        .expect("HMAC takes keys of any length")
        .chain_update(message)
}

const VERSION: u8 = 1;

/// Version, operation, step, curves, session id.
const HEADER: usize = 4 + 32;

const TAG: usize = 32;
