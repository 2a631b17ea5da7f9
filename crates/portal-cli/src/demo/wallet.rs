//! Stand-in shares: random bytes where the shares of two-party wallets will be.

use backup_core::{
    ClientBackupShare, Curve, Error, ErrorKind, Point, SharePairId,
    secrecy::{ExposeSecret, SecretSlice},
};
use zeroize::Zeroizing;

use super::narrator::say;
use crate::failure::Failure;

/// One share per curve.
pub(super) fn stand_in_shares() -> Result<Vec<ClientBackupShare>, Failure> {
    let share = |curve| {
        let wallet = stand_in_point(curve)?;
        say(&format!("{curve}: a stand-in share of {SHARE_LEN} random bytes."));
        stand_in_share(wallet, "pair-1")
    };
    Curve::ALL.into_iter().map(share).collect()
}

/// Other shares of the same wallets.
pub(super) fn refreshed(shares: &[ClientBackupShare]) -> Result<Vec<ClientBackupShare>, Failure> {
    shares.iter().map(|share| stand_in_share(share.wallet(), "pair-2")).collect()
}

/// Whether recovery brought back everything about every share.
pub(super) fn check_equal(
    expected: &[ClientBackupShare],
    recovered: &[ClientBackupShare],
) -> Result<(), Failure> {
    let equal = expected.len() == recovered.len()
        && expected.iter().zip(recovered).all(|(a, b)| is_same(a, b));
    if equal {
        Ok(())
    } else {
        Err(Failure::Failed("what came back are not the shares that went in; report this".into()))
    }
}

fn is_same(a: &ClientBackupShare, b: &ClientBackupShare) -> bool {
    a.pair() == b.pair()
        && a.wallet() == b.wallet()
        && a.client_commitment() == b.client_commitment()
        && a.custodian_commitment() == b.custodian_commitment()
        && a.secret().expose_secret() == b.secret().expose_secret()
}

const SHARE_LEN: usize = 32;

fn stand_in_share(wallet: Point, pair: &str) -> Result<ClientBackupShare, Failure> {
    let curve = wallet.curve();
    let pair = SharePairId::new(format!("{curve}-{pair}"))?;
    let mut secret = Zeroizing::new([0; SHARE_LEN]);
    fill_random(secret.as_mut_slice())?;
    let secret = SecretSlice::from(Box::<[u8]>::from(secret.as_slice()));
    let (client, custodian) = (stand_in_point(curve)?, stand_in_point(curve)?);
    Ok(ClientBackupShare::new(pair, wallet, client, custodian, secret)?)
}

fn stand_in_point(curve: Curve) -> Result<Point, Failure> {
    let mut bytes = vec![0; curve.point_len()];
    fill_random(&mut bytes)?;
    if curve == Curve::Secp256k1 {
        bytes[0] = SEC1_EVEN_Y;
    }
    Ok(Point::new(curve, &bytes)?)
}

const SEC1_EVEN_Y: u8 = 2;

fn fill_random(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|error| {
        let message = "the operating system has no randomness to give";
        Error::new(ErrorKind::Unavailable, message).with_source(error).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_equal_to_themselves_only() {
        let shares = stand_in_shares().unwrap();
        assert!(check_equal(&shares, &shares).is_ok());
        assert!(check_equal(&shares, &refreshed(&shares).unwrap()).is_err());
        assert!(check_equal(&shares, &shares[..1]).is_err());
    }
}
