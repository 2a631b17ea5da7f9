//! What the suite needs to know about a method.

use std::{
    future::{Future, ready},
    sync::Arc,
};

use backup_core::{BackupMethod, MethodParams};

/// A world of its own in which a method is tried: its back end, and the user.
///
/// `new` makes a world that no other fixture shares. The handles that a fixture gives out are
/// devices in that world: what one has enrolled, another unlocks. What a fixture says about the
/// method decides what is expected of it; [`fixture_leaves_nothing_out`] fails where it says less
/// than it can.
///
/// [`fixture_leaves_nothing_out`]: crate::method::fixture_leaves_nothing_out
pub trait Fixture: Send + Sync + Sized {
    /// The method to be tried.
    type Method: BackupMethod + 'static;

    /// A fresh world.
    fn new() -> Self;

    /// A new handle, as on a new device, whose user does the right thing.
    fn method(&self) -> Self::Method;

    /// Whether an enrolment leaves something behind that [`BackupMethod::revoke`] destroys, after
    /// which it does not unlock. A method that derives its key from what the user knows does not.
    fn stores(&self) -> bool;

    /// How many things lie in the back end of this world, counted without the method's help.
    ///
    /// `None` if nobody can count them; then the rules trust [`BackupMethod::held`].
    fn left_behind(&self) -> Option<usize> {
        None
    }

    /// How often the users of this world have been asked something.
    fn prompts(&self) -> usize {
        0
    }

    /// What users of this world know, right and wrong, and what must therefore stand in no text.
    /// Of at least eight bytes each.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// A handle whose user gives a wrong secret, or has another account, again and again.
    fn with_wrong_user(&self) -> Option<Self::Method> {
        None
    }

    /// A handle whose user gives a wrong secret first, and then the right one.
    fn with_clumsy_user(&self) -> Option<Self::Method> {
        None
    }

    /// A handle whose user declines whatever is asked.
    fn with_declining_user(&self) -> Option<Self::Method> {
        None
    }

    /// A handle that does not reach its back end.
    fn with_back_end_away(&self) -> Option<Self::Method> {
        None
    }

    /// Malformed parameters, beyond those that the suite makes of well-formed ones.
    fn malformed_params(&self) -> Vec<MethodParams> {
        Vec::new()
    }

    /// The methods that announce what they leave behind, and revoke it by what they announced: the
    /// members of a method that is made of others.
    fn parts(&self) -> Vec<Arc<dyn BackupMethod>> {
        vec![Arc::new(self.method())]
    }

    /// Waits until nothing goes on that a dropped future has started.
    fn settle(&self) -> impl Future<Output = ()> {
        ready(())
    }

    /// Runs a rule. A method that needs a runtime brings it here.
    fn block_on<T>(&self, rule: impl Future<Output = T>) -> T {
        futures_executor::block_on(rule)
    }
}
