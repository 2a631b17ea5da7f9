//! Signing in by the browser of the system, which comes back to a port of this machine (RFC 8252).

use std::time::Duration;

use backup_cloud::{Brought, Browser, By, Closing, Loopback, random_text};
use backup_core::Result;
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    DriveProblem, Scope,
    oauth::{Granted, OAuth, declined},
};

/// Asks the user by `browser` to agree to `scope`.
///
/// A program that reads the code cannot use it without the verifier (PKCE).
pub(super) async fn sign_in(
    oauth: &OAuth,
    scope: Scope,
    browser: &dyn Browser,
    time_limit: Duration,
) -> Result<Granted> {
    let loopback = Loopback::bind(By::Address, Closing::SIGN_IN).await?;
    let redirect = format!("http://127.0.0.1:{}", loopback.port());
    let verifier = random_text()?;
    let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(verifier.as_bytes()));
    let url = oauth.authorize_url(&[
        ("redirect_uri", &redirect),
        ("scope", scope.as_str()),
        ("state", loopback.state()),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
        ("prompt", "consent"),
    ]);
    browser.open(&url).await?;
    let code = loopback.wait(code, time_limit).await?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &redirect),
        ("code_verifier", &verifier),
    ];
    Ok(oauth.token(&form).await?)
}

/// The code, or that the user declined.
fn code(brought: &Brought) -> Option<Result<Zeroizing<String>>> {
    if let Some(code) = brought.only("code") {
        return Some(Ok(code));
    }
    let reason = brought.only("error")?;
    let is_word = reason.len() <= 64 && reason.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let reason = if is_word { reason.to_string() } else { "unknown".to_owned() };
    Some(Err(match reason.as_str() {
        "access_denied" => declined(),
        _ => DriveProblem::AppRefused { reason }.into(),
    }))
}
