//! A browser in the place of the system's, and a user who does something with its pages.

use std::{ffi::OsString, fs, os::unix::fs::PermissionsExt, path::Path};

use tempfile::TempDir;

use crate::node;

/// A folder with `xdg-open`, what the user does with pages, and which were opened.
pub(crate) struct Browser(TempDir);

impl Browser {
    /// The user is a script of `tests/js`, which is told what to do and the address.
    pub(crate) fn new(script: &str) -> Self {
        let browser = Self(tempfile::tempdir().unwrap());
        let (folder, user) = (browser.0.path().display(), node::node(script));
        let script = Path::new(user.get_args().next().unwrap()).display();
        let packages = user.get_envs().find(|(name, _)| *name == "NODE_PATH").unwrap().1.unwrap();
        let text = format!(
            "#!/bin/sh\necho \"$1\" >> '{folder}/opened'\nread -r does < '{folder}/does'\n\
             [ \"$does\" = away ] && exit 0\n\
             NODE_PATH='{}' exec node '{script}' \"$does\" \"$1\" > /dev/null\n",
            Path::new(packages).display()
        );
        let path = browser.0.path().join("xdg-open");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        browser
    }

    /// What the script is told with the next pages; with `away`, nothing is done.
    pub(crate) fn user(&self, does: &str) {
        fs::write(self.0.path().join("does"), does).unwrap();
    }

    /// How often it was opened.
    pub(crate) fn opened(&self) -> usize {
        let opened = fs::read_to_string(self.0.path().join("opened")).unwrap_or_default();
        opened.lines().count()
    }

    /// With what a command finds it.
    pub(crate) fn path(&self) -> (&'static str, OsString) {
        let path = format!("{}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        ("PATH", path.into())
    }
}
