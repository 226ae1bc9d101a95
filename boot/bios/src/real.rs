//! Real mode: where the second stage starts, and where it returns for each call of the BIOS.
//!
//! `real_start` opens address line 20, asks the BIOS for the memory map (INT 15h, E820) and enters long
//! mode on page tables that map 4 GiB one to one. From then on Rust runs; [`call`] goes down
//! to real mode, calls an interrupt of the BIOS with the registers it is given, and comes back.
//!
//! There is no interrupt table in long mode: interrupts are off, and a fault resets the machine.
//!
//! Sources: Intel SDM volume 3 §10.8.5 (entering and leaving long mode), §10.9 (mode switching); ACPI §15 (E820).

use core::arch::global_asm;
use core::cell::UnsafeCell;

/// Most entries of the memory map that are read.
pub(crate) const E820_MAX: usize = 64;
/// Bytes of the stack that Rust runs on.
const STACK_LEN: usize = 64 << 10;

/// Bytes of the scratch area.
const SCRATCH_LEN: usize = 32;

/// An entry of the BIOS's memory map.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct E820 {
    /// First address.
    pub(crate) base: u64,
    /// Bytes.
    pub(crate) len: u64,
    /// Kind, as ACPI numbers them.
    pub(crate) kind: u32,
    _attributes: u32,
}

/// Registers for a call of the BIOS, and after it.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Registers {
    /// EAX.
    pub(crate) eax: u32,
    /// EBX.
    pub(crate) ebx: u32,
    /// ECX.
    pub(crate) ecx: u32,
    /// EDX.
    pub(crate) edx: u32,
    /// ESI.
    pub(crate) esi: u32,
    /// EDI.
    pub(crate) edi: u32,
    /// EFLAGS afterwards.
    pub(crate) flags: u32,
}

/// EFLAGS: carry, with which the BIOS reports errors.
pub(crate) const CARRY: u32 = 1;

#[repr(C, align(4096))]
struct Tables(UnsafeCell<[[u64; 512]; 6]>);
// SAFETY: only the entry code writes them, and the processor reads them.
unsafe impl Sync for Tables {}
static TABLES: Tables = Tables(UnsafeCell::new([[0; 512]; 6]));

#[repr(C, align(16))]
struct Stack(UnsafeCell<[u8; STACK_LEN]>);
// SAFETY: only the stack pointer refers to it.
unsafe impl Sync for Stack {}
static STACK: Stack = Stack(UnsafeCell::new([0; STACK_LEN]));

unsafe extern "C" {
    static boot_drive: u8;
    static e820_count: u16;
    static e820_entries: [E820; E820_MAX];
    static mut scratch: [u8; SCRATCH_LEN];
    static mut call_vector: u16;
    static mut call_registers: Registers;
    fn real_call();
}

/// The BIOS's number of the disk that the loader was started from.
pub(crate) fn drive() -> u8 {
    // SAFETY: written by the boot sector before this runs.
    unsafe { boot_drive }
}

/// The memory map.
pub(crate) fn memory() -> &'static [E820] {
    let entries = &raw const e820_entries;
    // SAFETY: written before Rust runs, and not after.
    let (entries, count) = unsafe { (&*entries, usize::from(e820_count)) };
    entries.get(..count).unwrap_or_default()
}

/// Memory within reach of segment 0 for what a call reads or fills, and its offset there.
pub(crate) fn scratch_area() -> (*mut u8, u32) {
    let area = &raw mut scratch;
    (area.cast(), area as u32)
}

/// Calls interrupt `number` of the BIOS.
///
/// # Safety
/// With these registers it writes no memory that is in use.
pub(crate) unsafe fn call(number: u8, registers: Registers) -> Registers {
    // SAFETY: one processor with interrupts off; the assembly uses these statics only within `real_call`.
    unsafe {
        call_vector = u16::from(number) * 4;
        call_registers = registers;
        real_call();
        call_registers
    }
}

