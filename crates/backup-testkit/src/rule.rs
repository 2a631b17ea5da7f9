//! One rule of a suite, and the macros that turn a table of rules into tests.

use std::fmt;

/// One rule, by name, ready to be tried on a fixture.
pub struct Rule<F> {
    name: &'static str,
    run: fn(&F),
}

impl<F> Rule<F> {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, run: fn(&F)) -> Self {
        Self { name, run }
    }

    /// The name of the function that is the rule.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Tries the rule in the world of `fixture`, which is not used for another one.
    ///
    /// # Panics
    ///
    /// If the implementation breaks the rule. The message says what that means for a wallet.
    pub fn run(&self, fixture: &F) {
        (self.run)(fixture);
    }
}

impl<F> fmt::Debug for Rule<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.name).finish()
    }
}

/// Makes one named test per rule of a table.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ({ $fixture:ty; $fixture_trait:path; $module:path }; $($rule:ident)+) => {$(
        #[test]
        fn $rule() {
            use $module as rules;
            let fixture = <$fixture as $fixture_trait>::new();
            <$fixture as $fixture_trait>::block_on(&fixture, rules::$rule(&fixture));
        }
    )+};
}

/// Makes the list of the rules of a table.
#[doc(hidden)]
#[macro_export]
macro_rules! __list {
    ({ $fixture:ident }; $($rule:ident)+) => {
        vec![$(
            $crate::Rule::new(stringify!($rule), |fixture: &$fixture| {
                fixture.block_on($rule(fixture));
            }),
        )+]
    };
}
