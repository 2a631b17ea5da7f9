//! Users who answer by a script, and how often they were asked.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use backup_core::{
    Error, ErrorKind, Result,
    secrecy::{ExposeSecret, SecretString},
};

use crate::{drops::yield_now, record::lock};

/// Counts questions to users. Clones share one count.
#[derive(Clone, Debug, Default)]
pub struct PromptCounter(Arc<AtomicUsize>);

impl PromptCounter {
    /// Nobody was asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How often users have been asked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Counts one question.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A user who gives prepared answers, the last one again and again.
pub struct ScriptedUser {
    answers: Mutex<VecDeque<Option<SecretString>>>,
    prompts: PromptCounter,
}

impl ScriptedUser {
    /// A user who gives `answers` one after another and then repeats the last.
    #[must_use]
    pub fn answering<A: Into<String>>(answers: impl IntoIterator<Item = A>) -> Self {
        let answers = answers.into_iter().map(|answer| Some(SecretString::from(answer.into())));
        Self { answers: Mutex::new(answers.collect()), prompts: PromptCounter::new() }
    }

    /// A user who declines whatever is asked.
    #[must_use]
    pub fn declining() -> Self {
        Self::answering::<String>([])
    }

    /// Counts the questions in `prompts`.
    #[must_use]
    pub fn counted_by(self, prompts: &PromptCounter) -> Self {
        Self { prompts: prompts.clone(), ..self }
    }

    /// Asks, and gives way once before the answer, as a person does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the user declines.
    pub async fn ask(&self) -> Result<SecretString> {
        self.prompts.add();
        yield_now().await;
        self.next_answer()
    }

    /// Asks on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the user declines.
    pub fn ask_blocking(&self) -> Result<SecretString> {
        self.prompts.add();
        self.next_answer()
    }

    fn next_answer(&self) -> Result<SecretString> {
        let mut answers = lock(&self.answers);
        let last = answers.len() <= 1;
        let answer = if last { answers.front().cloned() } else { answers.pop_front() };
        answer.flatten().ok_or_else(|| Error::new(ErrorKind::Cancelled, "the user declined"))
    }
}

impl fmt::Debug for ScriptedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedUser").field("prompts", &self.prompts).finish_non_exhaustive()
    }
}

impl Clone for ScriptedUser {
    /// The same script from where it stands, and the same count.
    fn clone(&self) -> Self {
        let answers = lock(&self.answers).iter().map(copy).collect();
        Self { answers: Mutex::new(answers), prompts: self.prompts.clone() }
    }
}

fn copy(answer: &Option<SecretString>) -> Option<SecretString> {
    answer.as_ref().map(|secret| SecretString::from(secret.expose_secret()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_is_repeated_and_every_question_counts() {
        let prompts = PromptCounter::new();
        let user = ScriptedUser::answering(["wrong", "right"]).counted_by(&prompts);
        let answers: Vec<_> =
            (0..3).map(|_| user.ask_blocking().unwrap().expose_secret().to_owned()).collect();
        assert_eq!(answers, ["wrong", "right", "right"]);
        assert_eq!(prompts.count(), 3);
        let error = ScriptedUser::declining().ask_blocking().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    }
}
