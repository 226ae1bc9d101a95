//! The libFuzzer program of [`fuzz::tls_records`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::tls_records::seeds), |data: &[u8]| {
    fuzz::tls_records::run(data);
});
