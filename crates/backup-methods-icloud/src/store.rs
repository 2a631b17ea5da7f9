//! Keys as records in the private database that an app has in the user's iCloud.

use std::{fmt, sync::Arc, time::Duration};

use backup_cloud::TokenStore;
use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId, Operation, Result,
    async_trait,
};

use crate::{
    Container, ICloudProblem, SignIn,
    cloud::{Cloud, Found, Made},
    session::Asking,
};

/// Keeps each key in a record of its own in the user's private database.
///
/// `StoredKey::new(store)` makes the backup method of it. A store is one account: that of the
/// user who is signed in.
#[derive(Clone)]
pub struct ICloudStore(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    container: Container,
}

impl ICloudStore {
    /// A store in the private database of `container`, of the user whom `sign_in` signs in. What
    /// keeps them signed in is in `tokens`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if the device cannot speak HTTPS.
    pub fn new(
        container: Container,
        tokens: Arc<dyn TokenStore>,
        sign_in: Arc<dyn SignIn>,
    ) -> Result<Self> {
        let cloud = Cloud::new(container.clone(), tokens, sign_in)?;
        Ok(Self(Arc::new(Inner { cloud, container })))
    }

    /// For how long a call is repeated while iCloud does not answer, or asks to wait: 30 seconds,
    /// unless an app says otherwise.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the store has handles already.
    pub fn with_patience(self, patience: Duration) -> Result<Self> {
        let inner = self.sole()?;
        let cloud = inner.cloud.with_patience(patience);
        Ok(Self(Arc::new(Inner { cloud, ..inner })))
    }

    /// Expects the user who has this record name, as [`user`](Self::user) told when the backup was
    /// made. Nobody else can sign in, and where a key is not found and somebody else is signed in,
    /// that is [`ICloudProblem::OtherAccount`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the store has handles already.
    pub fn of_user(self, record_name: impl Into<String>) -> Result<Self> {
        let inner = self.sole()?;
        let cloud = inner.cloud.of_user(record_name.into());
        Ok(Self(Arc::new(Inner { cloud, ..inner })))
    }

    fn sole(self) -> Result<Inner> {
        Arc::into_inner(self.0).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "set up the store before it is shared")
        })
    }

    /// The record name of the user who is signed in. It is the same on all devices, other in each
    /// container, and tells nobody who they are: an app keeps it with its own account of the user,
    /// and says it on a new device ([`of_user`](Self::of_user)).
    ///
    /// # Errors
    ///
    /// [`ICloudProblem::SignInNeeded`] if nobody is, and asking them is not for this call.
    pub async fn user(&self) -> Result<String> {
        self.0.cloud.user(Asking::Never).await
    }

    /// The same, of a user who is asked to sign in if nobody is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the user declines.
    pub async fn sign_in(&self, op: &Operation<'_>) -> Result<String> {
        self.0.cloud.user(Asking::With(op)).await
    }
}

impl fmt::Debug for ICloudStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { container, cloud } = &*self.0;
        f.debug_struct("ICloudStore")
            .field("container", container)
            .field("user", &cloud.expected_user())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl KeyStore for ICloudStore {
    fn id(&self) -> MethodId {
        MethodId::ICLOUD
    }

    /// Whether the user has to sign in is not known before they are asked, so that is no failure
    /// where they can be asked. How much room there is, CloudKit does not tell.
    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        match self.0.check().await {
            Err(error)
                if self.0.cloud.asks()
                    && ICloudProblem::of(&error) == Some(&ICloudProblem::SignInNeeded) =>
            {
                Ok(())
            }
            checked => checked,
        }
    }

    async fn put(&self, op: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        let (asking, cloud) = (Asking::With(op), &self.0.cloud);
        for _ in 0..2 {
            match cloud.create(asking, name, key).await? {
                Made::Done => return Ok(()),
                Made::Exists => return self.0.compare(asking, name, key).await,
                Made::NoZone => cloud.create_zone(asking).await?,
            }
        }
        let message = "the zone in iCloud is taken away as soon as it is made; try again later";
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    async fn get(&self, op: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        let asking = Asking::With(op);
        let why = match self.0.cloud.lookup(asking, name).await? {
            Found::Key(key) => return Ok(key),
            Found::NoRecord => {
                "the iCloud of this Apple Account does not have the key, though it has, or had, \
                 others of this app: the backup was deleted, or is in another account"
            }
            Found::NoZone => {
                "the iCloud of this Apple Account has no backup of this app: it is in another \
                 account, or the app's data was deleted"
            }
        };
        self.0.check_user(asking).await?;
        Err(Error::new(ErrorKind::NotFound, why))
    }

    async fn delete(&self, _: &Operation<'_>, name: &KeyName) -> Result<()> {
        if self.0.cloud.delete(Asking::Never, name).await? {
            return Ok(());
        }
        self.0.check_user(Asking::Never).await
    }

    async fn list(&self, _: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        let names = self.0.cloud.names(Asking::Never).await?;
        Ok(names.iter().filter_map(|name| KeyName::parse(prefix, name)).collect())
    }
}

impl Inner {
    /// Asks who is signed in, which takes an API token and a user, and whether it is the right one.
    async fn check(&self) -> Result<()> {
        let user = self.cloud.user(Asking::Never).await?;
        self.compare_user(&user)
    }

    /// What is not there is in another account, if another one is signed in than is expected.
    async fn check_user(&self, asking: Asking<'_>) -> Result<()> {
        if self.cloud.expected_user().is_none() {
            return Ok(());
        }
        let user = self.cloud.user(asking).await?;
        self.compare_user(&user)
    }

    fn compare_user(&self, signed_in: &str) -> Result<()> {
        match self.cloud.expected_user() {
            Some(expected) if expected != signed_in => Err(ICloudProblem::OtherAccount.into()),
            _ => Ok(()),
        }
    }

    /// A record that exists is ours if an earlier answer was lost.
    async fn compare(&self, asking: Asking<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        let message = match self.cloud.lookup(asking, name).await {
            Ok(Found::Key(kept)) if kept == *key => return Ok(()),
            Ok(Found::Key(_)) => "iCloud keeps another key under this name",
            Err(error) if is_in_record(&error) => "iCloud keeps something else under this name",
            Err(error) => return Err(error),
            Ok(Found::NoRecord | Found::NoZone) => {
                let message = "iCloud has this name, and does not show yet what it keeps under \
                               it; try again later";
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
        };
        Err(Error::new(ErrorKind::Conflict, message))
    }
}

/// Whether it is the record that is wrong.
fn is_in_record(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Damaged | ErrorKind::UnknownVersion)
}
