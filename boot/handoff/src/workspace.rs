//! All that the jump into the firmware needs, in one piece of memory.

use core::arch::naked_asm;
use core::mem::offset_of;

use loader::memory_map::{ENTRIES_MAX, MemoryMap};
use loader::{COMMAND_LINE_MAX, Ready};

/// Room for the code of the jump; it takes about a hundred bytes.
const CODE_LEN: usize = 512;
const MAGIC: u32 = 0x336e_c578;

/// `hvm_start_info`, version 1.
#[repr(C)]
struct StartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    rsdp: u64,
    memory_map: u64,
    memory_map_entries: u32,
    reserved: u32,
}

/// `hvm_memmap_table_entry`.
#[derive(Clone, Copy)]
#[repr(C)]
struct MapEntry {
    base: u64,
    len: u64,
    kind: u32,
    reserved: u32,
}

/// One part of the firmware to be put in its place.
#[derive(Clone, Copy)]
#[repr(C)]
struct Move {
    to: u64,
    from: u64,
    len: u64,
    zeros: u64,
}

/// Memory for the jump: below 4 GiB, mapped one to one and executable, where no part of the firmware goes.
#[repr(C, align(4096))]
pub struct Workspace {
    code: [u8; CODE_LEN],
    /// Null, 64-bit code, 32-bit code, data.
    segments: [u64; 4],
    moves: [Move; loader::elf::SEGMENTS_MAX],
    move_count: u64,
    entry: u64,
    start_info: StartInfo,
    map: [MapEntry; ENTRIES_MAX],
    command_line: [u8; COMMAND_LINE_MAX + 1],
}

