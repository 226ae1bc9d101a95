//! A backtrace without frame pointers: return addresses found on the stack.
//!
//! The compiler keeps no frame pointers here and the image carries no unwind tables, so the stack is
//! searched for words that point just behind a call instruction in our code. Stale words can slip
//! in, and a reader must judge; nothing true is missed.

use core::ops::Range;

use heapless::Vec;

use crate::epitaph::BACKTRACE_MAX;

/// Code addresses, innermost first.
pub type Backtrace = Vec<u64, BACKTRACE_MAX>;

/// Finds return addresses among `stack`, innermost word first.
///
/// `code` is the image's code, which begins at `code_base`.
#[must_use]
pub fn search(stack: &[u64], code: &[u8], code_base: u64) -> Backtrace {
    let range = code_base..code_base + code.len() as u64;
    stack
        .iter()
        .copied()
        .filter(|&word| follows_call(word, code, &range))
        .take(BACKTRACE_MAX)
        .collect()
}

/// Whether the instruction before `address` is, or looks like, a call (SDM volume 2, CALL).
fn follows_call(address: u64, code: &[u8], range: &Range<u64>) -> bool {
    if !range.contains(&address) {
        return false;
    }
    let Some(before) = code.get(..(address - range.start) as usize) else {
        return false;
    };
    // CALL rel32.
    if let [.., 0xe8, a, b, c, d] = *before {
        let target = address.wrapping_add_signed(i64::from(i32::from_le_bytes([a, b, c, d])));
        if range.contains(&target) {
            return true;
        }
    }
    // CALL r/m64: FF /2, whose length depends on ModRM (SDM volume 2, table 2-2).
    (2..=7).any(|len| {
        let Some([0xff, modrm, rest @ ..]) = before
            .len()
            .checked_sub(len)
            .and_then(|at| before.get(at..))
        else {
            return false;
        };
        if modrm >> 3 & 7 != 2 {
            return false;
        }
        let (mode, register) = (modrm >> 6, modrm & 7);
        let has_sib = mode != 3 && register == 4;
        let sib_base = rest.first().map_or(0, |sib| sib & 7);
        let displacement = match mode {
            0 if register == 5 || (has_sib && sib_base == 5) => 4,
            1 => 1,
            2 => 4,
            _ => 0,
        };
        len == 2 + usize::from(has_sib) + displacement
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 0x20_0000;

    /// Code with `call` placed so that it ends at offset 64.
    fn with_call(call: &[u8]) -> std::vec::Vec<u8> {
        let mut code = std::vec![0x90; 128];
        code[64 - call.len()..64].copy_from_slice(call);
        code
    }

    #[test]
    fn addresses_behind_calls_are_found() {
        let calls: [&[u8]; 8] = [
            &[0xe8, 0xd0, 0xff, 0xff, 0xff], // call rel32
            &[0xff, 0xd0],                   // call rax
            &[0x41, 0xff, 0xd3],             // call r11
            &[0xff, 0x50, 0x18],             // call [rax+0x18]
            &[0xff, 0x15, 1, 2, 3, 4],       // call [rip+...]
            &[0xff, 0x94, 0x24, 1, 2, 3, 4], // call [rsp+...]
            &[0xff, 0x14, 0x24],             // call [rsp]
            &[0xff, 0x14, 0xc5, 0, 0, 0, 0], // call [rax*8+...]
        ];
        for call in calls {
            let stack = [7, BASE + 64, BASE + 63, BASE + 1000, u64::MAX];
            let found = search(&stack, &with_call(call), BASE);
            assert_eq!(found.as_slice(), [BASE + 64], "{call:x?}");
        }
    }

    #[test]
    fn addresses_behind_anything_else_are_not() {
        let others: [&[u8]; 4] = [
            &[0xe8, 0, 0, 0, 0x40], // call far outside the code
            &[0xff, 0xe0],          // jmp rax
            &[0xff, 0xc0],          // inc eax
            &[0x90],
        ];
        for other in others {
            let found = search(&[BASE, BASE + 1, BASE + 64], &with_call(other), BASE);
            assert!(found.is_empty(), "{other:x?}");
        }
    }

    #[test]
    fn a_long_stack_is_cut() {
        let code = with_call(&[0xff, 0xd0]);
        let stack = [BASE + 64; BACKTRACE_MAX + 9];
        assert_eq!(search(&stack, &code, BASE).len(), BACKTRACE_MAX);
    }
}
