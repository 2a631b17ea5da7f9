//! A client's backup share, as Portal has it.

use std::fmt;

use backup_core::Curve;
use portal_mpc::{OnCurve, PrivateKey, PublicKey};

use crate::{
    ImportError, PortalCustodianShare, Side,
    ed25519::Ed25519,
    error::Result,
    half::{Arithmetic, Half},
    numbers::{Ids, Numbers},
    secp256k1::Secp256k1,
};

/// The client's half of a backup that Portal's SDKs made, of one wallet.
///
/// There is none whose secret does not belong to its public key: the secret times the generator is
/// the client's partial public key, and both partial public keys make the wallet's.
///
/// Portal's protocols are not this project's, so it neither signs nor recovers here. It ejects,
/// with the custodian's half.
pub struct PortalShare {
    id: Option<String>,
    ids: Ids,
    half: AnyHalf,
}

impl PortalShare {
    pub(crate) fn new(id: Option<String>, ids: Ids, half: AnyHalf) -> Self {
        Self { id, ids, half }
    }

    /// The private key of the wallet, out of this half and the custodian's.
    ///
    /// From then on the wallet is no longer protected by two parties. Which halves fit is told by
    /// their numbers alone; ids are not compared.
    ///
    /// # Errors
    ///
    /// - [`ImportError::OtherWallet`]: the custodian's half is of another public key or curve
    /// - [`ImportError::OtherBackup`]: it is of the same wallet, and of another pair
    pub fn eject(&self, custodian: &PortalCustodianShare) -> Result<PrivateKey> {
        self.half.eject(custodian.half())
    }

    /// The public key of the wallet.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.half.public_key()
    }

    /// The public key of one party's half of the pair.
    #[must_use]
    pub fn partial_public_key(&self, side: Side) -> PublicKey {
        self.half.partial_public_key(side)
    }

    /// The id that stands beside the share in the backup: that of the backup share pair.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
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

    /// The id of the signing share pair, if the share says it.
    #[must_use]
    pub fn signing_share_pair_id(&self) -> Option<&str> {
        self.ids.signing_pair.as_deref()
    }
}

impl OnCurve for PortalShare {
    fn curve(&self) -> Curve {
        self.half.curve()
    }
}

impl fmt::Debug for PortalShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalShare")
            .field("id", &self.id)
            .field("ids", &self.ids)
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

/// A half on either curve.
pub(crate) enum AnyHalf {
    Secp256k1(Half<Secp256k1>),
    Ed25519(Half<Ed25519>),
}

impl AnyHalf {
    /// The half on the curve that was named, or else on the one that the public key is a point of.
    pub(crate) fn new(side: Side, named: Option<Curve>, numbers: &Numbers) -> Result<Self> {
        match named.or_else(|| curve_of(numbers)) {
            Some(Curve::Secp256k1) => Half::new(side, numbers).map(Self::Secp256k1),
            Some(Curve::Ed25519) => Half::new(side, numbers).map(Self::Ed25519),
            _ => Err(ImportError::NotOnCurve { field: "pubkey" }),
        }
    }

    fn eject(&self, custodian: &Self) -> Result<PrivateKey> {
        match (self, custodian) {
            (Self::Secp256k1(client), Self::Secp256k1(custodian)) => client.eject(custodian),
            (Self::Ed25519(client), Self::Ed25519(custodian)) => client.eject(custodian),
            _ => Err(ImportError::OtherWallet),
        }
    }

    pub(crate) fn curve(&self) -> Curve {
        match self {
            Self::Secp256k1(_) => Curve::Secp256k1,
            Self::Ed25519(_) => Curve::Ed25519,
        }
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        match self {
            Self::Secp256k1(half) => half.public_key(),
            Self::Ed25519(half) => half.public_key(),
        }
    }

    fn partial_public_key(&self, side: Side) -> PublicKey {
        match self {
            Self::Secp256k1(half) => half.partial_public_key(side),
            Self::Ed25519(half) => half.partial_public_key(side),
        }
    }
}

/// No public key is on both curves but by a chance of one in 2^256.
fn curve_of(numbers: &Numbers) -> Option<Curve> {
    let secp256k1 = Secp256k1::point(&numbers.public_key).map(|_| Curve::Secp256k1);
    secp256k1.or_else(|| Ed25519::point(&numbers.public_key).map(|_| Curve::Ed25519))
}
