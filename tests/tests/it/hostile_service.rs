//! A service that swaps, withholds, replays and takes back what it stores.
//!
//! Whatever it does, a device gets the same wallet or an error, and destroys no key that a backup
//! needs. What cannot be seen by one device is a service whose every answer is part of one lie: it
//! could as well delete everything in the next moment.

mod cheating;
mod lies;
mod live_device;
mod pretence;
mod recovery;
mod replies;
mod scene;
mod set_back;
