//! Signing a message. Nonces are made and used inside one call on the server, and live in the
//! client's memory between its two posts; no stored state ever holds one.

use std::collections::BTreeMap;

use frost_ed25519::round1::{SigningCommitments, SigningNonces};
use frost_ed25519::round2::SignatureShare;
use frost_ed25519::{Signature, SigningPackage, aggregate, round1, round2};
use rand_core::OsRng;

use super::messages::{FIELD, SIGNATURE, read_nonces, write, write_nonces};
use super::{Half, identifier};
use crate::error::{Error, Fault};
use crate::protocol::Protocol;
use crate::role::Party;
use crate::session::SessionId;

/// Signing on Ed25519.
#[derive(Debug)]
pub struct Sign;

/// A share and a message.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct Input<'a> {
    pub(crate) half: &'a Half,
    pub(crate) message: Message<'a>,
}

/// What is signed: what the caller gave, or the test of a new pair.
#[derive(Clone, Copy)]
pub(crate) enum Message<'a> {
    Given(&'a [u8]),
    Test([u8; 64]),
}

impl Message<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Given(message) => message,
            Self::Test(message) => message,
        }
    }
}

/// The client's nonces, erased when dropped.
#[doc(hidden)]
pub struct Started {
    nonces: SigningNonces,
    commitments: SigningCommitments,
}

impl Protocol for Sign {
    type Input<'a> = Input<'a>;
    type Started = Started;
    type Advanced = [u8; SIGNATURE];
    /// Nothing: the second post brings the signature, and verifying it takes no secret.
    type Answered = ();
    type Output = [u8; SIGNATURE];

    const LENGTHS: [usize; 4] = [NONCES, NONCES + FIELD, SIGNATURE, 0];

    fn start(input: Input<'_>, _: &SessionId, out: &mut [u8]) -> Result<Started, Fault> {
        commit(input, out)
    }

    fn answer(input: Input<'_>, _: &SessionId, post: &[u8], out: &mut [u8]) -> Result<(), Fault> {
        let (commitments, share) = out.split_at_mut(NONCES);
        let theirs = read_nonces(post)?;
        let own = commit(input, commitments)?;
        let package = package(input, theirs, own.commitments);
        let own = round2::sign(&package, &own.nonces, &input.half.key)?;
        write(&own.serialize(), share)
    }

    fn advance(
        input: Input<'_>,
        _: &SessionId,
        started: Started,
        reply: &[u8],
        out: &mut [u8],
    ) -> Result<[u8; SIGNATURE], Fault> {
        let (commitments, share) = reply.split_at(NONCES);
        let theirs = SignatureShare::deserialize(share)?;
        let package = package(input, started.commitments, read_nonces(commitments)?);
        let own = round2::sign(&package, &started.nonces, &input.half.key)?;
        let shares =
            BTreeMap::from([(identifier(Party::Client), own), (identifier(Party::Server), theirs)]);
        // `aggregate` verifies the signature, and names a wrong share.
        let signature = aggregate(&package, &shares, &input.half.public)?.serialize()?;
        write(&signature, out)?;
        signature.try_into().map_err(|_| NO_SIGNATURE.into())
    }

    fn conclude(
        input: Input<'_>,
        _: &SessionId,
        (): (),
        post: &[u8],
        _: &mut [u8],
    ) -> Result<[u8; SIGNATURE], Fault> {
        let signature = Signature::deserialize(post)?;
        input.half.public.verifying_key().verify(input.message.as_bytes(), &signature)?;
        post.try_into().map_err(|_| NO_SIGNATURE.into())
    }

    fn finish(
        _: Input<'_>,
        _: &SessionId,
        signature: [u8; SIGNATURE],
        _: &[u8],
    ) -> Result<[u8; SIGNATURE], Fault> {
        Ok(signature)
    }
}

/// A hiding and a binding commitment.
const NONCES: usize = 2 * FIELD;

const NO_SIGNATURE: Error = Error::Misbehaved("not a signature");

fn commit(input: Input<'_>, out: &mut [u8]) -> Result<Started, Fault> {
    let (nonces, commitments) = round1::commit(input.half.key.signing_share(), &mut OsRng);
    write_nonces(&commitments, out)?;
    Ok(Started { nonces, commitments })
}

fn package(
    input: Input<'_>,
    client: SigningCommitments,
    server: SigningCommitments,
) -> SigningPackage {
    let commitments =
        BTreeMap::from([(identifier(Party::Client), client), (identifier(Party::Server), server)]);
    SigningPackage::new(commitments, input.message.as_bytes())
}
