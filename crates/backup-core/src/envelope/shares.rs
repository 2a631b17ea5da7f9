//! The plaintext of an envelope: one share per curve, in the header's order.

use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroizing;

use super::{Header, SealedWallet};
use crate::{
    ClientBackupShare, Point, Result, SharePairId,
    codec::{Reader, Writer},
    error::damaged,
};

/// Encodes the shares, in a buffer that never grows and so leaves no copy behind.
pub(crate) fn write_shares(shares: &[&ClientBackupShare]) -> Zeroizing<Vec<u8>> {
    let longest = 2 * 33 + 2 + ClientBackupShare::MAX_SECRET_LEN;
    let mut writer = Writer::with_capacity(shares.len() * longest);
    for share in shares {
        writer
            .fixed(share.client_commitment().as_bytes())
            .fixed(share.custodian_commitment().as_bytes())
            .bytes(share.secret().expose_secret());
    }
    Zeroizing::new(writer.finish())
}

/// Decodes what opened, for the reader's wallets.
pub(super) fn read_shares(
    header: &Header,
    wallets: &[Point],
    plaintext: &[u8],
) -> Result<Vec<ClientBackupShare>> {
    let mut reader = Reader::new(plaintext, "the sealed shares are cut short");
    let read = |(sealed, &wallet): (&SealedWallet, &Point)| {
        read_share(&mut reader, wallet, sealed.pair.clone())
    };
    let shares = header.wallets.iter().zip(wallets).map(read).collect::<Result<_>>()?;
    reader.finish()?;
    Ok(shares)
}

fn read_share(
    reader: &mut Reader<'_>,
    wallet: Point,
    pair: SharePairId,
) -> Result<ClientBackupShare> {
    let curve = wallet.curve();
    let client_commitment = Point::new(curve, reader.fixed(curve.point_len())?)?;
    let custodian_commitment = Point::new(curve, reader.fixed(curve.point_len())?)?;
    let secret = SecretSlice::from(Box::<[u8]>::from(reader.bytes()?));
    ClientBackupShare::new(pair, wallet, client_commitment, custodian_commitment, secret)
        .map_err(|error| damaged("a sealed share is malformed").with_source(error))
}