global_asm!(
    ".pushsection .real, \"awx\"",
    ".code16",
    ".global real_start",
    "real_start:",
    "cli",
    "cld",
    "xor ax, ax",
    "mov ds, ax",
    "mov es, ax",
    "sti",
    // Address line 20: by the BIOS, then by system control port A, sparing its reset bit.
    "mov ax, 0x2401",
    "int 0x15",
    "in al, 0x92",
    "or al, 2",
    "and al, 0xfe",
    "out 0x92, al",
    // Is there long mode?
    "mov eax, 0x80000000",
    "cpuid",
    "cmp eax, 0x80000001",
    "jb 2f",
    "mov eax, 0x80000001",
    "cpuid",
    "bt edx, 29",
    "jc 3f",
    "2:",
    "mov si, offset text_no_long_mode",
    "jmp sector_stop",
    "text_no_long_mode: .asciz \"no 64-bit processor\\r\\n\"",
    // E820, until EBX is 0 or the room is full.
    "3:",
    "xor ebx, ebx",
    "mov di, offset e820_entries",
    "4:",
    "mov dword ptr [di + 20], 1",
    "mov eax, 0xe820",
    "mov ecx, 24",
    "mov edx, 0x534d4150",
    "int 0x15",
    "jc 5f",
    "cmp eax, 0x534d4150",
    "jne 5f",
    "inc word ptr [e820_count]",
    "add di, 24",
    "cmp word ptr [e820_count], {e820_max}",
    "jae 5f",
    "test ebx, ebx",
    "jnz 4b",
    "5:",
    "mov dword ptr [long_target], offset first_long",
    // Falls through.

    // To long mode, then to `long_target`.
    "to_long:",
    "cli",
    "lgdt [segments_pointer]",
    "mov eax, cr0",
    "or al, 1",
    "mov cr0, eax",
    ".byte 0xea",
    ".word 6f, 0x18",
    ".code32",
    "6:",
    "mov eax, 0x20",
    "mov ds, eax",
    "mov es, eax",
    "mov ss, eax",
    "cmp dword ptr [tables_made], 0",
    "jne 8f",
    "inc dword ptr [tables_made]",
    // PML4[0] -> PDPT; PDPT[0..4] -> directories of large pages.
    "mov edi, offset bss_start",
    "mov ecx, offset bss_end",
    "sub ecx, edi",
    "shr ecx, 2",
    "xor eax, eax",
    "rep stosd",
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
    "add edi, 0x2000",
    "mov eax, 0x83",
    "mov ecx, 2048",
    "7:",
    "mov [edi], eax",
    "add eax, 0x200000",
    "add edi, 8",
    "loop 7b",
    "8:",
    // CR4: PAE, OSFXSR, OSXMMEXCPT.
    "mov eax, 0x620",
    "mov cr4, eax",
    "mov eax, offset {tables}",
    "mov cr3, eax",
    "mov ecx, 0xc0000080",
    "rdmsr",
    "or eax, 0x100",
    "wrmsr",
    // CR0: PG, NE, ET, MP, PE.
    "mov eax, 0x80000033",
    "mov cr0, eax",
    ".byte 0xea",
    ".long 9f",
    ".word 0x08",
    ".code64",
    "9:",
    "mov eax, 0x20",
    "mov ds, eax",
    "mov es, eax",
    "mov ss, eax",
    "mov eax, [long_target]",
    "jmp rax",

    "first_long:",
    "lea rsp, [{stack} + {stack_len}]",
    "xor ebp, ebp",
    "call {main}",
    "ud2",

    // Called from Rust: to real mode, the interrupt, and back.
    ".global real_call",
    "real_call:",
    "push rbx",
    "push rbp",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "mov [long_stack], rsp",
    "mov dword ptr [long_target], offset back_in_long",
    "push 0x18",
    "push offset leaving_long",
    "retfq",
    ".code32",
    "leaving_long:",
    "mov eax, 0x20",
    "mov ds, eax",
    "mov es, eax",
    "mov ss, eax",
    // Paging off ends long mode.
    "mov eax, cr0",
    "and eax, 0x7fffffff",
    "mov cr0, eax",
    "mov ecx, 0xc0000080",
    "rdmsr",
    "and eax, 0xfffffeff",
    "wrmsr",
    "xor eax, eax",
    "mov cr4, eax",
    ".byte 0xea",
    ".long 3f",
    ".word 0x10",
    ".code16",
    // 16-bit segments of 64 KiB, then real mode.
    "3:",
    "mov ax, 0x28",
    "mov ds, ax",
    "mov es, ax",
    "mov fs, ax",
    "mov gs, ax",
    "mov ss, ax",
    "mov eax, cr0",
    "and al, 0xfe",
    "mov cr0, eax",
    ".byte 0xea",
    ".word 4f, 0",
    "4:",
    "xor ax, ax",
    "mov ds, ax",
    "mov es, ax",
    "mov fs, ax",
    "mov gs, ax",
    "mov ss, ax",
    "mov sp, 0x7c00",
    "lidt [real_interrupts]",
    // What the vector points to is called as the interrupt would: flags, then a far call.
    "mov bx, [call_vector]",
    "mov eax, [bx]",
    "mov [call_target], eax",
    "mov eax, [call_registers]",
    "mov ebx, [call_registers + 4]",
    "mov ecx, [call_registers + 8]",
    "mov edx, [call_registers + 12]",
    "mov esi, [call_registers + 16]",
    "mov edi, [call_registers + 20]",
    "sti",
    "pushf",
    "cli",
    "lcall [call_target]",
    "cli",
    // The BIOS may have changed segments.
    "push ds",
    "push 0",
    "pop ds",
    "mov [call_registers], eax",
    "pop ax",
    "pushfd",
    "pop eax",
    "mov [call_registers + 24], eax",
    "mov [call_registers + 4], ebx",
    "mov [call_registers + 8], ecx",
    "mov [call_registers + 12], edx",
    "mov [call_registers + 16], esi",
    "mov [call_registers + 20], edi",
    "xor ax, ax",
    "mov es, ax",
    "mov ss, ax",
    "cld",
    "jmp to_long",

    ".code64",
    "back_in_long:",
    "mov rsp, [long_stack]",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbp",
    "pop rbx",
    "ret",

    ".balign 8",
    // Null; 64-bit code; 16-bit code; 32-bit code; data; 16-bit data.
    "segments:",
    ".quad 0, 0x00af9b000000ffff, 0x00009b000000ffff, 0x00cf9b000000ffff",
    ".quad 0x00cf93000000ffff, 0x000093000000ffff",
    "segments_pointer: .word 47",
    ".long segments",
    "real_interrupts: .word 0x3ff",
    ".long 0",
    ".balign 8",
    "long_stack: .quad 0",
    "long_target: .quad 0",
    "call_target: .long 0",
    "tables_made: .long 0",
    ".global call_vector",
    "call_vector: .word 0",
    ".global e820_count",
    "e820_count: .word 0",
    ".balign 8",
    ".global scratch",
    "scratch: .zero {scratch_len}",
    ".global call_registers",
    "call_registers: .zero 28",
    ".balign 8",
    ".global e820_entries",
    "e820_entries: .zero 24 * {e820_max}",
    ".popsection",
    tables = sym TABLES,
    stack = sym STACK,
    stack_len = const STACK_LEN,
    main = sym crate::start,
    e820_max = const E820_MAX,
    scratch_len = const SCRATCH_LEN,
);
