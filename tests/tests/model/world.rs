//! What there is in the model: two devices, the service, the user's secrets, a late request.

use portal_client::device::{Step, Trial};

/// A backup set, by the order in which their making began. An enrolment has the number of the run
/// that made it.
pub(crate) type Set = u8;

/// A device key, which names a signing set.
pub(crate) type Key = u8;

pub(crate) const MOST_SETS: usize = 4;
pub(crate) const MOST_METHODS: usize = 2;

/// Any set that is gone.
pub(crate) const GONE: Set = 4;

/// One state of everything. Times are told by whether they are long ago: longer than any limit.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) devices: [Device; 2],
    /// What the user has by enrolment `i`.
    pub(crate) secrets: [Secret; MOST_SETS],
    /// A request that was sent and whose answer nobody waits for: it may arrive at any time.
    pub(crate) late: Option<Request>,
    pub(crate) sets_begun: u8,
    pub(crate) sets_by_others: u8,
    pub(crate) keys_made: u8,
    pub(crate) erasures: u8,
    pub(crate) past: Past,
}

/// What the properties have to know of the past. No rule reads it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Past {
    /// Sets of which the user was told that they are complete.
    pub(crate) told: Bits,
    /// Sets that went because a newer proved one was there, or because the user said so.
    pub(crate) rightly_gone: Bits,
    pub(crate) completed: Bits,
    /// Whether the user was told of a backup of the method, could open it, and did not revoke it.
    pub(crate) protected: [bool; MOST_METHODS],
    /// Whether there was a proved set.
    pub(crate) proved: bool,
    /// Signing sets that were erased with their device, since one became live.
    pub(crate) erased: Bits,
}

#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Service {
    pub(crate) live: Option<Key>,
    pub(crate) waiting: [Option<Waiting>; 3],
    pub(crate) sets: [Option<Kept>; MOST_SETS],
    /// Sets whose session is over: its repetition makes no other.
    pub(crate) made: Bits,
}

/// A signing set that waits for its confirmation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) key: Key,
    pub(crate) replaces: Option<Key>,
    /// `None` if it was generated.
    pub(crate) recovered_from: Option<Set>,
    pub(crate) long_ago: bool,
}

/// A set that the service has: the custodian's halves, and perhaps the envelope.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Kept {
    pub(crate) method: u8,
    /// The enrolment whose slot its envelope has, once that is stored.
    pub(crate) slot: Option<Set>,
    pub(crate) life: Life,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Life {
    Pending {
        long_ago: bool,
    },
    Completed {
        sequence: u8,
        /// Whether it has been seen to work, and if so whether that is long ago.
        proved: Option<bool>,
    },
}

#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) enum Secret {
    /// There is no such enrolment.
    #[default]
    None,
    Works,
    /// The user will never obtain the same key again: a slip at typing, a store that lied.
    Wrong,
    /// The same, and the user declined to try it: nothing older is forgotten because of it.
    Untried,
    /// The user has gone over to a newer enrolment of the method, of which he was told.
    Forgotten,
    /// A device had it destroyed.
    Destroyed,
}

/// A device: what it keeps durably, and its process.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Device {
    pub(crate) live: Option<Key>,
    pub(crate) pending: Option<Key>,
    /// What the recovery opened that made the pending signing set.
    pub(crate) recovered: Option<Opened>,
    /// The enrolment with which it seals without the user, by method.
    pub(crate) sealers: [Option<Set>; MOST_METHODS],
    /// The enrolment of the backup that is under way, if it is a new one.
    pub(crate) new_sealer: Option<Set>,
    /// The head as far as it knows, by method.
    pub(crate) heads: [Option<Set>; MOST_METHODS],
    /// What it knows of enrolment `i`.
    pub(crate) known: [Option<Known>; MOST_SETS],
    /// Enrolments of backups that were given up: their keys are to be destroyed.
    pub(crate) leftovers: Bits,
    pub(crate) run: Option<Run>,
    pub(crate) process: Process,
}

/// An envelope that the user opened.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Opened {
    pub(crate) set: Set,
    pub(crate) method: u8,
    pub(crate) slot: Set,
    pub(crate) is_head: bool,
}

/// An enrolment that the device made or opened.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Known {
    pub(crate) method: u8,
    pub(crate) is_current: bool,
    /// Whether the device has seen it open, and if so whether that is long ago.
    pub(crate) proved: Option<bool>,
}

/// The journal of a backup.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Run {
    pub(crate) method: u8,
    pub(crate) set: Set,
    pub(crate) step: Step,
    /// The enrolment of the slot.
    pub(crate) slot: Set,
    pub(crate) replaces: Option<Set>,
    pub(crate) trial: Trial,
}

/// What is in a device's memory, and lost in a crash.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) enum Process {
    /// Nothing, or no process at all.
    #[default]
    Rest,
    /// At this step, which the journal may be beyond.
    BackingUp { at: Step },
    /// The set may have to be dropped before the journal is cleared.
    RollingBack { drop: bool },
    /// These are to go, in this order.
    Revoking { method: u8, sets: Bits, pending: Option<Set>, keys: Bits },
    /// A key that no envelope needs is to go.
    Retiring { key: Set },
    /// Between the two posts.
    Recovering { opened: Opened, replaces: Option<Key> },
}

