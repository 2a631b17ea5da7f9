//! What the tests of the command line share.

#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "each provider's tests use a part, and are there with its feature")]
pub(crate) mod browser;
#[cfg(all(target_os = "linux", feature = "passkey", feature = "enclave"))]
pub(crate) mod chromium;
#[cfg(all(target_os = "linux", feature = "gdrive"))]
pub(crate) mod google;
#[cfg(all(target_os = "linux", any(feature = "gdrive", feature = "icloud")))]
pub(crate) mod killed;
#[path = "../../../../../tests/src/node.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is public in the workspace's tests")]
pub(crate) mod node;
pub(crate) mod world;
