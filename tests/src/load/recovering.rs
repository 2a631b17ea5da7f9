//! Devices that recover wallets, in a process of their own that gives way to all others.

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use backup_testkit::MemoryStore;
use portal_client::{BackUpOptions, Curves, Portal, RecoverOptions};
use tokio::{sync::watch, task};

use crate::{
    own_process::OwnProcess,
    wallets::{Custodian, Device, TestClient, memory_id, memory_method, on_runtime, unseen},
};

/// By these, with the service's address and folder, a program is asked to be the devices.
const URL: &str = "PORTAL_TESTS_RECOVER";
const FOLDER: &str = "PORTAL_TESTS_RECOVER_FOLDER";

/// How many recover at once, one after the other: as many as there are places for costly work.
const DEVICES: usize = 2;

/// Devices that recover one wallet after the other until they are told to end.
#[derive(Debug)]
pub struct Recovering {
    process: Child,
    says: BufReader<ChildStdout>,
}

/// Is the devices, if this process was started to be them. Every program that starts
/// [`Recovering`] calls this first, and ends if it was.
#[must_use]
pub fn has_recovered() -> bool {
    let (Ok(url), Some(folder)) = (env::var(URL), env::var_os(FOLDER)) else { return false };
    on_runtime(recover_until_told(Custodian::of(&url, Path::new(&folder))));
    true
}

impl Recovering {
    /// Starts this program once more, to be the devices, and waits until they recover.
    ///
    /// A user's device computes on processors of its own. Here all share those of one machine, and
    /// so the devices get what nobody else can use.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or fails.
    #[must_use]
    pub fn start(service: &OwnProcess) -> Self {
        let mut process = Command::new("nice")
            .args(["-n", "19"])
            .arg(env::current_exe().expect("this program has a path"))
            .env(URL, service.url())
            .env(FOLDER, service.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the devices start");
        let output = process.stdout.take().expect("it was asked for");
        let mut devices = Self { process, says: BufReader::new(output) };
        assert_eq!(devices.line(), "recovering");
        devices
    }

    /// Tells them to end, and says how many wallets they have recovered.
    ///
    /// # Panics
    ///
    /// If a recovery has failed.
    #[must_use]
    pub fn end(mut self) -> usize {
        drop(self.process.stdin.take());
        self.line().parse().expect("a number of wallets")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("the devices speak");
        line.trim().to_owned()
    }
}

impl Drop for Recovering {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

async fn recover_until_told(custodian: Custodian) {
    let (stop, stopped) = watch::channel(false);
    let mut recovering = Vec::new();
    for _ in 0..DEVICES {
        let wallet = BackedUp::new(&custodian).await;
        recovering.push(tokio::spawn(wallet.recover_until(stopped.clone())));
    }
    say("recovering");
    let until_closed = || io::stdin().read_line(&mut String::new()).is_ok();
    task::spawn_blocking(until_closed).await.expect("reading does not panic");
    stop.send(true).expect("they still recover");
    let mut recovered = 0;
    for recovering in recovering {
        recovered += recovering.await.expect("it does not panic");
    }
    say(&recovered.to_string());
}

fn say(what: &str) {
    println!("{what}");
    io::stdout().flush().expect("somebody reads it");
}

/// A wallet on both curves that has a backup.
struct BackedUp {
    client: TestClient,
    url: String,
    store: MemoryStore,
}

impl BackedUp {
    async fn new(custodian: &Custodian) -> Self {
        let client = custodian.new_client().await.expect("a client is made");
        let (url, store) = (custodian.url().to_owned(), MemoryStore::new());
        let wallet = Self { client, url, store };
        let first = wallet.client.device();
        let app = wallet.app(&first);
        app.create_wallet(&unseen).await.expect("a wallet is made");
        let options = BackUpOptions::default();
        app.back_up(&memory_id(), &options, &unseen).await.expect("it is backed up");
        wallet
    }

    fn app(&self, device: &Device) -> Portal {
        let app = device.app(&self.url).curves(Curves::BOTH).method(memory_method(&self.store));
        app.build().expect("it is set up")
    }

    async fn recover_until(self, stopped: watch::Receiver<bool>) -> usize {
        let mut recovered = 0;
        while !*stopped.borrow() {
            let new = self.client.device();
            let options = RecoverOptions::default();
            let wallet = self.app(&new).recover(&memory_id(), &options, &unseen).await;
            wallet.expect("it is recovered");
            recovered += 1;
        }
        recovered
    }
}
