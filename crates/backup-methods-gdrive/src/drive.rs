//! The calls of the Drive API (version 3) that a store needs.

mod http;
mod refusal;

use std::{sync::Arc, time::Duration};

use backup_core::{Error, ErrorKind, Operation, Result};
use bytes::Bytes;
use reqwest::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use zeroize::Zeroizing;

pub(crate) use self::http::Http;
use self::{
    http::{Body, Request},
    refusal::Failure,
};
use crate::{AccessToken, DriveProblem, Place, TokenSource, problem::unreadable};

/// A user's Drive, by whatever token the source gives.
#[derive(Debug)]
pub(crate) struct Drive {
    http: Http,
    tokens: Arc<dyn TokenSource>,
    place: Place,
}

/// Whether the user may be asked to sign in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asking<'a> {
    With(&'a Operation<'a>),
    Never,
}

/// A file, as a listing shows it. Times are RFC 3339 in UTC with milliseconds: their order is that
/// of their text.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "camelCase")]
pub(crate) struct File {
    pub(crate) created_time: String,
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) trashed: bool,
}

/// Whose Drive it is.
#[derive(Debug, Deserialize)]
pub(crate) struct About {
    #[serde(default)]
    pub(crate) user: User,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) email_address: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    files: Vec<File>,
    #[serde(default)]
    incomplete_search: bool,
    next_page_token: Option<String>,
}

/// What became of a file that was to be made.
pub(crate) enum Made {
    Done,
    /// The folder that it was to be in is gone.
    NoFolder,
}

pub(crate) const FOLDER: &str = "application/vnd.google-apps.folder";

impl Drive {
    pub(crate) fn new(http: Http, tokens: Arc<dyn TokenSource>, place: Place) -> Self {
        Self { http, tokens, place }
    }

    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { http: self.http.with_patience(patience), ..self }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn asks(&self) -> bool {
        self.tokens.asks()
    }

    pub(crate) fn patience(&self) -> Duration {
        self.http.patience()
    }

    /// An id that no file has, so that making a file can be repeated.
    pub(crate) async fn generate_id(&self, asking: Asking<'_>) -> Result<String> {
        #[derive(Deserialize)]
        struct Ids {
            ids: [String; 1],
        }
        let mut request = Request::new(Method::GET, "/drive/v3/files/generateIds");
        request.with("count", "1");
        request.with("space", self.place.space());
        let Ids { ids: [id] } = self.json(asking, &request).await?;
        Ok(id)
    }