/// What a device asks of the service, signed by the key `by`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Request {
    Make { set: Set, method: u8, by: Key },
    Store { set: Set, slot: Set, by: Key },
    Commit { set: Set, replaces: Option<Set>, opened: bool, by: Key },
    Drop { set: Set, by: Key },
    Revoke { sets: Bits, by: Key },
    Confirm { key: Key },
}

/// A small set of small numbers.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Bits(u8);

impl World {
    pub(crate) fn sets(&self) -> impl Iterator<Item = (Set, Kept)> {
        (0..).zip(self.service.sets).filter_map(|(id, kept)| kept.map(|kept| (id, kept)))
    }

    pub(crate) fn completed(&self, method: u8) -> impl Iterator<Item = (Set, Kept)> {
        self.sets().filter(move |(_, kept)| kept.method == method && kept.is_completed())
    }

    /// Whether the user can open what has this slot.
    pub(crate) fn opens(&self, slot: Option<Set>) -> bool {
        slot.is_some_and(|slot| self.secrets[usize::from(slot)] == Secret::Works)
    }

    /// Whether the user can recover by the method.
    pub(crate) fn is_recoverable(&self, method: u8) -> bool {
        self.completed(method).any(|(_, kept)| self.opens(kept.slot))
    }

    /// Whether an envelope has the slot of the enrolment.
    pub(crate) fn is_in_use(&self, slot: Set) -> bool {
        self.sets().any(|(_, kept)| kept.slot == Some(slot))
    }

    pub(crate) fn destroy(&mut self, enrollment: Set) {
        let secret = &mut self.secrets[usize::from(enrollment)];
        if matches!(secret, Secret::Works | Secret::Wrong | Secret::Untried) {
            *secret = Secret::Destroyed;
        }
    }

    /// The user is told that a set is complete.
    pub(crate) fn tell(&mut self, set: Set, method: u8) {
        self.past.told.insert(set);
        if self.service.sets[usize::from(set)].is_some_and(|kept| self.opens(kept.slot)) {
            self.past.protected[usize::from(method)] = true;
        }
    }
}

impl Service {
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Waiting> {
        self.waiting.into_iter().flatten()
    }

    pub(crate) fn keep_waiting(&mut self, waiting: Waiting) {
        let place = self.waiting.iter_mut().find(|place| place.is_none());
        *place.expect("there are as many places as keys") = Some(waiting);
    }

    /// Forgets some; the order of the others says nothing.
    pub(crate) fn forget_waiting(&mut self, is_over: impl Fn(&Waiting) -> bool) {
        for place in &mut self.waiting {
            *place = place.filter(|waiting| !is_over(waiting));
        }
        self.waiting.sort_by_key(|place| place.map_or(Key::MAX, |waiting| waiting.key));
    }
}

impl Device {
    /// Takes note of an enrolment; it is its method's newest.
    pub(crate) fn note(&mut self, enrollment: Set, method: u8, is_proved: bool) {
        for known in self.known.iter_mut().flatten().filter(|known| known.method == method) {
            known.is_current = false;
        }
        let known = &mut self.known[usize::from(enrollment)];
        let proved = known.and_then(|known| known.proved).or(is_proved.then_some(false));
        *known = Some(Known { method, is_current: true, proved });
    }

    pub(crate) fn known(&self) -> impl Iterator<Item = (Set, Known)> {
        (0..).zip(self.known).filter_map(|(slot, known)| known.map(|known| (slot, known)))
    }
}

impl Run {
    /// The enrolment that it made, if it did.
    pub(crate) fn enrolled(&self) -> Option<Set> {
        (self.trial != Trial::NotNeeded).then_some(self.slot)
    }
}

impl Kept {
    pub(crate) fn is_completed(&self) -> bool {
        matches!(self.life, Life::Completed { .. })
    }

    pub(crate) fn is_proved(&self) -> bool {
        matches!(self.life, Life::Completed { proved: Some(_), .. })
    }

    pub(crate) fn sequence(&self) -> Option<u8> {
        match self.life {
            Life::Completed { sequence, .. } => Some(sequence),
            Life::Pending { .. } => None,
        }
    }
}

impl Bits {
    pub(crate) fn contains(self, number: u8) -> bool {
        self.0 & 1 << number != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |number| self.contains(*number))
    }

    pub(crate) fn insert(&mut self, number: u8) {
        self.0 |= 1 << number;
    }

    pub(crate) fn remove(&mut self, number: u8) {
        self.0 &= !(1 << number);
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

impl FromIterator<u8> for Bits {
    fn from_iter<I: IntoIterator<Item = u8>>(numbers: I) -> Self {
        let mut bits = Self::default();
        numbers.into_iter().for_each(|number| bits.insert(number));
        bits
    }
}

impl std::ops::BitOr for Bits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
