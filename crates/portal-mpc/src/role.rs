//! The two parties: which of them a share, a session or a function belongs to.

use std::fmt;

/// One of the two parties, as a type. Sealed: there are [`Client`] and [`Server`].
pub trait Role: sealed::Sealed + Copy + fmt::Debug + Send + Sync + 'static {
    /// The same as a value.
    const PARTY: Party;
}

/// The device. Its shares are points at 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Client {}

/// The server, and whoever keeps the other half of a backup for it (the custodian). Its shares are
/// points at 2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Server {}

/// One of the two parties, as a value. The number is the Shamir point of its shares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Party {
    /// The device, at point 1.
    Client = 1,
    /// The server or the custodian, at point 2.
    Server = 2,
}

impl Role for Client {
    const PARTY: Party = Party::Client;
}

impl Role for Server {
    const PARTY: Party = Party::Server;
}

impl Party {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Client => 1,
            Self::Server => 2,
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Client {}
    impl Sealed for super::Server {}
}
