//! The libFuzzer program of [`fuzz::frames`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::frames::seeds), |data: &[u8]| {
    fuzz::frames::run(data);
});
