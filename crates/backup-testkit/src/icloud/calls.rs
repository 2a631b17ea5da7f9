//! What each call does and answers.

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value, json};

use super::{
    ICloudCall, ICloudRecord,
    records::{DEFAULT_ZONE, Database, State},
    refusal::{Refusal, Result},
    request::{Request, array, desired_keys, keys, name, only, text, zone},
};

pub(super) fn perform(state: &mut State, database: &Database, asked: &Request) -> Result<Value> {
    match asked.call {
        ICloudCall::Changes => changes(state, database, &asked.body),
        ICloudCall::Create | ICloudCall::Delete => modify(state, database, &asked.body),
        ICloudCall::CreateZone => create_zones(state, database, &asked.body),
        ICloudCall::Lookup => lookup(state, database, &asked.body),
        ICloudCall::User => Ok(json!({ "userRecordName": state.user(&database.account) })),
    }
}

fn create_zones(
    state: &mut State,
    database: &Database,
    body: &Map<String, Value>,
) -> Result<Value> {
    let mut made = Vec::new();
    for operation in array(only(body, &["operations"])?, "operations")? {
        let operation = keys(operation, &["operationType", "zone"])?;
        if text(operation, "operationType")? != "create" {
            return Err(Refusal::bad("zones are only created here"));
        }
        let wanted = operation.get("zone").ok_or_else(|| Refusal::bad("missing zone"))?;
        let wanted = zone(keys(wanted, &["zoneID"])?)?;
        state.create_zone(database, wanted);
        made.push(json!({ "zoneID": zone_id(state, database, wanted), "atomic": true }));
    }
    Ok(json!({ "zones": made }))
}

fn zone_id(state: &mut State, database: &Database, zone: &str) -> Value {
    json!({ "zoneName": zone, "ownerRecordName": state.user(&database.account) })
}

/// The zone of a request about records, if it is there.
fn existing<'a>(
    state: &State,
    database: &Database,
    body: &'a Map<String, Value>,
) -> Result<&'a str> {
    let zone = zone(body)?;
    if state.has_zone(database, zone) { Ok(zone) } else { Err(Refusal::no_zone()) }
}

fn modify(state: &mut State, database: &Database, body: &Map<String, Value>) -> Result<Value> {
    let body = only(body, &["operations", "zoneID", "atomic", "desiredKeys", "numbersAsStrings"])?;
    let zone = existing(state, database, body)?;
    let mut results = Vec::new();
    for operation in array(body, "operations")? {
        let operation = keys(operation, &["operationType", "record", "desiredKeys"])?;
        let record = operation.get("record").ok_or_else(|| Refusal::bad("missing record"))?;
        let record = keys(record, &["recordName", "recordType", "recordChangeTag", "fields"])?;
        let result = match text(operation, "operationType")? {
            "create" => create(state, (database, zone), record)?,
            "forceDelete" => delete(state, (database, zone), record)?,
            _ => return Err(Refusal::bad("operations are create and forceDelete here")),
        };
        results.push(result);
    }
    Ok(json!({ "records": results }))
}

/// The record, or the error dictionary of its operation.
fn create(
    state: &mut State,
    place: (&Database, &str),
    record: &Map<String, Value>,
) -> Result<Value> {
    let (name, record_type) = (name(record, "recordName")?, text(record, "recordType")?);
    let fields = fields(record)?;
    if state.exists(place.0, place.1, name) {
        let exists = Refusal::new(409, state.exists_code, "record to insert already exists");
        return Ok(of_record(name, &exists));
    }
    if !state.knows_type(&place.0.environment, record_type) {
        let reason = format!("Cannot create new type {record_type} in production schema");
        return Ok(of_record(name, &Refusal::bad(reason)));
    }
    if state.is_full {
        let full = Refusal::new(413, "QUOTA_EXCEEDED", "Quota exceeded");
        return Ok(of_record(name, &full));
    }
    let made = state.create(place, (name, record_type), fields);
    Ok(shown(&made, None))
}

fn delete(
    state: &mut State,
    (database, zone): (&Database, &str),
    record: &Map<String, Value>,
) -> Result<Value> {
    let name = name(record, "recordName")?;
    if state.delete(database, zone, name) {
        return Ok(json!({ "recordName": name, "deleted": true }));
    }
    Ok(of_record(name, &Refusal::new(404, "NOT_FOUND", "Record not found")))
}

