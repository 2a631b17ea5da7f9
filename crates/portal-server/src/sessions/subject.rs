//! What a session is about: what is kept of it in the clear, and what is sealed with its state.

use portal_api::{DevicePublicKey, FirstPost, PairName, PerCurve};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a session is about. It holds no secret, and outlives the session with its mark.
#[derive(Debug)]
pub(super) struct Subject {
    /// Whose signature the posts carry.
    pub(super) signer: DevicePublicKey,
    /// The set that what is made replaces.
    pub(super) replaces: Option<DevicePublicKey>,
    /// Its pairs.
    pub(super) pairs: Pairs,
}

/// The pairs of a session, which its states and replies are bound to.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Pairs {
    /// Those that it starts from.
    pub(super) old: PerCurve<PairName>,
    /// Those that it makes.
    pub(super) new: PerCurve<PairName>,
}

impl Pairs {
    /// Those that the second step ends with: those that it makes, or the same again.
    pub(super) fn made(&self) -> &PerCurve<PairName> {
        if self.new.iter().next().is_some() { &self.new } else { &self.old }
    }

    /// As they stand in the database.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names of pairs are plain text")
    }
}

/// What the second post needs of the first: its head, and the protocols' state.
pub(super) struct Kept {
    bytes: Zeroizing<Vec<u8>>,
}

/// What was kept is not what this release writes.
#[derive(Debug)]
pub(super) struct NotKept;

impl Kept {
    pub(super) fn new(head: &FirstPost, state: &[u8]) -> Self {
        let head = serde_json::to_vec(head).expect("our heads are plain structs");
        let len = u32::try_from(head.len()).expect("heads have at most 128 KiB");
        let mut bytes = Zeroizing::new(Vec::with_capacity(LEN + head.len() + state.len()));
        for part in [&len.to_be_bytes(), head.as_slice(), state] {
            bytes.extend_from_slice(part);
        }
        Self { bytes }
    }

    pub(super) const fn opened(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { bytes }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn head(&self) -> Result<FirstPost, NotKept> {
        serde_json::from_slice(self.split()?.0).map_err(|_| NotKept)
    }

    pub(super) fn state(&self) -> Result<&[u8], NotKept> {
        Ok(self.split()?.1)
    }

    fn split(&self) -> Result<(&[u8], &[u8]), NotKept> {
        let (len, rest) = self.bytes.split_first_chunk().ok_or(NotKept)?;
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| NotKept)?;
        rest.split_at_checked(len).ok_or(NotKept)
    }
}

/// The length of the head's length.
const LEN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_state_come_back_as_they_were_kept_and_a_cut_is_noticed() {
        let head = FirstPost::Confirm { device_key: DevicePublicKey::from_bytes([7; 32]) };
        let kept = Kept::new(&head, b"state");
        let bytes = kept.as_bytes().to_vec();
        let opened = Kept::opened(Zeroizing::new(bytes.clone()));
        assert_eq!(opened.head().unwrap(), head);
        assert_eq!(opened.state().unwrap(), b"state");
        for len in 0..bytes.len() - b"state".len() {
            let cut = Kept::opened(Zeroizing::new(bytes[..len].to_vec()));
            assert!(cut.head().is_err(), "{len} bytes");
            assert!(cut.state().is_err(), "{len} bytes");
        }
    }
}
