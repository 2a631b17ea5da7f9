//! A folder on a disk that keeps for sure only what was synced.

use std::collections::{BTreeMap, BTreeSet};

/// The files of one folder: their names and bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// One thing done to a file of a folder, by its name in there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileEffect {
    /// An empty file was created.
    Create(String),
    /// Bytes were written to a file's end.
    Write(String, Vec<u8>),
    /// Bytes were written to a file from this offset on.
    WriteAt(String, usize, Vec<u8>),
    /// A file was cut, or filled with zeros, to this length.
    SetLen(String, usize),
    /// A file's bytes were made durable.
    Sync(String),
    /// A file took another name, and the place of what had that name.
    Rename(String, String),
    /// A file got a second name.
    Link(String, String),
    /// A file was removed.
    Remove(String),
    /// The names in the folder were made durable.
    SyncFolder,
}

/// What a folder may hold after its disk lost power, by what was done to it before.
///
/// Names reach the disk in the order in which they were changed, up to any of them; what a file
/// holds reaches it at any time. So a rename may be durable while the renamed bytes are not.
///
/// ```
/// use backup_testkit::{Disk, FileEffect};
///
/// let create = FileEffect::Create("a".into());
/// let write = FileEffect::Write("a".into(), b"bytes".to_vec());
/// let may_be_there = Disk::after(&[create, write]).after_power_loss();
/// let held: Vec<_> = may_be_there.iter().map(|files| files.get("a").map(Vec::len)).collect();
/// assert_eq!(held, [None, Some(0), Some(2), Some(5)]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Disk {
    contents: Vec<Content>,
    names: Names,
    durable_names: Names,
    unsynced: Vec<Names>,
}

type Names = BTreeMap<String, usize>;

impl Disk {
    /// A folder to which all of this was done, in this order; it was empty before.
    ///
    /// # Panics
    ///
    /// If a file is written, synced, renamed or linked that is not there.
    #[must_use]
    pub fn after(effects: &[FileEffect]) -> Self {
        let mut disk = Self::default();
        effects.iter().for_each(|effect| disk.apply(effect));
        disk
    }

    /// A folder that holds these files, durably.
    #[must_use]
    pub fn holding(files: Files) -> Self {
        let mut disk = Self::default();
        for (name, bytes) in files {
            disk.contents.push(Content { durable: bytes, unsynced: Vec::new() });
            disk.names.insert(name, disk.contents.len() - 1);
        }
        disk.durable_names = disk.names.clone();
        disk
    }

    /// One thing more is done to the folder.
    ///
    /// # Panics
    ///
    /// As for [`after`](Self::after).
    pub fn apply(&mut self, effect: &FileEffect) {
        match effect {
            FileEffect::Create(name) => self.create(name),
            FileEffect::Write(name, bytes) => {
                let end = self.content(name).of(Kept::All).len();
                self.change(name, Change::Write(end, bytes.clone()));
            }
            FileEffect::WriteAt(name, offset, bytes) => {
                self.change(name, Change::Write(*offset, bytes.clone()));
            }
            FileEffect::SetLen(name, len) => self.change(name, Change::SetLen(*len)),
            FileEffect::Sync(name) => self.content(name).sync(),
            FileEffect::Rename(from, to) => self.rename(from, to),
            FileEffect::Link(from, to) => {
                self.names.insert(to.clone(), self.names[from]);
                self.unsynced.push(self.names.clone());
            }
            FileEffect::Remove(name) => {
                self.names.remove(name);
                self.unsynced.push(self.names.clone());
            }
            FileEffect::SyncFolder => {
                self.unsynced.clear();
                self.durable_names = self.names.clone();
            }
        }
    }

    /// Whether a file of this name is there while there is power.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// What the folder holds while there is power.
    #[must_use]
    pub fn files(&self) -> Files {
        self.files_of(&self.names, Kept::All)
    }

    /// Every state in which the folder may be after power was lost, the least that may be there
    /// first, none twice.
    #[must_use]
    pub fn after_power_loss(&self) -> Vec<Files> {
        let mut seen = BTreeSet::new();
        let durable_first = [&self.durable_names].into_iter().chain(&self.unsynced);
        durable_first
            .flat_map(|names| Kept::ALL.map(|kept| self.files_of(names, kept)))
            .filter(|files| seen.insert(files.clone()))
            .collect()
    }

    fn create(&mut self, name: &str) {
        self.contents.push(Content::default());
        self.names.insert(name.to_owned(), self.contents.len() - 1);
        self.unsynced.push(self.names.clone());
    }

    fn rename(&mut self, from: &str, to: &str) {
        let content = self.names.remove(from).expect("what is renamed is there");
        self.names.insert(to.to_owned(), content);
        self.unsynced.push(self.names.clone());
    }

