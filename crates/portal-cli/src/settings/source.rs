//! Where a setting comes from.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::Setting;

/// Where a setting comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    Default,
    File { path: PathBuf, line: usize },
    Variable(Setting),
    Flag(Setting),
}

impl Source {
    /// A path that a file names is relative to that file, so that it means the same wherever the
    /// service is started.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        match self {
            Self::File { path: file, .. } => file.parent().unwrap_or(Path::new("")).join(path),
            _ => path.into(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(key) => f.write_str(&key.variable()),
            Self::Flag(key) => f.write_str(&key.flag()),
        }
    }
}
