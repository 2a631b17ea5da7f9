//! Refresh, which is both backup and recovery: a new sharing of the same key.

use frost_ed25519::keys::dkg::{round1, round2};
use frost_ed25519::keys::refresh::{refresh_dkg_part1, refresh_dkg_part2, refresh_dkg_shares};
use rand_core::OsRng;
use serde::{Deserialize, Serialize};

use super::messages::{FIELD, from_other, read_share, read_slope, write_share, write_slope};
use super::{Half, identifier};
use crate::error::Fault;
use crate::protocol::Protocol;
use crate::role::Party;
use crate::session::SessionId;

/// Backup and recovery on Ed25519.
#[derive(Debug)]
pub struct Refresh;

/// What the server keeps until the client's value comes.
#[derive(Deserialize, Serialize)]
#[doc(hidden)]
pub struct Answered {
    secret: round2::SecretPackage,
    theirs: round1::Package,
}

impl Protocol for Refresh {
    type Input<'a> = &'a Half;
    type Started = round1::SecretPackage;
    type Advanced = Half;
    type Answered = Answered;
    type Output = Half;

    const LENGTHS: [usize; 4] = [COMMITMENT, COMMITMENT + FIELD, FIELD, 0];

    fn start(_: &Half, _: &SessionId, out: &mut [u8]) -> Result<round1::SecretPackage, Fault> {
        commit(Party::Client, out)
    }

    fn answer(_: &Half, _: &SessionId, post: &[u8], out: &mut [u8]) -> Result<Answered, Fault> {
        let (commitment, value) = out.split_at_mut(COMMITMENT);
        let theirs = read_slope(post)?;
        let secret = commit(Party::Server, commitment)?;
        let (secret, values) =
            refresh_dkg_part2(secret, &from_other(Party::Server, theirs.clone()))?;
        write_share(Party::Server, &values, value)?;
        Ok(Answered { secret, theirs })
    }

    fn advance(
        half: &Half,
        _: &SessionId,
        secret: round1::SecretPackage,
        reply: &[u8],
        out: &mut [u8],
    ) -> Result<Half, Fault> {
        let (commitment, value) = reply.split_at(COMMITMENT);
        let theirs = read_slope(commitment)?;
        let (secret, values) =
            refresh_dkg_part2(secret, &from_other(Party::Client, theirs.clone()))?;
        write_share(Party::Client, &values, out)?;
        complete(Party::Client, half, &Answered { secret, theirs }, value)
    }

    fn conclude(
        half: &Half,
        _: &SessionId,
        answered: Answered,
        post: &[u8],
        _: &mut [u8],
    ) -> Result<Half, Fault> {
        complete(Party::Server, half, &answered, post)
    }

    fn finish(_: &Half, _: &SessionId, refreshed: Half, _: &[u8]) -> Result<Half, Fault> {
        Ok(refreshed)
    }
}

/// One coefficient, the constant term being zero.
const COMMITMENT: usize = FIELD;

fn commit(party: Party, out: &mut [u8]) -> Result<round1::SecretPackage, Fault> {
    let (secret, package) = refresh_dkg_part1(identifier(party), 2, 2, OsRng)?;
    write_slope(&package, out)?;
    Ok(secret)
}

fn complete(party: Party, old: &Half, own: &Answered, value: &[u8]) -> Result<Half, Fault> {
    let theirs = from_other(party, own.theirs.clone());
    let value = from_other(party, read_share(value)?);
    let (key, public) =
        refresh_dkg_shares(&own.secret, &theirs, &value, old.public.clone(), old.key.clone())?;
    Ok(Half { key, public })
}
