//! A test per bound fact: change it, and the layer that binds it fails as for a wrong key.

use async_trait::async_trait;
use futures_executor::block_on;
use secrecy::{ExposeSecret, SecretSlice};

use super::*;
use crate::{
    BackupId, ClientId, Curve, CustodianId, Enrollment, MethodParams, Purpose, SharePairId,
    WrappingKey,
};

/// A method whose user always gives the same key.
#[derive(Debug)]
struct FixedKey {
    id: MethodId,
    key: [u8; 32],
}

impl FixedKey {
    fn new(id: &'static str, fill: u8) -> Self {
        Self { id: MethodId::new(id).unwrap(), key: [fill; 32] }
    }
}

#[async_trait]
impl BackupMethod for FixedKey {
    fn id(&self) -> MethodId {
        self.id.clone()
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        Ok(())
    }

    async fn enroll(&self, _: &Operation<'_>) -> Result<Enrollment> {
        let params = MethodParams::from_bytes(*b"params")?;
        Ok(Enrollment { wrapping_key: WrappingKey::copied_from(&self.key), params })
    }

    async fn unlock(&self, _: &Operation<'_>, _: &MethodParams) -> Result<WrappingKey> {
        Ok(WrappingKey::copied_from(&self.key))
    }

    async fn revoke(&self, _: &Operation<'_>, _: &MethodParams) -> Result<()> {
        Ok(())
    }
}

const RIGHT: u8 = 1;
const WRONG: u8 = 2;

fn right_method() -> FixedKey {
    FixedKey::new("com.example.fixed", RIGHT)
}

fn context() -> EncryptionContext {
    context_of("acme", "alice")
}

fn context_of(custodian: &str, client: &str) -> EncryptionContext {
    EncryptionContext::new(CustodianId::new(custodian).unwrap(), ClientId::new(client).unwrap())
}

fn point(curve: Curve, fill: u8) -> Point {
    Point::new(curve, &vec![fill; curve.point_len()]).unwrap()
}

fn wallets() -> [Point; 2] {
    Curve::ALL.map(|curve| point(curve, 7))
}

fn share(curve: Curve) -> ClientBackupShare {
    ClientBackupShare::new(
        SharePairId::new(format!("pair-{curve}")).unwrap(),
        point(curve, 7),
        point(curve, 8),
        point(curve, 9),
        SecretSlice::from(vec![42; 134]),
    )
    .unwrap()
}

fn shares() -> [ClientBackupShare; 2] {
    Curve::ALL.map(share)
}

fn backup() -> BackupId {
    BackupId::new("backup-1").unwrap()
}

fn with_slot() -> Envelope {
    let context = context();
    let op = Operation::new(Purpose::Enroll, &context);
    let sealer = block_on(Sealer::enroll(&right_method(), &op)).unwrap();
    sealer.seal(&backup(), &shares()).unwrap()
}

fn without_slot() -> (Envelope, BackupKey) {
    let (sealer, key) = Sealer::without_slot(&context()).unwrap();
    (sealer.seal(&backup(), &shares()).unwrap(), key)
}

fn open(envelope: &Envelope, method: &FixedKey, context: &EncryptionContext) -> Result<Opened> {
    let op = Operation::new(Purpose::Unlock, context);
    block_on(envelope.open(method, &op, &wallets()))
}

/// The same envelope with another header, as somebody who stores it could write it.
fn with_header(envelope: &Envelope, change: impl FnOnce(&mut Header)) -> Envelope {
    let mut header = envelope.header.clone();
    change(&mut header);
    let changed = Envelope::assemble(header, envelope.sealed.clone());
    Envelope::parse(changed.as_str()).unwrap()
}

/// The opening key of an envelope, to reach the layer behind the slot.
fn opening_key(envelope: &Envelope) -> OpeningKey {
    let (context, method) = (context(), right_method());
    let owner = SlotOwner {
        context: &context,
        method: &method.id,
        sealing_public_key: &envelope.header.sealing_public_key,
    };
    let slot = envelope.header.slot.as_ref().unwrap();
    OpeningKey::derive(&slot.open(&owner, &WrappingKey::copied_from(&method.key)).unwrap())
}

