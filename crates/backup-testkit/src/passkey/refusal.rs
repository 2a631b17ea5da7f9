//! Why a ceremony was refused: the exceptions of WebAuthn.

use std::fmt;

/// The exception with which a browser's promise is rejected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The exception's name, such as `NotAllowedError`.
    pub name: &'static str,
    /// What was wrong. Browsers tell pages less.
    pub message: &'static str,
}

impl Refusal {
    pub(super) const fn not_allowed(message: &'static str) -> Self {
        Self { name: "NotAllowedError", message }
    }

    pub(super) const fn not_supported(message: &'static str) -> Self {
        Self { name: "NotSupportedError", message }
    }

    pub(super) const fn invalid_state(message: &'static str) -> Self {
        Self { name: "InvalidStateError", message }
    }

    pub(super) const fn security(message: &'static str) -> Self {
        Self { name: "SecurityError", message }
    }

    pub(super) const fn syntax(message: &'static str) -> Self {
        Self { name: "SyntaxError", message }
    }

    pub(super) const fn type_error(message: &'static str) -> Self {
        Self { name: "TypeError", message }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for Refusal {}
