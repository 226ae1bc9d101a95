//! The boot sector: what the BIOS reads from the first sector of the disk and jumps to.
//!
//! It sets the serial line up, says so, reads the second stage from the BIOS boot partition and jumps
//! to it. Where the second stage is, the image builder writes into the sector's last bytes of code
//! ([`PLACE`]); 0 sectors mean that it is in memory already, as when the BIOS has read the whole
//! loader from a CD (El Torito without emulation).
//!
//! Everything here has to fit 440 bytes: the disk signature and the partition table follow. The first 90
//! bytes are left free, because a BIOS that takes a USB stick for a floppy writes there.
//!
//! Sources: Enhanced Disk Drive Specification 3.0 (T13 D1572); El Torito 1.0.

use core::arch::global_asm;

/// Offset in the sector of the second stage's place: first sector (8 bytes), sectors (2 bytes).
const PLACE: usize = 424;

global_asm!(
    ".pushsection .boot_sector, \"awx\"",
    ".code16",
    ".global boot_sector",
    "boot_sector:",
    "jmp 2f",
    ".org 90",
    "2:",
    "cli",
    "xor ax, ax",
    "mov ds, ax",
    "mov es, ax",
    "mov ss, ax",
    "mov sp, 0x7c00",
    "sti",
    // Some enter at 07c0:0000.
    // A far jump; the assembler has no form for it in this syntax.
    ".byte 0xea",
    ".word 3f, 0",
    "3:",
    "cld",
    "mov [boot_drive], dl",
    // COM1: divisor 1 (115200), 8N1, FIFOs, DTR and RTS.
    "mov dx, 0x3fb",
    "mov al, 0x83",
    "out dx, al",
    "mov dx, 0x3f8",
    "mov al, 1",
    "out dx, al",
    "inc dx",
    "xor al, al",
    "out dx, al",
    "mov dx, 0x3fb",
    "mov al, 3",
    "out dx, al",
    "dec dx",
    "mov al, 7",
    "out dx, al",
    "inc dx",
    "inc dx",
    "mov al, 3",
    "out dx, al",
    "mov si, offset text_hello",
    "call sector_say",
    "cmp word ptr [stage_sectors], 0",
    "je 5f",
    // Are there the extended functions of INT 13h?
    "mov ah, 0x41",
    "mov bx, 0x55aa",
    "mov dl, [boot_drive]",
    "int 0x13",
    "mov si, offset text_no_extensions",
    "jc sector_stop",
    "cmp bx, 0xaa55",
    "jne sector_stop",
    "mov si, offset text_disk_error",
    // 16 KiB at a time, so that no read crosses a multiple of 64 KiB.
    "4:",
    "mov ax, 32",
    "cmp ax, [stage_sectors]",
    "jbe 6f",
    "mov ax, [stage_sectors]",
    "6:",
    "mov [packet_sectors], ax",
    "push si",
    "mov si, offset packet",
    "mov ah, 0x42",
    "mov dl, [boot_drive]",
    "int 0x13",
    "pop si",
    "jc sector_stop",
    "movzx eax, word ptr [packet_sectors]",
    "add [stage_first], eax",
    "adc dword ptr [stage_first + 4], 0",
    "add word ptr [packet_segment], 0x400",
    "sub [stage_sectors], ax",
    "jnz 4b",
    "5:",
    "mov dl, [boot_drive]",
    "jmp real_start",

    // Says the text at SI.
    ".global sector_say",
    "sector_say:",
    "lodsb",
    "test al, al",
    "jz 9f",
    "mov ah, al",
    "mov dx, 0x3fd",
    "xor cx, cx",
    "7:",
    "in al, dx",
    "test al, 0x20",
    "loopz 7b",
    "mov al, ah",
    "mov dx, 0x3f8",
    "out dx, al",
    "mov ah, 0x0e",
    "mov bx, 7",
    "int 0x10",
    "jmp sector_say",
    "9:",
    "ret",

    // Says the text at SI and stays.
    ".global sector_stop",
    "sector_stop:",
    "call sector_say",
    "8:",
    "hlt",
    "jmp 8b",

    "text_hello: .asciz \"\\r\\nSallyport\\r\\n\"",
    "text_no_extensions: .asciz \"no INT 13h extensions\\r\\n\"",
    "text_disk_error: .asciz \"disk error\\r\\n\"",
    ".global boot_drive",
    "boot_drive: .byte 0",

    // The disk address packet lies so that the image builder's words are part of it.
    ".org {place} - 8",
    "packet: .byte 16, 0",
    "packet_sectors: .word 0",
    ".word 0",
    "packet_segment: .word 0x800",
    "stage_first: .quad 0",
    "stage_sectors: .word 0",
    ".org 440",
    ".code64",
    ".popsection",
    place = const PLACE,
);
