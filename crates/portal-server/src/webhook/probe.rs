//! Whether a webhook keeps what it is given, before anything that counts is given to it.

use backup_core::{ClientId, MethodId, SharePairId};
use portal_api::compat::EjectableShare;
use zeroize::Zeroizing;

use super::{Endpoint, Failure, endpoint::Half};
use crate::random::{self, NoRandomness};

/// Posts the shares of two pairs of one client and method, and sees both come back. A custodian
/// that keeps one share of a client would lose the last good one to the next backup.
pub(crate) async fn probe(endpoint: &Endpoint<'_>, client: &ClientId) -> Result<(), Failure> {
    let [(one, half), (other, second)] = [share()?, share()?];
    let method = MethodId::CUSTOM;
    endpoint.keep(client, &method, &one, &half).await?;
    if !endpoint.fetch(client).await?.has(&half) {
        return Err(Failure::NotKept);
    }
    endpoint.keep(client, &method, &other, &second).await?;
    let back = endpoint.fetch(client).await?;
    match (back.has(&half), back.has(&second)) {
        (true, true) => Ok(()),
        (_, false) => Err(Failure::NotKept),
        (false, true) => Err(Failure::Overwritten),
    }
}

/// A pair that there is not, and what looks like a half of it.
fn share() -> Result<(SharePairId, Half), Failure> {
    let none = |_: NoRandomness| Failure::Unreachable("there is no randomness");
    let pair = format!("probe-{}", random::name().map_err(none)?);
    let pair = SharePairId::new(pair).expect("it is short, visible ASCII");
    let share = random::secret_text().map_err(none)?;
    let half = EjectableShare { backup_share_pair_id: pair.clone(), share };
    let half = serde_json::to_string(&half).map(Zeroizing::new).expect("it is plain text");
    Ok((pair, half))
}
