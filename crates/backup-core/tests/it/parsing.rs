//! Properties of the parsers: nothing panics, nothing that is written is lost.

use backup_core::{
    BackupId, ClientBackupShare, ClientId, Curve, CustodianId, EncryptionContext, Envelope,
    KeyName, KeyPrefix, MethodId, MethodParams, Operation, Point, Purpose, Sealer, SharePairId,
    secrecy::{ExposeSecret, SecretSlice},
};
use futures_executor::block_on;
use proptest::{collection::vec, prelude::*, sample::subsequence};

use crate::common;

const ID: &str = "[!-~]{1,128}";

prop_compose! {
    fn share(curve: Curve)(
        pair in ID,
        points in vec(vec(any::<u8>(), curve.point_len()), 3),
        secret in vec(any::<u8>(), 1..=ClientBackupShare::MAX_SECRET_LEN),
    ) -> ClientBackupShare {
        let point = |i: usize| Point::new(curve, &points[i]).unwrap();
        let pair = SharePairId::new(pair).unwrap();
        let secret = SecretSlice::from(secret);
        ClientBackupShare::new(pair, point(0), point(1), point(2), secret).unwrap()
    }
}

proptest! {
    #[test]
    fn any_shares_of_any_client_come_back_as_they_were(
        custodian in ID,
        client in ID,
        backup in ID,
        shares in (share(Curve::Secp256k1), share(Curve::Ed25519)),
        which in subsequence(vec![0, 1], 1..=2),
    ) {
        let context = EncryptionContext::new(
            CustodianId::new(custodian).unwrap(),
            ClientId::new(client).unwrap(),
        );
        let mut shares = [Some(shares.0), Some(shares.1)];
        let shares: Vec<_> = which.iter().map(|&i: &usize| shares[i].take().unwrap()).collect();
        let wallets: Vec<_> = shares.iter().map(ClientBackupShare::wallet).collect();

        let (sealer, key) = Sealer::without_slot(&context).unwrap();
        let sealed = sealer.seal(&BackupId::new(backup).unwrap(), &shares).unwrap();
        let envelope = Envelope::parse(sealed.as_str()).unwrap();
        prop_assert_eq!(&envelope, &sealed);
        let opened = envelope.open_with_key(&key, &context, &wallets).unwrap();
        for (opened, sealed) in opened.shares.iter().zip(&shares) {
            prop_assert_eq!(opened.pair(), sealed.pair());
            prop_assert_eq!(opened.client_commitment(), sealed.client_commitment());
            prop_assert_eq!(opened.secret().expose_secret(), sealed.secret().expose_secret());
        }
    }

    #[test]
    fn no_text_makes_the_envelope_parser_panic(text in any::<String>(), body in "[A-Za-z0-9_-]*") {
        let _ = Envelope::parse(&text);
        let _ = Envelope::parse(&format!("portal-backup-1.{body}"));
    }

    #[test]
    fn no_edit_of_an_envelope_makes_the_parser_panic(
        at in any::<prop::sample::Index>(),
        c in any::<char>(),
    ) {
        let (sealer, _) = Sealer::without_slot(&common::context()).unwrap();
        let share = common::share(Curve::Ed25519, 1);
        let envelope = sealer.seal(&common::backup("1"), &[share]).unwrap();
        let mut text: Vec<char> = envelope.as_str().chars().collect();
        let at = at.index(text.len());
        text[at] = c;
        if let Ok(parsed) = Envelope::parse(&text.iter().collect::<String>()) {
            prop_assert_eq!(parsed.as_str().parse::<Envelope>().unwrap(), parsed);
        }
    }

    #[test]
    fn a_parsed_envelope_has_one_text(text in "portal-backup-1\\.[A-Za-z0-9_-]{0,600}") {
        if let Ok(envelope) = Envelope::parse(&text) {
            prop_assert_eq!(envelope.as_str(), text);
        }
    }

    #[test]
    fn no_bytes_make_the_sealing_record_parser_panic(bytes in vec(any::<u8>(), 0..512)) {
        let _ = Sealer::decode(&bytes);
    }

    #[test]
    fn no_parameters_make_a_method_panic(json in vec(any::<u8>(), 0..256)) {
        let context = common::context();
        let op = Operation::new(Purpose::Revoke, &context);
        let params = MethodParams::from_bytes(json).unwrap();
        let members = [("a", std::sync::Arc::new(common::Forgetful::new("com.example.a", 0)) as _)];
        let threshold = backup_core::Threshold::new(1, members).unwrap();
        let result = block_on(backup_core::BackupMethod::revoke(&threshold, &op, &params));
        prop_assert!(result.is_err());
    }

    #[test]
    fn every_generated_key_name_is_read_back_by_its_own_client_only(client in ID) {
        let name_of = |client: &str| {
            let custodian = CustodianId::new("acme").unwrap();
            KeyPrefix::of(&EncryptionContext::new(custodian, ClientId::new(client).unwrap()))
        };
        let other = format!("{}x", &client[..client.len() - 1]);
        let (own, other) = (name_of(&client), name_of(&other));
        let name = KeyName::generate(&own).unwrap();
        prop_assert_eq!(KeyName::parse(&own, name.as_str()), Some(name.clone()));
        if own != other {
            prop_assert_eq!(KeyName::parse(&other, name.as_str()), None);
        }
    }

    #[test]
    fn a_method_id_is_accepted_or_refused_without_a_panic(id in any::<String>()) {
        if let Ok(id) = MethodId::new(id.clone()) {
            prop_assert!(id.as_str().is_ascii() && id.as_str() == id.to_string());
        }
    }
}
