//! Shares, keys, the encrypted envelope and the `BackupMethod` trait of an MPC wallet backup.

mod curve;

pub use crate::curve::Curve;
