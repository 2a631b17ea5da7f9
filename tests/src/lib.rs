//! What the end-to-end tests and benchmarks of the workspace share.
