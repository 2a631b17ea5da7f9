//! Which calls fail.

use crate::ServiceFault;

/// A method of the API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DriveCall {
    /// `about.get`
    About,
    /// `files.create`
    Create,
    /// `files.delete`
    Delete,
    /// `files.generateIds`
    GenerateIds,
    /// `files.get`, of metadata
    Get,
    /// `files.list`
    List,
    /// `files.get` with `alt=media`
    Media,
}

/// What becomes of some calls.
pub type DriveFault = ServiceFault<DriveCall>;
