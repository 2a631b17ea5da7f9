//! The method on a page, and a client who backs up with it.

use backup_core::ErrorKind;
use backup_methods_passkey::{Account, PasskeyPrf, RelyingParty};
use backup_testkit::{
    Client,
    passkey::{PasskeyFault, SoftwareAuthenticator},
};

pub(crate) use crate::page::Page;

impl Page {
    /// The method on this page.
    pub(crate) fn method(&self) -> PasskeyPrf {
        PasskeyPrf::new(self.clone(), acme(), alice())
    }
}

pub(crate) fn acme() -> RelyingParty {
    RelyingParty::new("example.com", "Acme").unwrap()
}

pub(crate) fn alice() -> Account {
    Account::new("alice@example.com", "Alice")
}

/// A device, and the page on it.
pub(crate) fn device() -> (SoftwareAuthenticator, Page) {
    let device = SoftwareAuthenticator::new();
    (device.clone(), Page::with([device]))
}

/// The page on a device of the same passkeys that has something wrong with it.
pub(crate) fn faulty(device: &SoftwareAuthenticator, fault: PasskeyFault) -> Page {
    Page::with([device.with_fault(fault)])
}

/// The kind and the text of the error with which `page` does not enroll.
pub(crate) fn enroll_error(page: &Page) -> (ErrorKind, String) {
    let client = Client::new();
    let error = block_on(client.back_up(&page.method())).unwrap_err();
    (error.kind(), error.to_string())
}

pub(crate) use futures_executor::block_on;
