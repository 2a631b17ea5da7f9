//! Signing in on a device without a browser, by a code that is typed elsewhere (RFC 8628).

use std::{
    fmt,
    time::{Duration, Instant},
};

use backup_core::{Error, ErrorKind, Result, async_trait};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    Scope,
    oauth::{Granted, OAuth, Refused},
};

/// Shows the user where to type which code.
#[async_trait]
pub trait CodeDisplay: fmt::Debug + Send + Sync {
    /// Shows `code` and returns; it stays in view until the user has signed in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the user does not want to.
    async fn show(&self, code: &DeviceCode) -> Result<()>;
}

/// What the user needs to sign in elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct DeviceCode {
    /// What they type.
    pub user_code: String,
    /// Where they type it: short enough to be typed, too. Google calls it `verification_url`.
    #[serde(alias = "verification_url")]
    pub verification_uri: String,
    /// The same with the code in it, for a QR code beside the text.
    pub verification_uri_complete: Option<String>,
    /// For how many seconds the code is good.
    pub expires_in: u64,
}

#[derive(Deserialize)]
struct Answer {
    device_code: Zeroizing<String>,
    /// Seconds between questions.
    interval: Option<u64>,
    #[serde(flatten)]
    shown: DeviceCode,
}

/// Asks the user by `display` to agree to `scope`.
pub(super) async fn sign_in(
    oauth: &OAuth,
    scope: Scope,
    display: &dyn CodeDisplay,
) -> Result<Granted> {
    let answer: Answer = oauth.device(&[("scope", scope.as_str())]).await?;
    let lifetime = Duration::from_secs(answer.shown.expires_in.min(LONGEST));
    let until = Instant::now() + lifetime;
    display.show(&answer.shown).await?;
    poll(oauth, &answer, until).await
}

/// An hour: Google's codes are good for half of it.
const LONGEST: u64 = 3600;
/// "If no value is provided, clients MUST use 5 as the default."
const INTERVAL: Duration = Duration::from_secs(5);

/// Asks whether the user has agreed, no more often than the server wants (RFC 8628, 3.5).
async fn poll(oauth: &OAuth, answer: &Answer, until: Instant) -> Result<Granted> {
    let asked_for = answer.interval.map(|seconds| Duration::from_secs(seconds.min(LONGEST)));
    let mut interval = asked_for.unwrap_or(INTERVAL).max(Duration::from_secs(1));
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", answer.device_code.as_str()),
    ];
    while Instant::now() + interval < until {
        tokio::time::sleep(interval).await;
        match oauth.token(&form).await {
            Ok(granted) => return Ok(granted),
            Err(Refused::Because(reason)) => match reason.as_str() {
                "authorization_pending" => {}
                "slow_down" => interval += INTERVAL,
                "expired_token" => return Err(too_late()),
                _ => return Err(Refused::Because(reason).into()),
            },
            // "a connection timeout … the client MUST … reduce [its] polling frequency"
            Err(Refused::Silent(_)) => interval *= 2,
        }
    }
    Err(too_late())
}

fn too_late() -> Error {
    let message = "nobody typed the code in time; nothing was changed";
    Error::new(ErrorKind::Cancelled, message)
}
