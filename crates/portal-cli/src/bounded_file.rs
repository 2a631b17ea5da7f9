//! Reads files that have a longest length.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::failure::{Failure, Kind};

/// Reads the file at `path`, or standard input for `-`; longer ones are refused.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let bytes = read_beyond(path, limit).map_err(|error| Failure::of_file("read", path, &error))?;
    if bytes.len() > limit {
        let message = format!("{} is longer than {limit} bytes", path.display());
        return Err(Failure::new(Kind::Failed, message));
    }
    Ok(bytes)
}

/// Reads one byte more than `limit` at most: enough to know that there is more.
pub(crate) fn read_beyond(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = limit as u64 + 1;
    if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
