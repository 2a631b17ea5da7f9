//! The name of a key in AWS KMS.

use backup_core::Result;

use crate::error::invalid_input;

/// `arn:<partition>:kms:<region>:<account>:key/<id>`.
#[derive(Debug)]
pub(super) struct KeyArn {
    text: String,
    region: std::ops::Range<usize>,
}

impl KeyArn {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let fields: Vec<_> = text.split(':').collect();
        let ["arn", partition, "kms", region, account, key] = fields[..] else {
            return Err(not_a_key());
        };
        let id = key.strip_prefix("key/").ok_or_else(not_a_key)?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !is_account || ![partition, region, id].into_iter().all(is_name) {
            return Err(not_a_key());
        }
        let start = "arn:".len() + partition.len() + ":kms:".len();
        Ok(Self { text: text.to_owned(), region: start..start + region.len() })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn region(&self) -> &str {
        &self.text[self.region.clone()]
    }
}

fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn not_a_key() -> backup_core::Error {
    invalid_input(
        "name the key by its ARN, arn:aws:kms:<region>:<account>:key/<id>; an alias is not taken, \
         since it can be pointed at another key",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_of_a_key_is_taken_with_its_region() {
        let text = "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-0a1b";
        let arn = KeyArn::parse(text).unwrap();
        assert_eq!((arn.as_str(), arn.region()), (text, "cn-north-1"));
    }

    #[test]
    fn nothing_but_the_arn_of_a_key_is_taken() {
        for text in [
            "",
            "alias/custody",
            "0a1b",
            "arn:aws:kms:eu-west-1:123456789012:alias/custody",
            "arn:aws:kms:eu-west-1:123456789012:key/",
            "arn:aws:kms:eu-west-1:12345678901:key/0a1b",
            "arn:aws:kms::123456789012:key/0a1b",
            "arn:aws:kms:eu-west-1:123456789012:key/0a1b:more",
            "arn:aws:kms:eu-west-1:123456789012:key/0a/1b",
            "arn:aws:s3:eu-west-1:123456789012:key/0a1b",
        ] {
            KeyArn::parse(text).unwrap_err();
        }
    }
}
