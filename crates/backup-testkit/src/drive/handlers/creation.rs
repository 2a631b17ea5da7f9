//! `files.create`, with content or without.

use axum::{
    body::Body,
    extract::{RawQuery, State as Shared},
    http::{HeaderMap, header},
    response::Response,
};
use serde_json::{Map, Value};

use super::{Double, FILE_FIELDS, FOLDER, Request, answer, shown, visible};
use crate::{
    drive::{
        DriveCall, NewFile, Space, fields,
        files::{Grant, State, root_of},
        refusal::{Refusal, Result},
        upload::Upload,
    },
    record::lock,
    server::cut_short,
};

const CREATES_BY: &[&str] = &["ignoreDefaultVisibility", "uploadType"];

/// Metadata alone: a folder, or an empty file.
pub(super) async fn create(
    double: Shared<Double>,
    headers: HeaderMap,
    query: RawQuery,
    body: Body,
) -> Response {
    made_of((double, headers, query, body), |_, of_type, body| {
        if !of_type.starts_with("application/json") {
            return Err(Refusal::new(400, "badContent", "Unsupported content with type"));
        }
        let metadata = serde_json::from_slice(body)
            .map_err(|_| Refusal::new(400, "parseError", "Parse Error"))?;
        let content_type = "application/octet-stream".to_owned();
        Ok(Upload { metadata, content_type, content: Vec::new() })
    })
    .await
}

/// Metadata and content.
pub(super) async fn upload(
    double: Shared<Double>,
    headers: HeaderMap,
    query: RawQuery,
    body: Body,
) -> Response {
    made_of((double, headers, query, body), |request, of_type, body| {
        if request.parameter("uploadType") != Some("multipart") {
            return Err(Refusal::invalid("uploadType", "Only multipart uploads are known here"));
        }
        Upload::parse(of_type, body)
    })
    .await
}

/// Makes the file that `read` finds in a request, by its content type and its body.
async fn made_of(
    (Shared(double), headers, query, body): (Shared<Double>, HeaderMap, RawQuery, Body),
    read: impl FnOnce(&Request, &str, &[u8]) -> Result<Upload>,
) -> Response {
    let under_way = lock(&double).under_way.clone();
    let Some(body) = under_way.whole(body).await else { return cut_short() };
    let of_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    answer(&double, DriveCall::Create, (&headers, &query), CREATES_BY, |state, request| {
        let upload = read(request, of_type.unwrap_or_default(), &body)?;
        make(state, request, upload)
    })
}

fn make(state: &mut State, request: &Request, upload: Upload) -> Result<Response> {
    let Upload { metadata, content_type, content } = upload;
    let grant = &request.grant;
    let unknown = metadata.keys().find(|name| !MAKES_BY.contains(&name.as_str()));
    if let Some(name) = unknown {
        return Err(Refusal::new(400, "invalid", format!("Unknown or read-only field {name}")));
    }
    let (space, parent) = place(state, grant, &metadata)?;
    grant.check_space(space)?;
    if state.is_full {
        let message = "The user's Drive storage quota has been exceeded.";
        return Err(Refusal::new(403, "storageQuotaExceeded", message));
    }
    let id = state.take_id(text(&metadata, "id")?, space)?;
    let new = NewFile {
        name: text(&metadata, "name")?.unwrap_or("Untitled"),
        space,
        owner: &grant.account,
        app: &grant.app,
        mime_type: text(&metadata, "mimeType")?.unwrap_or(&content_type),
        content: &content,
        shared_with: None,
    };
    let file = state.made(id, &new, parent);
    let answer = shown(&file, grant);
    state.files.push(file);
    request.select(&answer, &fields::FILE, FILE_FIELDS)
}

const MAKES_BY: &[&str] = &["id", "mimeType", "name", "parents"];

fn text<'a>(metadata: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>> {
    match metadata.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::new(400, "invalid", format!("Invalid value for: {name}"))),
    }
}

/// Space and folder of a new file: one that exists, and one only.
fn place(state: &State, grant: &Grant, metadata: &Map<String, Value>) -> Result<(Space, String)> {
    let root = |space| (space, root_of(space, &grant.account, &grant.app));
    let parents = match metadata.get("parents") {
        None => return Ok(root(Space::Drive)),
        Some(Value::Array(parents)) => parents,
        Some(_) => return Err(Refusal::new(400, "invalid", "Invalid value for: parents")),
    };
    let [Value::String(parent)] = &parents[..] else {
        let message = "A file cannot have more than one parent.";
        return Err(Refusal::new(403, "multipleParentsNotSupported", message));
    };
    let known = [Space::Drive, Space::AppData].map(root);
    let known = known.into_iter().find(|(space, id)| id == parent || is_alias(*space, parent));
    if let Some(root) = known {
        return Ok(root);
    }
    let folder = visible(state, grant, parent)?;
    if folder.mime_type != FOLDER {
        let message = "The specified parent is not a folder.";
        return Err(Refusal::new(403, "parentNotAFolder", message));
    }
    Ok((folder.space, folder.id.clone()))
}

fn is_alias(space: Space, name: &str) -> bool {
    match space {
        Space::Drive => name == "root",
        Space::AppData => name == space.name(),
    }
}
