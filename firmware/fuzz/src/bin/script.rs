//! The libFuzzer program of [`fuzz::script`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::script::seeds), |data: &[u8]| {
    fuzz::script::run(data);
});
