//! That the service is up, or ready.

use serde::{Deserialize, Serialize};

/// That the service is up, or ready.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Health {
    /// `ok`, or `ready`; `degraded` while not all keys work under which shares are sealed: what is
    /// there is read, and nothing new is sealed.
    pub status: String,
}
