//! What is dropped is erased: the process's own memory is searched for it.

#![cfg(target_os = "linux")]

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
};

use portal_mpc::{Backup, Curves, Post, Reply, server::Answered};
use zeroize::Zeroizing;

use crate::common::{context, generate, pair_ids_on};

/// Some bytes to search for, masked, so that the searcher holds no copy of its own.
struct Needle(Vec<u8>);

impl Needle {
    const MASK: u8 = 0x5a;

    fn of(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| byte ^ Self::MASK).collect())
    }

    fn is_in(&self, haystack: &[u8]) -> bool {
        let first = self.0[0] ^ Self::MASK;
        let mut starts = haystack.windows(self.0.len()).filter(|window| window[0] == first);
        starts.any(|window| window.iter().zip(&self.0).all(|(a, b)| a ^ Self::MASK == *b))
    }

    /// Whether the bytes stand anywhere in the writable memory of this process.
    ///
    /// Reads through one buffer of fixed size, and erases it: a search must not leave what it finds
    /// for the next one.
    fn is_in_memory(&self) -> bool {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let mut buffer = Zeroizing::new(vec![0; CHUNK + self.0.len()]);
        maps.lines().filter(|line| line.contains(" rw")).any(|line| {
            let range = line.split(' ').next().unwrap().split_once('-').unwrap();
            let [from, to] = [range.0, range.1].map(|hex| usize::from_str_radix(hex, 16).unwrap());
            (from..to).step_by(CHUNK).any(|at| {
                let chunk = &mut buffer[..(CHUNK + self.0.len()).min(to - at)];
                memory.seek(SeekFrom::Start(u64::try_from(at).unwrap())).unwrap();
                memory.read_exact(chunk).is_ok() && self.is_in(chunk)
            })
        })
    }
}

const CHUNK: usize = 64 * 1024;

/// After version, operation, step, curves, session id, nonce and pair: the client's fragment,
/// which with the share before the backup gives the share after it.
const FRAGMENT: std::ops::Range<usize> = 100..132;
/// In the server's state, after head, new pair and challenge: by how much the server's share
/// changes, which with the share after the backup gives the one before it.
const CORRECTION: std::ops::Range<usize> = 131..163;
/// In a stored backup share, after head and pair.
const SCALAR: std::ops::Range<usize> = 36..68;

#[test]
fn messages_states_secrets_and_shares_are_erased_when_they_are_dropped() {
    let pair = generate(Curves::SECP256K1, "pair");

    let (started, post) = Backup::start(&context(), pair.client.as_ref()).unwrap();
    let fragment = Needle::of(&post.as_bytes()[FRAGMENT]);
    // Its second half: an allocator writes into the beginning of what is freed.
    let secret = Needle::of(&started.secret().expose()[16..]);
    let received = Post::open(post.as_bytes(), started.secret()).unwrap();
    let ids = pair_ids_on("backup", &pair.server);
    let (answered, reply) =
        Backup::answer(&context(), pair.server.as_ref(), ids, received).unwrap();
    let stored = answered.to_bytes();
    let state = Needle::of(&stored[CORRECTION]);
    for (what, needle) in [("fragment", &fragment), ("secret", &secret), ("state", &state)] {
        assert!(needle.is_in_memory(), "the search does not find the {what} while it is there");
    }

    drop(answered);
    let reply = Reply::open(reply.as_bytes(), started.secret()).unwrap();
    let (advanced, second) = started.advance(reply).unwrap();
    let answered = Answered::<Backup>::from_bytes(&stored).unwrap();
    let received = Post::open(second.as_bytes(), advanced.secret()).unwrap();
    let (server, reply) = answered.finish(pair.server.as_ref(), received).unwrap();
    let reply = Reply::open(reply.as_bytes(), advanced.secret()).unwrap();
    let client = advanced.finish(reply).unwrap();
    drop((post, second, stored));
    assert!(!fragment.is_in_memory(), "a fragment outlives its message");
    assert!(!secret.is_in_memory(), "a session's secret outlives the session");
    assert!(!state.is_in_memory(), "a server's state outlives its step");

    let bytes = client.secp256k1.as_ref().unwrap().to_bytes();
    let scalar = Needle::of(&bytes[SCALAR]);
    assert!(scalar.is_in_memory());
    drop((bytes, client, server));
    assert!(!scalar.is_in_memory(), "a share outlives its owner");
}
