//! Bytes in hexadecimal and as text, sixteen to a line.

use alloc::string::String;

use super::{put, put_line};

const PER_LINE: usize = 16;

/// Columns that the hexadecimal part takes.
const HEX_WIDTH: usize = PER_LINE / 2 * 5;

pub(super) fn hex(out: &mut String, bytes: &[u8]) {
    for (number, line) in bytes.chunks(PER_LINE).enumerate() {
        put!(out, "0x{:04x}   ", number * PER_LINE);
        let start = out.len();
        for pair in line.chunks(2) {
            for byte in pair {
                put!(out, "{byte:02x}");
            }
            out.push(' ');
        }
        let written = out.len() - start;
        put!(
            out,
            "{:width$}",
            "",
            width = HEX_WIDTH.saturating_sub(written) + 2
        );
        for &byte in line {
            out.push(if (b' '..=b'~').contains(&byte) {
                char::from(byte)
            } else {
                '.'
            });
        }
        put_line!(out);
    }
}
