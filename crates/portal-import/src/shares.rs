//! The shapes of what is in a blob.

use backup_core::Curve;
use portal_mpc::ByCurve;

use crate::{
    ImportError, PortalShare, Side,
    error::Result,
    json::{Raw, object, unquoted, unwrapped},
    numbers::{Fields, text},
    share::AnyHalf,
};

/// Reads the shares of a backup that is decrypted already.
///
/// For customers of Portal's Enclave MPC API, who encrypt by themselves; [`open_with_key`] and
/// [`open_with_password`] do this as well. The caller wipes `plaintext`.
///
/// # Errors
///
/// [`ImportError`]: it is too long, no JSON, has no share in it, or one that does not belong to its
/// public key.
///
/// [`open_with_key`]: crate::open_with_key
/// [`open_with_password`]: crate::open_with_password
pub fn read_shares(plaintext: &str) -> Result<ByCurve<PortalShare>> {
    unwrapped(plaintext, by_curve)
}

/// Shares by curve, or one alone, as before there was a second curve.
fn by_curve(json: &str) -> Result<ByCurve<PortalShare>> {
    let fields: Fields<'_> = object(json)?;
    let of = |share: Raw<'_>, curve| {
        share.map(|share| unwrapped(share.get(), |json| one(json, Some(curve)))).transpose()
    };
    let secp256k1 = of(fields.secp256k1, Curve::Secp256k1)?;
    let ed25519 = of(fields.ed25519, Curve::Ed25519)?;
    if secp256k1.is_some() || ed25519.is_some() {
        return Ok(ByCurve { secp256k1, ed25519 });
    }
    let share = one(json, None)?;
    ByCurve::collect([share]).map_err(|_| ImportError::NoShare)
}

/// A share, or `{"id": …, "share": …}` around one, of the curve that was named outside.
fn one(json: &str, outside: Option<Curve>) -> Result<PortalShare> {
    let fields: Fields<'_> = object(json)?;
    let curve = curve(fields.curve, outside)?;
    if fields.is_share() {
        return share(&fields, None, curve);
    }
    let id = text(fields.id, "id")?;
    let inner = fields.share.ok_or(ImportError::NoShare)?;
    unwrapped(inner.get(), |json| share(&object(json)?, id, curve))
}

fn share(fields: &Fields<'_>, id: Option<String>, curve: Option<Curve>) -> Result<PortalShare> {
    let ids = fields.ids()?;
    let half = AnyHalf::new(Side::Client, curve, &fields.numbers()?)?;
    // A share alone is filed under the pair that it names, as Portal's SDKs do.
    let id = id.or_else(|| ids.backup_pair.clone());
    Ok(PortalShare::new(id, ids, half))
}

/// The curve that a share says it is of, which is the one that it stands under.
fn curve(named: Raw<'_>, outside: Option<Curve>) -> Result<Option<Curve>> {
    const MALFORMED: ImportError = ImportError::Malformed { field: "curve" };
    let Some(named) = named else { return Ok(outside) };
    let named = unquoted(named.get()).ok_or(MALFORMED)?;
    let curve = Curve::ALL.into_iter().find(|curve| named.eq_ignore_ascii_case(curve.as_str()));
    match (curve, outside) {
        (Some(curve), Some(outside)) if curve != outside => Err(MALFORMED),
        (Some(curve), _) => Ok(Some(curve)),
        (None, _) => Err(MALFORMED),
    }
}
