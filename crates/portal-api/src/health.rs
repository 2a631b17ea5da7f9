//! That the service is up, or ready.

use serde::{Deserialize, Serialize};

/// That the service is up, or ready.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Health {
    /// `ok`; `ready`, or `degraded`: ready, but for new shares, while a key is away.
    pub status: String,
}
