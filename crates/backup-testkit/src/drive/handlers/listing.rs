//! `files.list`, page by page.

use axum::{
    extract::{RawQuery, State as Shared},
    http::HeaderMap,
    response::Response,
};
use serde_json::json;

use super::{Double, Request, answer, shown};
use crate::drive::{
    DriveCall, Space, fields,
    files::{DriveFile, State},
    query::Query,
    refusal::{Refusal, Result},
};

const LISTS_BY: &[&str] = &["corpora", "orderBy", "pageSize", "pageToken", "q", "spaces"];

pub(super) async fn list(
    Shared(double): Shared<Double>,
    headers: HeaderMap,
    query: RawQuery,
) -> Response {
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
