//! What C calls `memmove`, `memset` and `memcmp`.
//!
//! Every byte of every packet and TLS record that is copied passes here, so these move 64 bytes a
//! step with SSE2, which every 64-bit processor has and an emulator translates well (QEMU
//! runs `rep movsb` one byte at a time). They are assembly because the
//! compiler turns such loops in Rust into calls of themselves.
//!
//! One routine copies both ways: short blocks are loaded whole before anything is stored, long ones
//! run from the end that is safe, with the bytes of the ragged end loaded beforehand.

use core::arch::naked_asm;
use core::ffi::c_int;

/// Copies `len` bytes; the ranges may overlap.
///
/// # Safety
/// As C's `memmove`: both ranges are valid for `len` bytes.
#[unsafe(naked)]
pub unsafe extern "C" fn copy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    naked_asm!(
        "mov rax, rdi",
        "cmp rdx, 16",
        "jb 20f",
        "cmp rdx, 32",
        "ja 30f",
        // 16 to 32: two pieces that overlap.
        "movdqu xmm0, [rsi]",
        "movdqu xmm1, [rsi + rdx - 16]",
        "movdqu [rdi], xmm0",
        "movdqu [rdi + rdx - 16], xmm1",
        "ret",
        "30:",
        "cmp rdx, 64",
        "ja 31f",
        // 33 to 64.
        "movdqu xmm0, [rsi]",
        "movdqu xmm1, [rsi + 16]",
        "movdqu xmm2, [rsi + rdx - 32]",
        "movdqu xmm3, [rsi + rdx - 16]",
        "movdqu [rdi], xmm0",
        "movdqu [rdi + 16], xmm1",
        "movdqu [rdi + rdx - 32], xmm2",
        "movdqu [rdi + rdx - 16], xmm3",
        "ret",
        "31:",
        // Backwards only if the destination begins inside the source.
        "mov rcx, rdi",
        "sub rcx, rsi",
        "cmp rcx, rdx",
        "jb 15f",
        // Forwards; the last 64 bytes are loaded now, because the loop may overwrite them.
        "movdqu xmm4, [rsi + rdx - 64]",
        "movdqu xmm5, [rsi + rdx - 48]",
        "movdqu xmm6, [rsi + rdx - 32]",
        "movdqu xmm7, [rsi + rdx - 16]",
        "lea r8, [rdi + rdx - 64]",
        "12:",
        "movdqu xmm0, [rsi]",
        "movdqu xmm1, [rsi + 16]",
        "movdqu xmm2, [rsi + 32]",
        "movdqu xmm3, [rsi + 48]",
        "movdqu [rdi], xmm0",
        "movdqu [rdi + 16], xmm1",
        "movdqu [rdi + 32], xmm2",
        "movdqu [rdi + 48], xmm3",
        "add rsi, 64",
        "add rdi, 64",
        "cmp rdi, r8",
        "jb 12b",
        "movdqu [r8], xmm4",
        "movdqu [r8 + 16], xmm5",
        "movdqu [r8 + 32], xmm6",
        "movdqu [r8 + 48], xmm7",
        "ret",
        "15:",
        // Backwards; the first 64 bytes are loaded now.
        "movdqu xmm4, [rsi]",
        "movdqu xmm5, [rsi + 16]",
        "movdqu xmm6, [rsi + 32]",
        "movdqu xmm7, [rsi + 48]",
        "16:",
        "movdqu xmm0, [rsi + rdx - 16]",
        "movdqu xmm1, [rsi + rdx - 32]",
        "movdqu xmm2, [rsi + rdx - 48]",
        "movdqu xmm3, [rsi + rdx - 64]",
        "movdqu [rdi + rdx - 16], xmm0",
        "movdqu [rdi + rdx - 32], xmm1",
        "movdqu [rdi + rdx - 48], xmm2",
        "movdqu [rdi + rdx - 64], xmm3",
        "sub rdx, 64",
        "cmp rdx, 64",
        "ja 16b",
        "movdqu [rdi], xmm4",
        "movdqu [rdi + 16], xmm5",
        "movdqu [rdi + 32], xmm6",
        "movdqu [rdi + 48], xmm7",
        "ret",
        "20:",
        "cmp edx, 8",
        "jb 21f",
        "mov rcx, [rsi]",
        "mov r8, [rsi + rdx - 8]",
        "mov [rdi], rcx",
        "mov [rdi + rdx - 8], r8",
        "ret",
        "21:",
        "cmp edx, 4",
        "jb 22f",
        "mov ecx, [rsi]",
        "mov r8d, [rsi + rdx - 4]",
        "mov [rdi], ecx",
        "mov [rdi + rdx - 4], r8d",
        "ret",
        "22:",
        "test edx, edx",
        "je 24f",
        "movzx ecx, byte ptr [rsi]",
        "cmp edx, 1",
        "je 23f",
        "movzx r8d, word ptr [rsi + rdx - 2]",
        "mov [rdi + rdx - 2], r8w",
        "23:",
        "mov [rdi], cl",
        "24:",
        "ret",
    )
}