fn assert_like_wrong_key(result: Result<Opened>) {
    let wrong_key = open(&with_slot(), &FixedKey::new("com.example.fixed", WRONG), &context());
    let wrong_key = wrong_key.unwrap_err();
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(error.to_string(), wrong_key.to_string());
}

fn assert_like_damage(result: Result<Opened>) {
    let (envelope, key) = without_slot();
    let mut tampered = envelope;
    *tampered.sealed.ciphertext.last_mut().unwrap() ^= 1;
    let damage = tampered.open_with_key(&key, &context(), &wallets()).unwrap_err();
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert_eq!(error.to_string(), damage.to_string());
}

#[test]
fn an_envelope_opens_with_its_method_and_gives_back_every_share() {
    let envelope = Envelope::parse(with_slot().as_str()).unwrap();
    let opened = open(&envelope, &right_method(), &context()).unwrap();
    assert_eq!(opened.shares.len(), 2);
    for (opened, sealed) in opened.shares.iter().zip(shares()) {
        assert_eq!(opened.pair(), sealed.pair());
        assert_eq!(opened.wallet(), sealed.wallet());
        assert_eq!(opened.client_commitment(), sealed.client_commitment());
        assert_eq!(opened.custodian_commitment(), sealed.custodian_commitment());
        assert_eq!(opened.secret().expose_secret(), sealed.secret().expose_secret());
    }
}

#[test]
fn the_slot_is_bound_to_the_custodian() {
    let forged = with_header(&with_slot(), |h| h.context = context_of("evil", "alice"));
    assert_like_wrong_key(open(&forged, &right_method(), &context_of("evil", "alice")));
}

#[test]
fn the_slot_is_bound_to_the_client() {
    let forged = with_header(&with_slot(), |h| h.context = context_of("acme", "mallory"));
    assert_like_wrong_key(open(&forged, &right_method(), &context_of("acme", "mallory")));
}

