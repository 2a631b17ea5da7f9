//! One share under three keys of three kinds: each is taken away in turn, and it opens.

use std::{env, net::TcpListener, sync::Arc};

use backup_core::{
    ClientId, Curve, CustodianId, ErrorKind, KeyEncryption, Point, SharePairId,
    secrecy::{ExposeSecret, SecretSlice, SecretString},
};
use backup_testkit::{MOTO_CREDENTIALS, Moto, SoftHsm};
use portal_keys::{
    AwsKmsKey, KeyFile, KeyRing, Pkcs11Key, Pkcs11Options, SealedShare, ShareContext, ShareRole,
};

type Keys = [Arc<dyn KeyEncryption>; 3];

/// Runs the test again in a process with a token and with credentials.
fn enter() {
    if env::var_os(MOTO_CREDENTIALS[0].0).is_none() {
        let mut again = std::process::Command::new(env::current_exe().unwrap());
        again.args(env::args_os().skip(1)).envs(MOTO_CREDENTIALS);
        std::process::exit(again.status().unwrap().code().unwrap_or(1));
    }
    SoftHsm::enter(&["kek"]);
}

fn context() -> ShareContext {
    ShareContext {
        custodian: CustodianId::new("acme").unwrap(),
        client: ClientId::new("alice").unwrap(),
        wallet: Point::new(Curve::Ed25519, &[7; 32]).unwrap(),
        pair: SharePairId::new("pair-1").unwrap(),
        role: ShareRole::CustodianBackup,
    }
}

fn token_key(token: &str) -> Arc<dyn KeyEncryption> {
    let (module, token, key) = (SoftHsm::MODULE.into(), token.into(), "kek".into());
    let pin = SecretString::from(SoftHsm::PIN);
    Arc::new(Pkcs11Key::new(Pkcs11Options { module, token, key, pin }).unwrap())
}

fn kms_key(moto: &Moto, url: &str) -> Arc<dyn KeyEncryption> {
    Arc::new(AwsKmsKey::new(&moto.arns()[0], Some(url)).unwrap())
}

/// All of them but one.
fn without(keys: &Keys, lost: usize) -> KeyRing {
    let left = keys.iter().enumerate().filter(|(at, _)| *at != lost);
    KeyRing::new(left.map(|(_, key)| Arc::clone(key))).unwrap()
}

#[tokio::test]
async fn a_share_under_three_kinds_of_keys_opens_while_any_one_of_them_is_lost() {
    enter();
    let (moto, folder) = (Moto::start(1), tempfile::tempdir().unwrap());
    let file = Arc::new(KeyFile::create(folder.path().join("key")).unwrap());
    let keys: Keys = [file, kms_key(&moto, moto.url()), token_key(SoftHsm::TOKEN)];
    let ring = KeyRing::new(keys.iter().cloned()).unwrap();
    let share = SecretSlice::from(vec![9; 32]);
    let sealed = SealedShare::seal(&share, &context(), &ring).await.unwrap();
    let reports = sealed.verify(&context(), &ring).await;
    assert!(reports.iter().all(|report| report.outcome.is_ok()), "{reports:?}");
    assert_eq!(reports.len(), 3);

    for lost in 0..3 {
        let left = without(&keys, lost);
        let opened = sealed.open(&context(), &left).await.unwrap();
        assert_eq!(opened.expose_secret(), share.expose_secret());
        // What is wrapped anew under those that are left needs the lost one no more.
        let rewrapped = sealed.rewrap(&context(), &left).await.unwrap();
        assert!(!rewrapped.key_ids().any(|id| id == keys[lost].key_id()));
        for another in (0..3).filter(|at| *at != lost) {
            let last = KeyRing::new([Arc::clone(&keys[another])]).unwrap();
            let opened = rewrapped.open(&context(), &last).await.unwrap();
            assert_eq!(opened.expose_secret(), share.expose_secret());
        }
        let reports = sealed.verify(&context(), &left).await;
        let failed: Vec<_> = reports.iter().filter(|report| report.outcome.is_err()).collect();
        assert!(failed.len() == 1 && failed[0].key_id == keys[lost].key_id(), "{reports:?}");
    }
}

#[tokio::test]
async fn while_a_kind_of_key_is_away_shares_open_by_another_and_none_is_sealed() {
    enter();
    let (moto, folder) = (Moto::start(1), tempfile::tempdir().unwrap());
    let file: Arc<dyn KeyEncryption> =
        Arc::new(KeyFile::create(folder.path().join("key")).unwrap());
    let (kms, token) = (kms_key(&moto, moto.url()), token_key(SoftHsm::TOKEN));
    let share = SecretSlice::from(vec![9; 32]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = kms_key(&moto, &format!("http://{nobody}"));
    for (here, away) in [(kms, away)] {
        let ring = KeyRing::new([here, Arc::clone(&token), Arc::clone(&file)]).unwrap();
        let sealed = SealedShare::seal(&share, &context(), &ring).await.unwrap();
        let ring = KeyRing::new([away, Arc::clone(&token), Arc::clone(&file)]).unwrap();
        let opened = sealed.open(&context(), &ring).await.unwrap();
        assert_eq!(opened.expose_secret(), share.expose_secret());
        let error = SealedShare::seal(&share, &context(), &ring).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}