/// Sets `len` bytes to `value`.
///
/// # Safety
/// As C's `memset`: the range is valid for `len` bytes.
#[unsafe(naked)]
pub unsafe extern "C" fn set(to: *mut u8, value: c_int, len: usize) -> *mut u8 {
    naked_asm!(
        "mov rax, rdi",
        "movzx ecx, sil",
        "mov r8, 0x0101010101010101",
        "imul rcx, r8",
        "cmp rdx, 16",
        "jb 20f",
        "movq xmm0, rcx",
        "punpcklqdq xmm0, xmm0",
        "cmp rdx, 64",
        "ja 31f",
        "movdqu [rdi], xmm0",
        "movdqu [rdi + rdx - 16], xmm0",
        "cmp rdx, 32",
        "jbe 30f",
        "movdqu [rdi + 16], xmm0",
        "movdqu [rdi + rdx - 32], xmm0",
        "30:",
        "ret",
        "31:",
        "lea r8, [rdi + rdx - 64]",
        "12:",
        "movdqu [rdi], xmm0",
        "movdqu [rdi + 16], xmm0",
        "movdqu [rdi + 32], xmm0",
        "movdqu [rdi + 48], xmm0",
        "add rdi, 64",
        "cmp rdi, r8",
        "jb 12b",
        "movdqu [r8], xmm0",
        "movdqu [r8 + 16], xmm0",
        "movdqu [r8 + 32], xmm0",
        "movdqu [r8 + 48], xmm0",
        "ret",
        "20:",
        "cmp edx, 8",
        "jb 21f",
        "mov [rdi], rcx",
        "mov [rdi + rdx - 8], rcx",
        "ret",
        "21:",
        "cmp edx, 4",
        "jb 22f",
        "mov [rdi], ecx",
        "mov [rdi + rdx - 4], ecx",
        "ret",
        "22:",
        "test edx, edx",
        "je 24f",
        "cmp edx, 1",
        "je 23f",
        "mov [rdi + rdx - 2], cx",
        "23:",
        "mov [rdi], cl",
        "24:",
        "ret",
    )
}

/// Compares `len` bytes as unsigned numbers: below, equal or above zero.
///
/// # Safety
/// As C's `memcmp`: both ranges are valid for `len` bytes.
#[unsafe(naked)]
pub unsafe extern "C" fn compare(one: *const u8, other: *const u8, len: usize) -> c_int {
    naked_asm!(
        "xor ecx, ecx",
        "mov r8, rdx",
        "and r8, -16",
        "je 12f",
        "31:",
        "movdqu xmm0, [rdi + rcx]",
        "movdqu xmm1, [rsi + rcx]",
        "pcmpeqb xmm0, xmm1",
        "pmovmskb eax, xmm0",
        "xor eax, 0xffff",
        "jne 13f",
        "add rcx, 16",
        "cmp rcx, r8",
        "jb 31b",
        "12:",
        "cmp rcx, rdx",
        "jae 15f",
        "14:",
        "movzx eax, byte ptr [rdi + rcx]",
        "movzx r8d, byte ptr [rsi + rcx]",
        "sub eax, r8d",
        "jne 16f",
        "inc rcx",
        "cmp rcx, rdx",
        "jb 14b",
        "15:",
        "xor eax, eax",
        "16:",
        "ret",
        "13:",
        "bsf eax, eax",
        "add rcx, rax",
        "movzx eax, byte ptr [rdi + rcx]",
        "movzx r8d, byte ptr [rsi + rcx]",
        "sub eax, r8d",
        "ret",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Longer than twice the longest special case, and more.
    const LEN: usize = 400;

    #[test]
    fn every_length_and_overlap_is_copied() {
        let original: std::vec::Vec<u8> = (0..LEN).map(|n| (n * 7 + n / 256) as u8).collect();
        for len in 0..=200 {
            for (from, to) in [
                (100, 100),
                (100, 101),
                (101, 100),
                (100, 190),
                (190, 100),
                (0, 200),
                (100, 117),
                (117, 100),
                (64, 0),
                (0, 64),
            ] {
                let mut bytes = original.clone();
                let base = bytes.as_mut_ptr();
                // SAFETY: 200 bytes behind either offset are inside the vector.
                let returned = unsafe { copy(base.add(to), base.add(from), len) };
                assert_eq!(returned as usize, base as usize + to);
                let mut expected = original.clone();
                expected.copy_within(from..from + len, to);
                assert_eq!(bytes, expected, "{len} bytes from {from} to {to}");
            }
        }
    }

    #[test]
    fn every_length_is_set() {
        for len in 0..=200 {
            let mut bytes = [0x11_u8; LEN];
            // SAFETY: inside the array.
            unsafe { set(bytes.as_mut_ptr().add(9), 0x1a5, len) };
            let mut expected = [0x11; LEN];
            expected[9..9 + len].fill(0xa5);
            assert_eq!(bytes, expected, "{len} bytes");
        }
    }

    proptest! {
        #[test]
        fn comparing_orders_as_slices_do(
            one in prop::collection::vec(any::<u8>(), 0..100),
            at in 0_usize..100,
            byte: u8,
        ) {
            let mut other = one.clone();
            if let Some(place) = other.get_mut(at) {
                *place = byte;
            }
            // SAFETY: both vectors have this length.
            let order = unsafe { compare(one.as_ptr(), other.as_ptr(), one.len()) };
            prop_assert_eq!(order.cmp(&0), one.cmp(&other));
        }
    }
}
