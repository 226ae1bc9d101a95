//! The libFuzzer program of [`fuzz::command_line`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant(fuzz::command_line::seeds), |data: &[u8]| {
    fuzz::command_line::run(data);
});
