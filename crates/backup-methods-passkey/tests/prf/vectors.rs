//! A backup that another implementation wrote, `tests/python/second_reader.py`.

use backup_core::{
    ClientId, Curve, CustodianId, EncryptionContext, Envelope, ErrorKind, Operation, Point,
    Purpose, async_trait, secrecy::ExposeSecret,
};
use backup_methods_passkey::{
    Assertion, Ceremony, CeremonyError, CreateOptions, Created, CredentialId, GetOptions,
    PasskeyPrf, PrfOutput, Support,
};
use backup_testkit::passkey::prf;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{acme, alice, block_on};

#[test]
fn a_backup_of_another_implementation_opens_with_the_passkey_it_names() {
    let vector: Value = serde_json::from_str(include_str!("../vectors/prf-envelope.json")).unwrap();
    let text = |place: &str| vector.pointer(place).unwrap().as_str().unwrap();
    let envelope = Envelope::parse(text("/envelope")).unwrap();
    let point = |curve| Point::new(curve, &unhex(text(&format!("/wallets/{curve}")))).unwrap();
    let wallets = Curve::ALL.map(point);
    let open = |client: &str, random: [u8; 32]| {
        let context = EncryptionContext::new(
            CustodianId::new(text("/custodian").to_owned()).unwrap(),
            ClientId::new(client.to_owned()).unwrap(),
        );
        let method = PasskeyPrf::new(OnePasskey(random), acme(), alice());
        block_on(envelope.open(&method, &Operation::new(Purpose::Unlock, &context), &wallets))
    };
    let random = unhex(text("/key/prf_random")).try_into().unwrap();
    let opened = open(text("/client"), random).unwrap();
    for (index, share) in opened.shares.iter().enumerate() {
        let expected = unhex(text(&format!("/shares/{index}/secret")));
        assert_eq!(share.secret().expose_secret(), expected);
    }
    for error in [open("client-2", random), open(text("/client"), [0; 32])] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Unauthorized);
    }
}

/// A ceremony that answers with whatever passkey is asked for, of this `CredRandomWithUV`.
#[derive(Debug)]
struct OnePasskey([u8; 32]);

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
        let data = [&Sha256::digest(&options.relying_party_id)[..], &[5, 0, 0, 0, 0]].concat();
        Ok(Assertion {
            id: CredentialId::new(options.allow[0].as_bytes()).unwrap(),
            client_data_json: format!(r#"{{"type":"webauthn.get","challenge":"{challenge}"}}"#)
                .into_bytes(),
            authenticator_data: data,
            prf: Some(PrfOutput::copied_from(&prf(&self.0, &options.prf_input))),
        })
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
