//! The libFuzzer program of [`fuzz::xmodem`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::xmodem::seeds), |data: &[u8]| {
    fuzz::xmodem::run(data);
});
