//! Key generation: both shares, and no whole key.

use frost_ed25519::keys::dkg::{part1, part2, part3, round1, round2};
use rand_core::OsRng;
use serde::{Deserialize, Serialize};

use super::messages::{
    FIELD, SIGNATURE, from_other, read_commitment, read_share, write_commitment, write_share,
};
use super::{Half, identifier};
use crate::error::Fault;
use crate::protocol::Protocol;
use crate::role::Party;
use crate::session::SessionId;

/// Key generation on Ed25519.
#[derive(Debug)]
pub struct Generate;

/// What the server keeps until the client's value comes.
#[derive(Deserialize, Serialize)]
#[doc(hidden)]
pub struct Answered {
    secret: round2::SecretPackage,
    theirs: round1::Package,
}

impl Protocol for Generate {
    type Input<'a> = ();
    type Started = round1::SecretPackage;
    type Advanced = Half;
    type Answered = Answered;
    type Output = Half;

    const LENGTHS: [usize; 4] = [COMMITMENT, COMMITMENT + FIELD, FIELD, 0];

    fn start((): (), _: &SessionId, out: &mut [u8]) -> Result<round1::SecretPackage, Fault> {
        commit(Party::Client, out)
    }

    fn answer((): (), _: &SessionId, post: &[u8], out: &mut [u8]) -> Result<Answered, Fault> {
        let (commitment, value) = out.split_at_mut(COMMITMENT);
        let theirs = read_commitment(post)?;
        let secret = commit(Party::Server, commitment)?;
        let (secret, values) = part2(secret, &from_other(Party::Server, theirs.clone()))?;
        write_share(Party::Server, &values, value)?;
        Ok(Answered { secret, theirs })
    }

    fn advance(
        (): (),
        _: &SessionId,
        secret: round1::SecretPackage,
        reply: &[u8],
        out: &mut [u8],
    ) -> Result<Half, Fault> {
        let (commitment, value) = reply.split_at(COMMITMENT);
        let theirs = read_commitment(commitment)?;
        let (secret, values) = part2(secret, &from_other(Party::Client, theirs.clone()))?;
        write_share(Party::Client, &values, out)?;
        complete(Party::Client, &Answered { secret, theirs }, value)
    }

    fn conclude(
        (): (),
        _: &SessionId,
        answered: Answered,
        post: &[u8],
        _: &mut [u8],
    ) -> Result<Half, Fault> {
        complete(Party::Server, &answered, post)
    }

    fn finish((): (), _: &SessionId, half: Half, _: &[u8]) -> Result<Half, Fault> {
        Ok(half)
    }
}

/// Two coefficients and a proof.
const COMMITMENT: usize = 2 * FIELD + SIGNATURE;

fn commit(party: Party, out: &mut [u8]) -> Result<round1::SecretPackage, Fault> {
    let (secret, package) = part1(identifier(party), 2, 2, OsRng)?;
    write_commitment(&package, out)?;
    Ok(secret)
}

fn complete(party: Party, own: &Answered, value: &[u8]) -> Result<Half, Fault> {
    let theirs = from_other(party, own.theirs.clone());
    let value = from_other(party, read_share(value)?);
    let (key, public) = part3(&own.secret, &theirs, &value)?;
    Ok(Half { key, public })
}
