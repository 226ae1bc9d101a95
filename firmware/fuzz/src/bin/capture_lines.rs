//! The libFuzzer program of [`fuzz::capture_lines`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::capture_lines::seeds), |data: &[u8]| {
    fuzz::capture_lines::run(data);
});
