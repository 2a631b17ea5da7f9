//! The state between two posts, and its stored form.

use std::fmt;

use backup_core::Curve;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::by_curve::{ByCurve, Curves};
use crate::bytes::{Reader, Writer};
use crate::error::FormatError;
use crate::operation::{NewPair, Operation, OperationKind};
use crate::pair::PairId;
use crate::parts::{AnsweredOn, PerCurve};
use crate::session::SessionId;

/// The server's state after its first reply.
///
/// It holds secrets of the session, though no nonce of a signature. Store it sealed under a key
/// derived from the server's own and from the [session's secret](crate::SessionSecret), and take it
/// out of the store, once and for all, before the step that uses it.
#[must_use = "the second post is yet to come"]
pub struct Answered<O: Operation> {
    pub(super) id: SessionId,
    pub(super) curves: Curves,
    /// A hash of the shares' pairs and the claims: the second step must get the same.
    pub(super) sources: [u8; 32],
    pub(super) new: ByCurve<Option<NewPair>>,
    pub(super) states: AnsweredOn<O>,
}

impl<O: Operation> Answered<O> {
    /// The length of the longest stored form.
    pub const MAX_LEN: usize = 25 * 1024;

    /// The id of its session.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.id
    }

    /// The stored form. Its version is of this release: sessions do not outlive an upgrade.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; Self::MAX_LEN]);
        let (head, rest) = bytes.split_at_mut(HEAD);
        let mut out = Writer::new(head);
        out.put(&[VERSION, O::KIND.code(), self.curves.bits()]);
        out.put(self.id.as_bytes());
        out.put(&self.sources);
        out.finish();
        let left = write_new_pairs(&self.new, rest);
        let left = write(self.states.secp256k1.as_ref(), left);
        let left = write(self.states.ed25519.as_ref(), left).len();
        bytes.truncate(Self::MAX_LEN - left);
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if it is not the stored form of a state of this operation.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        match reader.byte()? {
            VERSION => {}
            version => return Err(FormatError::Version(version)),
        }
        reader.expect(O::KIND.code())?;
        let curves = Curves::from_bits(reader.byte()?).ok_or(FormatError::Malformed)?;
        let id = SessionId::from_bytes(reader.array()?);
        let sources = reader.array()?;
        let new = read_new_pairs(O::KIND, curves, &mut reader)?;
        let (secp256k1, rest) = read(curves.contains(Curve::Secp256k1), reader.rest())?;
        let (ed25519, rest) = read(curves.contains(Curve::Ed25519), rest)?;
        if !rest.is_empty() {
            return Err(FormatError::Malformed);
        }
        Ok(Self { id, curves, sources, new, states: PerCurve { secp256k1, ed25519 } })
    }

    pub(crate) const fn curves(&self) -> Curves {
        self.curves
    }
}

impl<O: Operation> fmt::Debug for Answered<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answered({:?}, {})", O::KIND, self.id)
    }
}

/// The version of the stored form.
const VERSION: u8 = 1;

/// Version, operation, curves, session id, sources.
const HEAD: usize = 3 + 32 + 32;

fn write_new_pairs<'a>(new: &ByCurve<Option<NewPair>>, out: &'a mut [u8]) -> &'a mut [u8] {
    let mut out = Writer::new(out);
    for (_, new) in new.iter() {
        if let Some(new) = new {
            out.put(new.id.as_bytes());
            out.put(&new.challenge);
        }
    }
    out.rest()
}

fn read_new_pairs(
    operation: OperationKind,
    curves: Curves,
    reader: &mut Reader<'_>,
) -> Result<ByCurve<Option<NewPair>>, FormatError> {
    curves.fill(operation.makes_pair()).try_map(|_, makes_pair| {
        if !makes_pair {
            return Ok(None);
        }
        let id = PairId::from_bytes(reader.array()?);
        Ok(Some(NewPair { id, challenge: reader.array()? }))
    })
}

fn write<'a, T: Serialize>(state: Option<&T>, out: &'a mut [u8]) -> &'a mut [u8] {
    let Some(state) = state else { return out };
    let used = postcard::to_slice(state, out).expect("every state fits in the limit").len();
    &mut out[used..]
}

fn read<T: DeserializeOwned>(
    present: bool,
    bytes: &[u8],
) -> Result<(Option<T>, &[u8]), FormatError> {
    if !present {
        return Ok((None, bytes));
    }
    let (state, rest) = postcard::take_from_bytes(bytes).map_err(|_| FormatError::Malformed)?;
    Ok((Some(state), rest))
}
