//! One party's half of a wallet: a secret, and the line on which both parties' parts stand.
//!
//! The key is the value at 0 of a polynomial of degree 1 whose values at two places are the two
//! secrets. In the exponent the same holds for the public points, so a share proves itself.

use std::ops::{Add, Mul, Sub};

use portal_mpc::{PrivateKey, PublicKey};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    ImportError, Side,
    error::Result,
    numbers::{Coordinates, Numbers},
};

/// A curve, as far as halves need it. Numbers are big-endian.
pub(crate) trait Arithmetic {
    type Scalar: Copy
        + Eq
        + Zeroize
        + Add<Output = Self::Scalar>
        + Sub<Output = Self::Scalar>
        + Mul<Output = Self::Scalar>;
    type Point: Copy + Eq + Add<Output = Self::Point> + Mul<Self::Scalar, Output = Self::Point>;

    /// A scalar that is below the order and not zero.
    fn scalar(bytes: &[u8; 32]) -> Option<Self::Scalar>;

    /// The inverse, unless it is zero.
    fn inverse(scalar: Self::Scalar) -> Option<Self::Scalar>;

    /// The scalar, as [`PrivateKey::from_scalar`] takes it.
    fn private_bytes(scalar: &Self::Scalar) -> Zeroizing<[u8; 32]>;

    /// A point that is on the curve, of prime order and not the identity.
    fn point(coordinates: &Coordinates) -> Option<Self::Point>;

    /// The point that `scalar` is the secret of.
    fn times_generator(scalar: &Self::Scalar) -> Self::Point;

    /// The point, compressed.
    fn public_key(point: &Self::Point) -> Option<PublicKey>;
}

/// A half that belongs to its public key.
pub(crate) struct Half<A: Arithmetic> {
    secret: Box<Zeroizing<A::Scalar>>,
    line: Line<A>,
}

/// What both halves of a pair have in common.
pub(crate) struct Line<A: Arithmetic> {
    public_key: A::Point,
    client: Part<A>,
    server: Part<A>,
}

/// A party's place on the line, and its public point there.
struct Part<A: Arithmetic> {
    place: A::Scalar,
    point: A::Point,
}

impl<A: Arithmetic> Half<A> {
    /// The half of `side`, checked: the secret against the side's point, both against the key.
    pub(crate) fn new(side: Side, numbers: &Numbers) -> Result<Self> {
        let secret = A::scalar(&numbers.share);
        let secret = secret.ok_or(ImportError::OutOfRange { field: "share" })?;
        let secret = Box::new(Zeroizing::new(secret));
        let mut line = Line::new(numbers)?;
        let own = A::times_generator(&secret);
        // A list does not say whose point is whose, so the secret does.
        if numbers.points.unnamed && line.part(side.other()).point == own {
            std::mem::swap(&mut line.client.point, &mut line.server.point);
        }
        if line.part(side).point != own {
            return Err(ImportError::WrongSecret { side });
        }
        line.check()?;
        Ok(Self { secret, line })
    }

    /// The whole key, of the client's half and the custodian's.
    pub(crate) fn eject(&self, custodian: &Self) -> Result<PrivateKey> {
        if self.line.public_key != custodian.line.public_key {
            return Err(ImportError::OtherWallet);
        }
        if self.line != custodian.line {
            return Err(ImportError::OtherBackup);
        }
        let (client, server) = self.line.weights()?;
        let key = Zeroizing::new(**self.secret * client + **custodian.secret * server);
        PrivateKey::from_scalar(&A::private_bytes(&key), &self.public_key())
            .map_err(|_| ImportError::WrongPublicKey)
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        compressed::<A>(&self.line.public_key)
    }

    pub(crate) fn partial_public_key(&self, side: Side) -> PublicKey {
        compressed::<A>(&self.line.part(side).point)
    }
}

impl<A: Arithmetic> Line<A> {
    fn new(numbers: &Numbers) -> Result<Self> {
        let place = |place, field| A::scalar(place).ok_or(ImportError::OutOfRange { field });
        let point = |point, field| A::point(point).ok_or(ImportError::NotOnCurve { field });
        Ok(Self {
            public_key: point(&numbers.public_key, "pubkey")?,
            client: Part {
                place: place(&numbers.client_place, "bks.client")?,
                point: point(&numbers.points.client, "partialPubkey.client")?,
            },
            server: Part {
                place: place(&numbers.server_place, "bks.server")?,
                point: point(&numbers.points.server, "partialPubkey.server")?,
            },
        })
    }

    fn part(&self, side: Side) -> &Part<A> {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// The points lie on a line through the public key, at 0.
    fn check(&self) -> Result<()> {
        let (client, server) = self.weights()?;
        let at_zero = self.client.point * client + self.server.point * server;
        if at_zero == self.public_key { Ok(()) } else { Err(ImportError::WrongPublicKey) }
    }

    /// Lagrange's coefficients at 0, the client's and the server's.
    fn weights(&self) -> Result<(A::Scalar, A::Scalar)> {
        let (client, server) = (self.client.place, self.server.place);
        let inverse = |scalar| A::inverse(scalar).ok_or(ImportError::SamePlace);
        Ok((server * inverse(server - client)?, client * inverse(client - server)?))
    }
}

impl<A: Arithmetic> PartialEq for Line<A> {
    fn eq(&self, other: &Self) -> bool {
        let same = |side| {
            let (part, other) = (self.part(side), other.part(side));
            part.place == other.place && part.point == other.point
        };
        self.public_key == other.public_key && same(Side::Client) && same(Side::Server)
    }
}

fn compressed<A: Arithmetic>(point: &A::Point) -> PublicKey {
    A::public_key(point).expect("every point of a line was checked")
}
