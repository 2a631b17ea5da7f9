//! The audit chain: every access to a custodian's half, and all that the passkey enclave did, in an
//! order that nobody changes unseen.

use std::{fmt, str::FromStr};

use backup_core::{ClientId, CustodianId, EncryptionContext};
use sha2::{Digest, Sha256};

/// What was done with a custodian's half, or asked of the passkey enclave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Access {
    /// It was made, and sealed here or posted to its custodian.
    Made,
    /// It was opened to see whether it is the one that belongs to a device's.
    Checked,
    /// It took part in a recovery.
    Used,
    /// It left the service, so that a wallet can be ejected.
    Released,
    /// It was asked for at the custodian that keeps it.
    Fetched,
    /// The passkey enclave did what it was asked for, and released no key.
    Enclave,
    /// The passkey enclave released a key.
    KeyReleased,
    /// The passkey enclave refused what it was asked for.
    EnclaveRefused,
}

/// One access. It is durable before the half is touched, or before the enclave answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditRecord {
    /// 1 for the first, and one more for each.
    pub number: u64,
    /// When it was (seconds since 1970, by the service's clock).
    pub at: u64,
    /// What was done.
    pub access: Access,
    /// Whose client's half it was.
    pub custodian: CustodianId,
    /// Whose wallet's half it was.
    pub client: ClientId,
    /// The name of the half's pair; empty for all of the client's. Of the enclave: what was asked,
    /// why it was refused, and the key and passkey that it was about.
    pub pair: String,
    /// The hash of the chain up to here.
    pub hash: [u8; 32],
}

/// The end of a chain: whoever keeps it elsewhere can later see that all before it is as it was.
///
/// As text it is the number of the last record, a colon and the hash in hexadecimal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AuditHead {
    /// Of the last record, or 0 for a chain without any.
    pub number: u64,
    /// The hash of the last record, or zeros.
    pub hash: [u8; 32],
}

/// Why a chain is not what it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokenChain {
    /// A record does not go with the one before it.
    #[error("audit record {0} was changed, or one before it was changed, removed or added")]
    At(u64),
    /// The chain ends before a head that is known.
    #[error("the audit ends with record {0}, and had more: the last ones were removed")]
    Short(u64),
}

/// Text that is no head.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the end of an audit is a number, a colon and 64 hexadecimal digits, as `verify` shows it")]
pub struct NoHead;

impl Access {
    const ALL: [Self; 8] = [
        Self::Made,
        Self::Checked,
        Self::Used,
        Self::Released,
        Self::Fetched,
        Self::Enclave,
        Self::KeyReleased,
        Self::EnclaveRefused,
    ];

    /// The name in the database and in exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Made => "MADE",
            Self::Checked => "CHECKED",
            Self::Used => "USED",
            Self::Released => "RELEASED",
            Self::Fetched => "FETCHED",
            Self::Enclave => "ENCLAVE",
            Self::KeyReleased => "KEY_RELEASED",
            Self::EnclaveRefused => "ENCLAVE_REFUSED",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.as_str() == name)
    }
}

impl AuditRecord {
    /// The one that follows `head`, of an access to a pair of `client`.
    #[must_use]
    pub fn after(
        head: &AuditHead,
        at: u64,
        access: Access,
        client: &EncryptionContext,
        pair: String,
    ) -> Self {
        let EncryptionContext { custodian, client } = client.clone();
        let number = head.number + 1;
        let mut record = Self { number, at, access, custodian, client, pair, hash: [0; 32] };
        record.hash = record.hash_after(head);
        record
    }

    /// The end of the chain with this record.
    #[must_use]
    pub fn head(&self) -> AuditHead {
        AuditHead { number: self.number, hash: self.hash }
    }

    /// The hash of the chain once this record follows `before`: SHA-256 of the fields, each with
    /// its length before it, as `docs/operations.md` has them.
    #[must_use]
    pub fn hash_after(&self, before: &AuditHead) -> [u8; 32] {
        let fields: [&[u8]; 8] = [
            b"portal-audit/1",
            &before.hash,
            &self.number.to_be_bytes(),
            &self.at.to_be_bytes(),
            self.access.as_str().as_bytes(),
            self.custodian.as_str().as_bytes(),
            self.client.as_str().as_bytes(),
            self.pair.as_bytes(),
        ];
        let mut hash = Sha256::new();
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        hash.finalize().into()
    }
}

impl AuditHead {
    /// The end of the chain with this record.
    ///
    /// # Errors
    ///
    /// [`BrokenChain::At`] if it is not the one that was put after this end.
    pub fn followed_by(&self, record: &AuditRecord) -> Result<Self, BrokenChain> {
        let number = record.number;
        let follows = number == self.number + 1 && record.hash == record.hash_after(self);
        if follows { Ok(record.head()) } else { Err(BrokenChain::At(number)) }
    }
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, base16ct::lower::encode_string(&self.hash))
    }
}

impl FromStr for AuditHead {
    type Err = NoHead;

    fn from_str(text: &str) -> Result<Self, NoHead> {
        let (number, hash) = text.split_once(':').ok_or(NoHead)?;
        let hash = base16ct::lower::decode_vec(hash).map_err(|_| NoHead)?;
        let hash = hash.try_into().map_err(|_| NoHead)?;
        Ok(Self { number: number.parse().map_err(|_| NoHead)?, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64, pair: &str) -> AuditRecord {
        AuditRecord {
            number,
            at: 1_700_000_000,
            access: Access::Released,
            custodian: CustodianId::new("acme").unwrap(),
            client: ClientId::new("alice").unwrap(),
            pair: pair.to_owned(),
            hash: [0; 32],
        }
    }

    /// Computed by Python's `hashlib` from the words of `docs/operations.md`.
    #[test]
    fn a_record_is_hashed_as_the_document_says() {
        let head = AuditHead { number: 1, hash: [7; 32] };
        let hash = base16ct::lower::encode_string(&record(2, "pair-1").hash_after(&head));
        assert_eq!(hash, "3d0c2366522ed4df3ff1ae90370d446dcfefc1f855a1be87d26b0fe3f4a3648e");
    }

    #[test]
    fn every_field_of_a_record_and_its_place_count() {
        let before = AuditHead { number: 4, hash: [1; 32] };
        let mut fine = record(5, "pair");
        fine.hash = fine.hash_after(&before);
        let after = before.followed_by(&fine).unwrap();
        assert_eq!(after, AuditHead { number: 5, hash: fine.hash });
        let changes: [fn(&mut AuditRecord); 7] = [
            |record| record.number += 1,
            |record| record.at += 1,
            |record| record.access = Access::Used,
            |record| record.custodian = CustodianId::new("acm").unwrap(),
            |record| record.client = ClientId::new("ealice").unwrap(),
            |record| record.pair.clear(),
            |record| record.hash[31] ^= 1,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = fine.clone();
            change(&mut changed);
            assert!(before.followed_by(&changed).is_err(), "change {number}");
        }
        let elsewhere = AuditHead { hash: [2; 32], ..before };
        assert_eq!(elsewhere.followed_by(&fine), Err(BrokenChain::At(5)));
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_nothing_else_is() {
        let head = AuditHead { number: 12, hash: [0xab; 32] };
        assert_eq!(head.to_string().parse::<AuditHead>().unwrap(), head);
        for text in ["", "12", "12:", "12:ab", ":12", "x:00", &format!("-1:{}", "00".repeat(32))] {
            assert!(text.parse::<AuditHead>().is_err(), "{text}");
        }
    }
}
