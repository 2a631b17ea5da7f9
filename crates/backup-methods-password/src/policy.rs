//! What the app asks of a password.

mod pattern;
#[cfg(feature = "strength")]
mod strength;

use std::{borrow::Cow, fmt, sync::Arc};

#[cfg(feature = "strength")]
pub use self::strength::Strength;
use crate::{Refusal, opaque_string::OpaqueString};

/// What the app asks of a password when it is chosen. Never when it is entered: what was once
/// accepted opens its backup whatever is asked today.
///
/// Whoever holds a backup can guess its password without limit, so ask for as much as your users
/// will bear; the README has what guessing costs. Lengths count code points of the normalized
/// password.
#[derive(Clone)]
pub struct Policy {
    shape: Shape,
    #[cfg(feature = "strength")]
    strength: Option<Strength>,
    rules: Vec<Arc<dyn Rule>>,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Password { minimum: usize },
    Pin { digits: usize },
}

impl Policy {
    /// No policy asks for less, as Portal's SDKs do not.
    pub const FLOOR: usize = 4;

    /// What a policy asks for unless the app says otherwise.
    pub const DEFAULT_MINIMUM: usize = 10;

    /// A password of [`DEFAULT_MINIMUM`](Self::DEFAULT_MINIMUM) or more characters that is neither
    /// a repetition nor a sequence.
    #[must_use]
    pub fn new() -> Self {
        Self::of_shape(Shape::Password { minimum: Self::DEFAULT_MINIMUM })
    }

    /// A PIN of `digits` digits that is no repetition, sequence, date or year.
    ///
    /// With less than [`FLOOR`](Self::FLOOR) it is that many.
    ///
    /// # Security
    ///
    /// One graphics card tries all PINs of 6 digits within half an hour. Take a PIN only where it
    /// is one of several methods that must agree, or where the backups are out of anyone's reach.
    #[must_use]
    pub fn pin(digits: usize) -> Self {
        Self::of_shape(Shape::Pin { digits: digits.max(Self::FLOOR) })
    }

    fn of_shape(shape: Shape) -> Self {
        Self {
            shape,
            #[cfg(feature = "strength")]
            strength: None,
            rules: Vec::new(),
        }
    }

    /// A password of `minimum` or more characters, at least [`FLOOR`](Self::FLOOR).
    #[must_use]
    pub fn minimum_length(self, minimum: usize) -> Self {
        Self { shape: Shape::Password { minimum: minimum.max(Self::FLOOR) }, ..self }
    }

    /// A password of at least this estimated strength.
    ///
    /// # Security
    ///
    /// The estimator leaves pieces of the password in freed memory.
    #[cfg(feature = "strength")]
    #[must_use]
    pub fn minimum_strength(self, strength: Strength) -> Self {
        Self { strength: Some(strength), ..self }
    }

    /// A rule of the app's own, after everything else.
    #[must_use]
    pub fn rule(mut self, rule: impl Rule + 'static) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// Whether `typed` would be accepted, for a hint while the user types.
    ///
    /// # Errors
    ///
    /// The first thing to change.
    pub fn check(&self, typed: &str) -> Result<(), Refusal> {
        self.accept(typed).map(drop)
    }

    pub(crate) fn accept(&self, typed: &str) -> Result<OpaqueString, Refusal> {
        let password = OpaqueString::enforce(typed)?;
        self.shape.check(password.as_str())?;
        #[cfg(feature = "strength")]
        if let Some(minimum) = self.strength {
            minimum.check(password.as_str())?;
        }
        for rule in &self.rules {
            rule.check(password.as_str()).map_err(Refusal::Own)?;
        }
        Ok(password)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut policy = f.debug_struct("Policy");
        policy.field("shape", &self.shape);
        #[cfg(feature = "strength")]
        policy.field("strength", &self.strength);
        policy.field("rules", &self.rules.len()).finish()
    }
}

impl Shape {
    fn check(self, password: &str) -> Result<(), Refusal> {
        match self {
            Self::Password { minimum } if password.chars().count() < minimum => {
                return Err(Refusal::TooShort { minimum });
            }
            Self::Pin { .. } if !password.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(Refusal::NotDigits);
            }
            Self::Pin { digits } if password.len() != digits => {
                return Err(Refusal::PinLength { digits });
            }
            Self::Pin { .. } if pattern::is_date(password) => return Err(Refusal::Date),
            Self::Password { .. } | Self::Pin { .. } => {}
        }
        if pattern::is_trivial(password) { Err(Refusal::Trivial) } else { Ok(()) }
    }
}

/// A rule of the app's own. Implemented by closures.
pub trait Rule: Send + Sync {
    /// Judges a normalized password.
    ///
    /// # Errors
    ///
    /// What to change, to the user. The password does not appear in it: it may be shown and logged.
    fn check(&self, password: &str) -> Result<(), Cow<'static, str>>;
}

impl<F> Rule for F
where
    F: Fn(&str) -> Result<(), Cow<'static, str>> + Send + Sync,
{
    fn check(&self, password: &str) -> Result<(), Cow<'static, str>> {
        self(password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_asks_for_ten_characters() {
        let policy = Policy::default();
        assert_eq!(policy.check("tea at 5!"), Err(Refusal::TooShort { minimum: 10 }));
        assert_eq!(policy.check("tea at 5!!"), Ok(()));
    }

    #[test]
    fn no_policy_goes_below_the_floor() {
        let refusal = Refusal::TooShort { minimum: 4 };
        assert_eq!(Policy::new().minimum_length(0).check("x7z"), Err(refusal));
        assert_eq!(Policy::new().minimum_length(4).check("x7zq"), Ok(()));
        assert_eq!(Policy::pin(1).check("739"), Err(Refusal::PinLength { digits: 4 }));
    }

    #[test]
    fn characters_are_counted_after_normalization() {
        let policy = Policy::new().minimum_length(4);
        assert_eq!(policy.check("e\u{301}a\u{301}o\u{301}"), Err(Refusal::TooShort { minimum: 4 }));
        assert_eq!(policy.check("éáóú"), Ok(()));
    }

    #[test]
    fn a_pin_is_so_many_digits() {
        let policy = Policy::pin(6);
        assert_eq!(policy.check("739162"), Ok(()));
        for (typed, refusal) in [
            ("73916", Refusal::PinLength { digits: 6 }),
            ("7391620", Refusal::PinLength { digits: 6 }),
            ("73916a", Refusal::NotDigits),
            ("７３９１６２", Refusal::NotDigits),
            ("000000", Refusal::Trivial),
            ("654321", Refusal::Trivial),
            ("311299", Refusal::Date),
        ] {
            assert_eq!(policy.check(typed), Err(refusal), "{typed}");
        }
    }

    #[test]
    fn passwords_are_not_trivial_either() {
        for typed in ["aaaaaaaaaaaa", "abcdefghijkl", "0123456789", "passpasspass"] {
            assert_eq!(Policy::new().check(typed), Err(Refusal::Trivial), "{typed}");
        }
    }

    #[test]
    fn a_rule_of_the_apps_own_is_heard_last() {
        let policy = Policy::new().rule(|password: &str| {
            if password.contains("portal") { Err("leave our name out".into()) } else { Ok(()) }
        });
        assert_eq!(policy.check("portal"), Err(Refusal::TooShort { minimum: 10 }));
        assert_eq!(policy.check("my portal key"), Err(Refusal::Own("leave our name out".into())));
        assert_eq!(policy.check("my gateway key"), Ok(()));
    }
}
