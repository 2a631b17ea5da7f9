//! Test vectors of `tests/python/portal_blobs.py`: a blob, what opens it, and what comes out.

use std::{collections::BTreeMap, error::Error, fs, path::Path};

use backup_core::secrecy::SecretString;
use portal_import::{
    ByCurve, ImportError, PortalCustodianShare, PortalKey, PortalShare, Side, open_with_key,
    open_with_password,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    #[expect(dead_code, reason = "for who reads the file")]
    comment: String,
    cipher_text: String,
    key: Option<String>,
    password: Option<String>,
    #[serde(default)]
    shares: BTreeMap<String, Share>,
    /// By curve, what the custodian gave.
    #[serde(default)]
    custodian: BTreeMap<String, String>,
    /// By curve, what is ejected.
    #[serde(default)]
    private_keys: BTreeMap<String, String>,
    error: Option<String>,
}

#[derive(Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
struct Share {
    id: Option<String>,
    client: Option<String>,
    backup_pair: Option<String>,
    public_key: String,
    client_public_key: String,
    server_public_key: String,
}

impl Vector {
    pub(crate) fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
    }

    /// The shares come out, and eject.
    pub(crate) fn opens(&self) -> Result<(), Box<dyn Error>> {
        let opened = self.open()?;
        let shares = opened.iter().map(|(curve, share)| (curve.to_string(), Share::of(share)));
        assert_eq!(shares.collect::<BTreeMap<_, _>>(), self.shares);
        assert_eq!(self.eject(&opened)?, self.private_keys);
        Ok(())
    }

    /// The first thing that goes wrong is what the vector says.
    pub(crate) fn is_refused(&self) {
        let error = self.open().and_then(|opened| self.eject(&opened)).expect_err("it opened");
        assert_eq!(Some(format!("{error:?}")), self.error, "{error}");
    }

    fn open(&self) -> Result<ByCurve<PortalShare>, ImportError> {
        match (&self.key, &self.password) {
            (Some(key), None) => open_with_key(&self.cipher_text, &PortalKey::from_hex(key)?),
            (None, Some(password)) => {
                open_with_password(&self.cipher_text, &SecretString::from(password.as_str()))
            }
            _ => panic!("a vector has either a key or a password"),
        }
    }

    fn eject(
        &self,
        opened: &ByCurve<PortalShare>,
    ) -> Result<BTreeMap<String, String>, ImportError> {
        let mut keys = BTreeMap::new();
        for (curve, share) in opened.iter() {
            let Some(custodian) = self.custodian.get(curve.as_str()) else { continue };
            let key = share.eject(&PortalCustodianShare::from_json(custodian)?)?;
            keys.insert(curve.to_string(), key.expose().to_owned());
        }
        Ok(keys)
    }
}

impl Share {
    fn of(share: &PortalShare) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        assert_eq!(share.signing_share_pair_id(), None, "a backup names none");
        Self {
            id: owned(share.id()),
            client: owned(share.client_id()),
            backup_pair: owned(share.backup_share_pair_id()),
            public_key: share.public_key().to_string(),
            client_public_key: share.partial_public_key(Side::Client).to_string(),
            server_public_key: share.partial_public_key(Side::Server).to_string(),
        }
    }
}
