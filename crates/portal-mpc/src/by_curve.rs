//! One value per curve, for operations that run on one curve or on both at once.

use backup_core::Curve;

use crate::error::Error;

/// Something that belongs to one curve.
pub trait OnCurve {
    /// The curve.
    fn curve(&self) -> Curve;
}

/// One value for each curve that an operation runs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ByCurve<T> {
    /// The value for secp256k1, if the operation runs on it.
    pub secp256k1: Option<T>,
    /// The value for Ed25519, if the operation runs on it.
    pub ed25519: Option<T>,
}

impl<T> Default for ByCurve<T> {
    /// No value.
    fn default() -> Self {
        Self { secp256k1: None, ed25519: None }
    }
}

impl<T> ByCurve<T> {
    /// A value for secp256k1 only.
    pub const fn secp256k1(value: T) -> Self {
        Self { secp256k1: Some(value), ed25519: None }
    }

    /// A value for Ed25519 only.
    pub const fn ed25519(value: T) -> Self {
        Self { secp256k1: None, ed25519: Some(value) }
    }

    /// A value for each curve.
    pub const fn both(secp256k1: T, ed25519: T) -> Self {
        Self { secp256k1: Some(secp256k1), ed25519: Some(ed25519) }
    }

    /// Puts each value in the place of its own curve.
    ///
    /// # Errors
    ///
    /// [`Error::WrongCurve`] if there is no value, or two of one curve.
    pub fn collect(values: impl IntoIterator<Item = T>) -> Result<Self, Error>
    where
        T: OnCurve,
    {
        let mut sorted = Self { secp256k1: None, ed25519: None };
        for value in values {
            let place = sorted.place(value.curve())?;
            if place.replace(value).is_some() {
                return Err(Error::WrongCurve);
            }
        }
        sorted.curves().map(|_| sorted)
    }

    /// The value for this curve.
    #[must_use]
    pub const fn get(&self, curve: Curve) -> Option<&T> {
        match curve {
            Curve::Secp256k1 => self.secp256k1.as_ref(),
            Curve::Ed25519 => self.ed25519.as_ref(),
            _ => None,
        }
    }

    /// The values, each with its curve, in the order of the format.
    pub fn iter(&self) -> impl Iterator<Item = (Curve, &T)> {
        Curve::ALL.into_iter().filter_map(|curve| Some((curve, self.get(curve)?)))
    }

    /// References to the values.
    #[must_use]
    pub const fn as_ref(&self) -> ByCurve<&T> {
        ByCurve { secp256k1: self.secp256k1.as_ref(), ed25519: self.ed25519.as_ref() }
    }

    /// Another value for each curve.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> ByCurve<U> {
        ByCurve { secp256k1: self.secp256k1.map(&mut f), ed25519: self.ed25519.map(&mut f) }
    }

    /// The set of curves.
    ///
    /// # Errors
    ///
    /// [`Error::WrongCurve`] if it is empty.
    pub const fn curves(&self) -> Result<Curves, Error> {
        let bits = self.secp256k1.is_some() as u8 | (self.ed25519.is_some() as u8) << 1;
        match Curves::from_bits(bits) {
            Some(curves) => Ok(curves),
            None => Err(Error::WrongCurve),
        }
    }

    /// Another value for each curve, unless there is none for one of them.
    ///
    /// # Errors
    ///
    /// The first that `f` gives.
    pub fn try_map<U, E>(
        self,
        mut f: impl FnMut(Curve, T) -> Result<U, E>,
    ) -> Result<ByCurve<U>, E> {
        Ok(ByCurve {
            secp256k1: self.secp256k1.map(|value| f(Curve::Secp256k1, value)).transpose()?,
            ed25519: self.ed25519.map(|value| f(Curve::Ed25519, value)).transpose()?,
        })
    }

    /// Each value with the other's for the same curve.
    pub(crate) fn zip<U>(self, other: ByCurve<U>) -> Result<ByCurve<(T, U)>, Error> {
        if self.curves()? != other.curves()? {
            return Err(Error::WrongCurve);
        }
        Ok(ByCurve {
            secp256k1: self.secp256k1.zip(other.secp256k1),
            ed25519: self.ed25519.zip(other.ed25519),
        })
    }

    fn place(&mut self, curve: Curve) -> Result<&mut Option<T>, Error> {
        match curve {
            Curve::Secp256k1 => Ok(&mut self.secp256k1),
            Curve::Ed25519 => Ok(&mut self.ed25519),
            _ => Err(Error::WrongCurve),
        }
    }
}

/// A set of curves that is not empty.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Curves(u8);

impl Curves {
    /// Both curves.
    pub const BOTH: Self = Self(0b11);
    /// secp256k1 only.
    pub const SECP256K1: Self = Self(0b01);
    /// Ed25519 only.
    pub const ED25519: Self = Self(0b10);

    /// Whether the curve is in the set.
    #[must_use]
    pub const fn contains(self, curve: Curve) -> bool {
        match curve {
            Curve::Secp256k1 => self.0 & 0b01 != 0,
            Curve::Ed25519 => self.0 & 0b10 != 0,
            _ => false,
        }
    }

    /// One value for each of them.
    pub(crate) fn fill<T: Copy>(self, value: T) -> ByCurve<T> {
        ByCurve {
            secp256k1: self.contains(Curve::Secp256k1).then_some(value),
            ed25519: self.contains(Curve::Ed25519).then_some(value),
        }
    }

    pub(crate) const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0b01..=0b11 => Some(Self(bits)),
            _ => None,
        }
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }
}
