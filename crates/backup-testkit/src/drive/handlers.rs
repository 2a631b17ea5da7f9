//! The routes, and what they answer.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, RawQuery, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Map, Value, json};

use super::{
    DriveCall, NewFile, Space,
    fields::{self, Selection, Shape},
    files::{DriveFile, Grant, State, root_of, time},
    query::Query,
    refusal::{Refusal, Result},
    upload::Upload,
};
use crate::{
    fault::{self, Kind},
    record::lock,
    server::cut_short,
};

type Double = Arc<Mutex<State>>;

const FOLDER: &str = "application/vnd.google-apps.folder";

pub(super) fn router(double: Double) -> Router {
    Router::new()
        .route("/drive/v3/about", get(about))
        .route("/drive/v3/files", get(list).post(create))
        .route("/drive/v3/files/generateIds", get(generate_ids))
        .route("/drive/v3/files/{id}", get(read).delete(delete))
        .route("/upload/drive/v3/files", post(upload))
        .with_state(double)
}

/// One request: who asks, and with which parameters.
struct Request {
    grant: Grant,
    parameters: Vec<(String, String)>,
}

impl Request {
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The answer, or what of it is wanted.
    fn select(&self, answer: &Value, shape: &Shape, otherwise: &str) -> Result<Response> {
        let fields = self.parameter("fields").unwrap_or(otherwise);
        Ok(Json(Selection::parse(fields, shape)?.of(answer)).into_response())
    }

    /// The space that a single one is named by.
    fn space(&self, parameter: &'static str) -> Result<Space> {
        let name = self.parameter(parameter).unwrap_or("drive");
        Space::parse(name).ok_or_else(|| Refusal::invalid(parameter, "Invalid Value"))
    }
}

/// Parameters that every method takes.
const COMMON: &[&str] = &["alt", "fields", "prettyPrint", "quotaUser"];

/// Answers one call: notes it, lets it fail if it is to fail, checks who asks.
fn answer(
    double: &Double,
    call: DriveCall,
    (headers, query): (&HeaderMap, &RawQuery),
    known: &[&str],
    act: impl FnOnce(&mut State, &Request) -> Result<Response>,
) -> Response {
    let mut state = lock(double);
    state.calls.push(call);
    let fault = fault::next(&mut state.faults, &call);
    match fault {
        Some(Kind::Refusal { status, reason, retry_after }) => {
            let mut refusal = Refusal::new(status, reason, "This is injected.");
            refusal.retry_after = retry_after;
            return refusal.into_response();
        }
        Some(Kind::Answer { status, body }) => {
            return (StatusCode::from_u16(status).expect("a status"), body).into_response();
        }
        Some(Kind::AnswerLost) | None => {}
    }
    let answer = request(&state, headers, query, known).and_then(|asked| act(&mut state, &asked));
    match fault {
        Some(Kind::AnswerLost) => cut_short(),
        _ => answer.into_response(),
    }
}

fn request(
    state: &State,
    headers: &HeaderMap,
    RawQuery(query): &RawQuery,
    known: &[&str],
) -> Result<Request> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let grant = state.whose(authorization.and_then(|value| value.strip_prefix("Bearer ")))?;
    let query = query.as_deref().unwrap_or_default();
    let parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let is_known = |name: &str| COMMON.contains(&name) || known.contains(&name);
    if let Some((name, _)) = parameters.iter().find(|(name, _)| !is_known(name)) {
        let message = format!("Unknown parameter {name}");
        return Err(Refusal::new(400, "invalidParameter", message));
    }
    Ok(Request { grant, parameters })
}

async fn about(Shared(double): Shared<Double>, headers: HeaderMap, query: RawQuery) -> Response {
    answer(&double, DriveCall::About, (&headers, &query), &[], |state, request| {
        request.grant.check_any()?;
        if request.parameter("fields").is_none() {
            let message = "The 'fields' parameter is required for this method.";
            return Err(Refusal::new(400, "required", message));
        }
        let usage = if state.is_full { "16106127360" } else { "1024" };
        let about = json!({
            "kind": "drive#about",
            "user": user(&request.grant.account, true),
            "storageQuota": { "limit": "16106127360", "usage": usage, "usageInDrive": usage },
        });
        request.select(&about, &fields::ABOUT, "*")
    })
}

