//! The libFuzzer program of [`fuzz::dns_answers`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::dns_answers::seeds), |data: &[u8]| {
    fuzz::dns_answers::run(data);
});
