//! A real wallet on both curves. Device and server run in this process, and exchange the messages
//! that they would exchange over HTTP.

use backup_core::{
    ClientBackupShare, Curve, Point, SharePairId,
    secrecy::{ExposeSecret, SecretSlice},
};
use portal_mpc::{
    Backup, BackupShare, ByCurve, Client, Commitments, Confirm, Context, Curves, Generate,
    Namespace, OnCurve, PairId, Payload, Post, PublicKey, Recover, Reply, Role, Server, Sign,
    SignRequest, SigningShare, UnconfirmedShare, server::Answered,
};
use sha2::{Digest, Sha256};

use super::narrator::say;
use crate::failure::Failure;

/// Runs one operation: the device posts, the server answers, twice.
macro_rules! exchange {
    ($start:expr, $answer:expr, $finish:expr) => {{
        let (device, post) = $start?;
        let received = Post::open(post.as_bytes(), device.secret())?;
        let (state, reply) = $answer(received)?;
        let reply = Reply::open(reply.as_bytes(), device.secret())?;
        let (device, post) = device.advance(reply)?;
        let received = Post::open(post.as_bytes(), device.secret())?;
        let (server, reply) = $finish(state, received)?;
        let reply = Reply::open(reply.as_bytes(), device.secret())?;
        (device.finish(reply)?, server)
    }};
}

/// A wallet per curve: the device's shares and the server's.
pub(super) struct Wallet {
    context: Context,
    device: ByCurve<SigningShare<Client>>,
    server: ByCurve<SigningShare<Server>>,
}

/// What one backup run makes: the device's halves, to be encrypted, and the custodian's.
pub(super) struct BackupPair {
    pub(super) device: Vec<ClientBackupShare>,
    pub(super) custodian: ByCurve<BackupShare<Server>>,
}

impl Wallet {
    /// Makes both shares of a new key on each curve, and tries them out; nobody ever has the key.
    pub(super) fn generate() -> Result<Self, Failure> {
        let context = Context::new("demo-user", *b"the key of the device at hand...");
        let ids = pair_ids("first");
        let (device, server) = exchange!(
            Generate::start(&context, Curves::BOTH),
            |post| Generate::answer(&context, ids, post),
            |state: Answered<Generate>, post| state.finish(post)
        );
        Self::confirm(context, device, server)
    }

    /// Makes a backup pair of the same keys; the signing shares stay as they are.
    pub(super) fn back_up(&self, name: &str) -> Result<BackupPair, Failure> {
        let (device, custodian) = exchange!(
            Backup::start(&self.context, self.device.as_ref()),
            |post| Backup::answer(&self.context, self.server.as_ref(), pair_ids(name), post),
            |state: Answered<Backup>, post| { state.finish(self.server.as_ref(), post) }
        );
        let device = device
            .iter()
            .map(|(curve, share)| to_be_sealed(curve, name, share))
            .collect::<Result<_, Failure>>()?;
        Ok(BackupPair { device, custodian })
    }

    /// Makes a new wallet of the same keys out of both halves of a backup, and tries it out.
    pub(super) fn recover(
        opened: &[ClientBackupShare],
        custodian: &ByCurve<BackupShare<Server>>,
    ) -> Result<Self, Failure> {
        let context = Context::new("demo-user", *b"the key of the device bought now");
        let halves = opened.iter().map(from_sealed).collect::<Result<Vec<_>, Failure>>()?;
        let (shares, commitments): (Vec<_>, Vec<_>) = halves.into_iter().unzip();
        let (shares, commitments) = (ByCurve::collect(shares)?, ByCurve::collect(commitments)?);
        let halves = ByCurve {
            secp256k1: shares.secp256k1.as_ref().zip(commitments.secp256k1),
            ed25519: shares.ed25519.as_ref().zip(commitments.ed25519),
        };
        let (device, server) = exchange!(
            Recover::start(&context, halves),
            |post| Recover::answer(&context, custodian.as_ref(), pair_ids("second"), post),
            |state: Answered<Recover>, post| { state.finish(custodian.as_ref(), post) }
        );
        Self::confirm(context, device, server)
    }

    /// Has a new pair on each curve sign its test, which makes it live on either side.
    fn confirm(
        context: Context,
        device: ByCurve<UnconfirmedShare<Client>>,
        server: ByCurve<UnconfirmedShare<Server>>,
    ) -> Result<Self, Failure> {
        let (ours, theirs) = exchange!(
            Confirm::start(&context, device.as_ref()),
            |post| Confirm::answer(&context, server.as_ref(), post),
            |state: Answered<Confirm>, post| state.finish(server.as_ref(), post)
        );
        Ok(Self { context, device: device.confirm(&ours)?, server: server.confirm(&theirs)? })
    }

