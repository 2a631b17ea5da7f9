//! Which calls fail.

use crate::ServiceFault;

/// A call of CloudKit Web Services.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ICloudCall {
    /// `changes/zone`
    Changes,
    /// `records/modify` that creates
    Create,
    /// `zones/modify` that creates
    CreateZone,
    /// `records/modify` that deletes
    Delete,
    /// `records/lookup`
    Lookup,
    /// `users/current`
    User,
}

/// What becomes of some calls.
pub type ICloudFault = ServiceFault<ICloudCall>;
