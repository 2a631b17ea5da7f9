//! Backup shares outlive the crates that made them: other implementations sign with the scalars
//! that stand at the documented place of the documented form.

use cait_sith::protocol::{Participant, Protocol, run_protocol};
use cait_sith::triples::deal;
use cait_sith::{FullSignature, KeygenOutput, PresignArguments, PresignOutput};
use ecdsa_k256::ecdsa::signature::hazmat::PrehashVerifier;
use ecdsa_k256::elliptic_curve::PrimeField;
use ecdsa_k256::elliptic_curve::point::AffineCoordinates;
use ecdsa_k256::elliptic_curve::sec1::{FromEncodedPoint, ToEncodedPoint};
use ecdsa_k256::{AffinePoint, EncodedPoint, FieldBytes, Scalar, Secp256k1};
use givre::ciphersuite::{Ciphersuite, Ed25519};
use givre::generic_ec::serde::CurveName;
use givre::generic_ec::{NonZero, Point, Scalar as GivreScalar, SecretScalar};
use givre::key_share::{DirtyKeyInfo, DirtyKeyShare, Validate, VssSetup};
use givre::signing::{aggregate, round1, round2};
use rand_core::OsRng;

fn vector(name: &str) -> Vec<u8> {
    let path = format!("{}/../crates/portal-mpc/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

#[test]
fn secp256k1_backup_shares_sign_in_cait_sith() {
    let shares = ["client", "server"].map(|party| {
        let bytes = vector(&format!("backup-secp256k1-{party}.bin"));
        let scalar =
            Scalar::from_repr(<[u8; 32]>::try_from(&bytes[36..68]).unwrap().into()).unwrap();
        let key = EncodedPoint::from_bytes(&bytes[68..101]).unwrap();
        (scalar, AffinePoint::from_encoded_point(&key).unwrap())
    });
    // Its participants 0 and 1 hold the points at 1 and 2.
    let participants = [0, 1].map(Participant::from);
    let (public0, triples0) = deal::<Secp256k1>(&mut OsRng, &participants, 2);
    let (public1, triples1) = deal::<Secp256k1>(&mut OsRng, &participants, 2);
    let presign = |i: usize| {
        let args = PresignArguments {
            triple0: (triples0[i].clone(), public0.clone()),
            triple1: (triples1[i].clone(), public1.clone()),
            keygen_out: KeygenOutput { private_share: shares[i].0, public_key: shares[i].1 },
            threshold: 2,
        };
        let protocol = cait_sith::presign(&participants, participants[i], args).unwrap();
        let boxed: Box<dyn Protocol<Output = PresignOutput<Secp256k1>>> = Box::new(protocol);
        (participants[i], boxed)
    };
    let mut presignatures = run_protocol(vec![presign(0), presign(1)]).unwrap();
    presignatures.sort_by_key(|(participant, _)| *participant);

    let digest = [0x42; 32];
    let hash = Scalar::from_repr(FieldBytes::from(digest)).unwrap();
    let signers = presignatures.into_iter().map(|(me, presignature)| {
        let protocol = cait_sith::sign(&participants, me, shares[0].1, presignature, hash).unwrap();
        let boxed: Box<dyn Protocol<Output = FullSignature<Secp256k1>>> = Box::new(protocol);
        (me, boxed)
    });
    let (_, signature) = run_protocol(signers.collect()).unwrap().remove(0);
    let r = signature.big_r.x();
    let signature = ecdsa_k256::ecdsa::Signature::from_scalars(r, signature.s).unwrap();
    let key = shares[1].1.to_encoded_point(true);
    let key = ecdsa_k256::ecdsa::VerifyingKey::from_encoded_point(&key).unwrap();
    key.verify_prehash(&digest, &signature).unwrap();
}

type Curve = <Ed25519 as Ciphersuite>::Curve;

#[test]
fn ed25519_backup_shares_sign_in_givre() {
    let (client, server) =
        (vector("backup-ed25519-client.bin"), vector("backup-ed25519-server.bin"));
    let point =
        |bytes: &[u8]| NonZero::from_point(Point::<Curve>::from_bytes(bytes).unwrap()).unwrap();
    // A share carries the wallet's key, and the other side's commitment.
    let (key, commitments) =
        (point(&client[68..100]), vec![point(&server[100..132]), point(&client[100..132])]);
    let shares = [&client, &server].map(|bytes| {
        let mut big_endian: [u8; 32] = bytes[36..68].try_into().unwrap();
        big_endian.reverse();
        let secret = SecretScalar::<Curve>::from_be_bytes(&big_endian).unwrap();
        NonZero::from_secret_scalar(secret).unwrap()
    });
    let setup = VssSetup {
        min_signers: 2,
        I: [1_u64, 2].map(|at| NonZero::from_scalar(GivreScalar::from(at)).unwrap()).to_vec(),
    };
    let key_info = DirtyKeyInfo::<Curve> {
        curve: CurveName::new(),
        shared_public_key: key,
        public_shares: commitments,
        vss_setup: Some(setup),
    };
    let shares: Vec<_> = (0..)
        .zip(shares)
        .map(|(i, x)| DirtyKeyShare { i, key_info: key_info.clone(), x }.validate().unwrap())
        .collect();

    let message = b"signed by another implementation";
    let nonces = [0, 1].map(|i: usize| round1::commit::<Ed25519>(&mut OsRng, &shares[i]));
    let signers = [(0, nonces[0].1), (1, nonces[1].1)];
    let parts: Vec<_> = (0..)
        .zip(nonces)
        .zip(&shares)
        .map(|((i, (nonce, commitments)), share)| {
            let part = round2::sign::<Ed25519>(share, nonce, message, &signers).unwrap();
            (i, commitments, part)
        })
        .collect();
    let key_info = key_info.validate().unwrap();
    let signature = aggregate::aggregate::<Ed25519>(&key_info, &parts, message).unwrap();
    let mut bytes = [0; 64];
    signature.write_to_slice(&mut bytes);
    let key =
        ed25519_dalek::VerifyingKey::from_bytes(&client[68..100].try_into().unwrap()).unwrap();
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&bytes)).unwrap();
}