/// Fields with a value that is of their type, up to a megabyte (Data Size Limits).
fn fields(record: &Map<String, Value>) -> Result<Map<String, Value>> {
    let fields = record.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, field) in &fields {
        let field = keys(field, &["value", "type"])?;
        let value = field.get("value").ok_or_else(|| Refusal::bad("missing value"))?;
        let fits = match text(field, "type")? {
            "BYTES" => value.as_str().is_some_and(|text| Base64::decode_vec(text).is_ok()),
            "INT64" => value.is_i64(),
            "STRING" => value.is_string(),
            _ => false,
        };
        if !fits {
            let reason = format!("BadRequestException: Invalid value for field {name}");
            return Err(Refusal::bad(reason));
        }
    }
    if Value::from(fields.clone()).to_string().len() > 1024 * 1024 {
        return Err(Refusal::bad("record too large"));
    }
    Ok(fields)
}

fn lookup(state: &mut State, database: &Database, body: &Map<String, Value>) -> Result<Value> {
    let body = only(body, &["records", "zoneID", "desiredKeys", "numbersAsStrings"])?;
    let (zone, desired) = (existing(state, database, body)?, desired_keys(body)?);
    let mut found = Vec::new();
    for record in array(body, "records")? {
        let name = name(keys(record, &["recordName", "desiredKeys"])?, "recordName")?;
        found.push(match state.show(database, zone, name) {
            Some(record) => shown(&record, desired.as_deref()),
            None => of_record(name, &Refusal::new(404, "NOT_FOUND", "Record not found")),
        });
    }
    Ok(json!({ "records": found }))
}

fn changes(state: &mut State, database: &Database, body: &Map<String, Value>) -> Result<Value> {
    let mut zones = Vec::new();
    for wanted in array(only(body, &["zones", "resultsLimit"])?, "zones")? {
        let known = ["zoneID", "syncToken", "desiredKeys", "desiredRecordTypes", "resultsLimit"];
        let wanted = keys(wanted, &known)?;
        let zone = zone(wanted)?;
        let id = zone_id(state, database, zone);
        if zone == DEFAULT_ZONE {
            return Err(Refusal::bad("AppDefaultZone does not support sync semantics"));
        }
        if !state.has_zone(database, zone) {
            let mut missing = Refusal::no_zone().dictionary();
            missing["zoneID"] = id;
            zones.push(missing);
            continue;
        }
        let desired = desired_keys(wanted)?;
        let (after, limit) = (sync_token(wanted)?, state.largest_page);
        let (changed, more) = state.changes(database, zone, (after, limit));
        let last = changed.last().map_or(after, |record| record.changed);
        let shown: Vec<_> = changed.iter().map(|each| shown(each, desired.as_deref())).collect();
        zones.push(json!({
            "zoneID": id, "moreComing": more, "syncToken": format!("after-{last}"),
            "records": shown,
        }));
    }
    Ok(json!({ "zones": zones }))
}

fn sync_token(wanted: &Map<String, Value>) -> Result<u64> {
    let Some(token) = wanted.get("syncToken") else { return Ok(0) };
    let after = token.as_str().and_then(|token| token.strip_prefix("after-"));
    let after = after.and_then(|after| after.parse().ok());
    after.ok_or_else(|| Refusal::bad("Unknown sync continuation type"))
}

/// A record dictionary.
fn shown(record: &ICloudRecord, desired: Option<&[&str]>) -> Value {
    if record.is_deleted {
        return json!({ "recordName": record.name, "deleted": true });
    }
    let wanted = |name: &str| desired.is_none_or(|desired| desired.contains(&name));
    let fields = record.fields.iter().filter(|(name, _)| wanted(name));
    let fields: Map<_, _> = fields.map(|(name, field)| (name.clone(), field.clone())).collect();
    json!({
        "recordName": record.name,
        "recordType": record.record_type,
        "recordChangeTag": format!("{:x}", record.changed),
        "fields": fields,
        "pluginFields": {},
        "created": { "timestamp": 1_767_225_600_000u64 + record.changed },
        "deleted": false,
    })
}

/// A record fetch error dictionary.
fn of_record(name: &str, refusal: &Refusal) -> Value {
    let mut error = refusal.dictionary();
    error["recordName"] = name.into();
    error
}
