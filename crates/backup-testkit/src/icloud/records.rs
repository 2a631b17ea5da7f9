//! Accounts, zones and records.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ICloudCall, ICloudFault};
use crate::server::UnderWay;

/// A record, as it lies in the double. Whoever serializes it can put it into another one.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ICloudRecord {
    /// The account that it is in.
    pub account: String,
    /// `development` or `production`.
    pub environment: String,
    /// The zone that it is in.
    pub zone: String,
    /// Unique in its zone.
    pub name: String,
    /// Its type.
    pub record_type: String,
    pub(super) fields: Map<String, Value>,
    /// Its place in the order of changes.
    pub(super) changed: u64,
    pub(super) is_deleted: bool,
    pub(super) left_out: usize,
}

/// Where records are: the private database of one account, in one environment.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Database {
    pub(super) account: String,
    pub(super) environment: String,
}

/// All that the double knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) url: String,
    pub(super) callback: Option<String>,
    records: Vec<ICloudRecord>,
    zones: BTreeSet<(Database, String)>,
    /// Record types, by environment.
    schema: BTreeSet<(String, String)>,
    /// The account of each token that is good.
    pub(super) tokens: BTreeMap<String, String>,
    pub(super) issued: Vec<String>,
    users: BTreeMap<String, String>,
    /// Sign-ins that were begun.
    pub(super) flows: BTreeSet<String>,
    clock: u64,
    pub(super) shows_after: usize,
    pub(super) largest_page: usize,
    pub(super) exists_code: &'static str,
    pub(super) is_full: bool,
    pub(super) takes_used_tokens: bool,
    pub(super) faults: Vec<ICloudFault>,
    pub(super) calls: Vec<ICloudCall>,
    pub(super) under_way: Arc<UnderWay>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            url: String::new(),
            callback: None,
            records: Vec::new(),
            zones: BTreeSet::new(),
            schema: BTreeSet::new(),
            tokens: BTreeMap::new(),
            issued: Vec::new(),
            users: BTreeMap::new(),
            flows: BTreeSet::new(),
            clock: 0,
            shows_after: 0,
            largest_page: 200,
            exists_code: "EXISTS",
            is_full: false,
            takes_used_tokens: false,
            faults: Vec::new(),
            calls: Vec::new(),
            under_way: Arc::default(),
        }
    }
}

impl State {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// A token with every character that has to be escaped in an address.
    pub(super) fn grant(&mut self, account: &str) -> String {
        let token = format!("54__13__{}+/==", Base64::encode_string(&random::<36>()));
        self.tokens.insert(token.clone(), account.to_owned());
        self.issued.push(token.clone());
        token
    }

    /// Whose token this is, and the next one. The one that was used is good no more.
    pub(super) fn redeem(&mut self, token: &str) -> Option<(String, String)> {
        let account = if self.takes_used_tokens {
            self.tokens.get(token).cloned()
        } else {
            self.tokens.remove(token)
        }?;
        let next = self.grant(&account);
        Some((account, next))
    }

    /// The address of a page on which somebody can sign in once.
    pub(super) fn begin_sign_in(&mut self) -> String {
        let flow = hex(&random::<16>());
        let page = format!("{}/signin?flow={flow}", self.url);
        self.flows.insert(flow);
        page
    }

    pub(super) fn user(&mut self, account: &str) -> String {
        let fresh = || format!("_{}", hex(&random::<16>()));
        self.users.entry(account.to_owned()).or_insert_with(fresh).clone()
    }

    pub(super) fn deploy_schema(&mut self) {
        let known: Vec<_> = self.schema.iter().map(|(_, name)| name.clone()).collect();
        self.schema.extend(known.into_iter().map(|name| ("production".to_owned(), name)));
    }

    /// Whether records of this type can be made. In development the first one makes its type.
    pub(super) fn knows_type(&mut self, environment: &str, name: &str) -> bool {
        let known = (environment.to_owned(), name.to_owned());
        if environment == "development" {
            self.schema.insert(known.clone());
        }
        self.schema.contains(&known)
    }

    pub(super) fn create_zone(&mut self, database: &Database, zone: &str) {
        self.zones.insert((database.clone(), zone.to_owned()));
    }