    fn change(&mut self, name: &str, change: Change) {
        self.content(name).unsynced.push(change);
    }

    fn content(&mut self, name: &str) -> &mut Content {
        &mut self.contents[self.names[name]]
    }

    fn files_of(&self, names: &Names, kept: Kept) -> Files {
        names.iter().map(|(name, index)| (name.clone(), self.contents[*index].of(kept))).collect()
    }
}

/// What a file holds for sure, and what was done to it since.
#[derive(Clone, Debug, Default)]
struct Content {
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

/// How much is kept of what was not synced.
#[derive(Clone, Copy)]
enum Kept {
    Nothing,
    /// The first half of the changes, the last of them torn.
    Half,
    /// The last change alone: a disk need not keep their order.
    Last,
    All,
}

impl Kept {
    const ALL: [Self; 4] = [Self::Nothing, Self::Half, Self::Last, Self::All];
}

impl Content {
    fn sync(&mut self) {
        self.durable = self.of(Kept::All);
        self.unsynced.clear();
    }

    fn of(&self, kept: Kept) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let half = self.unsynced.len() / 2;
        let whole = match kept {
            Kept::Nothing => &[],
            Kept::Half => &self.unsynced[..half],
            Kept::Last => &self.unsynced[self.unsynced.len().saturating_sub(1)..],
            Kept::All => &self.unsynced[..],
        };
        whole.iter().for_each(|change| change.apply(&mut bytes));
        if let (Kept::Half, Some(Change::Write(offset, torn))) = (kept, self.unsynced.get(half)) {
            Change::Write(*offset, torn[..torn.len() / 2].to_vec()).apply(&mut bytes);
        }
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::SetLen(len) => bytes.resize(*len, 0),
            Self::Write(offset, written) => {
                let end = offset + written.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*offset..end].copy_from_slice(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Disk, FileEffect, Files};

    fn replace(sync_file: bool, sync_folder: bool) -> Vec<FileEffect> {
        let (new, name) = ("f.new".to_owned(), "f".to_owned());
        let mut effects = vec![
            FileEffect::Create(name.clone()),
            FileEffect::Write(name.clone(), b"old".to_vec()),
            FileEffect::Sync(name.clone()),
            FileEffect::SyncFolder,
            FileEffect::Create(new.clone()),
            FileEffect::Write(new.clone(), b"new!".to_vec()),
        ];
        effects.extend(sync_file.then(|| FileEffect::Sync(new.clone())));
        effects.push(FileEffect::Rename(new, name));
        effects.extend(sync_folder.then_some(FileEffect::SyncFolder));
        effects
    }

    fn held(effects: &[FileEffect]) -> Vec<Option<Vec<u8>>> {
        let files = Disk::after(effects).after_power_loss();
        files.iter().map(|files: &Files| files.get("f").cloned()).collect()
    }

    #[test]
    fn what_was_synced_is_there() {
        assert_eq!(held(&replace(true, true)), [Some(b"new!".to_vec())]);
    }

    #[test]
    fn a_rename_that_was_not_synced_is_undone_or_not() {
        let held = held(&replace(true, false));
        assert_eq!(held.first(), Some(&Some(b"old".to_vec())));
        assert_eq!(held.last(), Some(&Some(b"new!".to_vec())));
    }

    #[test]
    fn bytes_that_were_not_synced_are_lost_behind_a_durable_name() {
        for sync_folder in [false, true] {
            let held = held(&replace(false, sync_folder));
            assert!(held.contains(&Some(Vec::new())), "{held:?}");
            assert!(held.contains(&Some(b"ne".to_vec())), "{held:?}");
        }
    }

    #[test]
    fn what_was_synced_stays_under_what_was_not() {
        let name = || "f".to_owned();
        let mut disk = Disk::holding(Files::from([(name(), b"durable".to_vec())]));
        disk.apply(&FileEffect::WriteAt(name(), 0, b"DU".to_vec()));
        disk.apply(&FileEffect::SetLen(name(), 3));
        disk.apply(&FileEffect::Write(name(), b"!".to_vec()));
        let held: Vec<_> = disk.after_power_loss().into_iter().map(|mut f| f.remove("f")).collect();
        let expected = [&b"durable"[..], b"DUrable", b"dur!ble", b"DUr!"];
        assert_eq!(held, expected.map(|bytes| Some(bytes.to_vec())));
        disk.apply(&FileEffect::Sync(name()));
        assert_eq!(disk.after_power_loss(), [disk.files()]);
    }

    #[test]
    fn while_there_is_power_everything_is_there() {
        let files = Disk::after(&replace(false, false)).files();
        assert_eq!(files, Files::from([("f".to_owned(), b"new!".to_vec())]));
    }
}
