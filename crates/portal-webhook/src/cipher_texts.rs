//! The ciphertexts of users, behind the app's own authentication.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use axum::{
    body::{self, Body},
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use backup_core::Envelope;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    error::Refusal,
    halves::is_name,
    store::{Kind, Place},
    vault::Vault,
};

/// How an app knows its users.
#[async_trait]
pub trait Users: Send + Sync + 'static {
    /// The client of the user who has made this request, which the app has authenticated; none, if
    /// nobody has signed in.
    async fn client(&self, request: &Parts) -> Option<String>;
}

/// What the handlers share.
pub(crate) struct Texts {
    pub(crate) vault: Vault,
    pub(crate) users: Arc<dyn Users>,
}

/// A ciphertext to be stored, as Portal's example backend takes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewText {
    backup_method: String,
    #[serde(default)]
    backup_share_pair_id: Option<String>,
    cipher_text: Zeroizing<String>,
}

/// Which one is asked for: the newest that fits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    backup_method: Option<String>,
    backup_share_pair_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Text<'a> {
    cipher_text: &'a str,
}

pub(crate) async fn store(
    State(texts): State<Arc<Texts>>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let (parts, body) = request.into_parts();
    let client = texts.users.client(&parts).await.ok_or(Refusal::USER)?;
    let body = read(body).await?;
    let text: NewText = serde_json::from_slice(&body).map_err(|_| Refusal::BODY)?;
    if text.cipher_text.is_empty() || !is_name(&text.backup_method) {
        return Err(Refusal::NAMES);
    }
    let place = Place {
        kind: Kind::CipherText,
        client,
        method: text.backup_method,
        pair: text.backup_share_pair_id.unwrap_or_default(),
    };
    texts.vault.keep(place, &text.cipher_text).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn fetch(
    State(texts): State<Arc<Texts>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let client = texts.users.client(&parts).await.ok_or(Refusal::USER)?;
    let Query(wanted) = wanted.map_err(|_| Refusal::BODY)?;
    let all = texts.vault.all(Kind::CipherText, &client).await?;
    let found = all.iter().find(|text| wanted.fits(&text.place)).ok_or(Refusal::NONE)?;
    let json = serde_json::to_vec(&Text { cipher_text: &found.value }).expect("it is plain text");
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

impl Wanted {
    fn fits(&self, place: &Place) -> bool {
        self.backup_method.as_ref().is_none_or(|method| *method == place.method)
            && self.backup_share_pair_id.as_ref().is_none_or(|pair| *pair == place.pair)
    }
}

/// An envelope, and the JSON around it.
async fn read(body: Body) -> Result<body::Bytes, Refusal> {
    body::to_bytes(body, Envelope::MAX_LEN + 1024).await.map_err(|_| Refusal::BODY)
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").finish_non_exhaustive()
    }
}