    pub(super) fn has_zone(&self, database: &Database, zone: &str) -> bool {
        zone == DEFAULT_ZONE || self.zones.contains(&(database.clone(), zone.to_owned()))
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &ICloudRecord> {
        self.records.iter().filter(|record| !record.is_deleted)
    }

    fn find(&mut self, database: &Database, zone: &str, name: &str) -> Option<&mut ICloudRecord> {
        let is_it = |record: &&mut ICloudRecord| {
            !record.is_deleted && record.name == name && record.is_in(database, zone)
        };
        self.records.iter_mut().find(is_it)
    }

    pub(super) fn exists(&mut self, database: &Database, zone: &str, name: &str) -> bool {
        self.find(database, zone, name).is_some()
    }

    /// A record as somebody who asks for it sees it.
    pub(super) fn show(
        &mut self,
        database: &Database,
        zone: &str,
        name: &str,
    ) -> Option<ICloudRecord> {
        let record = self.find(database, zone, name)?;
        record.shows().then(|| record.clone())
    }

    pub(super) fn create(
        &mut self,
        (database, zone): (&Database, &str),
        (name, record_type): (&str, &str),
        fields: Map<String, Value>,
    ) -> ICloudRecord {
        // A name has one place in the order of changes, that of its last change.
        self.records.retain(|record| record.name != name || !record.is_in(database, zone));
        let record = ICloudRecord {
            account: database.account.clone(),
            environment: database.environment.clone(),
            zone: zone.to_owned(),
            name: name.to_owned(),
            record_type: record_type.to_owned(),
            fields,
            changed: self.tick(),
            is_deleted: false,
            left_out: self.shows_after,
        };
        self.records.push(record.clone());
        record
    }

    /// A record of another double, with its zone and its type.
    pub(super) fn put_back(&mut self, record: ICloudRecord) {
        let ICloudRecord { account, environment, zone, .. } = &record;
        let database = Database { account: account.clone(), environment: environment.clone() };
        self.zones.insert((database, zone.clone()));
        self.schema.insert((environment.clone(), record.record_type.clone()));
        let changed = self.tick();
        self.records.push(ICloudRecord { changed, ..record });
    }

    pub(super) fn delete(&mut self, database: &Database, zone: &str, name: &str) -> bool {
        let changed = self.tick();
        let Some(record) = self.find(database, zone, name) else { return false };
        (record.is_deleted, record.changed) = (true, changed);
        record.fields.clear();
        true
    }

    /// What changed in a zone after this point, and whether there is more.
    pub(super) fn changes(
        &mut self,
        database: &Database,
        zone: &str,
        (after, limit): (u64, usize),
    ) -> (Vec<ICloudRecord>, bool) {
        let in_zone = self.records.iter_mut().filter(|record| record.is_in(database, zone));
        let later = in_zone.filter(|record| record.changed > after);
        let mut later: Vec<_> =
            later.filter_map(|record| record.shows().then(|| record.clone())).collect();
        later.sort_by_key(|record| record.changed);
        let has_more = later.len() > limit;
        later.truncate(limit);
        (later, has_more)
    }

    pub(super) fn rewrite(&mut self, name: &str, field: &str, value: Option<&str>) {
        let value = value.map(|json| serde_json::from_str::<Value>(json).expect("JSON"));
        for record in self.records.iter_mut().filter(|record| record.name == name) {
            match &value {
                Some(value) => _ = record.fields.insert(field.to_owned(), value.clone()),
                None => _ = record.fields.remove(field),
            }
        }
    }

    pub(super) fn delete_all_of(&mut self, account: &str) {
        self.records.retain(|record| record.account != account);
        self.zones.retain(|(database, _)| database.account != account);
    }
}

impl ICloudRecord {
    /// A field, as JSON in CloudKit's form: value and type.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields.get(name).map(Value::to_string)
    }

    fn is_in(&self, database: &Database, zone: &str) -> bool {
        self.account == database.account
            && self.environment == database.environment
            && self.zone == zone
    }

    /// Whether this time it is not left out.
    fn shows(&mut self) -> bool {
        let shows = self.left_out == 0;
        self.left_out = self.left_out.saturating_sub(1);
        shows
    }
}

pub(super) const DEFAULT_ZONE: &str = "_defaultZone";

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
