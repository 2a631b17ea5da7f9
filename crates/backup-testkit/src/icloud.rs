//! A double of iCloud: the private database of CloudKit Web Services (version 1), as Apple's
//! reference describes it.
//!
//! It knows what a backup method needs: `users/current`, `zones/modify` (create), `records/modify`
//! (create and forceDelete), `records/lookup`, `changes/zone`, and signing in by a page that comes
//! back to the callback address of the API token. What CloudKit refuses, it refuses: API tokens and
//! containers that it does not know, web auth tokens that were used before, zones that nobody made,
//! record types that were not deployed to production, records that exist, dictionaries that lack
//! what they need. A key that the reference does not name is refused here, though CloudKit may
//! overlook it.
//!
//! It cannot tell what CloudKit does against its own reference, nor how soon a new record shows:
//! [`ICloudDouble::show_late`] makes that as late as a test wants.

mod calls;
mod fault;
mod handlers;
mod records;
mod refusal;
mod request;

use std::sync::{Arc, Mutex};

use self::records::State;
pub use self::{
    fault::{ICloudCall, ICloudFault},
    records::ICloudRecord,
};
use crate::{record::lock, server::Server};

/// The one container that the double has.
pub const CONTAINER: &str = "iCloud.com.example.wallet";
/// The API token of that container, in both environments.
pub const API_TOKEN: &str = "5f0c1b0e7f6d4b5c9a8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a3928";

/// A server on this machine that answers like CloudKit Web Services, until it is dropped.
#[derive(Debug)]
pub struct ICloudDouble {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl ICloudDouble {
    /// Starts it on a thread of its own, so that any executor can be used beside it.
    ///
    /// # Panics
    ///
    /// If this machine gives no port or no thread.
    #[must_use]
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let server = Server::start(handlers::router(state.clone()));
        lock(&state).url = server.url().to_owned();
        Self { server, state }
    }

    /// Where it answers, as `https://api.apple-cloudkit.com` does.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// A web auth token of `account`: what signing in yields. It is good for one call, whose answer
    /// carries the next one.
    #[must_use]
    pub fn token(&self, account: &str) -> String {
        lock(&self.state).grant(account)
    }

    /// Every web auth token that was ever given out.
    #[must_use]
    pub fn issued_tokens(&self) -> Vec<String> {
        lock(&self.state).issued.clone()
    }

    /// Takes no token any more that was given out until now.
    pub fn expire_tokens(&self) {
        lock(&self.state).tokens.clear();
    }

    /// Takes tokens again that were used before, as CloudKit was seen to do against its reference.
    pub fn take_used_tokens(&self) {
        lock(&self.state).takes_used_tokens = true;
    }

    /// The record name of the user of `account`.
    #[must_use]
    pub fn user(&self, account: &str) -> String {
        lock(&self.state).user(account)
    }

    /// Where the page for signing in comes back to, as it is registered with the API token.
    pub fn set_callback(&self, url: &str) {
        lock(&self.state).callback = Some(url.to_owned());
    }

    /// Makes the record types of development known in production.
    pub fn deploy_schema(&self) {
        lock(&self.state).deploy_schema();
    }

    /// All records, of all accounts, in the order in which they were made.
    #[must_use]
    pub fn records(&self) -> Vec<ICloudRecord> {
        lock(&self.state).live().cloned().collect()
    }

    /// Puts records in that were in another double, as Apple keeps them when this process has
    /// ended.
    pub fn put_back(&self, records: impl IntoIterator<Item = ICloudRecord>) {
        records.into_iter().for_each(|record| lock(&self.state).put_back(record));
    }

    /// Replaces a field of the record of this name, or takes it away: JSON in CloudKit's form.
    ///
    /// # Panics
    ///
    /// If it is no JSON.
    pub fn rewrite(&self, name: &str, field: &str, value: Option<&str>) {
        lock(&self.state).rewrite(name, field, value);
    }

    /// What happens when the user of `account` deletes what the app keeps in their iCloud.
    pub fn delete_all_of(&self, account: &str) {
        lock(&self.state).delete_all_of(account);
    }

    /// Lets lookups and changes show a new record only when they have left it out `times` times.
    pub fn show_late(&self, times: usize) {
        lock(&self.state).shows_after = times;
    }

    /// Gives at most `size` records in one answer.
    pub fn list_at_most(&self, size: usize) {
        lock(&self.state).largest_page = size;
    }

    /// Calls a record that exists by this error code, instead of `EXISTS`.
    pub fn say_of_what_exists(&self, code: &'static str) {
        lock(&self.state).exists_code = code;
    }

    /// Has no room for another byte.
    pub fn fill(&self) {
        lock(&self.state).is_full = true;
    }

    /// Lets calls fail.
    pub fn inject(&self, fault: ICloudFault) {
        lock(&self.state).faults.push(fault);
    }

    /// Lets no call fail any more that was to fail.
    pub fn heal(&self) {
        lock(&self.state).faults.clear();
    }

    /// What was called so far, refused or not.
    #[must_use]
    pub fn calls(&self) -> Vec<ICloudCall> {
        lock(&self.state).calls.clone()
    }

    /// Forgets what was called so far.
    pub fn forget_calls(&self) {
        lock(&self.state).calls.clear();
    }

    /// Waits until requests that were sent have had their effect.
    ///
    /// Needs a runtime of `tokio`.
    pub async fn settle(&self) {
        let under_way = lock(&self.state).under_way.clone();
        under_way.settle().await;
    }
}
