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

What is real here: the encryption, the password hashing, the file, and every check.
What is not yet:   the wallet. Its shares are stand-in shares: random bytes of the right length.";

/// Runs in order; whatever does not hold ends it.
async fn story(folder: &Path) -> Result<(), Failure> {
    let context = context()?;

    step("You have a wallet on each of two curves");
    let shares = wallet::stand_in_shares()?;
    let wallets: Vec<Point> = shares.iter().map(ClientBackupShare::wallet).collect();

    step("You choose a password");
    let device = enroll(&context).await?;

    step("Your shares are encrypted and stored in a file");
    let first = store(&device, &shares, &folder.join("backup-1"))?;

    step("The backup is tried out before anybody relies on it");
    let opened = open(&first, User::typing(&[scripted::PASSWORD]), &context, &wallets).await?;
    wallet::check_equal(&shares, &opened)?;
    say("Read back from the file and opened with the password: the same shares.");

    step("A year later your shares have changed, and are backed up again without a password");
    let device = restart(device)?;
    let new_shares = wallet::refreshed(&shares)?;
    let second = store(&device, &new_shares, &folder.join("backup-2"))?;
    say("Nobody was asked: the device can add backups, but it cannot open them.");

    step("You lose the device");
    drop(device);
    say(&format!("All that is left is the file {} and what you remember.", second.display()));

    step("Somebody who found the file tries a wrong password");
    refuse_wrong_password(&second, &context, &wallets).await?;

    step("On a new device you mistype the password once, then enter it right");
    let user = User::typing(&[scripted::MISTYPED, scripted::PASSWORD]);
    let recovered = open(&second, user, &context, &wallets).await?;
    wallet::check_equal(&new_shares, &recovered)?;
    say("Your shares are back, byte for byte.");
    Ok(())
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
