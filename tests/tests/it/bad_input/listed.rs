//! What each wrong request is refused with, compared with a list that a person has looked over.

use std::{fs, path::Path};

use portal_api::{ErrorBody, route::Route};

/// Refusals, in the order in which they came.
#[derive(Default)]
pub(crate) struct Refusals(String);

impl Refusals {
    pub(crate) fn add(&mut self, route: Route, what: &str, refusal: &ErrorBody) {
        let (code, id) = (refusal.error.code, refusal.error.id);
        self.0 += &format!("{code} {id}  {route:?}: {what}\n");
    }

    /// Fails if the list of this name says anything else. What was answered is left in a file: if
    /// that is right, it is the new list.
    pub(crate) fn expect_listed(&self, name: &str) {
        let name = format!("{name}.txt");
        let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/bad_input/refusals");
        let listed = fs::read_to_string(lists.join(&name)).unwrap_or_default();
        if listed == self.0 {
            return;
        }
        let answered = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&answered, &self.0).unwrap();
        for line in listed.lines().filter(|line| !self.0.lines().any(|one| one == *line)) {
            println!("listed:   {line}");
        }
        for line in self.0.lines().filter(|line| !listed.lines().any(|one| one == *line)) {
            println!("answered: {line}");
        }
        panic!("what was answered is not what is listed: see {}", answered.display());
    }
}
