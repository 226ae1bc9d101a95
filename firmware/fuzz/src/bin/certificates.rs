//! The libFuzzer program of [`fuzz::certificates`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::certificates::seeds), |data: &[u8]| {
    fuzz::certificates::run(data);
});
