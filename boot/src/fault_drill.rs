//! Deliberate faults, so that tests can see each one caught, reported and survived.
//!
//! `sallyport.test=WORD` on the kernel command line (QEMU `-append`) makes the box do the thing once
//! it is ready to run. A boot that finds an epitaph ignores the word, so the box then comes up.
//!
//! | Word | What is done |
//! | --- | --- |
//! | `panic` | panics |
//! | `divide` | divides by zero |
//! | `stack-overflow` | recurses without end |
//! | `write-text` | writes to code |
//! | `exec-data` | jumps into data |
//! | `null` | reads through a null pointer |

use core::arch::asm;
use core::hint::black_box;

use crate::image;

/// Does what `command_line` asks for, if it does.
pub(crate) fn run(command_line: &str) {
    let word = command_line
        .split_ascii_whitespace()
        .find_map(|option| option.strip_prefix("sallyport.test="));
    match word {
        Some("panic") => drill_panic(),
        Some("divide") => divide(),
        Some("stack-overflow") => {
            black_box(recurse(black_box(0)));
        }
        Some("write-text") => write_text(),
        Some("exec-data") => exec_data(),
        Some("null") => read_null(),
        _ => {}
    }
}

#[inline(never)]
#[expect(clippy::panic, reason = "it is what was asked for")]
fn drill_panic() {
    panic!("asked for on the command line");
}

#[inline(never)]
fn divide() {
    // SAFETY: faults on purpose; nothing after it runs.
    unsafe { asm!("div {0:e}", in(reg) 0_u32, inout("eax") 1_u32 => _, inout("edx") 0_u32 => _) };
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is what was asked for")]
fn recurse(depth: u64) -> u64 {
    let filler = black_box([depth; 32]);
    recurse(depth + 1) + filler[0]
}

#[inline(never)]
fn write_text() {
    // SAFETY: faults on purpose; were the code writable, the byte is that of the entry, which is
    // not run again before the loader has written it anew.
    unsafe { asm!("mov byte ptr [{}], 0xcc", in(reg) image::code().start) };
}

#[inline(never)]
fn exec_data() {
    let data = black_box([0xc3_u8; 16]);
    // SAFETY: faults on purpose; were the stack executable, the byte is a return.
    unsafe { asm!("call {}", in(reg) data.as_ptr()) };
}

#[inline(never)]
fn read_null() {
    // SAFETY: faults on purpose; a read has no other effect.
    unsafe { asm!("mov {0:e}, [{0}]", inout(reg) 0_u64 => _) };
}
