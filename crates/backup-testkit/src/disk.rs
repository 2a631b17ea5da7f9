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
    /// A file's bytes were made durable.
    Sync(String),
    /// A file took another name, and the place of what had that name.
    Rename(String, String),
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

#[derive(Clone, Debug)]
struct Content {
    bytes: Vec<u8>,
    is_synced: bool,
}

impl Disk {
    /// A folder to which all of this was done, in this order; it was empty before.
    ///
    /// # Panics
    ///
    /// If a file is written, synced or renamed that is not there.
    #[must_use]
    pub fn after(effects: &[FileEffect]) -> Self {
        let mut disk = Self::default();
        effects.iter().for_each(|effect| disk.apply(effect));
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
                let content = self.content(name);
                content.bytes.extend(bytes);
                content.is_synced = false;
            }
            FileEffect::Sync(name) => self.content(name).is_synced = true,
            FileEffect::Rename(from, to) => {
                let content = self.names.remove(from).expect("what is renamed is there");
                self.names.insert(to.clone(), content);
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
        self.contents.push(Content { bytes: Vec::new(), is_synced: false });
        self.names.insert(name.to_owned(), self.contents.len() - 1);
        self.unsynced.push(self.names.clone());
    }

    fn content(&mut self, name: &str) -> &mut Content {
        &mut self.contents[self.names[name]]
    }

    fn files_of(&self, names: &Names, kept: Kept) -> Files {
        let content = |content: &usize| kept.of(&self.contents[*content]);
        names.iter().map(|(name, index)| (name.clone(), content(index))).collect()
    }
}

/// How much is kept of what was not synced.
#[derive(Clone, Copy)]
enum Kept {
    Nothing,
    Half,
    All,
}

impl Kept {
    const ALL: [Self; 3] = [Self::Nothing, Self::Half, Self::All];

    fn of(self, content: &Content) -> Vec<u8> {
        let len = match self {
            _ if content.is_synced => content.bytes.len(),
            Self::Nothing => 0,
            Self::Half => content.bytes.len() / 2,
            Self::All => content.bytes.len(),
        };
        content.bytes[..len].to_vec()
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
    fn while_there_is_power_everything_is_there() {
        let files = Disk::after(&replace(false, false)).files();
        assert_eq!(files, Files::from([("f".to_owned(), b"new!".to_vec())]));
    }
}
