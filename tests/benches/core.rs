//! Sealing and opening beside the primitives that they need.

use std::hint::black_box;

use aes_gcm::{Aes256Gcm, KeyInit, aead::Aead};
use backup_core::{
    BackupId, ClientBackupShare, ClientId, Curve, CustodianId, EncryptionContext, Envelope,
    MethodId, MethodParams, Operation, Point, Purpose, Sealer, SharePairId, WrappingKey,
    secrecy::SecretSlice,
};
use futures_executor::block_on;
use hkdf::Hkdf;
use hpke::{
    Kem as _, OpModeR, OpModeS, PskBundle, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256,
    single_shot_open, single_shot_seal,
};
use portal_tests::{fixed_key::FixedKey, ratio};
use sha2::Sha256;

type Kem = X25519HkdfSha256;

/// The bytes of two real shares, their commitments and lengths.
const PLAINTEXT_LEN: usize = 2 * (33 + 32) + 2 * (2 + 134);
/// About the length of the facts that two shares are bound to.
const FACTS_LEN: usize = 330;

fn main() {
    let context = context();
    let params = MethodParams::from_bytes([b'x'; 73]).expect("short parameters");
    let method = FixedKey::new(MethodId::GDRIVE, WrappingKey::copied_from(&[1; 32]), params);
    let enroll = Operation::new(Purpose::Enroll, &context);
    let sealer = block_on(Sealer::enroll(&method, &enroll)).expect("the method enrolls");
    let shares = Curve::ALL.map(share);
    let wallets = Curve::ALL.map(wallet);
    let backup = BackupId::generate().expect("the system has randomness");
    let text = sealer.seal(&backup, &shares).expect("the shares are sealed").to_string();
    let unlock = Operation::new(Purpose::Unlock, &context);

    let raw = RawPrimitives::new();
    ratio::print(
        "seal both curves / HPKE seal",
        1.5,
        || drop(black_box(sealer.seal(&backup, black_box(&shares)))),
        || drop(black_box(raw.seal())),
    );
    let sealed = raw.seal();
    ratio::print(
        "parse and open both curves / HKDF, AES, HPKE",
        1.5,
        || {
            let envelope = Envelope::parse(black_box(&text)).expect("an envelope");
            block_on(envelope.open(&method, &unlock, &wallets)).expect("it opens");
        },
        || drop(black_box(raw.open(black_box(&sealed)))),
    );
}

fn context() -> EncryptionContext {
    EncryptionContext::new(
        CustodianId::new("5f3c9d8e-custodian").expect("a valid id"),
        ClientId::new("0e9a77d1-client").expect("a valid id"),
    )
}

fn wallet(curve: Curve) -> Point {
    Point::new(curve, &vec![7; curve.point_len()]).expect("a point of the right length")
}

fn share(curve: Curve) -> ClientBackupShare {
    let pair = SharePairId::new("c0ffee00-share-pair-of-one-curve").expect("a valid id");
    let secret = SecretSlice::from(vec![9; 134]);
    ClientBackupShare::new(pair, wallet(curve), wallet(curve), wallet(curve), secret)
        .expect("a share")
}

/// The same primitives on inputs of the same length, and nothing around them.
struct RawPrimitives {
    backup_key: [u8; 32],
    public: <Kem as hpke::Kem>::PublicKey,
    wrapped: Vec<u8>,
}

type RawSealed = (<Kem as hpke::Kem>::EncappedKey, Vec<u8>);

impl RawPrimitives {
    fn new() -> Self {
        let backup_key = [3; 32];
        let cipher = Aes256Gcm::new(&[4; 32].into());
        let wrapped = cipher.encrypt(&[5; 12].into(), &backup_key[..]).expect("32 bytes");
        let (_, public) = Self::key_pair(&backup_key);
        Self { backup_key, public, wrapped }
    }

    fn expand<const N: usize>(key: &[u8], info: &[u8]) -> [u8; N] {
        let mut output = [0; N];
        Hkdf::<Sha256>::new(None, key).expand(info, &mut output).expect("a short output");
        output
    }

    fn key_pair(
        backup_key: &[u8],
    ) -> (<Kem as hpke::Kem>::PrivateKey, <Kem as hpke::Kem>::PublicKey) {
        Kem::derive_keypair(&Self::expand::<32>(backup_key, b"portal-backup/1 sealing key"))
    }

    /// One HPKE seal; the sealing key is at hand.
    fn seal(&self) -> RawSealed {
        let psk = [6; 32];
        let mode = OpModeS::Psk(PskBundle::new(&psk, b"portal-backup/1").expect("a key"));
        let (facts, plaintext) = ([8; FACTS_LEN], [9; PLAINTEXT_LEN]);
        single_shot_seal::<AesGcm256, HkdfSha256, Kem>(&mode, &self.public, &facts, &plaintext, &[])
            .expect("sealing takes a public key")
    }

    /// The slot's HKDF and AES-GCM, the derivation of the key pair and the pre-shared key, and one
    /// HPKE open.
    fn open(&self, (encapsulated, ciphertext): &RawSealed) -> Vec<u8> {
        black_box(Self::expand::<64>(&self.backup_key, &[8; 200]));
        let cipher = Aes256Gcm::new(&[4; 32].into());
        let backup_key = cipher.decrypt(&[5; 12].into(), &self.wrapped[..]).expect("its own key");
        let (private, _) = Self::key_pair(&backup_key);
        black_box(Self::expand::<32>(&backup_key, b"portal-backup/1 pre-shared key"));
        let psk = [6; 32];
        let mode = OpModeR::Psk(PskBundle::new(&psk, b"portal-backup/1").expect("a key"));
        let facts = [8; FACTS_LEN];
        single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &mode,
            &private,
            encapsulated,
            &facts,
            ciphertext,
            &[],
        )
        .expect("it was sealed for this key")
    }
}
