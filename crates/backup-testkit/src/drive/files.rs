//! Accounts, apps and files.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    APP_DATA, DriveCall, DriveFault, OWN_FILES, WHOLE_DRIVE,
    refusal::{Refusal, Result},
};
use crate::server::UnderWay;

/// Where a file is kept.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Space {
    /// The user's own folders.
    Drive,
    /// What an app hides in the user's account.
    AppData,
}

impl Space {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Drive => "drive",
            Self::AppData => "appDataFolder",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Drive, Self::AppData].into_iter().find(|space| space.name() == name)
    }
}

/// A file or folder, as it lies in the double.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DriveFile {
    /// Unique in all of Drive.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Where it is kept.
    pub space: Space,
    /// The mail address of the account that it is in.
    pub owner: String,
    /// The Google Cloud project whose app made it.
    pub app: String,
    /// The id of its folder.
    pub parent: String,
    /// Its type.
    pub mime_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Whether it is in the trash.
    pub trashed: bool,
    /// When it was made, in milliseconds on the double's clock.
    pub created: u64,
    pub(super) shared_with: Option<String>,
    pub(super) left_out: usize,
}

/// A file that comes there by another hand.
#[derive(Clone, Debug)]
pub struct NewFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it is kept; in the space's root.
    pub space: Space,
    /// The account that it is in.
    pub owner: &'a str,
    /// Whose app made it, and may see it by the scope `drive.file`.
    pub app: &'a str,
    /// Its type.
    pub mime_type: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
    /// Another account that may read it.
    pub shared_with: Option<&'a str>,
}

/// What a token allows.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) account: String,
    pub(super) app: String,
    scopes: BTreeSet<String>,
}

impl Grant {
    pub(super) fn allows(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }

    /// Any scope with which files can be made and deleted.
    pub(super) fn check_any(&self) -> Result<()> {
        let any = [APP_DATA, OWN_FILES, WHOLE_DRIVE].iter().any(|scope| self.allows(scope));
        if any { Ok(()) } else { Err(insufficient()) }
    }

    pub(super) fn check_space(&self, space: Space) -> Result<()> {
        let allowed = match space {
            Space::AppData => self.allows(APP_DATA),
            Space::Drive => self.allows(OWN_FILES) || self.allows(WHOLE_DRIVE),
        };
        if allowed {
            return Ok(());
        }
        let message = "The granted scopes do not give access to all of the requested spaces.";
        Err(Refusal::new(403, "insufficientScopes", message))
    }

    pub(super) fn sees(&self, file: &DriveFile) -> bool {
        let mine = file.owner == self.account || file.shared_with.as_ref() == Some(&self.account);
        let own = file.app == self.app;
        mine && match file.space {
            Space::AppData => own && self.allows(APP_DATA),
            Space::Drive => self.allows(WHOLE_DRIVE) || own && self.allows(OWN_FILES),
        }
    }
}

fn insufficient() -> Refusal {
    let message = "Insufficient Permission: Request had insufficient authentication scopes.";
    Refusal::new(403, "insufficientPermissions", message)
}

/// All that the double knows.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) files: Vec<DriveFile>,
    grants: BTreeMap<String, Grant>,
    /// Generated and not used yet.
    ids: BTreeMap<String, Space>,
    clock: u64,
    pub(super) shows_after: usize,
    pub(super) largest_page: usize,
    pub(super) is_full: bool,
    pub(super) is_incomplete: bool,
    pub(super) faults: Vec<DriveFault>,
    pub(super) calls: Vec<DriveCall>,
    pub(super) under_way: Arc<UnderWay>,
}

impl State {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// As long as Drive's ids, and in no order.
    pub(super) fn fresh_id(&self) -> String {
        let random = || getrandom::u64().expect("the operating system has randomness");
        format!("1{:016x}-{:015X}", random(), random() >> 4)
    }

    pub(super) fn grant(&mut self, account: &str, app: &str, scopes: &[&str]) -> String {
        let token = format!("ya29.double-{}", self.fresh_id());
        self.accept(&token, account, app, scopes);
        token
    }

