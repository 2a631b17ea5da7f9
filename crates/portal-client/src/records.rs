//! What the facade keeps in a device's state besides shares, sealers and heads.

mod enrollments;
mod leftovers;
mod recovered;
mod revocation;

use backup_core::{MethodId, MethodParams, Result, Sealer, secrecy::ExposeSecret};

pub(crate) use self::{
    enrollments::{Enrollment, Enrollments},
    leftovers::{Leftover, Leftovers},
    recovered::Recovered,
    revocation::Revocation,
};
use crate::device::{
    BackupRun, DeviceState,
    codec::{Reader, damaged, unknown_version},
};

/// The name of the record that holds the sealer of an enrolment whose first backup is under way.
const NEW_SEALER: &str = "new-sealer";

/// The sealer of an enrolment whose first backup is under way.
pub(crate) fn new_sealer(state: &DeviceState) -> Result<Option<Sealer>> {
    let record = state.record(NEW_SEALER);
    record.map(|record| Sealer::decode(record.expose_secret())).transpose()
}

/// Keeps it, before a commit that would make it the method's own.
pub(crate) fn set_new_sealer(state: &mut DeviceState, sealer: &Sealer) -> Result<()> {
    state.set_record(NEW_SEALER, sealer.encode())
}

/// Forgets it: it is the method's own now, or its backup came to nothing.
pub(crate) fn remove_new_sealer(state: &mut DeviceState) {
    state.remove_record(NEW_SEALER);
}

/// Keeps what the enrolments of a backup left: it is complete, or may be. A crash in the midst of
/// giving it up, after which it was finished, left it among what is to be removed.
pub(crate) fn withdraw_leftovers(state: &mut DeviceState, run: &BackupRun) -> Result<()> {
    let mut leftovers = Leftovers::of(state)?;
    leftovers.withdraw(&run.announced);
    leftovers.keep(state)
}

/// Reads a record of the version that all of ours have.
fn read<T>(
    state: &DeviceState,
    name: &str,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let Some(record) = state.record(name) else { return Ok(None) };
    let mut reader = Reader::new(record.expose_secret());
    if reader.byte()? != VERSION {
        return Err(unknown_version());
    }
    let value = read(&mut reader)?;
    reader.finish()?;
    Ok(Some(value))
}

const VERSION: u8 = 1;

fn read_named_params(reader: &mut Reader<'_>) -> Result<(MethodId, MethodParams)> {
    let method = reader.text(MethodId::new)?;
    Ok((method, MethodParams::from_bytes(reader.bytes()?).map_err(|_| damaged())?))
}
