//! `dir`.

use alloc::string::String;

use super::put_line;
use crate::flash::FileArea;

/// `dir`: one line for each file, then the room.
pub(crate) fn directory(out: &mut String, area: &FileArea, date: impl Fn(u64) -> String) {
    put_line!(out);
    put_line!(out, "Directory of disk0:/");
    put_line!(out);
    let mut sum = 0;
    for (number, file) in (1..).zip(&area.files) {
        sum += file.bytes;
        put_line!(
            out,
            "{number:<6} -rw-  {:<13} {}  {}",
            file.bytes,
            date(file.modified_secs),
            file.name
        );
    }
    put_line!(out);
    put_line!(
        out,
        "{} file(s) total size: {sum} bytes",
        area.files.len()
    );
    let percent = area.free_bytes * 100 / area.total_bytes.max(1);
    put_line!(
        out,
        "{} bytes total ({} bytes free/{percent}% free)",
        area.total_bytes,
        area.free_bytes
    );
}
