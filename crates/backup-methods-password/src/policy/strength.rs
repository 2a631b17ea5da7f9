//! Estimated strength, by `zxcvbn`.

use zxcvbn::{Score, feedback::Feedback};

use crate::Refusal;

/// How many guesses a password is estimated to take, for whoever tries likely ones first.
///
/// An estimate: it knows common passwords, English words and names, dates and keyboard patterns,
/// and overestimates what it does not know, as passwords in other languages.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Strength {
    /// A million guesses or more.
    Fair,
    /// A hundred million guesses or more.
    Good,
    /// Ten billion guesses or more.
    Strong,
}

impl Strength {
    pub(super) fn check(self, password: &str) -> Result<(), Refusal> {
        let estimate = zxcvbn::zxcvbn(password, &[]);
        if estimate.score() >= self.score() {
            return Ok(());
        }
        Err(Refusal::Weak { advice: estimate.feedback().map_or_else(default_advice, advice) })
    }

    fn score(self) -> Score {
        match self {
            Self::Fair => Score::Two,
            Self::Good => Score::Three,
            Self::Strong => Score::Four,
        }
    }
}

fn advice(feedback: &Feedback) -> String {
    let warning = feedback.warning().map(|warning| warning.to_string());
    let suggestions = feedback.suggestions().iter().map(ToString::to_string);
    warning.into_iter().chain(suggestions).collect::<Vec<_>>().join(" ")
}

fn default_advice() -> String {
    "Add another word or two. Uncommon words are better.".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    #[test]
    fn a_common_password_is_refused_with_advice() {
        let policy = Policy::new().minimum_strength(Strength::Fair);
        let Err(Refusal::Weak { advice }) = policy.check("Password123") else {
            panic!("it is accepted");
        };
        assert!(advice.contains("common password"), "{advice}");
    }

    #[test]
    fn a_strong_password_passes_every_minimum() {
        for strength in [Strength::Fair, Strength::Good, Strength::Strong] {
            let policy = Policy::new().minimum_strength(strength);
            assert_eq!(policy.check("anvil tundra 9 quince mosaic"), Ok(()));
        }
    }

    #[test]
    fn advice_is_given_even_where_the_estimator_has_none() {
        let policy = Policy::new().minimum_strength(Strength::Strong);
        let Err(Refusal::Weak { advice }) = policy.check("vexing-lot") else {
            panic!("it is accepted");
        };
        assert!(!advice.is_empty());
    }
}
