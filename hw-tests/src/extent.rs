//! How much of the tests is run: what fits every run, or everything.

/// The environment variable that `cargo xtask test --all` sets for the tests it starts.
pub const EVERYTHING: &str = "SALLYPORT_TEST_EVERYTHING";

/// Whether tests that are too long for every run, or the long form of those that have one, are wanted.
#[must_use]
pub fn is_everything() -> bool {
    std::env::var_os(EVERYTHING).is_some_and(|value| value == "1")
}
