//! `dir`, and what is said after a copy.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use storage::files::{File, Totals};

use super::put_line;

/// `dir`: one line for each file, then the room.
pub(crate) fn directory(
    out: &mut String,
    files: &[File],
    totals: Totals,
    date: impl Fn(u64) -> String,
) {
    put_line!(out);
    put_line!(out, "Directory of disk0:/");
    put_line!(out);
    let mut sum = 0;
    for (number, file) in (1..).zip(files) {
        sum += file.size_bytes();
        put_line!(
            out,
            "{number:<6} -rw-  {:<13} {}  {}",
            file.size_bytes(),
            date(file.modified_unix_secs()),
            file.name()
        );
    }
    put_line!(out);
    put_line!(out, "{} file(s) total size: {sum} bytes", files.len());
    let percent = totals.free_bytes * 100 / totals.total_bytes.max(1);
    put_line!(
        out,
        "{} bytes total ({} bytes free/{percent}% free)",
        totals.total_bytes,
        totals.free_bytes
    );
}

/// `5120 bytes copied in 0.310 secs`.
pub(crate) struct Copied(pub(crate) u64, pub(crate) Duration);

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes, took) = self;
        let (secs, millis) = (took.as_secs(), took.subsec_millis());
        write!(f, "{bytes} bytes copied in {secs}.{millis:03} secs")
    }
}
