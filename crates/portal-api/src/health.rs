//! That the service is up.

use serde::{Deserialize, Serialize};

/// That the service is up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
}
