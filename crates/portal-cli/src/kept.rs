//! A file of a profile that says how something outside of it is reached: JSON, and no secret but an
//! app's own.

use std::{io, path::PathBuf};

use serde_json::Value;

use crate::{
    bounded_file, durable,
    failure::{Failure, Kind},
    profile::Profile,
};

/// Such a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) file: &'static str,
    /// The command that makes it anew.
    pub(crate) made_by: &'static str,
}

/// Bytes. More is no record of ours, and then no JSON either once it is cut off.
const LONGEST: usize = 16 * 1024;

/// The JSON of a file, of the version that all of ours have.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, &'static str> {
    let json: Value = serde_json::from_slice(bytes).map_err(|_| "not JSON")?;
    if json["version"].as_u64() != Some(1) {
        return Err("of another version");
    }
    Ok(json)
}

impl Kept {
    /// What the profile has, if anything.
    pub(crate) fn find<T>(
        &self,
        profile: &Profile,
        from_json: impl FnOnce(&[u8]) -> Result<T, &'static str>,
    ) -> Result<Option<T>, Failure> {
        let path = self.path(profile);
        let bytes = match bounded_file::read_beyond(&path, LONGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::of_file("read", &path, &error)),
        };
        from_json(&bytes).map(Some).map_err(|problem| {
            let path = path.display();
            let message = format!("{path}: {problem}; `{}` makes it anew", self.made_by);
            Failure::new(Kind::Damaged, message)
        })
    }

    /// Puts it into the profile, in place of what was there.
    pub(crate) fn keep(&self, profile: &Profile, json: &[u8]) -> Result<(), Failure> {
        durable::replace(&self.path(profile), json)
    }

    fn path(&self, profile: &Profile) -> PathBuf {
        profile.folder().join(self.file)
    }
}
