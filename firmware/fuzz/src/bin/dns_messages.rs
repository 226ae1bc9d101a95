//! The libFuzzer program of [`fuzz::dns_messages`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::dns_messages::seeds), |data: &[u8]| {
    fuzz::dns_messages::run(data);
});
