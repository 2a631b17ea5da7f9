//! What a request asks for: its path, its tokens, and the dictionaries of its body.

use axum::http::Method;
use serde_json::{Map, Value};

use super::{
    API_TOKEN, CONTAINER, ICloudCall,
    records::DEFAULT_ZONE,
    refusal::{Refusal, Result},
};

/// One request, as far as it is known to be one.
pub(super) struct Request {
    pub(super) call: ICloudCall,
    pub(super) environment: String,
    pub(super) web_token: Option<String>,
    pub(super) body: Map<String, Value>,
}

/// Where a request went: `/database/1/{container}/{environment}/{database}/{operation}`.
pub(super) type Place = (String, String, String, String);

impl Request {
    pub(super) fn read(method: &Method, place: Place, query: &str, body: &[u8]) -> Result<Self> {
        let (container, environment, database, operation) = place;
        if container != CONTAINER || !matches!(&environment[..], "development" | "production") {
            return Err(Refusal::new(404, "NOT_FOUND", "unknown container or environment"));
        }
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let known = ["ckAPIToken", "ckWebAuthToken"];
        if query.iter().any(|(name, _)| !known.contains(&name.as_str())) {
            return Err(Refusal::bad("unknown parameter"));
        }
        let parameter = |wanted| query.iter().find(|(name, _)| name == wanted).map(|(_, v)| v);
        match parameter("ckAPIToken") {
            None => return Err(Refusal::bad("missing ckAPIToken")),
            Some(token) if token != API_TOKEN => {
                return Err(Refusal::new(401, "AUTHENTICATION_FAILED", "no auth method found"));
            }
            Some(_) => {}
        }
        let web_token = parameter("ckWebAuthToken").cloned();
        let body = dictionary(method, body)?;
        let call = call(method, &database, &operation, &body)?;
        Ok(Self { call, environment, web_token, body })
    }
}

/// The body of a POST; a GET has none.
fn dictionary(method: &Method, body: &[u8]) -> Result<Map<String, Value>> {
    if method == Method::GET {
        return Ok(Map::new());
    }
    let body = serde_json::from_slice(body);
    body.map_err(|_| Refusal::bad("BadRequestException: Unexpected input"))
}

fn call(
    method: &Method,
    database: &str,
    operation: &str,
    body: &Map<String, Value>,
) -> Result<ICloudCall> {
    let wants = if operation == "users/current" { "public" } else { "private" };
    if database != wants {
        return Err(Refusal::new(403, "ACCESS_DENIED", "not in this database"));
    }
    match (method.as_str(), operation) {
        ("GET", "users/current") => Ok(ICloudCall::User),
        ("POST", "changes/zone") => Ok(ICloudCall::Changes),
        ("POST", "records/lookup") => Ok(ICloudCall::Lookup),
        ("POST", "zones/modify") => Ok(ICloudCall::CreateZone),
        ("POST", "records/modify") => {
            let first = body.get("operations").and_then(|all| all.get(0));
            match first.and_then(|first| first.get("operationType")).and_then(Value::as_str) {
                Some("create") => Ok(ICloudCall::Create),
                Some("forceDelete") => Ok(ICloudCall::Delete),
                _ => Err(Refusal::bad("operations are create and forceDelete here")),
            }
        }
        _ => Err(Refusal::new(404, "NOT_FOUND", "unknown operation")),
    }
}

/// A dictionary with these keys and no others.
pub(super) fn keys<'a>(value: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>> {
    let dictionary = value.as_object().ok_or_else(|| Refusal::bad("not a dictionary"))?;
    only(dictionary, known)
}

pub(super) fn only<'a>(
    dictionary: &'a Map<String, Value>,
    known: &[&str],
) -> Result<&'a Map<String, Value>> {
    match dictionary.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(dictionary),
        Some(key) => Err(Refusal::bad(format!("unknown key {key}"))),
    }
}

/// A required array, within the limit of 200 (Data Size Limits).
pub(super) fn array<'a>(dictionary: &'a Map<String, Value>, key: &str) -> Result<&'a [Value]> {
    let array = dictionary.get(key).and_then(Value::as_array);
    let array = array.filter(|array| (1..=200).contains(&array.len()));
    array.map(Vec::as_slice).ok_or_else(|| Refusal::bad(format!("{key} must have 1 to 200 items")))
}

/// A required text.
pub(super) fn text<'a>(dictionary: &'a Map<String, Value>, key: &str) -> Result<&'a str> {
    let text = dictionary.get(key).and_then(Value::as_str);
    text.ok_or_else(|| Refusal::bad(format!("{key} must be a string")))
}

/// The name of a record or zone: ASCII, up to 255 characters.
pub(super) fn name<'a>(dictionary: &'a Map<String, Value>, key: &str) -> Result<&'a str> {
    let name = text(dictionary, key)?;
    let fits = !name.is_empty() && name.len() <= 255 && name.is_ascii();
    if fits { Ok(name) } else { Err(Refusal::bad(format!("{key} is no name"))) }
}

/// The zone that `zoneID` names, or the default one.
pub(super) fn zone(dictionary: &Map<String, Value>) -> Result<&str> {
    match dictionary.get("zoneID") {
        None => Ok(DEFAULT_ZONE),
        Some(id) => name(keys(id, &["zoneName"])?, "zoneName"),
    }
}

/// Field names, if the request limits what it wants to see.
pub(super) fn desired_keys(dictionary: &Map<String, Value>) -> Result<Option<Vec<&str>>> {
    let Some(keys) = dictionary.get("desiredKeys") else { return Ok(None) };
    let keys = keys.as_array().map(|keys| keys.iter().map(Value::as_str).collect());
    match keys {
        Some(Some(keys)) => Ok(Some(keys)),
        _ => Err(Refusal::bad("desiredKeys must be strings")),
    }
}
