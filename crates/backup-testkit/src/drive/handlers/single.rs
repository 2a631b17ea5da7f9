//! `files.get`, of metadata and of content, and `files.delete`.

use axum::{
    extract::{Path, RawQuery, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Double, FILE_FIELDS, FOLDER, answer, shown, visible};
use crate::drive::{DriveCall, Space, fields, files::root_of, refusal::Refusal};

pub(super) async fn read(
    Shared(double): Shared<Double>,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: RawQuery,
) -> Response {
    let text = query.0.as_deref().unwrap_or_default();
    let is_media = form_urlencoded::parse(text.as_bytes()).any(|pair| pair.1 == "media");
    let call = if is_media { DriveCall::Media } else { DriveCall::Get };
    answer(&double, call, (&headers, &query), &["acknowledgeAbuse"], |state, request| {
        request.grant.check_any()?;
        let root = Space::parse(&id).or((id == "root").then_some(Space::Drive));
        if let Some(space) = root {
            request.grant.check_space(space)?;
            let id = root_of(space, &request.grant.account, &request.grant.app);
            let folder = json!({ "kind": "drive#file", "id": id, "mimeType": FOLDER });
            return request.select(&folder, &fields::FILE, FILE_FIELDS);
        }
        let file = visible(state, &request.grant, &id)?;
        if is_media && file.mime_type == FOLDER {
            let message = "Only files with binary content can be downloaded.";
            return Err(Refusal::new(403, "fileNotDownloadable", message));
        }
        if is_media {
            let content_type = [(header::CONTENT_TYPE, file.mime_type.clone())];
            return Ok((content_type, file.content.clone()).into_response());
        }
        request.select(&shown(file, &request.grant), &fields::FILE, FILE_FIELDS)
    })
}

pub(super) async fn delete(
    Shared(double): Shared<Double>,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: RawQuery,
) -> Response {
    answer(&double, DriveCall::Delete, (&headers, &query), &[], |state, request| {
        request.grant.check_any()?;
        if visible(state, &request.grant, &id)?.owner != request.grant.account {
            let message = "The user does not have sufficient permissions for this file.";
            return Err(Refusal::new(403, "insufficientFilePermissions", message));
        }
        state.delete(&id);
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}
