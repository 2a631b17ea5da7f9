//! A browser in the place of the system's, and a user who does something with its pages.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::support::node;

/// A folder with `xdg-open`, what the user does with pages, and which were opened.
pub(crate) struct Browser(TempDir);

impl Browser {
    /// The user is a script of `tests/js`, which is told what to do and the address.
    #[allow(dead_code, reason = "some tests have a user whose browser stays open")]
    pub(crate) fn new(script: &str) -> Self {
        let user = node::node(script);
        let script = Path::new(user.get_args().next().unwrap()).display();
        let packages = user.get_envs().find(|(name, _)| *name == "NODE_PATH").unwrap().1.unwrap();
        let packages = Path::new(packages).display();
        Self::that(&format!(
            "NODE_PATH='{packages}' exec node '{script}' \"$does\" \"$1\" > /dev/null"
        ))
    }

    /// What happens to an address `$1` is a line of shell, which finds what the user does in
    /// `$does` and its folder in `$folder`.
    pub(crate) fn that(opens: &str) -> Self {
        let browser = Self(tempfile::tempdir().unwrap());
        let folder = browser.0.path().display();
        let text = format!(
            "#!/bin/sh\nfolder='{folder}'\necho \"$1\" >> \"$folder/opened\"\n\
             read -r does < \"$folder/does\"\n[ \"$does\" = away ] && exit 0\n{opens}\n"
        );
        let path = browser.path_to("xdg-open");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        browser
    }

    /// A file of its folder.
    pub(crate) fn path_to(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// What the script is told with the next pages; with `away`, nothing is done.
    pub(crate) fn user(&self, does: &str) {
        fs::write(self.path_to("does"), does).unwrap();
    }

    /// How often it was opened.
    pub(crate) fn opened(&self) -> usize {
        let opened = fs::read_to_string(self.path_to("opened")).unwrap_or_default();
        opened.lines().count()
    }

    /// With what a command finds it.
    pub(crate) fn path(&self) -> (&'static str, OsString) {
        let path = format!("{}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        ("PATH", path.into())
    }
}
