//! Session tokens of clients: how long they live, and whose they are.

use backup_core::EncryptionContext;

use crate::{api_key::ApiKeyHash, service::Service, store::StoreError};

/// How long a token lives after its last use, in seconds: a day.
pub const IDLE_SECONDS: u64 = 24 * 60 * 60;

/// How long a token lives however often it is used, in seconds: a week.
pub const LIFE_SECONDS: u64 = 7 * 24 * 60 * 60;

/// A use is noted when the last one that was noted is longer ago than this: a minute.
const NOTED_SECONDS: u64 = 60;

/// A token, as far as its life depends on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TokenLife {
    /// When it was made (seconds since 1970).
    pub created_at: u64,
    /// When it was last seen in use.
    pub used_at: u64,
    /// When the API key is over that it came by; `None` if that never is.
    pub key_ends_at: Option<u64>,
}

impl TokenLife {
    /// Whether it is over at `now`.
    #[must_use]
    pub fn is_over(self, now: u64) -> bool {
        self.used_at.saturating_add(IDLE_SECONDS) <= now
            || self.created_at.saturating_add(LIFE_SECONDS) <= now
            || self.key_ends_at.is_some_and(|ends_at| ends_at <= now)
    }

    /// Whether a use at `now` is to be noted. Not each is: that would be a commit per request.
    #[must_use]
    pub const fn is_to_be_noted(self, now: u64) -> bool {
        self.used_at.saturating_add(NOTED_SECONDS) <= now
    }
}

/// The client of a token that is not over. Its day begins anew.
pub(crate) async fn client(
    service: &Service,
    token: &ApiKeyHash,
) -> Result<Option<EncryptionContext>, StoreError> {
    let now = service.now();
    let found = service.store.read().await?.session_token(token).await?;
    let Some(found) = found.filter(|found| !found.life.is_over(now)) else { return Ok(None) };
    if found.life.is_to_be_noted(now) {
        let mut write = service.store.write().await?;
        write.note_session_token(token, now).await?;
        write.commit().await?;
    }
    Ok(Some(found.client))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_for_a_day_after_each_use_and_for_a_week_at_most() {
        let fresh = TokenLife { created_at: 1000, used_at: 1000, key_ends_at: None };
        assert!(!fresh.is_over(1000 + IDLE_SECONDS - 1));
        assert!(fresh.is_over(1000 + IDLE_SECONDS));
        let old = 1000 + LIFE_SECONDS;
        let used = TokenLife { used_at: old - 1, ..fresh };
        assert!(!used.is_over(old - 1));
        assert!(used.is_over(old));
    }

    #[test]
    fn a_token_is_over_with_the_key_that_it_came_by() {
        let token = TokenLife { created_at: 1000, used_at: 1000, key_ends_at: Some(1500) };
        assert!(!token.is_over(1499));
        assert!(token.is_over(1500));
    }

    #[test]
    fn a_use_is_noted_once_a_minute_and_a_clock_that_was_set_back_ends_nothing() {
        let token = TokenLife { created_at: 1000, used_at: 1000, key_ends_at: None };
        assert!(!token.is_to_be_noted(1059) && token.is_to_be_noted(1060));
        assert!(!token.is_over(0) && !token.is_to_be_noted(0));
    }
}
