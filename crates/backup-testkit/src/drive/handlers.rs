//! The routes, what all of them do, and what is about no file.

mod creation;
mod listing;
mod single;

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{RawQuery, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    DriveCall, Space,
    fields::{self, Selection, Shape},
    files::{DriveFile, Grant, State, time},
    refusal::{Refusal, Result},
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
        .route("/drive/v3/files", get(listing::list).post(creation::create))
        .route("/drive/v3/files/generateIds", get(generate_ids))
        .route("/drive/v3/files/{id}", get(single::read).delete(single::delete))
        .route("/upload/drive/v3/files", post(creation::upload))
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
    let effect =
        || request(&state, headers, query, known).and_then(|asked| act(&mut state, &asked));
    match fault {
        None => effect().into_response(),
        Some(Kind::AnswerLost) => {
            let _ = effect();
            cut_short()
        }
        Some(Kind::Refusal { status, reason, retry_after, after_effect }) => {
            if after_effect {
                let _ = effect();
            }
            let mut refusal = Refusal::new(status, reason, "This is injected.");
            refusal.retry_after = retry_after;
            refusal.into_response()
        }
        Some(Kind::Answer { status, body }) => {
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
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

const FILE_FIELDS: &str = "kind,id,name,mimeType";

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

fn visible<'a>(state: &'a State, grant: &Grant, id: &str) -> Result<&'a DriveFile> {
    let found = state.files.iter().find(|file| file.id == id && grant.sees(file));
    found.ok_or_else(|| Refusal::not_found(id))
}
