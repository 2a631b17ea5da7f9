//! Safeguards that the harness can take away, to show that it notices.

use backup_testkit::{FileEffect, Files};
use clap::ValueEnum;

/// Something without which a wallet is lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Safeguard {
    /// The device syncs files before it counts on them
    FileSync,
    /// The device syncs its folder before it counts on names
    FolderSync,
    /// The device keeps a journal
    Journal,
    /// The device's share is durable before the service is asked to make it the one that signs
    DurableShare,
    /// The storing method's keys are durable before an enrolment returns
    KeySync,
    /// The service's commits are durable before it answers
    CommitSync,
}

/// Whose folder it is that is left behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Owner {
    /// The device.
    Device,
    /// The storing method.
    Keys,
    /// The service.
    Service,
}

impl Safeguard {
    /// Whether an effect happens although the safeguard is gone.
    #[must_use]
    pub fn lets(self, owner: Owner, effect: &FileEffect) -> bool {
        let is_sync = matches!(effect, FileEffect::Sync(_));
        match (self, owner) {
            (Self::FileSync, Owner::Device)
            | (Self::KeySync, Owner::Keys)
            | (Self::CommitSync, Owner::Service) => !is_sync,
            (Self::FolderSync, Owner::Device) => *effect != FileEffect::SyncFolder,
            _ => true,
        }
    }

    /// What a device's folder holds after a death, if it had lived without the safeguard. It held
    /// `before` when the operation began.
    pub fn after_death(self, before: &Files, after: &mut Files) {
        match self {
            Self::Journal => after.retain(|name, _| !name.ends_with(".journal")),
            Self::DurableShare => {
                after.retain(|name, _| !name.ends_with(".state"));
                let states = before.iter().filter(|(name, _)| name.ends_with(".state"));
                after.extend(states.map(|(name, bytes)| (name.clone(), bytes.clone())));
            }
            _ => {}
        }
    }
}
