//! What one derivation costs: what we choose, what we accept, what we refuse.

use backup_core::{Error, ErrorKind, Result};

/// The cost parameters of Argon2id (RFC 9106), of the one who knows the password and, for each
/// guess, of the one who does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// What is chosen unless the app says otherwise: 128 MiB, 3 passes, 4 lanes.
    ///
    /// Twice the memory of RFC 9106's second recommendation. The README has the measurements.
    pub const RECOMMENDED: Self = Self { memory_kib: 128 * 1024, passes: 3, lanes: 4 };

    /// The least that is still chosen: RFC 9106's second recommendation, 64 MiB, 3 passes, 4 lanes.
    ///
    /// What costs less than this opens, with
    /// [`Progress::WeakParameters`](backup_core::Progress::WeakParameters).
    pub const LEAST: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// A cost for new enrolments, on devices that the app's author has measured.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it is below [`LEAST`](Self::LEAST) in memory, or in memory
    /// times passes; if it is above [`CostLimit::DEFAULT`]; or if it is no set of parameters of
    /// Argon2.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self> {
        let refuse = |message| Error::new(ErrorKind::InvalidInput, message);
        let cost = Self::read(memory_kib, passes, lanes).ok_or_else(|| {
            refuse("Argon2 takes 1 pass or more, 1 lane or more, and 8 KiB or more per lane")
        })?;
        if cost.is_weak() {
            return Err(refuse("new passwords take 64 MiB or more, and 3 passes over that much"));
        }
        CostLimit::DEFAULT.check(cost).map_err(|error| {
            refuse("no other device would open what costs this much").with_source(error)
        })?;
        Ok(cost)
    }

    /// Any parameters that Argon2 is defined for, of whatever cost.
    pub(crate) fn read(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let defined = (1..=Self::MAX_LANES).contains(&lanes)
            && passes >= 1
            && memory_kib >= Self::KIB_PER_LANE * lanes;
        defined.then_some(Self { memory_kib, passes, lanes })
    }

    const MAX_LANES: u32 = (1 << 24) - 1;
    const KIB_PER_LANE: u32 = 8;

    /// The memory that a derivation fills, in KiB.
    #[must_use]
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// How often it goes over that memory.
    #[must_use]
    pub fn passes(self) -> u32 {
        self.passes
    }

    /// How many processors could share the work. Here one does it all.
    #[must_use]
    pub fn lanes(self) -> u32 {
        self.lanes
    }

    /// Memory times passes: to this, time is proportional.
    #[must_use]
    pub fn kib_passes(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    pub(crate) fn is_weak(self) -> bool {
        self.memory_kib < Self::LEAST.memory_kib || self.kib_passes() < Self::LEAST.kib_passes()
    }
}

/// The most that opening a backup may cost.
///
/// A stored envelope is hostile input: without a limit, one could ask for 4 TiB of memory or a
/// year's work. A limit is compared before any memory is taken and before the user is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CostLimit {
    /// The most memory, in KiB.
    pub memory_kib: u32,
    /// The most work: memory in KiB times passes.
    pub kib_passes: u64,
}

impl CostLimit {
    /// 512 MiB, and 4 passes over that much: some five times the recommended work.
    pub const DEFAULT: Self = Self { memory_kib: 512 * 1024, kib_passes: 4 * 512 * 1024 };

    pub(crate) fn check(self, cost: Cost) -> Result<()> {
        if cost.memory_kib > self.memory_kib || cost.kib_passes() > self.kib_passes {
            return Err(Error::new(
                ErrorKind::TooCostly,
                format!(
                    "this backup asks for {} MiB of memory and {} passes over it, more than this \
                     device is told to give; if you trust where it comes from, raise the limit",
                    cost.memory_kib.div_ceil(1024),
                    cost.passes
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u32 = 1024;

    fn kind(result: Result<Cost>) -> ErrorKind {
        result.unwrap_err().kind()
    }

    #[test]
    fn costs_below_the_least_are_not_chosen() {
        assert_eq!(Cost::new(64 * MIB, 3, 4).unwrap(), Cost::LEAST);
        assert_eq!(kind(Cost::new(64 * MIB - 1, 3, 4)), ErrorKind::InvalidInput);
        assert_eq!(kind(Cost::new(64 * MIB - 1, 30, 4)), ErrorKind::InvalidInput);
        assert_eq!(kind(Cost::new(64 * MIB, 2, 4)), ErrorKind::InvalidInput);
        assert!(Cost::new(192 * MIB, 1, 1).is_ok());
    }

    #[test]
    fn costs_that_other_devices_would_refuse_are_not_chosen() {
        assert!(Cost::new(512 * MIB, 4, 4).is_ok());
        assert_eq!(kind(Cost::new(512 * MIB + 1, 1, 4)), ErrorKind::InvalidInput);
        assert_eq!(kind(Cost::new(512 * MIB, 5, 4)), ErrorKind::InvalidInput);
    }

    #[test]
    fn costs_that_argon2_does_not_define_are_not_read() {
        assert!(Cost::read(8, 1, 1).is_some());
        for (memory_kib, passes, lanes) in
            [(0, 1, 1), (7, 1, 1), (8, 0, 1), (8, 1, 0), (15, 1, 2), (u32::MAX, 1, u32::MAX)]
        {
            assert_eq!(
                Cost::read(memory_kib, passes, lanes),
                None,
                "{memory_kib} {passes} {lanes}"
            );
        }
    }

    #[test]
    fn every_dimension_of_a_hostile_cost_is_refused() {
        for (memory_kib, passes) in [(u32::MAX, 1), (8, u32::MAX), (u32::MAX, u32::MAX)] {
            let cost = Cost::read(memory_kib, passes, 1).unwrap();
            assert_eq!(CostLimit::DEFAULT.check(cost).unwrap_err().kind(), ErrorKind::TooCostly);
        }
    }

    #[test]
    fn the_recommended_cost_is_neither_weak_nor_refused() {
        assert!(!Cost::RECOMMENDED.is_weak());
        assert!(CostLimit::DEFAULT.check(Cost::RECOMMENDED).is_ok());
    }
}
