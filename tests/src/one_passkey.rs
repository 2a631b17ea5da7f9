//! A ceremony with the passkey that a vector names.

use backup_core::async_trait;
use backup_methods_passkey::{
    Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions, PrfOutput, Support,
};
use backup_testkit::passkey::prf;
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

/// Answers for whatever passkey is asked for, by the PRF of one.
#[derive(Debug)]
pub struct OnePasskey {
    /// CTAP's `CredRandomWithUV`.
    pub random: [u8; 32],
}

#[async_trait]
impl Ceremony for OnePasskey {
    async fn support(&self) -> Support {
        Support::Prf
    }

    async fn create(&self, _: &CreateOptions) -> Result<Created, CeremonyError> {
        Err(CeremonyError::Unsupported)
    }

    async fn get(&self, options: &GetOptions) -> Result<Assertion, CeremonyError> {
        let challenge = Base64UrlUnpadded::encode_string(&options.challenge);
        let client_data = format!(r#"{{"type":"webauthn.get","challenge":"{challenge}"}}"#);
        let input = options.prf_input.ok_or(CeremonyError::Unsupported)?;
        let relying_party = Sha256::digest(&options.relying_party_id);
        Ok(Assertion {
            id: options.allow.first().cloned().ok_or(CeremonyError::WrongPasskey)?,
            client_data_json: client_data.into_bytes(),
            authenticator_data: [&relying_party[..], &[PRESENT_AND_VERIFIED, 0, 0, 0, 0]].concat(),
            signature: Vec::new(),
            user_handle: None,
            prf: Some(PrfOutput::copied_from(&prf(&self.random, &input))),
        })
    }
}

const PRESENT_AND_VERIFIED: u8 = 0b101;