/// The workspace lies where the jump cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl Workspace {
    /// An empty one, for a static.
    #[must_use]
    pub const fn new() -> Self {
        const NOTHING: Move = Move {
            to: 0,
            from: 0,
            len: 0,
            zeros: 0,
        };
        const NOWHERE: MapEntry = MapEntry {
            base: 0,
            len: 0,
            kind: 0,
            reserved: 0,
        };
        Self {
            code: [0; CODE_LEN],
            segments: [0; 4],
            moves: [NOTHING; loader::elf::SEGMENTS_MAX],
            move_count: 0,
            entry: 0,
            start_info: StartInfo {
                magic: 0,
                version: 0,
                flags: 0,
                modules: 0,
                module_list: 0,
                command_line: 0,
                rsdp: 0,
                memory_map: 0,
                memory_map_entries: 0,
                reserved: 0,
            },
            map: [NOWHERE; ENTRIES_MAX],
            command_line: [0; COMMAND_LINE_MAX + 1],
        }
    }

    /// Writes down what to do and what to tell the firmware.
    ///
    /// # Errors
    /// [`NoRoom`] if the workspace is not below 4 GiB.
    pub fn fill(&mut self, ready: &Ready<'_>, rsdp: u64, map: MemoryMap) -> Result<(), NoRoom> {
        let address = (&raw const *self) as u64;
        if address + size_of::<Self>() as u64 > 1 << 32 {
            return Err(NoRoom);
        }
        self.segments = [
            0,
            0x00af_9b00_0000_ffff,
            0x00cf_9b00_0000_ffff,
            0x00cf_9300_0000_ffff,
        ];
        self.move_count = 0;
        for (to, segment) in self.moves.iter_mut().zip(&ready.firmware.segments) {
            *to = Move {
                to: segment.address,
                from: segment.bytes.as_ptr() as u64,
                len: segment.bytes.len() as u64,
                zeros: segment.zeros,
            };
            self.move_count += 1;
        }
        self.entry = u64::from(ready.firmware.entry);
        self.command_line = [0; COMMAND_LINE_MAX + 1];
        for (to, from) in self.command_line.iter_mut().zip(ready.command_line.bytes()) {
            *to = from;
        }
        let mut entries = 0;
        for (to, from) in self.map.iter_mut().zip(&map.sorted()) {
            *to = MapEntry {
                base: from.range.start,
                len: from.range.end - from.range.start,
                kind: from.kind as u32,
                reserved: 0,
            };
            entries += 1;
        }
        self.start_info = StartInfo {
            magic: MAGIC,
            version: 1,
            flags: 0,
            modules: 0,
            module_list: 0,
            command_line: (&raw const self.command_line) as u64,
            rsdp,
            memory_map: (&raw const self.map) as u64,
            memory_map_entries: entries,
            reserved: 0,
        };
        Ok(())
    }

    /// Puts the parts in their places and jumps.
    ///
    /// # Safety
    /// [`fill`](Self::fill) has been called. The workspace is mapped one to one and executable, and so is, for
    /// reading, what `ready` refers to and, for writing, where its parts go; none of these overlaps the
    /// workspace or the others. Interrupts are off and stay off. Nothing of the loader is needed any more.
    pub unsafe fn jump(&mut self) -> ! {
        let code = jump_code as *const u8;
        // SAFETY: functions are readable; the code is shorter than `CODE_LEN`, and a few bytes more of
        // the loader's own code do no harm.
        let code = unsafe { core::slice::from_raw_parts(code, CODE_LEN) };
        self.code.copy_from_slice(code);
        let start: extern "C" fn(*mut Self) -> ! =
            // SAFETY: `code` is a copy of position-independent code of this signature.
            unsafe { core::mem::transmute(&raw const self.code) };
        start(self)
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

/// The code of the jump. Runs as a copy, so it reaches everything through RDI, the workspace; it uses no
/// stack but two words that it has put into the room for code.
#[unsafe(naked)]
extern "C" fn jump_code(workspace: *mut Workspace) -> ! {
    naked_asm!(
        "cli",
        "cld",
        "mov rbx, rdi",
        "lea rsp, [rbx + {code_len}]",
        // The parts, one after the other.
        "lea r8, [rbx + {moves}]",
        "mov r9, [rbx + {move_count}]",
        "2:",
        "test r9, r9",
        "jz 3f",
        "mov rdi, [r8]",
        "mov rsi, [r8 + 8]",
        "mov rcx, [r8 + 16]",
        // Eight bytes a step: an emulator runs `rep movsb` one by one.
        "mov rdx, rcx",
        "shr rcx, 3",
        "rep movsq",
        "mov rcx, rdx",
        "and ecx, 7",
        "rep movsb",
        "xor eax, eax",
        "mov rcx, [r8 + 24]",
        "mov rdx, rcx",
        "shr rcx, 3",
        "rep stosq",
        "mov rcx, rdx",
        "and ecx, 7",
        "rep stosb",
        "add r8, 32",
        "dec r9",
        "jmp 2b",
        "3:",
        // Our own segments, then the 32-bit one.
        "lea rax, [rbx + {segments}]",
        "push rax",
        "sub rsp, 8",
        "mov word ptr [rsp + 6], 31",
        "lgdt [rsp + 6]",
        "mov ebp, [rbx + {entry}]",
        "lea rax, [rip + 4f]",
        "push 16",
        "push rax",
        "retfq",
        ".code32",
        "4:",
        "mov eax, 24",
        "mov ds, eax",
        "mov es, eax",
        "mov ss, eax",
        "mov fs, eax",
        "mov gs, eax",
        // CR0: only PE and the reserved ET; paging off ends long mode.
        "mov eax, 0x11",
        "mov cr0, eax",
        "mov ecx, 0xc0000080",
        "xor eax, eax",
        "xor edx, edx",
        "wrmsr",
        "mov cr4, eax",
        "add ebx, {start_info}",
        "jmp ebp",
        ".code64",
        code_len = const CODE_LEN,
        moves = const offset_of!(Workspace, moves),
        move_count = const offset_of!(Workspace, move_count),
        segments = const offset_of!(Workspace, segments),
        entry = const offset_of!(Workspace, entry),
        start_info = const offset_of!(Workspace, start_info),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_those_of_xen() {
        assert_eq!(size_of::<StartInfo>(), 56);
        assert_eq!(offset_of!(StartInfo, command_line), 24);
        assert_eq!(offset_of!(StartInfo, rsdp), 32);
        assert_eq!(offset_of!(StartInfo, memory_map), 40);
        assert_eq!(offset_of!(StartInfo, memory_map_entries), 48);
        assert_eq!(size_of::<MapEntry>(), 24);
    }
}
