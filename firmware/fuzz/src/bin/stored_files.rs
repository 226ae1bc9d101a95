//! The libFuzzer program of [`fuzz::stored_files`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::stored_files::seeds), |data: &[u8]| {
    fuzz::stored_files::run(data);
});
