//! The operator's key: in a file, in AWS KMS, or in a token.

use std::ffi::OsString;
#[cfg(feature = "keys")]
use std::sync::Arc;

use anyhow::{Result, bail};
#[cfg(feature = "keys")]
use backup_core::KeyEncryption;
use backup_testkit::{MOTO_CREDENTIALS, Moto, SoftHsm};
use clap::{Args, ValueEnum};
use portal_keys::KeyRing;

/// What a service's key is in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Keys {
    /// In the file that the service makes
    #[default]
    File,
    /// In a double of AWS KMS
    AwsKms,
    /// In `SoftHSM`, by PKCS#11
    Pkcs11,
}

/// What keeps the keys of all worlds. It outlives every process.
#[derive(Debug)]
pub enum Provider {
    /// Nothing: they are files.
    File,
    /// A KMS.
    AwsKms(Moto),
    /// A token.
    Pkcs11(SoftHsm),
}

/// Where a service finds its key.
#[derive(Args, Clone, Debug)]
pub struct Key {
    /// What the key is in.
    #[arg(long, value_enum, default_value_t)]
    keys: Keys,
    /// The KMS, if it is there.
    #[arg(long, requires = "arn")]
    kms: Option<String>,
    /// The key's name there.
    #[arg(long, requires = "kms")]
    arn: Option<String>,
}

impl Provider {
    /// Starts one with a key.
    #[must_use]
    pub fn start(keys: Keys) -> Self {
        match keys {
            Keys::File => Self::File,
            Keys::AwsKms => Self::AwsKms(Moto::start(1)),
            Keys::Pkcs11 => Self::Pkcs11(SoftHsm::with_keys(&[LABEL])),
        }
    }

    /// How a service is told of it.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let words = match self {
            Self::File => Vec::new(),
            Self::AwsKms(moto) => {
                vec!["--keys", "aws-kms", "--kms", moto.url(), "--arn", &moto.arns()[0]]
            }
            Self::Pkcs11(_) => vec!["--keys", "pkcs11"],
        };
        words.into_iter().map(OsString::from).collect()
    }

    /// What a service needs in its environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        match self {
            Self::File => Vec::new(),
            Self::AwsKms(_) => MOTO_CREDENTIALS.map(|(name, value)| (name, value.into())).into(),
            Self::Pkcs11(hsm) => {
                let (name, value) = hsm.variable();
                vec![(name, value.into_os_string())]
            }
        }
    }
}

impl Key {
    /// The ring with it; none for the file that the service makes.
    ///
    /// # Errors
    ///
    /// If this program was built without its kind.
    pub fn ring(&self) -> Result<Option<KeyRing>> {
        if self.keys == Keys::File { Ok(None) } else { self.outside().map(Some) }
    }

    #[cfg(feature = "keys")]
    fn outside(&self) -> Result<KeyRing> {
        let key: Arc<dyn KeyEncryption> = match (self.keys, &self.arn, &self.kms) {
            (Keys::AwsKms, Some(arn), Some(kms)) => {
                Arc::new(portal_keys::AwsKmsKey::new(arn, Some(kms))?)
            }
            (Keys::Pkcs11, ..) => Arc::new(portal_keys::Pkcs11Key::new(in_token())?),
            _ => bail!("a key in a KMS has a name there"),
        };
        Ok(KeyRing::new([key])?)
    }

    #[cfg(not(feature = "keys"))]
    fn outside(&self) -> Result<KeyRing> {
        bail!("there is no such key: build this with the feature `keys`")
    }
}

#[cfg(feature = "keys")]
fn in_token() -> portal_keys::Pkcs11Options {
    portal_keys::Pkcs11Options {
        module: SoftHsm::MODULE.into(),
        token: SoftHsm::TOKEN.into(),
        key: LABEL.into(),
        pin: SoftHsm::PIN.into(),
    }
}

const LABEL: &str = "kek";
