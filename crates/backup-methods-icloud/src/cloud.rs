//! The calls of CloudKit Web Services (version 1) that a store needs.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use backup_cloud::TokenStore;
use backup_core::{EncryptionKey, Error, ErrorKind, KeyName, Result};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    Container, SignIn,
    http::{Http, Request},
    record::{self, Fields, RECORD_TYPE, WITHOUT_KEY, ZONE},
    refusal::{Failure, Refusal, unreadable},
    session::{Asking, Session},
    user,
};

/// A user's private database.
#[derive(Debug)]
pub(crate) struct Cloud(Session);

/// What became of a record that was to be made.
pub(crate) enum Made {
    Done,
    /// Something has its name.
    Exists,
    NoZone,
}

/// What is under a name.
pub(crate) enum Found {
    Key(EncryptionKey),
    NoRecord,
    /// Nor is there a zone: this account never kept a backup, or all of them were deleted.
    NoZone,
}

impl Cloud {
    pub(crate) fn new(
        container: Container,
        tokens: Arc<dyn TokenStore>,
        sign_in: Arc<dyn SignIn>,
    ) -> Result<Self> {
        Ok(Self(Session::new(Http::new(container)?, tokens, sign_in)))
    }

    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self(self.0.with_patience(patience))
    }

    pub(crate) fn of_user(self, user: String) -> Self {
        Self(self.0.of_user(user))
    }

    /// Who is expected to be signed in, if that is known.
    pub(crate) fn expected_user(&self) -> Option<&str> {
        self.0.expected_user()
    }

    pub(crate) fn asks(&self) -> bool {
        self.0.asks()
    }

    /// Makes a record, and overwrites none.
    pub(crate) async fn create(
        &self,
        asking: Asking<'_>,
        name: &KeyName,
        key: &EncryptionKey,
    ) -> Result<Made> {
        let body = record::create(name, key);
        let request = Request { operation: "private/records/modify", body: Some(body) };
        match self.of_one(asking, request, name).await {
            Ok(_) => Ok(Made::Done),
            Err(Failure::Exists) => Ok(Made::Exists),
            Err(Failure::NoZone) => Ok(Made::NoZone),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Makes the zone of all records. There already is fine.
    pub(crate) async fn create_zone(&self, asking: Asking<'_>) -> Result<()> {
        let operation = json!({ "operationType": "create", "zone": { "zoneID": ZONE } });
        let request = post("private/zones/modify", &json!({ "operations": [operation] }));
        let answer: Zones = match self.json(asking, request).await {
            Err(Failure::Exists) => return Ok(()),
            answer => answer?,
        };
        match answer.one()?.checked() {
            Ok(_) | Err(Failure::Exists) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The key under a name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Damaged`] if the record holds none.
    pub(crate) async fn lookup(&self, asking: Asking<'_>, name: &KeyName) -> Result<Found> {
        let records = json!([{ "recordName": name.as_str() }]);
        let body = json!({ "records": records, "zoneID": ZONE });
        match self.of_one(asking, post("private/records/lookup", &body), name).await {
            Ok(found) if !found.deleted => record::read(found.fields).map(Found::Key),
            Ok(_) | Err(Failure::NotFound) => Ok(Found::NoRecord),
            Err(Failure::NoZone) => Ok(Found::NoZone),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Deletes a record for good. Whether it was there.
    pub(crate) async fn delete(&self, asking: Asking<'_>, name: &KeyName) -> Result<bool> {
        let record = json!({ "recordName": name.as_str() });
        let operation = json!({ "operationType": "forceDelete", "record": record });
        let body = json!({ "operations": [operation], "zoneID": ZONE });
        match self.of_one(asking, post("private/records/modify", &body), name).await {
            Ok(_) => Ok(true),
            Err(Failure::NotFound | Failure::NoZone) => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The names of all records of the zone, by its history: that needs no index, and misses
    /// nothing that an index does not have yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if iCloud does not come to the end of it.
    pub(crate) async fn names(&self, asking: Asking<'_>) -> Result<BTreeSet<String>> {
        let (mut names, mut point) = (BTreeSet::new(), None);
        for _ in 0..MAX_PAGES {
            let answer: Zones = self.json(asking, changes_since(point.as_deref())).await?;
            let page = match answer.one()?.checked() {
                Ok(page) => page,
                Err(Failure::NoZone) => return Ok(names),
                Err(failure) => return Err(failure.into()),
            };
            for record in page.records.into_iter().flatten() {
                let name = record.record_name.clone();
                match record.checked() {
                    Ok(record) if !record.deleted => _ = names.insert(name),
                    Ok(_) | Err(Failure::NotFound) => _ = names.remove(&name),
                    Err(failure) => return Err(failure.into()),
                }
            }
            if !page.more_coming.ok_or_else(unreadable)? {
                return Ok(names);
            }
            // A history that stands still does not come to its end.
            if page.sync_token.is_none() || page.sync_token == point {
                break;
            }
            point = page.sync_token;
        }
        let message = "iCloud does not show all records; try again later";
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    /// The record name of the user who is signed in.
    pub(crate) async fn user(&self, asking: Asking<'_>) -> Result<String> {
        user::read(&self.body(asking, user::request()).await?)
    }

    /// The one record of an answer that has one.
    async fn of_one(
        &self,
        asking: Asking<'_>,
        request: Request,
        name: &KeyName,
    ) -> Result<Record, Failure> {
        #[derive(Deserialize)]
        struct Records {
            records: [Record; 1],
        }
        let Records { records: [record] } = self.json(asking, request).await?;
        if record.record_name != name.as_str() {
            return Err(unreadable().into());
        }
        record.checked()
    }

    async fn json<T: DeserializeOwned>(
        &self,
        asking: Asking<'_>,
        request: Request,
    ) -> Result<T, Failure> {
        let body = self.body(asking, request).await?;
        serde_json::from_slice(&body).map_err(|_| unreadable().into())
    }

    async fn body(
        &self,
        asking: Asking<'_>,
        request: Request,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self.0.call(asking, request).await {
            // It is the container that is not found: that says nothing about a record.
            Err(failure @ Failure::NotFound) => Err(Error::from(failure).into()),
            body => body,
        }
    }
}

/// More than anybody has: a hundred thousand records.
const MAX_PAGES: usize = 500;

fn post(operation: &'static str, body: &Value) -> Request {
    Request { operation, body: Some(Bytes::from(body.to_string())) }
}

fn changes_since(point: Option<&str>) -> Request {
    let mut zone = json!({
        "zoneID": ZONE, "desiredKeys": WITHOUT_KEY, "desiredRecordTypes": [RECORD_TYPE],
    });
    if let Some(point) = point {
        zone["syncToken"] = point.into();
    }
    post("private/changes/zone", &json!({ "zones": [zone] }))
}

/// A record, or the error dictionary that stands in its place.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    record_name: String,
    #[serde(default)]
    deleted: bool,
    fields: Option<Fields>,
    server_error_code: Option<String>,
    retry_after: Option<f64>,
}

impl Record {
    fn checked(self) -> Result<Self, Failure> {
        match &self.server_error_code {
            Some(code) => Err(Refusal::new(code.clone(), self.retry_after).into_failure(None)),
            None => Ok(self),
        }
    }
}

#[derive(Deserialize)]
struct Zones {
    zones: Vec<Zone>,
}

impl Zones {
    /// The zone that was asked for.
    fn one(self) -> Result<Zone> {
        let mut zones = self.zones.into_iter();
        zones.next().filter(|_| zones.next().is_none()).ok_or_else(unreadable)
    }
}

/// A zone and its history, or the error dictionary that stands in its place.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Zone {
    records: Option<Vec<Record>>,
    more_coming: Option<bool>,
    sync_token: Option<String>,
    server_error_code: Option<String>,
    retry_after: Option<f64>,
}

impl Zone {
    fn checked(self) -> Result<Self, Failure> {
        match &self.server_error_code {
            Some(code) => Err(Refusal::new(code.clone(), self.retry_after).into_failure(None)),
            None => Ok(self),
        }
    }
}
