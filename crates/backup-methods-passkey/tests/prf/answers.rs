//! The JSON of answers: what is read, what is not, and that no secret shows.

use backup_methods_passkey::{Assertion, CeremonyError, Created, CredentialId, PrfOutput};
use backup_testkit::Secrets;

const OUTPUT: &str = "EwJkyvI5lCJTM9J_M1xBUGFyYW1ldGVyc19zZWNyZXQ";

const RESPONSE: &str = r#"{"clientDataJSON":"e30","attestationObject":"oA"}"#;

fn assertion(id: &str, results: &str) -> String {
    let response = r#"{"clientDataJSON":"e30","authenticatorData":"AAEC","signature":"AA"}"#;
    format!(
        r#"{{"id":"{id}","rawId":"{id}","type":"public-key","response":{response},
        "clientExtensionResults":{{"prf":{results}}}}}"#
    )
}

#[test]
fn what_a_browser_makes_of_a_credential_is_read() {
    let json = assertion("oKGi", &format!(r#"{{"results":{{"first":"{OUTPUT}"}}}}"#));
    let answer = Assertion::from_json(&json).unwrap();
    assert_eq!(answer.id, CredentialId::new([0xa0, 0xa1, 0xa2]).unwrap());
    assert_eq!(
        (&answer.client_data_json[..], &answer.authenticator_data[..]),
        (&b"{}"[..], &[0, 1, 2][..])
    );
    assert!(answer.prf.is_some());
    for none in ["{}", "null", r#"{"results":null}"#] {
        assert!(Assertion::from_json(&assertion("oKGi", none)).unwrap().prf.is_none(), "{none}");
    }
}

#[test]
fn a_passkey_has_a_prf_only_if_it_says_so() {
    for (extensions, has_prf) in [
        (r#""clientExtensionResults":{"prf":{"enabled":true}}"#, true),
        (r#""clientExtensionResults":{"prf":{"enabled":false}}"#, false),
        (r#""clientExtensionResults":{"prf":{}}"#, false),
        (r#""clientExtensionResults":{}"#, false),
        (r#""type":"public-key""#, false),
    ] {
        let json = format!(r#"{{"id":"oKGi","response":{RESPONSE},{extensions}}}"#);
        assert_eq!(Created::from_json(&json).unwrap().prf_enabled, has_prf, "{extensions}");
    }
}

#[test]
fn malformed_answers_are_errors_without_a_secret_in_them() {
    let secret = OUTPUT.trim_end_matches('Q');
    let long = "A".repeat(1368);
    for json in [
        String::new(),
        "[]".to_owned(),
        assertion("", "{}"),
        assertion("oKGi==", "{}"),
        assertion(&long, "{}"),
        assertion("oKGi", &format!(r#"{{"results":{{"first":"{secret}"}}}}"#)),
        assertion("oKGi", &format!(r#"{{"results":{{"first":"{OUTPUT}AA"}}}}"#)),
        assertion("oKGi", &format!(r#"{{"results":"{OUTPUT}"}}"#)),
        assertion("oKGi", r#"{"results":{}}"#),
    ] {
        let error = Assertion::from_json(&json).unwrap_err();
        assert!(matches!(error, CeremonyError::Failed(_)), "{json}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("malformed") && !text.contains(&secret[..8]), "{text}");
    }
}

#[test]
fn an_output_does_not_print_itself() {
    let output = [0xab; 32].map(|byte: u8| byte.wrapping_mul(3));
    let secrets = Secrets::new().with_text(OUTPUT).with_key(&output);
    let json = assertion("oKGi", &format!(r#"{{"results":{{"first":"{OUTPUT}"}}}}"#));
    let answer = Assertion::from_json(&json).unwrap();
    secrets.assert_absent(format!("{answer:?} {answer:#?}"), "`Debug` of an answer");
    secrets.assert_absent(format!("{:?}", PrfOutput::copied_from(&output)), "`Debug` of an output");
}
