//! The five operations, from what the device keeps to what it is to keep or seal.

use std::sync::Arc;

use backup_core::{BackupId, ClientBackupShare, MethodId, secrecy::ExposeSecret};
use portal_api::{Completion, DeviceKey, FirstPost, Nothing, PairName, PerCurve, SignPayload};
use portal_mpc::{
    Backup, BackupShare, ByCurve, Client, Confirm, Context, Curves, Generate, OnCurve, Payload,
    Recover, Sign, SignRequest, Signature, UnconfirmedShare,
};

use super::{
    caller::{Caller, Outcome, on_thread, run},
    shares::{self, OpenedShare},
};
use crate::{Error, Result, device::SigningSet, service::Service};

/// Makes a new wallet on each curve: its set is not confirmed yet.
pub(crate) async fn generate(service: &Arc<Service>, curves: Curves) -> Result<SigningSet> {
    on_thread(service, move |service, runtime| {
        run(service, runtime, fresh_key, |caller| {
            let nothing = |curve| curves.contains(curve).then_some(Nothing {});
            let device_key = caller.key().public();
            let head = FirstPost::Generate { curves: per_curve(nothing), device_key };
            let start = |context: &Context| Generate::start(context, curves);
            Ok(unconfirmed(caller, &caller.session::<Generate>(&head, start)?)?)
        })
    })
    .await
}

/// Makes a new set of both halves of a backup: it is not confirmed yet.
pub(crate) async fn recover(
    service: &Arc<Service>,
    opened: ByCurve<OpenedShare>,
) -> Result<SigningSet> {
    on_thread(service, move |service, runtime| {
        run(service, runtime, fresh_key, |caller| {
            let name = |curve| Some(PairName(opened.get(curve)?.name.clone()));
            let device_key = caller.key().public();
            let head = FirstPost::Recover { pairs: per_curve(name), device_key };
            let halves = opened.as_ref().map(|opened| (&opened.share, opened.commitments));
            let start = |context: &Context| Recover::start(context, halves);
            Ok(unconfirmed(caller, &caller.session::<Recover>(&head, start)?)?)
        })
    })
    .await
}

/// Signs the test of a set, which makes it live: the set as the device is to keep it then.
pub(crate) async fn confirm(service: &Arc<Service>, set: &SigningSet) -> Result<SigningSet> {
    let shares = shares::stored(set)?;
    let names: Vec<_> = set.pairs().iter().map(|pair| pair.pair.clone()).collect();
    let key = device_key(set);
    on_thread(service, move |service, runtime| {
        let head = FirstPost::Confirm { device_key: key.public() };
        let tests = {
            let sources = shares::test_sources(&shares)?;
            let start = |context: &Context| Confirm::start(context, sources);
            let session = |caller: &Caller<'_>| caller.session::<Confirm>(&head, start);
            run(service, runtime, || Ok(same(&key)), session)?.outputs
        };
        let mut names = names.into_iter();
        let mut pairs = Vec::new();
        for share in [shares.secp256k1, shares.ed25519].into_iter().flatten() {
            let test = tests.get(share.curve()).ok_or(portal_mpc::Error::WrongCurve)?;
            let name = names.next().ok_or_else(shares::damaged)?;
            let live = share.confirm(test)?;
            pairs.push(shares::signing_pair(name, &live.public_key(), &live.to_bytes())?);
        }
        shares::signing_set(&key, pairs)
    })
    .await
}

/// Signs with the live set, on the payload's curve.
pub(crate) async fn sign(
    service: &Arc<Service>,
    set: &SigningSet,
    payload: Payload<'_>,
) -> Result<Signature> {
    let curve = payload.curve();
    let share = shares::signing(set, curve)?;
    let payload = owned(payload)?;
    let key = device_key(set);
    on_thread(service, move |service, runtime| {
        let of_curve = |other| (other == curve).then(|| payload.clone());
        let head = FirstPost::Sign { payloads: per_curve(of_curve) };
        let request = SignRequest { share: &share, payload: borrowed(&payload) };
        let start = |context: &Context| Sign::start(context, ByCurve::collect([request])?);
        let session = |caller: &Caller<'_>| caller.session::<Sign>(&head, start);
        let outcome = run(service, runtime, || Ok(same(&key)), session)?;
        let signature = outcome.outputs.get(curve).copied();
        signature.ok_or_else(|| portal_mpc::Error::WrongCurve.into())
    })
    .await
}

/// What one backup makes: the device's halves, to be sealed and to prove that they are held.
pub(crate) struct MadeBackup {
    pub(crate) shares: Vec<ClientBackupShare>,
    pub(crate) halves: ByCurve<BackupShare<Client>>,
}

/// Makes a backup pair of each pair of the live set, for a set that is completed in this way.
pub(crate) async fn back_up(
    service: &Arc<Service>,
    set: &SigningSet,
    backup: BackupId,
    method: MethodId,
    completion: Completion,
) -> Result<MadeBackup> {
    let shares = shares::stored(set)?;
    let key = device_key(set);
    on_thread(service, move |service, runtime| {
        let head = FirstPost::BackUp { backup, method, completion };
        let sources = shares::backup_sources(&shares)?;
        let start = |context: &Context| Backup::start(context, sources);
        let session = |caller: &Caller<'_>| caller.session::<Backup>(&head, start);
        let outcome = run(service, runtime, || Ok(same(&key)), session)?;
        let sealed = outcome
            .outputs
            .iter()
            .map(|(curve, share)| shares::to_be_sealed(outcome.name(curve, share.pair())?, share));
        let shares = sealed.collect::<Result<_>>()?;
        Ok(MadeBackup { shares, halves: outcome.outputs })
    })
    .await
}

/// The key by which the service knows a set.
pub(crate) fn device_key(set: &SigningSet) -> DeviceKey {
    DeviceKey::from_bytes(set.device_key().expose_secret())
}

fn fresh_key() -> Result<DeviceKey> {
    Ok(DeviceKey::generate()?)
}

/// The same key once more.
fn same(key: &DeviceKey) -> DeviceKey {
    DeviceKey::from_bytes(key.expose())
}

fn unconfirmed<O>(caller: &Caller<'_>, outcome: &Outcome<O>) -> Result<SigningSet>
where
    O: portal_mpc::Operation<Output<Client> = UnconfirmedShare<Client>>,
{
    let pairs = outcome.outputs.iter().map(|(curve, share)| {
        let name = outcome.name(curve, share.pair())?;
        shares::signing_pair(name, &share.public_key(), &share.to_bytes())
    });
    shares::signing_set(caller.key(), pairs.collect::<Result<_>>()?)
}

fn per_curve<T>(value: impl Fn(backup_core::Curve) -> Option<T>) -> PerCurve<T> {
    use backup_core::Curve::{Ed25519, Secp256k1};
    PerCurve { secp256k1: value(Secp256k1), ed25519: value(Ed25519) }
}

fn owned(payload: Payload<'_>) -> Result<SignPayload> {
    match payload {
        Payload::Digest(digest) => Ok(SignPayload::Digest(*digest)),
        Payload::Message(message) if message.len() > SignPayload::MAX_MESSAGE_LEN => {
            Err(Error::InvalidInput("a message to sign has at most 64 KiB".into()))
        }
        Payload::Message(message) => Ok(SignPayload::Message(message.to_vec())),
    }
}

fn borrowed(payload: &SignPayload) -> Payload<'_> {
    match payload {
        SignPayload::Digest(digest) => Payload::Digest(digest),
        SignPayload::Message(message) => Payload::Message(message),
    }
}