    /// Signs on both curves; both sides verify the signatures under the wallet's public keys.
    pub(super) fn sign(&self, message: &[u8]) -> Result<(), Failure> {
        let digest = Sha256::digest(message).into();
        let payload = |curve| match curve {
            Curve::Secp256k1 => Payload::Digest(&digest),
            _ => Payload::Message(message),
        };
        let device = requests(&self.device, payload);
        let server = requests(&self.server, payload);
        let (ours, theirs) = exchange!(
            Sign::start(&self.context, device),
            |post| Sign::answer(&self.context, server, post),
            |state: Answered<Sign>, post| state.finish(server, post)
        );
        if ours != theirs {
            return Err(Failure::Failed("device and server made two signatures".into()));
        }
        say("Signed by device and server together, and the signatures verified.");
        Ok(())
    }

    /// Its address on Ethereum, then on Solana.
    pub(super) fn addresses(&self) -> Vec<String> {
        [Namespace::Eip155, Namespace::Solana]
            .into_iter()
            .filter_map(|namespace| self.public_key(namespace.curve())?.address(namespace))
            .collect()
    }

    /// The public keys, as an envelope's reader supplies them.
    pub(super) fn points(&self) -> Result<Vec<Point>, Failure> {
        let keys = Curve::ALL.into_iter().filter_map(|curve| self.public_key(curve));
        keys.map(|key| point(&key)).collect()
    }

    fn public_key(&self, curve: Curve) -> Option<PublicKey> {
        self.device.get(curve).map(SigningShare::public_key)
    }
}

fn pair_name(name: &str, curve: Curve) -> String {
    format!("demo/{name}/{curve}")
}

fn pair_ids(name: &str) -> ByCurve<PairId> {
    ByCurve::both(Curve::Secp256k1, Curve::Ed25519)
        .map(|curve| PairId::from_name(&pair_name(name, curve)))
}

/// The device's half, with the public facts that recovery checks it against.
fn to_be_sealed(
    curve: Curve,
    name: &str,
    share: &BackupShare<Client>,
) -> Result<ClientBackupShare, Failure> {
    let commitments = share.commitments();
    Ok(ClientBackupShare::new(
        SharePairId::new(pair_name(name, curve))?,
        point(&commitments.public_key())?,
        point(&commitments.client())?,
        point(&commitments.server())?,
        SecretSlice::from(Box::<[u8]>::from(&share.to_bytes()[..])),
    )?)
}

/// What [`to_be_sealed`] made, checked.
fn from_sealed(opened: &ClientBackupShare) -> Result<(BackupShare<Client>, Commitments), Failure> {
    let share = BackupShare::from_bytes(opened.secret().expose_secret())?;
    if share.pair() != PairId::from_name(opened.pair().as_str()) {
        return Err(Failure::Failed(
            "the backup holds a share of another pair; report this".into(),
        ));
    }
    let commitments = Commitments::new(
        public_key(opened.wallet())?,
        public_key(opened.client_commitment())?,
        public_key(opened.custodian_commitment())?,
    )?;
    Ok((share, commitments))
}

fn requests<'a, R: Role>(
    shares: &'a ByCurve<SigningShare<R>>,
    payload: impl Fn(Curve) -> Payload<'a>,
) -> ByCurve<SignRequest<'a, R>> {
    shares.as_ref().map(|share| SignRequest { share, payload: payload(share.curve()) })
}

fn point(key: &PublicKey) -> Result<Point, Failure> {
    Ok(Point::new(key.curve(), key.as_bytes())?)
}

fn public_key(point: Point) -> Result<PublicKey, Failure> {
    Ok(PublicKey::from_bytes(point.curve(), point.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_a_backup_recover_the_wallet_and_it_signs() {
        let wallet = Wallet::generate().unwrap();
        let backup = wallet.back_up("backup").unwrap();
        let recovered = Wallet::recover(&backup.device, &backup.custodian).unwrap();
        assert_eq!(recovered.addresses(), wallet.addresses());
        recovered.sign(b"message").unwrap();
    }

    #[test]
    fn halves_of_two_backups_recover_nothing() {
        let wallet = Wallet::generate().unwrap();
        let (one, two) = (wallet.back_up("one").unwrap(), wallet.back_up("two").unwrap());
        assert!(Wallet::recover(&one.device, &two.custodian).is_err());
    }
}