    /// Makes a file under an id that [`generate_id`](Self::generate_id) gave. If the file is there
    /// already, an earlier answer was lost.
    pub(crate) async fn create(
        &self,
        asking: Asking<'_>,
        (id, name, folder): (&str, &str, &str),
        mime_type: &str,
        content: &[u8],
    ) -> Result<Made> {
        let metadata =
            json!({ "id": id, "name": name, "parents": [folder], "mimeType": mime_type });
        let mut request = Request::new(Method::POST, "/upload/drive/v3/files");
        request.with("uploadType", "multipart");
        request.with("ignoreDefaultVisibility", "true");
        request.with("fields", "id");
        request.body = Some(multipart(&metadata.to_string(), mime_type, content));
        match self.send(asking, &request).await {
            Ok(_) | Err(Failure::Exists) => Ok(Made::Done),
            Err(Failure::NotFound) => Ok(Made::NoFolder),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Makes a folder at the top of the user's Drive; its id.
    pub(crate) async fn create_folder(&self, asking: Asking<'_>, name: &str) -> Result<String> {
        #[derive(Deserialize)]
        struct Id {
            id: String,
        }
        let metadata = json!({ "name": name, "parents": ["root"], "mimeType": FOLDER });
        let mut request = Request::new(Method::POST, "/drive/v3/files");
        request.with("ignoreDefaultVisibility", "true");
        request.with("fields", "id");
        request.body = Some(Body {
            content_type: "application/json".to_owned(),
            bytes: metadata.to_string().into(),
        });
        Ok(self.json::<Id>(asking, &request).await?.id)
    }

    /// All files of the user's own for which `q` holds, oldest first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if Drive does not show all of them.
    pub(crate) async fn find(&self, asking: Asking<'_>, q: &str) -> Result<Vec<File>> {
        let mut found = Vec::new();
        let mut request = Request::new(Method::GET, "/drive/v3/files");
        request.with("q", &format!("{q} and 'me' in owners"));
        request.with("spaces", self.place.space());
        request.with("corpora", "user");
        request.with("pageSize", "1000");
        let fields = "nextPageToken,incompleteSearch,files(id,name,createdTime,trashed)";
        request.with("fields", fields);
        for _ in 0..MAX_PAGES {
            let page: Page = self.json(asking, &request).await?;
            if page.incomplete_search {
                return Err(not_all());
            }
            found.extend(page.files);
            let Some(next) = page.next_page_token else {
                found.sort();
                return Ok(found);
            };
            request.with("pageToken", &next);
        }
        Err(not_all())
    }

    /// The content of a file; `None` if there is no such file any more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Damaged`] if it is longer than `max_len` bytes.
    pub(crate) async fn download(
        &self,
        asking: Asking<'_>,
        id: &str,
        max_len: usize,
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let mut request = Request::new(Method::GET, "/drive/v3/files/");
        request.id = Some(id.to_owned());
        request.with("alt", "media");
        request.max_len = max_len;
        match self.send(asking, &request).await {
            Ok(content) => Ok(Some(content)),
            Err(Failure::NotFound) => Ok(None),
            Err(Failure::TooLong) => {
                let message = "a file in Google Drive is too long to be a key file";
                Err(Error::new(ErrorKind::Damaged, message))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Deletes a file for good. Absent already is fine.
    pub(crate) async fn delete(&self, asking: Asking<'_>, id: &str) -> Result<()> {
        let mut request = Request::new(Method::DELETE, "/drive/v3/files/");
        request.id = Some(id.to_owned());
        match self.send(asking, &request).await {
            Ok(_) | Err(Failure::NotFound) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    pub(crate) async fn about(&self, asking: Asking<'_>) -> Result<About> {
        let mut request = Request::new(Method::GET, "/drive/v3/about");
        request.with("fields", "user(emailAddress)");
        self.json(asking, &request).await
    }

    async fn json<T: DeserializeOwned>(&self, asking: Asking<'_>, request: &Request) -> Result<T> {
        let body = self.send(asking, request).await?;
        serde_json::from_slice(&body).map_err(|_| unreadable())
    }

    /// Sends a request, with another token if Drive takes the first no more.
    async fn send(
        &self,
        asking: Asking<'_>,
        request: &Request,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let token = self.token(asking).await?;
        let failure = match self.http.send(request, &token).await {
            Err(failure @ (Failure::TokenRefused | Failure::ScopeMissing)) => failure,
            answer => return answer,
        };
        self.tokens.discard(&token).await?;
        let token = match failure {
            Failure::ScopeMissing => self.sign_in(asking).await?,
            _ => self.token(asking).await?,
        };
        self.http.send(request, &token).await
    }

    async fn token(&self, asking: Asking<'_>) -> Result<AccessToken> {
        match self.tokens.token(self.place.scope()).await {
            Err(error) if DriveProblem::of(&error) == Some(&DriveProblem::SignInNeeded) => {
                self.sign_in(asking).await
            }
            token => token,
        }
    }

    async fn sign_in(&self, asking: Asking<'_>) -> Result<AccessToken> {
        match asking {
            Asking::With(op) if self.tokens.asks() => {
                op.ask(self.tokens.sign_in(self.place.scope())).await
            }
            _ => Err(DriveProblem::SignInNeeded.into()),
        }
    }
}

/// More than anybody has: fifty thousand files.
const MAX_PAGES: usize = 50;

fn not_all() -> Error {
    let message = "Google Drive does not show all files; try again later";
    Error::new(ErrorKind::Unavailable, message)
}

/// Metadata and content in one body (RFC 2387). Neither can contain the boundary.
fn multipart(metadata: &str, mime_type: &str, content: &[u8]) -> Body {
    const BOUNDARY: &str = "boundary_of_a_key_file";
    let head = format!(
        "--{BOUNDARY}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{metadata}\r\n\
         --{BOUNDARY}\r\nContent-Type: {mime_type}\r\n\r\n"
    );
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    let len = head.len() + content.len() + end.len();
    let mut bytes = Zeroizing::new(Vec::with_capacity(len));
    for part in [head.as_bytes(), content, end.as_bytes()] {
        bytes.extend_from_slice(part);
    }
    let content_type = format!("multipart/related; boundary={BOUNDARY}");
    Body { content_type, bytes: Bytes::from_owner(bytes) }
}
