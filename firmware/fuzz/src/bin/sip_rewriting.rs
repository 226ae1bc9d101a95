//! The libFuzzer program of [`fuzz::sip_rewriting`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::sip_rewriting::seeds), |data: &[u8]| {
    fuzz::sip_rewriting::run(data);
});
