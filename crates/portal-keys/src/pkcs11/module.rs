//! The vendor's library, loaded and initialized once in a process, as the standard wants it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, Result, RvError},
};

/// They stay: to finalize one would end the sessions of whoever else uses it.
static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// The library at `path`, ready for calls of several threads.
pub(super) fn load(path: &Path) -> Result<Pkcs11> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let module = match loaded.get(path) {
        Some(module) => module.clone(),
        None => loaded.entry(path.to_owned()).or_insert(Pkcs11::new(path)?).clone(),
    };
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Before, or by another part of this program.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(module),
        Err(error) => Err(error),
    }
}
