//! Commands that are killed between two of their effects.

use std::process::{Command, Stdio};

use crate::support::world::World;

/// Kills a command when it is about to give `file` of the profile its name.
pub(crate) fn kill_before_naming(world: &World, profile: &str, arguments: &[&str], file: &str) {
    let portal = world.command(profile, arguments);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-P"]).arg(world.path(profile).join(file));
    strace.args(["-e", "trace=/^rename", "-e", "inject=/^rename:signal=KILL", "--"]);
    strace.arg(portal.get_program()).args(portal.get_args()).current_dir(world.folder.path());
    for (name, value) in portal.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    let ended = strace.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(ended.code(), None, "{arguments:?} was not killed before {file}");
}
