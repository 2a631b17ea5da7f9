//! The facts that a ciphertext is bound to, in the one encoding that all of them use.

use crate::{EncryptionContext, codec::Writer};

/// A label and length-prefixed facts behind it.
///
/// The length prefixes keep one fact from passing for part of another, the label keeps one kind of
/// ciphertext from passing for another.
pub(crate) struct Facts(Writer);

impl Facts {
    pub(crate) fn new(label: &str) -> Self {
        let mut writer = Writer::default();
        writer.bytes(label.as_bytes());
        Self(writer)
    }

    pub(crate) fn context(self, context: &EncryptionContext) -> Self {
        self.fact(context.custodian.as_str()).fact(context.client.as_str())
    }

    pub(crate) fn fact(mut self, fact: impl AsRef<[u8]>) -> Self {
        self.0.bytes(fact.as_ref());
        self
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.finish()
    }
}