fn user(account: &str, is_me: bool) -> Value {
    let mixed = account
        .bytes()
        .fold(7u64, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
    json!({
        "kind": "drive#user",
        "displayName": account.split('@').next(),
        "emailAddress": account,
        "me": is_me,
        "permissionId": format!("{mixed:020}"),
    })
}

async fn generate_ids(
    Shared(double): Shared<Double>,
    headers: HeaderMap,
    query: RawQuery,
) -> Response {
    let known = ["count", "space", "type"];
    answer(&double, DriveCall::GenerateIds, (&headers, &query), &known, |state, request| {
        let space = request.space("space")?;
        request.grant.check_space(space)?;
        let count = request.parameter("count").unwrap_or("10").parse().unwrap_or(0);
        if !(1..=1000).contains(&count) {
            return Err(Refusal::invalid(
                "count",
                "Invalid value. Values must be within [1, 1000]",
            ));
        }
        let ids = state.generate_ids(count, space);
        let answer = json!({ "kind": "drive#generatedIds", "space": space.name(), "ids": ids });
        Ok(Json(answer).into_response())
    })
}

const LISTS_BY: &[&str] = &["corpora", "orderBy", "pageSize", "pageToken", "q", "spaces"];

async fn list(Shared(double): Shared<Double>, headers: HeaderMap, query: RawQuery) -> Response {
    answer(&double, DriveCall::List, (&headers, &query), LISTS_BY, |state, request| {
        let mut spaces = Vec::new();
        for name in request.parameter("spaces").unwrap_or("drive").split(',') {
            let space =
                Space::parse(name).ok_or_else(|| Refusal::invalid("spaces", "Invalid Value"))?;
            request.grant.check_space(space)?;
            spaces.push(space);
        }
        if !matches!(request.parameter("corpora"), None | Some("user")) {
            return Err(Refusal::invalid("corpora", "Invalid Value"));
        }
        let wanted = request.parameter("q").map(Query::parse).transpose()?;
        let is_wanted = |file: &DriveFile| {
            spaces.contains(&file.space)
                && request.grant.sees(file)
                && wanted.as_ref().is_none_or(|query| query.holds(file, &request.grant.account))
        };
        let mut found = Vec::new();
        for file in state.files.iter_mut().filter(|file| is_wanted(file)) {
            if file.left_out == 0 {
                found.push(file.clone());
            } else {
                file.left_out -= 1;
            }
        }
        sort(&mut found, request.parameter("orderBy"))?;
        page(state, request, &found)
    })
}

/// Without an order, the newest come first: nobody may rely on any.
fn sort(files: &mut [DriveFile], by: Option<&str>) -> Result<()> {
    match by {
        None | Some("createdTime desc" | "modifiedTime desc") => {
            files.sort_by_key(|file| std::cmp::Reverse(file.created));
        }
        Some("createdTime" | "modifiedTime") => files.sort_by_key(|file| file.created),
        Some("name") => files.sort_by(|a, b| a.name.cmp(&b.name)),
        Some(_) => return Err(Refusal::invalid("orderBy", "Invalid Value")),
    }
    Ok(())
}

fn page(state: &State, request: &Request, found: &[DriveFile]) -> Result<Response> {
    let size = request.parameter("pageSize").unwrap_or("100").parse().unwrap_or(0);
    if !(1..=1000).contains(&size) {
        return Err(Refusal::invalid("pageSize", "Invalid value. Values must be within [1, 1000]"));
    }
    let size = if state.largest_page == 0 { size } else { size.min(state.largest_page) };
    let start = match request.parameter("pageToken") {
        None => 0,
        Some(token) => token
            .strip_prefix("~!!~")
            .and_then(|at| at.parse().ok())
            .ok_or_else(|| Refusal::invalid("pageToken", "Invalid Value"))?,
    };
    let files = found.iter().skip(start).take(size);
    let mut answer = json!({
        "kind": "drive#fileList",
        "incompleteSearch": state.is_incomplete,
        "files": files.map(|file| shown(file, &request.grant)).collect::<Vec<_>>(),
    });
    if found.len() > start + size {
        answer["nextPageToken"] = format!("~!!~{}", start + size).into();
    }
    let otherwise = "kind,nextPageToken,incompleteSearch,files(kind,id,name,mimeType)";
    request.select(&answer, &fields::LIST, otherwise)
}

fn shown(file: &DriveFile, grant: &Grant) -> Value {
    let mut shown = json!({
        "kind": "drive#file",
        "id": file.id,
        "name": file.name,
        "mimeType": file.mime_type,
        "createdTime": time(file.created),
        "modifiedTime": time(file.created),
        "trashed": file.trashed,
        "ownedByMe": file.owner == grant.account,
        "owners": [user(&file.owner, file.owner == grant.account)],
        "parents": [file.parent],
        "spaces": [file.space.name()],
    });
    if file.mime_type != FOLDER {
        shown["size"] = file.content.len().to_string().into();
    }
    shown
}

async fn read(
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

const FILE_FIELDS: &str = "kind,id,name,mimeType";

fn visible<'a>(state: &'a State, grant: &Grant, id: &str) -> Result<&'a DriveFile> {
    let found = state.files.iter().find(|file| file.id == id && grant.sees(file));
    found.ok_or_else(|| Refusal::not_found(id))
}

async fn delete(
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

const CREATES_BY: &[&str] = &["ignoreDefaultVisibility", "uploadType"];

/// Metadata alone: a folder, or an empty file.
async fn create(
    Shared(double): Shared<Double>,
    headers: HeaderMap,
    query: RawQuery,
    body: Body,
) -> Response {
    let under_way = lock(&double).under_way.clone();
    let Some(body) = under_way.whole(body).await else { return cut_short() };
    let of_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = of_type.is_some_and(|value| value.starts_with("application/json"));
    answer(&double, DriveCall::Create, (&headers, &query), CREATES_BY, |state, request| {
        if !is_json {
            return Err(Refusal::new(400, "badContent", "Unsupported content with type"));
        }
        let metadata = serde_json::from_slice(&body)
            .map_err(|_| Refusal::new(400, "parseError", "Parse Error"))?;
        let content_type = "application/octet-stream".to_owned();
        make(state, request, Upload { metadata, content_type, content: Vec::new() })
    })
}

async fn upload(
    Shared(double): Shared<Double>,
    headers: HeaderMap,
    query: RawQuery,
    body: Body,
) -> Response {
    let under_way = lock(&double).under_way.clone();
    let Some(body) = under_way.whole(body).await else { return cut_short() };
    let of_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    answer(&double, DriveCall::Create, (&headers, &query), CREATES_BY, |state, request| {
        if request.parameter("uploadType") != Some("multipart") {
            return Err(Refusal::invalid("uploadType", "Only multipart uploads are known here"));
        }
        make(state, request, Upload::parse(of_type.unwrap_or_default(), &body)?)
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
