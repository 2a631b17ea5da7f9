//! A key in AWS KMS, which wraps and unwraps there: it never leaves.

mod arn;
mod failure;

use std::{collections::HashMap, fmt, time::Duration};

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_kms::{Client, primitives::Blob};
use backup_core::{DataKey, Error, ErrorKind, KeyContext, KeyEncryption, Result, async_trait};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use self::arn::KeyArn;
use crate::{codec::facts, error::damaged};

/// A symmetric key in AWS KMS, and the provider that has it wrap and unwrap.
///
/// Credentials are found as by any program on AWS: in the environment, in the profile, or by the
/// role of the machine or container. The context goes along as KMS's encryption context, which AWS
/// `CloudTrail` logs: all of it is public. Both calls need a runtime of tokio.
pub struct AwsKmsKey {
    id: String,
    arn: KeyArn,
    endpoint: Option<String>,
    client: OnceCell<Client>,
}

impl AwsKmsKey {
    /// The key of this ARN, `arn:aws:kms:<region>:<account>:key/<id>`. Nothing is asked yet.
    ///
    /// `endpoint` is for an address of KMS's in a network of one's own; without one, it is that of
    /// the region.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for anything but the ARN of a key. An alias is refused: it can
    /// be pointed at another key, and then nothing opens.
    pub fn new(arn: &str, endpoint: Option<&str>) -> Result<Self> {
        let arn = KeyArn::parse(arn)?;
        let id = format!("aws-kms:{}", arn.as_str());
        Ok(Self { id, arn, endpoint: endpoint.map(str::to_owned), client: OnceCell::new() })
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| self.configure()).await
    }

    async fn configure(&self) -> Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_PATIENCE)
            .operation_attempt_timeout(ATTEMPT_PATIENCE)
            .operation_timeout(PATIENCE)
            .build();
        let mut config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.arn.region().to_owned()))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts);
        if let Some(endpoint) = &self.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Client::new(&config.load().await)
    }

    /// KMS says which key it used: another one than was asked for is a proxy's or our mistake.
    fn expect_this_key(&self, used: Option<&str>) -> Result<()> {
        if used == Some(self.arn.as_str()) {
            return Ok(());
        }
        Err(damaged("AWS KMS answered with another key than it was asked for"))
    }
}

#[async_trait]
impl KeyEncryption for AwsKmsKey {
    fn key_id(&self) -> &str {
        &self.id
    }

    async fn wrap(&self, key: &DataKey, context: &KeyContext) -> Result<Vec<u8>> {
        let facts = Some(told(context)?);
        let call = self.client().await.encrypt().key_id(self.arn.as_str());
        let call = call.set_encryption_context(facts);
        let done = call.plaintext(Blob::new(key.expose())).send().await;
        let done = done.map_err(|error| failure::of_wrap(&error))?;
        self.expect_this_key(done.key_id())?;
        let wrapped = done.ciphertext_blob.map(Blob::into_inner);
        wrapped.ok_or_else(|| damaged("AWS KMS answered without what it wrapped"))
    }

    async fn unwrap(&self, wrapped: &[u8], context: &KeyContext) -> Result<DataKey> {
        if wrapped.is_empty() || wrapped.len() > MAX_CIPHERTEXT {
            return Err(does_not_unwrap());
        }
        let facts = Some(told(context).map_err(|_| does_not_unwrap())?);
        let call = self.client().await.decrypt().key_id(self.arn.as_str());
        let call = call.set_encryption_context(facts);
        let done = call.ciphertext_blob(Blob::new(wrapped)).send().await;
        let done = done.map_err(|error| failure::of_unwrap(&error))?;
        let plaintext = Zeroizing::new(done.plaintext.map(Blob::into_inner).unwrap_or_default());
        self.expect_this_key(done.key_id.as_deref()).map_err(|_| does_not_unwrap())?;
        DataKey::try_init_with(|key| {
            let plaintext = plaintext.first_chunk().filter(|_| plaintext.len() == key.len());
            *key = *plaintext.ok_or_else(does_not_unwrap)?;
            Ok(())
        })
    }
}

impl fmt::Debug for AwsKmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKmsKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The facts, and a digest of them that tells where each of them ends: what is bound is then the
/// same whatever a KMS makes of names and values.
fn told(context: &KeyContext) -> Result<HashMap<String, String>> {
    let mut told: HashMap<_, _> =
        context.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let digest = Sha256::digest(facts("portal-backup/1 aws-kms wrap", &[], context)?);
    told.insert(DIGEST.to_owned(), base16ct::lower::encode_string(&digest));
    Ok(told)
}

/// The name of that digest.
const DIGEST: &str = "portal-backup";

/// The longest that `Decrypt` takes, in bytes.
const MAX_CIPHERTEXT: usize = 6144;

/// Somebody waits who has lost a device, and perhaps another key would open it: not for long.
const PATIENCE: Duration = Duration::from_secs(8);
const ATTEMPT_PATIENCE: Duration = Duration::from_secs(3);
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 3;

fn does_not_unwrap() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "AWS KMS does not unwrap this: it was wrapped under another key or for another purpose, \
         was tampered with, or the key's policy does not let us",
    )
}
