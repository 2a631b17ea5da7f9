//! Golden vectors of this crate, as `docs/format.md` describes them.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    sync::Arc,
};

use backup_core::{
    ClientId, Curve, CustodianId, Error, KeyContext, KeyEncryption, Point, SharePairId,
    secrecy::ExposeSecret,
};
use futures_executor::block_on;
use portal_keys::{KeyCheck, KeyFile, KeyRing, SealedShare, ShareContext, ShareRole};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) comment: String,
    pub(crate) key_files: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wrap: Option<WrapVector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sealed_share: Option<ShareVector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_check: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) key_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrapVector {
    pub(crate) context: BTreeMap<String, String>,
    pub(crate) wrapped: String,
    pub(crate) data_key: String,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShareVector {
    pub(crate) custodian: String,
    pub(crate) client: String,
    pub(crate) curve: String,
    pub(crate) wallet: String,
    pub(crate) pair: String,
    pub(crate) role: String,
    pub(crate) record: String,
    pub(crate) share: String,
}

/// A wrap under a key in a token.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenVector {
    pub(crate) token: String,
    pub(crate) object: String,
    pub(crate) key: String,
    pub(crate) key_id: String,
    pub(crate) wrap: WrapVector,
}

impl Vector {
    /// Does everything that the vector has inputs for, in the order of its members.
    pub(crate) fn open(&self) -> Result<(), Error> {
        let files: Vec<_> = self
            .key_files
            .iter()
            .map(|text| read_text(text.as_bytes()).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let ids: Vec<_> = files.iter().map(|file| file.key_id().to_owned()).collect();
        if self.error.is_none() {
            assert_eq!(ids, self.key_ids);
        }
        if let Some(wrap) = &self.wrap {
            let unwrapped = block_on(files[0].unwrap(&unhex(&wrap.wrapped), &wrap.context()))?;
            assert_eq!(hex(unwrapped.expose()), wrap.data_key);
        }
        let ring = KeyRing::new(files.into_iter().map(|file| file as Arc<dyn KeyEncryption>))?;
        if let Some(vector) = &self.sealed_share {
            let record = SealedShare::decode(&unhex(&vector.record))?;
            let share = block_on(record.open(&vector.context(), &ring))?;
            assert_eq!(hex(share.expose_secret()), vector.share);
            assert_eq!(hex(&record.encode()), vector.record);
        }
        if let Some(check) = &self.key_check {
            block_on(ring.verify(&[KeyCheck::decode(&unhex(check))?]))?;
        }
        Ok(())
    }
}

impl WrapVector {
    /// The names of a context stand in the code elsewhere; here they are leaked.
    pub(crate) fn context(&self) -> KeyContext {
        self.context.iter().fold(KeyContext::new(), |context, (name, value)| {
            context.with(Box::leak(name.clone().into_boxed_str()), value.clone())
        })
    }
}

impl ShareVector {
    pub(crate) fn context(&self) -> ShareContext {
        let curve = Curve::ALL.into_iter().find(|curve| curve.as_str() == self.curve).unwrap();
        let roles = [ShareRole::CustodianBackup, ShareRole::ServerSigning];
        ShareContext {
            custodian: CustodianId::new(self.custodian.as_str()).unwrap(),
            client: ClientId::new(self.client.as_str()).unwrap(),
            wallet: Point::new(curve, &unhex(&self.wallet)).unwrap(),
            pair: SharePairId::new(self.pair.as_str()).unwrap(),
            role: roles.into_iter().find(|role| role.as_str() == self.role).unwrap(),
        }
    }
}

/// The key of a file with this text.
pub(crate) fn read_text(text: &[u8]) -> Result<KeyFile, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    write_owner_only(&path, text);
    Ok(KeyFile::open(&path)?)
}

pub(crate) fn write_owner_only(path: &Path, text: &[u8]) {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path).unwrap().write_all(text).unwrap();
}

pub(crate) fn read_vector(path: &Path) -> Vector {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    base16ct::lower::decode_vec(text).unwrap()
}
