//! A stolen API key: whoever has it, and has heard all that the user's devices ever sent, tries
//! every request in every order, for as long as he likes. Nothing that the user has is lost by it.
//!
//! `PROPTEST_CASES` tries more sequences than the few of a usual run.

mod acts;
mod thief;
mod victim;
mod world;

use std::{
    env,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
};

use backup_core::{Curve, EncryptionContext};
use portal_api::DeviceKey;
use portal_tests::{
    forged,
    middle::{Asked, Meddler},
    wallets::on_runtime,
};
use proptest::test_runner::{Config, TestRunner};

use self::{
    acts::{Act, Begun, WAITS, acts},
    thief::{Thief, one_bit_off},
    victim::Victim,
    world::World,
};

#[test]
fn no_sequence_of_requests_with_a_stolen_key_takes_anything_from_its_user() {
    no_sequence_takes_anything(Curve::Ed25519, 24);
}

/// A wallet of this curve takes a second to make, and another to recover.
#[test]
fn no_sequence_of_requests_with_a_stolen_key_freezes_or_takes_a_wallet_on_secp256k1() {
    no_sequence_takes_anything(Curve::Secp256k1, 1);
}

fn no_sequence_takes_anything(curve: Curve, usual_cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::begin());
    let cases = env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(usual_cases),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(&acts(), |acts| {
        runtime.block_on(async {
            let victim = Victim::live(&world, curve).await;
            let thief = Thief::listening_to(&world, &victim).await;
            for act in &acts {
                thief.act(&world, &victim, act).await;
            }
            victim.expect_all_is_well(&world).await;
        });
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn every_request_that_was_heard_can_be_repeated_in_every_form_after_every_timer() {
    can_be_repeated_in_every_form(Curve::Ed25519, &WAITS);
}

#[test]
fn every_request_that_was_heard_on_secp256k1_can_be_repeated_in_every_form_and_freezes_nothing() {
    can_be_repeated_in_every_form(Curve::Secp256k1, &[WAITS[0], WAITS[6]]);
}

fn can_be_repeated_in_every_form(curve: Curve, waits: &'static [u64]) {
    on_runtime(async move {
        let world = World::begin().await;
        let victim = Victim::live(&world, curve).await;
        let thief = Thief::listening_to(&world, &victim).await;
        assert!(thief.heard.len() > 25, "{} requests were heard", thief.heard.len());
        for &wait in waits {
            for at in 0..thief.heard.len() {
                let after = Some(at.saturating_sub(1));
                let forms = [
                    Act::Repeat(at),
                    Act::SignedAnew(at, None),
                    Act::SignedAnew(at, after),
                    Act::OneBit(at, 8 * at + 5),
                    Act::OneBitSignedAnew(at, 8 * at + 5),
                    Act::Forged(at, FORGED),
                    Act::ForgedSignedAnew(at, FORGED),
                    Act::OtherBody(at, at + 1),
                    Act::RepeatElsewhere(at, at + 2),
                ];
                for act in &forms {
                    thief.act(&world, &victim, act).await;
                }
            }
            for at in 0..thief.backups.len() {
                let operations = Begun::ALL.into_iter().map(|begun| Act::Begin(begun, at));
                let others = [
                    Act::Drop(at),
                    Act::Revoke(at, at + 1),
                    Act::Store(at, at),
                    Act::Commit(at, None),
                    Act::Commit(at, Some(0)),
                    Act::CipherText(at, at),
                    Act::CipherText(at, at + 1),
                    Act::PairNotice(at, false),
                    Act::PairNotice(at, true),
                    Act::SigningNotice(at),
                    Act::StoredNotice(at, false),
                    Act::StoredNotice(at, true),
                    Act::PrepareEject(at),
                    Act::EjectableShares,
                    Act::Ejected,
                ];
                for act in operations.chain(others) {
                    thief.act(&world, &victim, &act).await;
                }
            }
            victim.expect_unchanged(&world).await;
            world.wait(wait).await;
        }
        victim.expect_all_is_well(&world).await;
    });
}

/// A bit of a row of the oblivious-transfer extension, in the message of a first post that signs on
/// secp256k1: a device that sends it so has its pair frozen.
const FORGED: usize = 8 * (36 + 32 + 32 + 32 + (2 + 32 + 32 + 32) + 3 + 17);

/// Before each post of a session arrives, sends it in forms of his own.
struct Eavesdropper {
    device: DeviceKey,
    context: EncryptionContext,
    sent: Arc<AtomicU64>,
}

impl Meddler for Eavesdropper {
    fn before(&self, asked: &Asked) -> Vec<Asked> {
        let context = &self.context;
        if !asked.is_first_post() && !asked.is_second_post() {
            return Vec::new();
        }
        let flip = |message: &mut [u8]| {
            let at = (FORGED / 8).min(message.len() - 1);
            message[at] ^= 1;
        };
        let cheat = forged::post(&asked.body, flip).unwrap();
        let cheat = Asked { body: cheat.into(), ..asked.clone() };
        let forged = [
            cheat.clone().with_digest(),
            cheat.clone().with_digest().without_header(DeviceKey::HEADER),
            cheat.signed_by(context, &self.device, None),
        ];
        if asked.is_first_post() {
            // A first post that is the thief's own and right would take the place of the user's.
            return forged.into();
        }
        let body = one_bit_off(&asked.body, 8 * asked.body.len() - 1);
        let spoiled = Asked { body: body.clone().into(), ..asked.clone() };
        let mut forms = vec![
            asked.clone().with_other_body(body),
            asked.clone().signed_by(context, &self.device, None),
            spoiled.signed_by(context, &self.device, None),
            asked.clone().without_header(DeviceKey::HEADER),
        ];
        forms.extend(forged);
        self.sent.fetch_add(forms.len().try_into().unwrap(), Ordering::SeqCst);
        forms
    }
}

#[test]
fn who_hears_a_session_cannot_end_it_or_have_its_pair_frozen() {
    cannot_end_a_session(Curve::Ed25519);
}

#[test]
fn who_hears_a_session_on_secp256k1_cannot_end_it_or_have_its_pair_frozen() {
    cannot_end_a_session(Curve::Secp256k1);
}

fn cannot_end_a_session(curve: Curve) {
    on_runtime(async move {
        let world = World::begin().await;
        let victim = Victim::live(&world, curve).await;
        let sent = Arc::new(AtomicU64::new(0));
        victim.middle.meddle(Eavesdropper {
            device: DeviceKey::generate().unwrap(),
            context: victim.client.context.clone(),
            sent: Arc::clone(&sent),
        });
        victim.expect_all_is_well(&world).await;
        assert!(sent.load(Ordering::SeqCst) > 20);
    });
}
