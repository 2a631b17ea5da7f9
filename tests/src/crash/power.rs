//! What a folder holds after its machine lost power, by the effects that a process recorded.

use std::{io, path::Path};

use anyhow::Result;
use backup_testkit::{Disk, FileEffect, Files};

use super::{recorder::Effect, world};

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
    for effect in log {
        let effect = of_folder(effect, folder)?.filter(&keeps);
        effect.iter().for_each(|effect| disk.apply(effect));
    }
    Ok(disk.after_power_loss())
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

fn of_folder(effect: &Effect, folder: &Path) -> Result<Option<FileEffect>> {
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
