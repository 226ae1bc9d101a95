//! Where the parts of the running image are, from the linker script.

use core::ops::Range;

/// Address of the epitaph's page: the last before the image.
pub(crate) const EPITAPH_PAGE: u64 = 0x20_0000 - 4096;

unsafe extern "C" {
    static image_start: u8;
    static image_end: u8;
    static code_start: u8;
    static code_end: u8;
    static constants_start: u8;
    static constants_end: u8;
}

macro_rules! range {
    ($from:ident, $to:ident) => {
        (&raw const $from) as u64..(&raw const $to) as u64
    };
}

/// The whole image with stacks and `.bss`.
pub(crate) fn whole() -> Range<u64> {
    range!(image_start, image_end)
}

/// The code.
pub(crate) fn code() -> Range<u64> {
    range!(code_start, code_end)
}

/// The constants.
pub(crate) fn constants() -> Range<u64> {
    range!(constants_start, constants_end)
}

/// The code as bytes.
pub(crate) fn code_bytes() -> &'static [u8] {
    let range = code();
    // SAFETY: the linker placed code exactly here; it is mapped readable and nothing writes it.
    unsafe {
        core::slice::from_raw_parts(range.start as *const u8, (range.end - range.start) as usize)
    }
}
