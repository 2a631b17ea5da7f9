//! Set-up, tests, CI and checks of the architecture: `cargo xtask help`.

fn main() {}
