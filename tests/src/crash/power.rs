//! What a folder holds after its machine lost power, by the effects that a process recorded.

use std::{collections::BTreeSet, io, path::Path};

use anyhow::{Result, bail};
use backup_testkit::{Disk, FileEffect, Files};

use super::{recorder::Effect, strace::Seen, world};

/// Every state in which `folder` may be, which held `before` durably, after these effects; the
/// least that may be there first.
///
/// # Errors
///
/// If the log is damaged.
pub fn after_loss(
    before: Files,
    log: &[Effect],
    folder: &Path,
    keeps: impl Fn(&FileEffect) -> bool,
) -> Result<Vec<Files>> {
    let mut disk = Disk::holding(before);
    let happened = of_folder(log, folder)?;
    happened.iter().filter(|effect| keeps(effect)).for_each(|effect| disk.apply(effect));
    Ok(disk.after_power_loss())
}

/// Every state in which a folder may be, which held `before` durably, if its process was killed or
/// lost its power at any system call since its last marker; but for the state in which all has
/// happened.
#[must_use]
pub fn since_marker(
    before: Files,
    seen: &[Seen],
    happens: impl Fn(&FileEffect) -> bool,
) -> Vec<Files> {
    let mut disk = Disk::holding(before);
    let marker = seen.iter().rposition(|seen| *seen == Seen::Marker);
    let (earlier, later) = seen.split_at(marker.map_or(0, |marker| marker + 1));
    let effect = |seen: &Seen| match seen {
        Seen::Effect(effect) => Some(effect.clone()).filter(&happens),
        Seen::Marker => None,
    };
    earlier.iter().filter_map(effect).for_each(|effect| disk.apply(&effect));
    let mut states = states(&disk);
    for effect in later.iter().filter_map(effect) {
        disk.apply(&effect);
        states.extend(self::states(&disk));
    }
    let now = disk.files();
    let mut known = BTreeSet::from([without_index(now)]);
    states.retain(|state| known.insert(state.clone()));
    states
}

fn states(disk: &Disk) -> Vec<Files> {
    let all = disk.after_power_loss().into_iter().chain([disk.files()]);
    all.map(without_index).collect()
}

/// SQLite makes the index of its log anew, and writes to it in ways that leave no trace.
fn without_index(mut files: Files) -> Files {
    files.retain(|name, _| !name.ends_with("-shm"));
    files
}

/// What lost its power, without files that hold nothing which outlasts a process.
///
/// # Errors
///
/// If a file cannot be read.
pub fn held(folder: &Path) -> io::Result<Files> {
    let mut files = world::files(folder)?;
    files.retain(|name, _| !name.ends_with(".lock"));
    Ok(files)
}

/// The effects of a log on the files of a folder.
///
/// # Errors
///
/// If the log is damaged.
pub fn of_folder(log: &[Effect], folder: &Path) -> Result<Vec<FileEffect>> {
    log.iter().filter_map(|effect| one_of_folder(effect, folder).transpose()).collect()
}

/// Whether an observer was told of all that was seen, and of nothing else.
///
/// # Errors
///
/// The first difference.
pub fn same(seen: &[Seen], told: &[FileEffect]) -> Result<()> {
    let is_lock = |name: &str| name.ends_with(".lock");
    let seen = seen.iter().filter_map(|seen| match seen {
        Seen::Effect(FileEffect::Create(name)) if is_lock(name) => None,
        Seen::Effect(effect) => Some(effect),
        Seen::Marker => None,
    });
    let mut told = told.iter();
    for seen in seen {
        let next = told.next();
        if next != Some(seen) {
            bail!("{seen:?} happened, and the observer was told of {next:?}");
        }
    }
    match told.next() {
        Some(told) => bail!("{told:?} was told, and did not happen"),
        None => Ok(()),
    }
}

fn one_of_folder(effect: &Effect, folder: &Path) -> Result<Option<FileEffect>> {
    let name = |path: &Path| {
        let name = path.file_name().filter(|_| path.parent() == Some(folder));
        name.map(|name| name.to_string_lossy().into_owned())
    };
    let effect = match effect {
        Effect::Create(path) => name(path).map(FileEffect::Create),
        Effect::Write(path, hex) => {
            let bytes = base16ct::lower::decode_vec(hex)
                .map_err(|_| anyhow::anyhow!("bytes in a log are no hex"))?;
            name(path).map(|name| FileEffect::Write(name, bytes))
        }
        Effect::Sync(path) => name(path).map(FileEffect::Sync),
        Effect::Rename(from, to) => {
            name(from).zip(name(to)).map(|(from, to)| FileEffect::Rename(from, to))
        }
        Effect::Remove(path) => name(path).map(FileEffect::Remove),
        Effect::SyncFolder(path) => (path == folder).then_some(FileEffect::SyncFolder),
        Effect::Other(_) => None,
    };
    Ok(effect)
}
