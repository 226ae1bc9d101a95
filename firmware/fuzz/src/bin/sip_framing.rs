//! The libFuzzer program of [`fuzz::sip_framing`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::sip_framing::seeds), |data: &[u8]| {
    fuzz::sip_framing::run(data);
});