#[test]
fn the_slot_is_bound_to_the_method() {
    let other = FixedKey::new("com.example.other", RIGHT);
    let forged = with_header(&with_slot(), |h| h.method = other.id.clone());
    let error = open(&forged, &other, &context()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[test]
fn the_slot_is_bound_to_the_exact_parameter_bytes() {
    let envelope = with_slot();
    let mut writer = Writer::default();
    envelope.header.slot.as_ref().unwrap().write(&mut writer);
    let mut slot = writer.finish();
    assert_eq!(slot[2..8], *b"params");
    slot[2] = b'P';
    let slot = crate::KeySlot::read(&mut Reader::new(&slot, "")).unwrap();
    let forged = with_header(&envelope, |h| h.slot = Some(slot));
    assert_like_wrong_key(open(&forged, &right_method(), &context()));
}

#[test]
fn the_slot_is_bound_to_the_sealing_key() {
    let forged = with_header(&with_slot(), |h| h.sealing_public_key[0] ^= 1);
    assert_like_wrong_key(open(&forged, &right_method(), &context()));
}

#[test]
fn a_slot_of_another_enrolment_does_not_fit() {
    let other = with_slot();
    let swapped = with_header(&with_slot(), |h| h.slot = other.header.slot.clone());
    assert_like_wrong_key(open(&swapped, &right_method(), &context()));
}

#[test]
fn the_shares_are_bound_to_the_custodian() {
    let (envelope, key) = without_slot();
    let context = context_of("evil", "alice");
    let forged = with_header(&envelope, |h| h.context = context.clone());
    assert_like_damage(forged.open_with_key(&key, &context, &wallets()));
}

#[test]
fn the_shares_are_bound_to_the_client() {
    let (envelope, key) = without_slot();
    let context = context_of("acme", "mallory");
    let forged = with_header(&envelope, |h| h.context = context.clone());
    assert_like_damage(forged.open_with_key(&key, &context, &wallets()));
}

#[test]
fn the_shares_are_bound_to_the_method() {
    let envelope = with_slot();
    let other = MethodId::new("com.example.other").unwrap();
    let forged = with_header(&envelope, |h| h.method = other.clone());
    let opening = opening_key(&envelope);
    assert_like_damage(forged.open_shares(opening, &context(), other, &wallets()));
}

#[test]
fn the_shares_are_bound_to_the_sealing_key() {
    let (envelope, _) = without_slot();
    let (other, other_key) = without_slot();
    let grafted = with_header(&envelope, |h| {
        h.sealing_public_key = other.header.sealing_public_key;
    });
    assert_like_damage(grafted.open_with_key(&other_key, &context(), &wallets()));
}

#[test]
fn the_shares_are_bound_to_the_backup_id() {
    let (envelope, key) = without_slot();
    let forged = with_header(&envelope, |h| h.backup = BackupId::new("backup-2").unwrap());
    assert_like_damage(forged.open_with_key(&key, &context(), &wallets()));
}

#[test]
fn the_shares_are_bound_to_each_share_pair_id() {
    let (envelope, key) = without_slot();
    for i in 0..2 {
        let other = SharePairId::new("pair-X").unwrap();
        let forged = with_header(&envelope, |h| h.wallets[i].pair = other);
        assert_like_damage(forged.open_with_key(&key, &context(), &wallets()));
    }
}

#[test]
fn the_shares_are_bound_to_each_wallet_that_the_reader_names() {
    let (envelope, key) = without_slot();
    for i in 0..2 {
        let mut wallets = wallets();
        wallets[i] = point(wallets[i].curve(), 6);
        let forged = with_header(&envelope, |h| h.wallets[i].wallet = wallets[i]);
        assert_like_damage(forged.open_with_key(&key, &context(), &wallets));
    }
}

#[test]
fn the_shares_are_bound_to_the_set_of_curves() {
    let (envelope, key) = without_slot();
    for i in 0..2 {
        let forged = with_header(&envelope, |h| drop(h.wallets.remove(i)));
        assert_like_damage(forged.open_with_key(&key, &context(), &wallets()));
    }
}

#[test]
fn a_wallet_in_the_header_is_a_claim_and_not_believed() {
    let (envelope, key) = without_slot();
    let forged = with_header(&envelope, |h| h.wallets[0].wallet = point(Curve::Secp256k1, 6));
    let opened = forged.open_with_key(&key, &context(), &wallets()).unwrap();
    assert_eq!(opened.shares[0].wallet(), wallets()[0]);
}

#[test]
fn a_difference_in_the_claims_is_named_and_the_user_is_asked_once() {
    let bob = context_of("acme", "bob");
    let error = open(&with_slot(), &right_method(), &bob).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("client is alice, not bob"), "{error}");
}

#[test]
fn damaged_claims_alone_do_not_keep_an_envelope_from_opening() {
    let scratched = with_header(&with_slot(), |h| h.context = context_of("acmf", "alice"));
    assert!(open(&scratched, &right_method(), &context()).is_ok());
}

#[test]
fn every_flipped_bit_of_the_slot_and_the_sealed_shares_is_noticed() {
    let envelope = with_slot();
    let body = Base64UrlUnpadded::decode_vec(envelope.as_str().strip_prefix(PREFIX).unwrap());
    let body = body.unwrap();
    let sealing_key_at = 3 * 2 + "acme".len() + "alice".len() + "com.example.fixed".len();
    for bit in sealing_key_at * 8..body.len() * 8 {
        let mut body = body.clone();
        body[bit / 8] ^= 1 << (bit % 8);
        let text = format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&body));
        let claims_a_wallet = |e: &Envelope| e.header.wallet_points() != wallets();
        if let Ok(opened) =
            Envelope::parse(&text).and_then(|e| open(&e, &right_method(), &context()).map(|_| e))
        {
            assert!(claims_a_wallet(&opened), "bit {bit} went unnoticed");
        }
    }
}

#[test]
fn every_backup_of_one_enrolment_names_that_enrolment_and_no_other_does() {
    let context = context();
    let op = Operation::new(Purpose::Enroll, &context);
    let [one, two] = [(), ()].map(|()| block_on(Sealer::enroll(&right_method(), &op)).unwrap());
    let enrollment = |sealer: &Sealer, backup| {
        let backup = BackupId::new(backup).unwrap();
        sealer.seal(&backup, &shares()).unwrap().header().enrollment()
    };
    assert_eq!(enrollment(&one, "b1"), enrollment(&one, "b2"));
    assert_ne!(enrollment(&one, "b1"), enrollment(&two, "b1"));
}
