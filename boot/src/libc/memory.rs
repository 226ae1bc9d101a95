//! `memcpy` and its family, as C names for the routines of [`hal_x86::memory`].

use core::arch::naked_asm;
use core::ffi::{c_char, c_int};

use hal_x86::memory::{compare, copy, set};

/// Copies `len` bytes.
///
/// # Safety
/// As C's `memcpy`: both ranges are valid for `len` bytes.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    naked_asm!("jmp {}", sym copy)
}

/// Copies `len` bytes; the ranges may overlap.
///
/// # Safety
/// As C's `memmove`: both ranges are valid for `len` bytes.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    naked_asm!("jmp {}", sym copy)
}

/// Sets `len` bytes to `value`.
///
/// # Safety
/// As C's `memset`: the range is valid for `len` bytes.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memset(to: *mut u8, value: c_int, len: usize) -> *mut u8 {
    naked_asm!("jmp {}", sym set)
}

/// Compares `len` bytes as unsigned numbers: below, equal or above zero.
///
/// # Safety
/// As C's `memcmp`: both ranges are valid for `len` bytes.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, len: usize) -> c_int {
    naked_asm!("jmp {}", sym compare)
}

/// Compares `len` bytes: zero if they are equal.
///
/// # Safety
/// As [`memcmp`].
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, len: usize) -> c_int {
    naked_asm!("jmp {}", sym compare)
}

/// Counts the bytes before the terminator.
///
/// # Safety
/// As C's `strlen`: `text` is terminated.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn strlen(text: *const c_char) -> usize {
    naked_asm!(
        "xor eax, eax",
        "21:",
        "cmp byte ptr [rdi + rax], 0",
        "je 22f",
        "inc rax",
        "jmp 21b",
        "22:",
        "ret",
    )
}
