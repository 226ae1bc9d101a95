//! The libFuzzer program of [`fuzz::stored_configuration`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::stored_configuration::seeds), |data: &[u8]| {
    fuzz::stored_configuration::run(data);
});
