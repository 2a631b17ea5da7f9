//! `portal demo`: a backup, a lost device and a recovery, with a real file.

mod narrator;
mod scripted;
mod wallet;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use backup_core::{
    BackupId, ClientBackupShare, ClientId, CustodianId, EncryptionContext, Envelope, ErrorKind,
    Operation, Point, Purpose, Sealer, secrecy::ExposeSecret,
};
use backup_methods_password::Password;
use futures_executor::block_on;

use self::{
    narrator::{Narrator, say, step},
    scripted::User,
    wallet::Wallet,
};
use crate::{durable, failure::Failure};

pub(crate) fn run() -> Result<(), Failure> {
    let begin = Instant::now();
    println!("{INTRODUCTION}");
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::Failed(format!("cannot make a temporary folder: {error}")))?;
    block_on(story(folder.path()))?;
    println!();
    say(&format!("Everything held. That took {:.1} s.", begin.elapsed().as_secs_f64()));
    Ok(())
}

const INTRODUCTION: &str = "\
This demo backs a wallet up, loses the device, and brings the wallet back.

The private key of such a wallet is in no single place. It exists as two halves, called shares: one
on your device and one on a server, and both must take part to sign. Lose the device, and your half
is gone, unless it was backed up.

What is real here: the wallet, the encryption, the password hashing, the file, and every check.
What is not yet:   the server. It runs in this process, and so does the custodian, who keeps the
                   other half of each backup.";

/// Runs in order; whatever does not hold ends it.
async fn story(folder: &Path) -> Result<(), Failure> {
    let context = context()?;

    step("Your device and the server make a wallet, of which nobody ever has the private key");
    let wallet = Wallet::generate()?;
    let (addresses, points) = (wallet.addresses(), wallet.points()?);
    say(&format!("Your addresses: {}", addresses.join(" and ")));
    wallet.sign(b"a payment before the loss")?;

    step("You choose a password");
    let device = enroll(&context).await?;

    step("The wallet is backed up: one half encrypted into a file, one half to the custodian");
    let backup = wallet.back_up("backup-1")?;
    let first = store(&device, &backup.device, &folder.join("backup-1"))?;

    step("The backup is tried out before anybody relies on it");
    let opened = open(&first, User::typing(&[scripted::PASSWORD]), &context, &points).await?;
    check_equal(&backup.device, &opened)?;
    say("Read back from the file and opened with the password: the same shares.");

    step("A year later it is backed up again, without a password");
    let device = restart(device)?;
    let backup = wallet.back_up("backup-2")?;
    let second = store(&device, &backup.device, &folder.join("backup-2"))?;
    let custodian = backup.custodian;
    say("Nobody was asked: the device can add backups, but it cannot open them.");

    step("You lose the device");
    drop((device, wallet, backup.device));
    say(&format!(
        "All that is left is the file {}, what you remember, and the custodian's half.",
        second.display()
    ));

    step("Somebody who found the file tries a wrong password");
    refuse_wrong_password(&second, &context, &points).await?;

    step("On a new device you mistype the password once, then enter it right");
    let user = User::typing(&[scripted::MISTYPED, scripted::PASSWORD]);
    let opened = open(&second, user, &context, &points).await?;

    step("Your half and the custodian's make new shares for the new device and the server");
    let recovered = Wallet::recover(&opened, &custodian)?;
    if recovered.addresses() != addresses {
        return Err(Failure::Failed("another wallet came back; report this".into()));
    }
    say(&format!("Your addresses: {}, as before.", addresses.join(" and ")));
    recovered.sign(b"a payment after the recovery")
}

/// The names under which a business knows itself and its user.
fn context() -> Result<EncryptionContext, Failure> {
    Ok(EncryptionContext::new(CustodianId::new("demo-business")?, ClientId::new("demo-user")?))
}

async fn enroll(context: &EncryptionContext) -> Result<Sealer, Failure> {
    let method = Password::new(User::typing(&[scripted::TOO_SHORT, scripted::PASSWORD]));
    let narrator = Narrator::default();
    let op = Operation::new(Purpose::Enroll, context).with_progress(&narrator);
    let sealer = Sealer::enroll(&method, &op).await?;
    narrator.say_time("Turned it into a key on purpose slowly, so that guessing is slow, too");
    Ok(sealer)
}

fn store(device: &Sealer, shares: &[ClientBackupShare], path: &Path) -> Result<PathBuf, Failure> {
    let envelope = device.seal(&BackupId::generate()?, shares)?;
    durable::create(path, envelope.as_str().as_bytes())?;
    if read(path)? != envelope {
        return Err(Failure::Failed(format!(
            "{} does not hold what was written to it; try another disk",
            path.display()
        )));
    }
    say(&format!("{} characters, now on the disk: {}", envelope.as_str().len(), path.display()));
    Ok(path.to_owned())
}

fn read(path: &Path) -> Result<Envelope, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::of_file("read", path, &error))?;
    Ok(Envelope::parse(&text)?)
}

/// Whether opening brought back everything about every share.
fn check_equal(sealed: &[ClientBackupShare], opened: &[ClientBackupShare]) -> Result<(), Failure> {
    let same = |(a, b): (&ClientBackupShare, &ClientBackupShare)| {
        a.pair() == b.pair()
            && a.wallet() == b.wallet()
            && a.client_commitment() == b.client_commitment()
            && a.custodian_commitment() == b.custodian_commitment()
            && a.secret().expose_secret() == b.secret().expose_secret()
    };
    if sealed.len() == opened.len() && sealed.iter().zip(opened).all(same) {
        return Ok(());
    }
    Err(Failure::Failed("what came back are not the shares that went in; report this".into()))
}

/// Opens the file as a device does that knows nothing else.
async fn open(
    path: &Path,
    user: User,
    context: &EncryptionContext,
    wallets: &[Point],
) -> Result<Vec<ClientBackupShare>, Failure> {
    let method = Password::new(user);
    let narrator = Narrator::default();
    let op = Operation::new(Purpose::Unlock, context).with_progress(&narrator);
    let opened = read(path)?.open(&method, &op, wallets).await?;
    narrator.say_time("Opened");
    Ok(opened.shares)
}

/// All that a device keeps between two backups is one record.
fn restart(device: Sealer) -> Result<Sealer, Failure> {
    let record = device.encode();
    drop(device);
    Ok(Sealer::decode(record.expose_secret())?)
}

async fn refuse_wrong_password(
    path: &Path,
    context: &EncryptionContext,
    wallets: &[Point],
) -> Result<(), Failure> {
    let method = Password::new(User::typing(&[scripted::WRONG]));
    let narrator = Narrator::default();
    let op = Operation::new(Purpose::Unlock, context).with_progress(&narrator).with_attempts(1);
    match read(path)?.open(&method, &op, wallets).await {
        Err(error) if error.kind() == ErrorKind::Unauthorized => {
            narrator.say_time("Refused, and every further guess costs as much");
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failure::Failed("a wrong password opened the backup; report this".into())),
    }
}
