//! From the loader to Rust: PVH entry, long mode, first page tables.
//!
//! The loader (QEMU `-kernel`, or anything that boots Xen PVH guests) enters at `pvh_start` in
//! 32-bit protected mode without paging, with EBX pointing at its start info. Sources: Xen
//! `docs/misc/pvh.pandoc`; Intel SDM volume 3 §10.8.5 (entering long mode).
//!
//! The page tables made here map 4 GiB one to one with everything allowed;
//! [`paging`](hal_x86::paging) replaces them within the first milliseconds.

use core::arch::global_asm;
use core::cell::UnsafeCell;

use hal_x86::descriptors::GuardedStack;

/// Bytes of the stack that everything but interrupts runs on.
pub(crate) const STACK_LEN: usize = 512 << 10;

/// The stack that everything but interrupts runs on.
#[unsafe(link_section = ".bss.noinit.stacks")]
pub(crate) static STACK: GuardedStack<STACK_LEN> = GuardedStack::new();

/// PML4, PDPT and four page directories.
#[repr(C, align(4096))]
struct FirstTables(UnsafeCell<[[u64; 512]; 6]>);

// SAFETY: only the entry code writes it, and the processor reads it.
unsafe impl Sync for FirstTables {}

#[unsafe(link_section = ".bss.noinit.first_tables")]
static FIRST_TABLES: FirstTables = FirstTables(UnsafeCell::new([[0; 512]; 6]));

global_asm!(
    // XEN_ELFNOTE_PHYS32_ENTRY (18): the physical address of the 32-bit entry.
    ".pushsection .note.pvh, \"a\", @note",
    ".balign 4",
    ".long 4, 4, 18",
    ".asciz \"Xen\"",
    ".long pvh_start",
    ".popsection",

    ".pushsection .boot32, \"ax\"",
    ".code32",
    ".global pvh_start",
    "pvh_start:",
    "cli",
    "cld",
    "mov edi, offset {tables}",
    "xor eax, eax",
    "mov ecx, 6 * 1024",
    "rep stosd",
    // PML4[0] -> PDPT; PDPT[0..4] -> the directories; present and writable.
    "mov edi, offset {tables}",
    "lea eax, [edi + 0x1003]",
    "mov [edi], eax",
    "add eax, 0x1000",
    "mov [edi + 0x1000], eax",
    "add eax, 0x1000",
    "mov [edi + 0x1008], eax",
    "add eax, 0x1000",
    "mov [edi + 0x1010], eax",
    "add eax, 0x1000",
    "mov [edi + 0x1018], eax",
    // 2048 large pages; none is above 4 GiB, so the upper halves stay 0.
    "add edi, 0x2000",
    "mov eax, 0x83",
    "mov ecx, 2048",
    "2:",
    "mov [edi], eax",
    "add eax, 0x200000",
    "add edi, 8",
    "loop 2b",
    // CR4: PAE, OSFXSR, OSXMMEXCPT.
    "mov eax, 0x620",
    "mov cr4, eax",
    "mov eax, offset {tables}",
    "mov cr3, eax",
    // EFER: long mode, no-execute.
    "mov ecx, 0xc0000080",
    "rdmsr",
    "or eax, 0x900",
    "wrmsr",
    // CR0: PG, WP, NE, ET, MP, PE; EM and TS clear.
    "mov eax, 0x80010033",
    "mov cr0, eax",
    "lgdt [first_gdt_pointer]",
    // A far jump to 0x08:long_start; the assembler has no form for it in this syntax.
    ".byte 0xea",
    ".long long_start",
    ".word 0x08",

    ".balign 8",
    "first_gdt:",
    ".quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff",
    "first_gdt_pointer:",
    ".word 23",
    ".long first_gdt",

    ".code64",
    "long_start:",
    "mov eax, 0x10",
    "mov ds, eax",
    "mov es, eax",
    "mov ss, eax",
    "xor eax, eax",
    "mov fs, eax",
    "mov gs, eax",
    "lea rsp, [rip + {stack} + 4096 + {stack_len}]",
    // The loader need not have cleared .bss, and after a warm reset it may not be clear.
    "lea rdi, [rip + bss_start]",
    "lea rcx, [rip + bss_end]",
    "sub rcx, rdi",
    "shr rcx, 3",
    "rep stosq",
    "xor ebp, ebp",
    "mov edi, ebx",
    "call {main}",
    "ud2",
    ".popsection",
    tables = sym FIRST_TABLES,
    stack = sym STACK,
    stack_len = const STACK_LEN,
    main = sym crate::start,
);
