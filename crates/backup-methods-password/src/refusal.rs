//! Why a password was refused, and what to change.

use std::{borrow::Cow, error, fmt};

/// Why a password was refused. As text, it tells the user what to change.
///
/// It tells nothing about the password but what is wrong with it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// It has a character that a key press does not write: a tab, a line end.
    Control {
        /// Which character, counted from 1.
        position: usize,
    },
    /// It reads as a date or a year, as birthdays do.
    Date,
    /// Nothing was entered.
    Empty,
    /// It has a character that cannot be seen, and so not be typed again with certainty.
    Invisible {
        /// Which character, counted from 1.
        position: usize,
    },
    /// A PIN has digits only.
    NotDigits,
    /// The app's own rule refused it; this is what the rule says.
    Own(Cow<'static, str>),
    /// A PIN has so many digits, not more, not fewer.
    PinLength {
        /// How many.
        digits: usize,
    },
    /// It has fewer characters than the app asks for.
    TooShort {
        /// How many characters it takes.
        minimum: usize,
    },
    /// One character or one short piece over and over, or neighbors in order: 0000, 1212, 1234.
    Trivial,
    /// It has a character that does not exist, or did not when this software was made.
    Unassigned {
        /// Which character, counted from 1.
        position: usize,
    },
    /// It is estimated to be guessed too soon.
    Weak {
        /// What would make it stronger, in English.
        advice: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control { position } => {
                write!(f, "character {position} is a tab, a line end or the like; leave it out")
            }
            Self::Date => f.write_str("dates and years are guessed first; take other digits"),
            Self::Empty => f.write_str("nothing was entered; enter a password"),
            Self::Invisible { position } => {
                write!(f, "character {position} cannot be seen; leave it out")
            }
            Self::NotDigits => f.write_str("a PIN has digits only; use 0 to 9"),
            Self::Own(message) => f.write_str(message),
            Self::PinLength { digits } => write!(f, "the PIN has {digits} digits; use that many"),
            Self::TooShort { minimum } => write!(f, "use {minimum} or more characters"),
            Self::Trivial => {
                f.write_str("repetitions and sequences are guessed first; mix it up more")
            }
            Self::Unassigned { position } => {
                write!(f, "character {position} is unknown to this version; use another")
            }
            Self::Weak { advice } => write!(f, "this is too easy to guess. {advice}"),
        }
    }
}

impl error::Error for Refusal {}
