//! The keys that shares are sealed under: a table of the file for each.
//!
//! They are no flags: which keys there are is written down, beside the reasons.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use backup_core::KeyEncryption;
#[cfg(feature = "pkcs11")]
use backup_core::secrecy::{ExposeSecret, SecretString};
use portal_keys::{KeyFile, KeyRing};
use portal_server::KEY_FILE;
use serde_json::{Value, json};
use toml::de::DeValue;

use super::{Settings, Source, file::plain};
use crate::failure::{Failure, Kind};
#[cfg(feature = "pkcs11")]
use crate::secret_file;

/// A key, as the file names it.
#[derive(Clone, Debug)]
pub(crate) struct KeySetting {
    is_active: bool,
    provider: Provider,
    source: Source,
}

#[derive(Clone, Debug)]
enum Provider {
    File { path: PathBuf },
    AwsKms { arn: String, endpoint: Option<String> },
    Pkcs11 { module: PathBuf, token: String, key: String, pin_file: PathBuf },
}

/// The name of the table that has them: `[[custody.keys]]`.
pub(super) const TABLE: &str = "custody";

/// Reads that table; what is wrong with it goes to `wrong`.
pub(super) fn read(
    value: &DeValue<'_>,
    at: &impl Fn(usize) -> Source,
    keys: &mut Vec<KeySetting>,
    wrong: &mut Vec<String>,
) {
    let tables = value.get("keys").and_then(|keys| keys.get_ref().as_array());
    let is_alone = value.as_table().is_some_and(|table| table.len() == 1);
    let Some(tables) = tables.filter(|_| is_alone) else {
        wrong.push("custody: it has keys, and nothing else: [[custody.keys]]".to_owned());
        return;
    };
    for table in tables {
        let source = at(table.span().start);
        match one(table.get_ref(), &source) {
            Ok(key) => keys.push(key),
            Err(message) => wrong.push(format!("{source}: {message}")),
        }
    }
}

fn one(value: &DeValue<'_>, source: &Source) -> Result<KeySetting, String> {
    let table = value.as_table().ok_or("a key is a table: [[custody.keys]]")?;
    let mut fields = BTreeMap::new();
    for (name, value) in table {
        let text =
            plain(value.get_ref()).ok_or_else(|| format!("{} is no text", name.get_ref()))?;
        fields.insert(name.get_ref().to_string(), text);
    }
    let is_active = match fields.remove("state").as_deref() {
        None | Some("active") => true,
        Some("retired") => false,
        Some(other) => return Err(format!("state cannot be {other:?}; it is active or retired")),
    };
    let kind = fields.remove("kind").unwrap_or_default();
    let mut take = |name: &str| {
        let text = fields.remove(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| format!("a key of kind {kind:?} has a {name}"))
    };
    let provider = match kind.as_str() {
        "file" => Provider::File { path: source.resolve(&take("path")?) },
        "aws-kms" => Provider::AwsKms { arn: take("arn")?, endpoint: take("endpoint").ok() },
        "pkcs11" => Provider::Pkcs11 {
            module: source.resolve(&take("module")?),
            token: take("token")?,
            key: take("key")?,
            pin_file: source.resolve(&take("pin-file")?),
        },
        _ => return Err(format!("kind cannot be {kind:?}; it is file, aws-kms or pkcs11")),
    };
    match fields.into_keys().next() {
        Some(name) => Err(format!("a key of this kind has no {name}")),
        None => Ok(KeySetting { is_active, provider, source: source.clone() }),
    }
}

impl Settings {
    /// The keys that the settings name, opened as far as they are files; none if they name none.
    pub(crate) fn ring(&self) -> Result<Option<KeyRing>, Failure> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let (mut active, mut retired) = (Vec::new(), Vec::new());
        for key in &self.keys {
            let provider = key.provider.open().map_err(|failure| failure.at(&key.source))?;
            if key.is_active { active.push(provider) } else { retired.push(provider) }
        }
        Ok(Some(KeyRing::new(active)?.with_retired(retired)?))
    }

    /// The same, or the one in the data folder.
    pub(crate) fn ring_of_the_service(&self) -> Result<KeyRing, Failure> {
        match self.ring()? {
            Some(ring) => Ok(ring),
            None => {
                let path = self.options.folder.join(KEY_FILE);
                let key: Arc<dyn KeyEncryption> = Arc::new(key_file(&path)?);
                Ok(KeyRing::new([key])?)
            }
        }
    }
}

impl KeySetting {
    /// As it stands in the file.
    pub(crate) fn as_toml(&self) -> String {
        let Value::Object(fields) = self.as_json() else { unreachable!("a key is an object") };
        let lines = fields.iter().filter(|(name, value)| *name != "from" && !value.is_null());
        let lines: Vec<_> = lines.map(|(name, value)| format!("{name} = {value}")).collect();
        format!("\n[[custody.keys]] # {}\n{}", self.source, lines.join("\n"))
    }

    /// Nothing in it is a secret.
    pub(crate) fn as_json(&self) -> Value {
        let mut json = match &self.provider {
            Provider::File { path } => json!({ "kind": "file", "path": path }),
            Provider::AwsKms { arn, endpoint } => {
                json!({ "kind": "aws-kms", "arn": arn, "endpoint": endpoint })
            }
            Provider::Pkcs11 { module, token, key, pin_file } => json!({
                "kind": "pkcs11",
                "module": module,
                "token": token,
                "key": key,
                "pin-file": pin_file,
            }),
        };
        json["state"] = if self.is_active { "active" } else { "retired" }.into();
        json["from"] = self.source.to_string().into();
        json
    }
}

impl Provider {
    fn open(&self) -> Result<Arc<dyn KeyEncryption>, Failure> {
        match self {
            Self::File { path } => Ok(Arc::new(key_file(path)?)),
            #[cfg(feature = "aws-kms")]
            Self::AwsKms { arn, endpoint } => {
                Ok(Arc::new(portal_keys::AwsKmsKey::new(arn, endpoint.as_deref())?))
            }
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11 { module, token, key, pin_file } => {
                let (module, token, key) = (module.clone(), token.clone(), key.clone());
                let options =
                    portal_keys::Pkcs11Options { module, token, key, pin: pin(pin_file)? };
                Ok(Arc::new(portal_keys::Pkcs11Key::new(options)?))
            }
            #[cfg(not(feature = "aws-kms"))]
            Self::AwsKms { .. } => Err(not_built("aws-kms")),
            #[cfg(not(feature = "pkcs11"))]
            Self::Pkcs11 { .. } => Err(not_built("pkcs11")),
        }
    }
}

fn key_file(path: &Path) -> Result<KeyFile, Failure> {
    Ok(KeyFile::open(path).map_err(backup_core::Error::from)?)
}

#[cfg(feature = "pkcs11")]
fn pin(path: &Path) -> Result<SecretString, Failure> {
    let pin = secret_file::read_private_line(path)?;
    if pin.expose_secret().is_empty() {
        let message = format!("{} holds no PIN: a line of text", path.display());
        return Err(Failure::new(Kind::Damaged, message));
    }
    Ok(pin)
}

#[cfg(any(not(feature = "aws-kms"), not(feature = "pkcs11")))]
fn not_built(feature: &str) -> Failure {
    let message = format!("this program was built without {feature}; build it with that feature");
    Failure::new(Kind::Usage, message)
}
