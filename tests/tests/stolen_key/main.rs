//! A stolen API key: whoever has it, and has heard all that the user's devices ever sent, tries
//! every request in every order, for as long as he likes. Nothing that the user has is lost by it.
//!
//! `PROPTEST_CASES` tries more sequences than the few of a usual run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acts;
mod thief;
mod victim;
mod world;

use std::{
    env,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
};

use backup_core::EncryptionContext;
use portal_api::DeviceKey;
use portal_tests::{
    middle::{Asked, Meddler},
    wallets::on_runtime,
};
use proptest::test_runner::{Config, TestRunner};

use crate::{
    acts::{Act, Begun, WAITS, acts},
    thief::{Thief, one_bit_off},
    victim::Victim,
    world::World,
};

#[test]
fn no_sequence_of_requests_with_a_stolen_key_takes_anything_from_its_user() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::begin());
    let cases = env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(24),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(&acts(), |acts| {
        runtime.block_on(async {
            let victim = Victim::live(&world).await;
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
    on_runtime(async {
        let world = World::begin().await;
        let victim = Victim::live(&world).await;
        let thief = Thief::listening_to(&world, &victim).await;
        assert!(thief.heard.len() > 25, "{} requests were heard", thief.heard.len());
        for wait in WAITS {
            for at in 0..thief.heard.len() {
                let after = Some(at.saturating_sub(1));
                let forms = [
                    Act::Repeat(at),
                    Act::SignedAnew(at, None),
                    Act::SignedAnew(at, after),
                    Act::OneBit(at, 8 * at + 5),
                    Act::OneBitSignedAnew(at, 8 * at + 5),
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

/// Before each post of a session arrives, sends it in forms of his own.
struct Eavesdropper {
    device: DeviceKey,
    context: EncryptionContext,
    sent: Arc<AtomicU64>,
}

impl Meddler for Eavesdropper {
    fn before(&self, asked: &Asked) -> Vec<Asked> {
        let context = &self.context;
        if !asked.is_second_post() {
            return Vec::new();
        }
        let body = one_bit_off(&asked.body, 8 * asked.body.len() - 1);
        let spoiled = Asked { body: body.clone().into(), ..asked.clone() };
        let forms = vec![
            asked.clone().with_other_body(body),
            asked.clone().signed_by(context, &self.device, None),
            spoiled.signed_by(context, &self.device, None),
            asked.clone().without_header(DeviceKey::HEADER),
        ];
        self.sent.fetch_add(forms.len().try_into().unwrap(), Ordering::SeqCst);
        forms
    }
}

#[test]
fn who_hears_a_session_cannot_end_it_or_have_its_pair_frozen() {
    on_runtime(async {
        let world = World::begin().await;
        let victim = Victim::live(&world).await;
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
