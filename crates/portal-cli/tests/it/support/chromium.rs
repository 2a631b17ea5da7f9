//! Chromium with passkeys in the place of the system's browser. It stays open from one command to
//! the next, and so do its passkeys, as synchronized ones do.

use std::{
    ffi::OsString,
    fs::File,
    process::{Child, Command},
};

use crate::support::{browser::Browser, node};

pub(crate) struct Chromium {
    browser: Browser,
    process: Child,
    /// While it is open, more addresses may come.
    asked: Option<File>,
}

impl Chromium {
    /// Behind `site`, `https://…`, the service at `service` answers.
    pub(crate) fn start(site: &str, service: &str) -> Self {
        // An address of ours has nothing in it that JSON would escape.
        let browser = Browser::that(
            "printf '{\"act\":\"%s\",\"url\":\"%s\"}\\n' \"$does\" \"$1\" > \"$folder/asked\"",
        );
        let asked = browser.path_to("asked");
        assert!(Command::new("mkfifo").arg(&asked).status().unwrap().success());
        // Open for writing here, so that it does not end with the first address; and for reading,
        // as a pipe is not opened for one of them before somebody has it open for the other.
        let more = File::options().read(true).write(true).open(&asked).unwrap();
        let said = File::create(browser.path_to("said")).unwrap();
        let process = node::node("passkey_user.cjs")
            .args([site, service])
            .stdin(File::open(&asked).unwrap())
            .stdout(said)
            .spawn()
            .expect("Node runs");
        let chromium = Self { browser, process, asked: Some(more) };
        chromium.user("agrees");
        chromium
    }

    /// What the user does on the next pages; one of the script's acts, or `away`.
    pub(crate) fn user(&self, does: &str) {
        self.browser.user(does);
    }

    /// How often it was opened.
    pub(crate) fn opened(&self) -> usize {
        self.browser.opened()
    }

    /// With what a command finds it.
    pub(crate) fn path(&self) -> (&'static str, OsString) {
        self.browser.path()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It closes its browser when no more addresses can come, and not when it is killed.
        drop(self.asked.take());
        let _ = self.process.wait();
    }
}