    pub(super) fn accept(&mut self, token: &str, account: &str, app: &str, scopes: &[&str]) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let grant = Grant { account: account.to_owned(), app: app.to_owned(), scopes };
        self.grants.insert(token.to_owned(), grant);
    }

    pub(super) fn expire(&mut self, token: &str) {
        self.grants.remove(token);
    }

    pub(super) fn disconnect(&mut self, account: &str, app: &str) {
        self.grants.retain(|_, grant| grant.account != account || grant.app != app);
        let hidden = |file: &DriveFile| {
            file.space == Space::AppData && file.owner == account && file.app == app
        };
        self.files.retain(|file| !hidden(file));
    }

    pub(super) fn whose(&self, token: Option<&str>) -> Result<Grant> {
        token
            .and_then(|token| self.grants.get(token))
            .cloned()
            .ok_or_else(|| Refusal::new(401, "authError", "Invalid Credentials"))
    }

    pub(super) fn generate_ids(&mut self, count: usize, space: Space) -> Vec<String> {
        let ids: Vec<_> = (0..count).map(|_| self.fresh_id()).collect();
        self.ids.extend(ids.iter().map(|id| (id.clone(), space)));
        ids
    }

    /// The id of a file to be made: one that was generated for this space, or a fresh one.
    pub(super) fn take_id(&mut self, wanted: Option<&str>, space: Space) -> Result<String> {
        let Some(wanted) = wanted else { return Ok(self.fresh_id()) };
        if self.files.iter().any(|file| file.id == wanted) {
            let message = "A file already exists with the provided ID.";
            return Err(Refusal::new(409, "fileIdInUse", message));
        }
        match self.ids.get(wanted) {
            Some(of) if *of == space => Ok(self.ids.remove_entry(wanted).expect("it is there").0),
            _ => Err(Refusal::invalid("file.id", "The provided file ID is not usable.")),
        }
    }

    pub(super) fn add(&mut self, new: &NewFile<'_>) {
        let parent = root_of(new.space, new.owner, new.app);
        let mut file = self.made(self.fresh_id(), new, parent);
        file.shared_with = new.shared_with.map(str::to_owned);
        file.left_out = 0;
        self.files.push(file);
    }

    pub(super) fn made(&mut self, id: String, new: &NewFile<'_>, parent: String) -> DriveFile {
        DriveFile {
            id,
            name: new.name.to_owned(),
            space: new.space,
            owner: new.owner.to_owned(),
            app: new.app.to_owned(),
            parent,
            mime_type: new.mime_type.to_owned(),
            content: new.content.to_vec(),
            trashed: false,
            created: self.tick(),
            shared_with: None,
            left_out: self.shows_after,
        }
    }

    /// Changes a file, and all that lies in it.
    pub(super) fn each(&mut self, id: &str, change: impl Fn(&mut DriveFile) + Copy) {
        let inside: Vec<_> = self.inside(id);
        for file in self.files.iter_mut().filter(|file| inside.contains(&file.id)) {
            change(file);
        }
    }

    pub(super) fn delete(&mut self, id: &str) {
        let inside = self.inside(id);
        self.files.retain(|file| !inside.contains(&file.id));
    }

    fn inside(&self, id: &str) -> Vec<String> {
        let children = self.files.iter().filter(|file| file.parent == id);
        let below = children.flat_map(|child| self.inside(&child.id));
        [id.to_owned()].into_iter().chain(below).collect()
    }
}

/// The id of the folder that has no folder around it.
pub(super) fn root_of(space: Space, account: &str, app: &str) -> String {
    match space {
        Space::Drive => format!("0A{}", account.replace('@', "-")),
        Space::AppData => format!("0B{}-{app}", account.replace('@', "-")),
    }
}

/// Milliseconds of the double's clock, as RFC 3339 writes them.
pub(super) fn time(millis: u64) -> String {
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("2026-01-01T{hours:02}:{minutes:02}:{:02}.{rest:03}Z", seconds % 60)
}
