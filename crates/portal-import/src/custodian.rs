//! A custodian's backup share, as Portal's API hands it out.

use std::fmt;

use backup_core::Curve;
use portal_mpc::{OnCurve, PublicKey};

use crate::{
    ImportError, Side,
    error::Result,
    json::{object, unwrapped},
    numbers::{Fields, FlatFields, Ids, Numbers},
    share::AnyHalf,
};

/// The custodian's half of a backup that Portal's SDKs made, of one wallet.
///
/// Like a [`PortalShare`](crate::PortalShare) it was checked: its secret is that of the server's
/// partial public key, and both partial public keys make the wallet's.
pub struct PortalCustodianShare {
    ids: Ids,
    half: AnyHalf,
}

impl PortalCustodianShare {
    /// Reads the share, as Portal's API answers it to whoever may eject, or as a webhook stored it.
    ///
    /// It names no curve: that of its public key is taken.
    ///
    /// # Errors
    ///
    /// [`ImportError`]: it is too long, no JSON, has no share in it, or one that does not belong to
    /// its public key.
    pub fn from_json(json: &str) -> Result<Self> {
        unwrapped(json, Self::read)
    }

    fn read(json: &str) -> Result<Self> {
        let flat: FlatFields<'_> = object(json)?;
        if flat.x.is_some() {
            return Self::new(flat.ids()?, &flat.numbers()?);
        }
        let fields: Fields<'_> = object(json)?;
        if fields.is_share() {
            return Self::new(fields.ids()?, &fields.numbers()?);
        }
        unwrapped(fields.share.ok_or(ImportError::NoShare)?.get(), Self::read_inner)
    }

    /// The answer of an API has one share in it, and not another answer.
    fn read_inner(json: &str) -> Result<Self> {
        let flat: FlatFields<'_> = object(json)?;
        let fields: Fields<'_> = object(json)?;
        match flat.x.is_some() || fields.is_share() {
            true => Self::read(json),
            false => Err(ImportError::NoShare),
        }
    }

    fn new(ids: Ids, numbers: &Numbers) -> Result<Self> {
        Ok(Self { ids, half: AnyHalf::new(Side::Server, None, numbers)? })
    }

    pub(crate) const fn half(&self) -> &AnyHalf {
        &self.half
    }

    /// The public key of the wallet.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.half.public_key()
    }

    /// Portal's id of the client, if the share says it.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.ids.client.as_deref()
    }

    /// The id of the backup share pair, if the share says it.
    #[must_use]
    pub fn backup_share_pair_id(&self) -> Option<&str> {
        self.ids.backup_pair.as_deref()
    }
}

impl OnCurve for PortalCustodianShare {
    fn curve(&self) -> Curve {
        self.half.curve()
    }
}

impl fmt::Debug for PortalCustodianShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalCustodianShare")
            .field("ids", &self.ids)
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}
