//! A double of Google Drive: files of API version 3, as its public reference describes them.
//!
//! It knows what a backup method needs: `about.get`, and of files `generateIds`, `list`, `get`,
//! `create` (metadata alone, or multipart) and `delete`. What Drive refuses, it refuses: tokens
//! that were revoked, scopes that do not suffice, queries and field selections with mistakes,
//! parents that do not exist, ids that it did not generate, content types that are no upload. A
//! parameter that the reference does not name is refused here, though Drive overlooks it.
//! Google's own client for Python is run against it, in a test of `backup-methods-gdrive`.
//!
//! It cannot tell what Drive does against its own reference, nor how soon its listings are
//! complete: [`DriveDouble::show_late`] makes them as late as a test wants.

mod fault;
mod fields;
mod files;
mod handlers;
mod query;
mod refusal;
mod upload;

use std::sync::{Arc, Mutex};

use self::files::State;
pub use self::{
    fault::{DriveCall, DriveFault},
    files::{DriveFile, NewFile, Space},
};
use crate::{record::lock, server::Server};

/// Scope of the hidden folder: `drive.appdata`.
pub const APP_DATA: &str = "https://www.googleapis.com/auth/drive.appdata";
/// Scope of what the app itself made: `drive.file`.
pub const OWN_FILES: &str = "https://www.googleapis.com/auth/drive.file";
/// Scope of a whole Drive, but for what apps hide in it.
pub const WHOLE_DRIVE: &str = "https://www.googleapis.com/auth/drive";

/// A server on this machine that answers like Google Drive, until it is dropped.
#[derive(Debug)]
pub struct DriveDouble {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl DriveDouble {
    /// Starts it on a thread of its own, so that any executor can be used beside it.
    ///
    /// # Panics
    ///
    /// If this machine gives no port or no thread.
    #[must_use]
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        Self { server: Server::start(handlers::router(state.clone())), state }
    }

    /// Where it answers, as `https://www.googleapis.com` does.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// A token of `account`, a mail address, for the app of this Google Cloud project.
    #[must_use]
    pub fn token(&self, account: &str, app: &str, scopes: &[&str]) -> String {
        lock(&self.state).grant(account, app, scopes)
    }

    /// From now on takes a token that somebody else gave out.
    pub fn accept(&self, token: &str, account: &str, app: &str, scopes: &[&str]) {
        lock(&self.state).accept(token, account, app, scopes);
    }

    /// Takes this token no more.
    pub fn expire(&self, token: &str) {
        lock(&self.state).expire(token);
    }

    /// What happens when the user of `account` disconnects the app: its tokens end, and what it
    /// hid is deleted.
    pub fn disconnect(&self, account: &str, app: &str) {
        lock(&self.state).disconnect(account, app);
    }

    /// Puts a file there by another hand than the API's.
    pub fn add(&self, file: &NewFile<'_>) {
        lock(&self.state).add(file);
    }

    /// All files and folders, of all accounts, in the order in which they were made.
    #[must_use]
    pub fn files(&self) -> Vec<DriveFile> {
        lock(&self.state).files.clone()
    }

    /// Replaces the content of a file.
    pub fn rewrite(&self, id: &str, content: &[u8]) {
        lock(&self.state).each(id, |file| file.content = content.to_vec());
    }

    /// Moves a file, or a folder with what is in it, to the trash.
    pub fn trash(&self, id: &str) {
        lock(&self.state).each(id, |file| file.trashed = true);
    }

    /// Deletes a file, or a folder with what is in it, by another hand than the API's.
    pub fn remove(&self, id: &str) {
        lock(&self.state).delete(id);
    }

    /// Lets listings show a new file only when they have left it out `times` times.
    pub fn show_late(&self, times: usize) {
        lock(&self.state).shows_after = times;
    }

    /// Says of all listings that they may be incomplete.
    pub fn search_incompletely(&self) {
        lock(&self.state).is_incomplete = true;
    }

    /// Gives at most `size` files in one answer of a listing.
    pub fn list_at_most(&self, size: usize) {
        lock(&self.state).largest_page = size;
    }

    /// Has no room for another byte.
    pub fn fill(&self) {
        lock(&self.state).is_full = true;
    }

    /// Lets calls fail.
    pub fn inject(&self, fault: DriveFault) {
        lock(&self.state).faults.push(fault);
    }

    /// Lets no call fail any more that was to fail.
    pub fn heal(&self) {
        lock(&self.state).faults.clear();
    }

    /// What was called so far, refused or not.
    #[must_use]
    pub fn calls(&self) -> Vec<DriveCall> {
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
