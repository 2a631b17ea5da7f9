//! What a thief does.

use proptest::prelude::*;

use super::world::{DAY, MINUTE};

/// What a thief does. Numbers choose among what he has.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Look,
    Read(usize),
    /// A request of the user's, as it was.
    Repeat(usize),
    /// The same, sent to where another one went.
    RepeatElsewhere(usize, usize),
    /// Its signature, with the body of another.
    OtherBody(usize, usize),
    /// Its signature, with a bit of its body changed.
    OneBit(usize, usize),
    /// With a signature of the thief's own, as after some reply.
    SignedAnew(usize, Option<usize>),
    OneBitSignedAnew(usize, usize),
    /// A post with a bit of its message changed, and a tag that fits: as who cheats would send it.
    Forged(usize, usize),
    ForgedSignedAnew(usize, usize),
    Begin(Begun, usize),
    Commit(usize, Option<usize>),
    Drop(usize),
    Revoke(usize, usize),
    Store(usize, usize),
    /// By Portal's own routes, which nobody signs.
    CipherText(usize, usize),
    PairNotice(usize, bool),
    SigningNotice(usize),
    StoredNotice(usize, bool),
    /// With a half of the thief's own.
    PrepareEject(usize),
    EjectableShares,
    Ejected,
    /// And maintenance runs.
    Wait(u64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Begun {
    Generate,
    Recover,
    Confirm,
    Sign,
    BackUp,
}

impl Begun {
    pub(crate) const ALL: [Self; 5] =
        [Self::Generate, Self::Recover, Self::Confirm, Self::Sign, Self::BackUp];
}

/// Just beyond each timer of the service: sessions, pending signing sets, marks of sessions,
/// pending backups, grace.
pub(crate) const WAITS: [u64; 7] =
    [1, MINUTE, 11 * MINUTE, 61 * MINUTE, DAY + MINUTE, 8 * DAY, 31 * DAY];

pub(crate) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let number = 0..10_000_usize;
    let one = || number.clone();
    let two = || (number.clone(), number.clone());
    let begun = prop::sample::select(Begun::ALL.to_vec());
    let act = prop_oneof![
        1 => Just(Act::Look),
        1 => one().prop_map(Act::Read),
        4 => one().prop_map(Act::Repeat),
        3 => two().prop_map(|(at, of)| Act::RepeatElsewhere(at, of)),
        3 => two().prop_map(|(at, of)| Act::OtherBody(at, of)),
        2 => two().prop_map(|(at, bit)| Act::OneBit(at, bit)),
        3 => (one(), prop::option::of(one())).prop_map(|(at, after)| Act::SignedAnew(at, after)),
        2 => two().prop_map(|(at, bit)| Act::OneBitSignedAnew(at, bit)),
        2 => two().prop_map(|(at, bit)| Act::Forged(at, bit)),
        2 => two().prop_map(|(at, bit)| Act::ForgedSignedAnew(at, bit)),
        4 => (begun, one()).prop_map(|(op, of)| Act::Begin(op, of)),
        2 => (one(), prop::option::of(one())).prop_map(|(of, head)| Act::Commit(of, head)),
        2 => one().prop_map(Act::Drop),
        2 => two().prop_map(|(of, and)| Act::Revoke(of, and)),
        2 => two().prop_map(|(of, text)| Act::Store(of, text)),
        2 => two().prop_map(|(of, text)| Act::CipherText(of, text)),
        2 => (one(), any::<bool>()).prop_map(|(of, key)| Act::PairNotice(of, key)),
        1 => one().prop_map(Act::SigningNotice),
        2 => (one(), any::<bool>()).prop_map(|(of, key)| Act::StoredNotice(of, key)),
        2 => one().prop_map(Act::PrepareEject),
        1 => Just(Act::EjectableShares),
        1 => Just(Act::Ejected),
        4 => prop::sample::select(WAITS.to_vec()).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..60)
}
