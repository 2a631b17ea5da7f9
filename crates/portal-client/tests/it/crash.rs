//! Crashes at every effect: after reopening, the old or the new state is there, never neither.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex},
};

use backup_core::{
    BackupId, Journal as _, MethodId, MethodParams, Result,
    secrecy::{ExposeSecret, SecretSlice},
};
use backup_testkit::{Disk, FileEffect};
use portal_client::{
    Effect,
    device::{DeviceStore, Trial, WalletOperation},
};
use tempfile::TempDir;

use crate::sample;

/// An effect that happened, by file name.
fn done(effect: Effect<'_>) -> FileEffect {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    match effect {
        Effect::Create(path) => FileEffect::Create(name(path)),
        Effect::Write(path, bytes) => FileEffect::Write(name(path), bytes.to_vec()),
        Effect::Sync(path) => FileEffect::Sync(name(path)),
        Effect::Rename(from, to) => FileEffect::Rename(name(from), name(to)),
        Effect::Remove(path) => FileEffect::Remove(name(path)),
        Effect::SyncFolder(_) => FileEffect::SyncFolder,
        _ => panic!("an effect that this test does not know: {effect:?}"),
    }
}

type Log = Arc<Mutex<Vec<FileEffect>>>;

/// A store whose process dies before the effect of number `stop`.
fn dying_store(folder: &Path, stop: usize) -> (DeviceStore, Log) {
    let log = Log::default();
    let seen = Arc::clone(&log);
    let observer = move |effect: Effect<'_>| {
        let mut seen = seen.lock().unwrap();
        if seen.len() == stop {
            return Err(io::Error::other("the process is dead"));
        }
        seen.push(done(effect));
        Ok(())
    };
    (sample::store(folder).observed_by(Arc::new(observer)), log)
}

/// What the device was told, and what it was doing when it died.
#[derive(Debug, Default)]
struct Told {
    written: u8,
    attempted: u8,
    announced: Option<u8>,
}

/// A life of a device, as far as it gets.
fn live(store: &DeviceStore, told: &mut Told) -> Result<()> {
    for number in 1..=2 {
        let mut operation = store.begin()?;
        told.attempted = number;
        operation.update(|state| state.set_record("n", SecretSlice::from(vec![number])))?;
        told.written = number;
        let journal = operation.journal();
        let backup = BackupId::new("b").unwrap();
        journal.start(MethodId::GDRIVE, backup, None, Trial::Awaited)?;
        journal.will_leave(&MethodId::GDRIVE, &MethodParams::from_bytes([number]).unwrap())?;
        told.announced = Some(number);
        drop(operation);
        let operation = store.begin()?;
        told.announced = None;
        operation.journal().clear()?;
    }
    Ok(())
}

fn number(operation: &WalletOperation<'_>) -> u8 {
    operation.state().record("n").map_or(0, |value| value.expose_secret()[0])
}

/// Reopens, and says what is wrong with what is there.
fn problem(folder: &Path, told: &Told) -> Option<String> {
    let store = sample::store(folder);
    let operation = match store.begin() {
        Ok(operation) => operation,
        Err(error) => return Some(format!("does not open: {error}")),
    };
    let found = number(&operation);
    if found != told.written && found != told.attempted {
        return Some(format!("{found} is neither the old nor the new state"));
    }
    let run = operation.journal().run();
    let announced = run.iter().flat_map(|run| &run.announced);
    let announced: Vec<_> = announced.map(|(_, params)| params.as_bytes()[0]).collect();
    match told.announced {
        Some(number) if !announced.contains(&number) => Some("the journal forgot".to_owned()),
        _ => None,
    }
}

/// Every folder that may be there after power was lost.
fn after_power_loss(log: &[FileEffect]) -> impl Iterator<Item = TempDir> {
    Disk::after(log).after_power_loss().into_iter().map(|files| {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    })
}

/// Lives until the effect of number `stop`; the folder, what was told, and what was done.
fn die_at(stop: usize) -> (TempDir, Told, Vec<FileEffect>) {
    let folder = tempfile::tempdir().unwrap();
    let (store, log) = dying_store(folder.path(), stop);
    let mut told = Told::default();
    let lived = live(&store, &mut told);
    let log = log.lock().unwrap().clone();
    assert!(lived.is_ok() || log.len() == stop, "it failed by itself: {lived:?}");
    (folder, told, log)
}

fn effects_of_a_life() -> usize {
    let (_, told, log) = die_at(usize::MAX);
    assert_eq!(told.written, 2);
    assert!(log.len() > 20, "only {} effects: do all go through the observer?", log.len());
    log.len()
}

#[test]
fn a_process_killed_before_any_effect_leaves_the_old_or_the_new_state() {
    for stop in 0..=effects_of_a_life() {
        let (folder, told, _) = die_at(stop);
        assert_eq!(problem(folder.path(), &told), None, "killed before effect {stop}: {told:?}");
    }
}

#[test]
fn a_device_that_loses_power_before_any_effect_has_the_old_or_the_new_state() {
    for stop in 0..=effects_of_a_life() {
        let (_, told, log) = die_at(stop);
        for folder in after_power_loss(&log) {
            let problem = problem(folder.path(), &told);
            assert_eq!(problem, None, "no power before effect {stop}: {told:?}");
        }
    }
}

#[test]
fn what_was_read_after_a_crash_outlives_a_loss_of_power() {
    for stop in 0..=effects_of_a_life() {
        let (folder, told, mut log) = die_at(stop);
        let (store, more) = dying_store(folder.path(), usize::MAX);
        let found = number(&store.begin().unwrap());
        log.extend(more.lock().unwrap().clone());
        let told = Told { written: found, attempted: found, ..told };
        for folder in after_power_loss(&log) {
            let problem = problem(folder.path(), &told);
            assert_eq!(problem, None, "killed before effect {stop}, read {found}, then no power");
        }
    }
}

#[test]
fn a_crash_leaves_nothing_that_keeps_a_device_from_going_on() {
    for stop in 0..=effects_of_a_life() {
        let (folder, ..) = die_at(stop);
        let store = sample::store(folder.path());
        store.begin().unwrap().journal().clear().unwrap();
        let mut told = Told::default();
        live(&store, &mut told).unwrap();
        assert_eq!(problem(folder.path(), &told), None, "killed before effect {stop}");
    }
}

/// The model of the disk can fail: without either kind of sync, something is lost.
#[test]
fn without_a_sync_of_files_or_of_the_folder_something_is_lost() {
    let is_sync = |done: &FileEffect| matches!(done, FileEffect::Sync(_));
    let is_folder_sync = |done: &FileEffect| matches!(done, FileEffect::SyncFolder);
    let kinds: [&dyn Fn(&FileEffect) -> bool; 2] = [&is_sync, &is_folder_sync];
    for is_omitted in kinds {
        let (_, told, log) = die_at(usize::MAX);
        let careless: Vec<_> = log.into_iter().filter(|done| !is_omitted(done)).collect();
        let mut folders = after_power_loss(&careless);
        assert!(folders.any(|folder| problem(folder.path(), &told).is_some()));
    }
}

#[test]
fn an_update_that_failed_is_not_followed_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let refuse_renames = |effect: Effect<'_>| match effect {
        Effect::Rename(..) => Err(io::Error::other("no")),
        _ => Ok(()),
    };
    let store = sample::store(folder.path()).observed_by(Arc::new(refuse_renames));
    let mut operation = store.begin().unwrap();
    assert!(operation.update(|_| Ok(())).is_err());
    let error = operation.update(|_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("begin the operation again"), "{error}");
    assert_eq!(operation.state().generation(), 0);
}
