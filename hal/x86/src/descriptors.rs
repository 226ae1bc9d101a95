//! GDT, TSS, IDT and the stacks that interrupts run on (Intel SDM volume 3, chapters 3, 6, 8).
//!
//! Every vector switches to an IST stack, because compiled code keeps values in the red zone below
//! its stack pointer, which a handler on the same stack would overwrite. Interrupt gates keep
//! interrupts off, so no IST stack is entered twice. Every stack has a guard page below it.

use core::arch::asm;
use core::cell::UnsafeCell;

/// Selector of the 64-bit code segment.
pub const CODE_SELECTOR: u16 = 0x08;
const DATA_SELECTOR: u16 = 0x10;
const TSS_SELECTOR: u16 = 0x18;

/// Which stack a vector runs on: the index into the TSS's interrupt stack table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ist {
    /// Ordinary exceptions.
    Exception = 1,
    /// Double fault, NMI and machine check, which can hit inside another handler.
    Emergency = 2,
    /// Devices.
    Device = 3,
}

/// A stack of `N` bytes with an unmapped page below.
#[repr(C, align(4096))]
pub struct GuardedStack<const N: usize> {
    guard: UnsafeCell<[u8; 4096]>,
    bytes: UnsafeCell<[u8; N]>,
}

// SAFETY: nothing in Rust reads or writes the contents; only the processor does, through RSP.
unsafe impl<const N: usize> Sync for GuardedStack<N> {}

impl<const N: usize> GuardedStack<N> {
    /// A stack for a `static`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only ever a static")]
    pub const fn new() -> Self {
        Self {
            guard: UnsafeCell::new([0; 4096]),
            bytes: UnsafeCell::new([0; N]),
        }
    }

    /// First byte of the guard page.
    pub fn guard(&self) -> u64 {
        self.guard.get() as u64
    }

    /// Initial stack pointer: the first byte above.
    pub fn top(&self) -> u64 {
        self.bytes.get() as u64 + N as u64
    }
}

#[unsafe(link_section = ".bss.noinit.stacks")]
static EXCEPTION_STACK: GuardedStack<{ 32 << 10 }> = GuardedStack::new();
#[unsafe(link_section = ".bss.noinit.stacks")]
static EMERGENCY_STACK: GuardedStack<{ 32 << 10 }> = GuardedStack::new();
#[unsafe(link_section = ".bss.noinit.stacks")]
static DEVICE_STACK: GuardedStack<{ 16 << 10 }> = GuardedStack::new();

/// Where a stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackBounds {
    /// Name to report it by.
    pub name: &'static str,
    /// First byte of its guard page.
    pub guard: u64,
    /// First byte above it.
    pub top: u64,
}

impl StackBounds {
    /// The bounds of `stack`.
    pub fn of<const N: usize>(name: &'static str, stack: &GuardedStack<N>) -> Self {
        Self {
            name,
            guard: stack.guard(),
            top: stack.top(),
        }
    }

    /// Whether `address` is on the guard page.
    #[must_use]
    pub fn guards(&self, address: u64) -> bool {
        (self.guard..self.guard + 4096).contains(&address)
    }

    /// The part of the stack from `pointer` up, of whole words, for a pointer into the stack or
    /// its guard page.
    #[must_use]
    pub fn from(&self, pointer: u64) -> Option<core::ops::Range<u64>> {
        let lowest = self.guard + 4096;
        let start = pointer.max(lowest).checked_next_multiple_of(8)?;
        (self.guard <= pointer && start < self.top).then_some(start..self.top)
    }
}

/// The stacks that interrupts run on.
#[must_use]
pub fn stacks() -> [StackBounds; 3] {
    [
        StackBounds::of("exception", &EXCEPTION_STACK),
        StackBounds::of("emergency", &EMERGENCY_STACK),
        StackBounds::of("interrupt", &DEVICE_STACK),
    ]
}

/// 64-bit TSS, SDM figure 8-11.
#[repr(C, packed(4))]
struct TaskState {
    reserved_0: u32,
    privilege_stacks: [u64; 3],
    reserved_1: u64,
    interrupt_stacks: [u64; 7],
    reserved_2: u64,
    reserved_3: u16,
    io_map: u16,
}

/// A gate of the IDT, SDM figure 6-8.
#[derive(Clone, Copy)]
#[repr(C)]
struct Gate([u64; 2]);

impl Gate {
    const ABSENT: Self = Self([0; 2]);

    /// A present interrupt gate of privilege 0.
    fn interrupt(handler: u64, ist: Ist) -> Self {
        let low = (handler & 0xffff)
            | u64::from(CODE_SELECTOR) << 16
            | (ist as u64) << 32
            | 0x8e << 40
            | ((handler >> 16) & 0xffff) << 48;
        Self([low, handler >> 32])
    }
}

#[repr(C, align(16))]
struct Shared<T>(UnsafeCell<T>);

// SAFETY: written only by the functions below, which run on the boot processor with interrupts off.
unsafe impl<T> Sync for Shared<T> {}

static GDT: Shared<[u64; 5]> = Shared(UnsafeCell::new([0; 5]));
static TSS: Shared<TaskState> = Shared(UnsafeCell::new(TaskState {
    reserved_0: 0,
    privilege_stacks: [0; 3],
    reserved_1: 0,
    interrupt_stacks: [0; 7],
    reserved_2: 0,
    reserved_3: 0,
    io_map: size_of::<TaskState>() as u16,
}));
static IDT: Shared<[Gate; 256]> = Shared(UnsafeCell::new([Gate::ABSENT; 256]));

/// Operand of LGDT and LIDT.
#[repr(C, packed)]
struct TablePointer {
    limit: u16,
    base: u64,
}

/// Loads the box's own GDT, TSS and IDT. Gates are set by [`set_gate`].
///
/// # Safety
/// Called once at boot on the boot processor, with interrupts off.
pub unsafe fn load() {
    let tss = TSS.0.get();
    let mut stacks = [0; 7];
    stacks[Ist::Exception as usize - 1] = EXCEPTION_STACK.top();
    stacks[Ist::Emergency as usize - 1] = EMERGENCY_STACK.top();
    stacks[Ist::Device as usize - 1] = DEVICE_STACK.top();
    // SAFETY: nobody else uses the TSS before `ltr` below.
    unsafe { (*tss).interrupt_stacks = stacks };
    let base = tss as u64;
    let limit = size_of::<TaskState>() as u64 - 1;
    // 64-bit code, data, and a two-entry available TSS descriptor (SDM figures 3-8 and 8-4).
    let gdt = [
        0,
        0x00af_9b00_0000_ffff,
        0x00cf_9300_0000_ffff,
        limit | (base & 0x00ff_ffff) << 16 | 0x89 << 40 | (base >> 24 & 0xff) << 56,
        base >> 32,
    ];
    // SAFETY: nobody else uses this GDT before `lgdt` below.
    unsafe { *GDT.0.get() = gdt };
    let gdt_pointer = TablePointer {
        limit: size_of::<[u64; 5]>() as u16 - 1,
        base: GDT.0.get() as u64,
    };
    let idt_pointer = TablePointer {
        limit: size_of::<[Gate; 256]>() as u16 - 1,
        base: IDT.0.get() as u64,
    };
    // SAFETY: the tables are statics, filled above; the code selector keeps its meaning, so the
    // far return continues on the next instruction.
    unsafe {
        asm!(
            "lgdt [{gdt}]",
            "push {code}",
            "lea {scratch}, [rip + 2f]",
            "push {scratch}",
            "retfq",
            "2:",
            "mov ds, {data:e}",
            "mov es, {data:e}",
            "mov ss, {data:e}",
            "ltr {tss:x}",
            "lidt [{idt}]",
            gdt = in(reg) &raw const gdt_pointer,
            idt = in(reg) &raw const idt_pointer,
            code = const CODE_SELECTOR as u64,
            data = in(reg) u32::from(DATA_SELECTOR),
            tss = in(reg) TSS_SELECTOR,
            scratch = out(reg) _,
        );
    }
}

/// Makes `vector` run `handler` on the stack `ist`.
///
/// # Safety
/// `handler` must be the address of an interrupt handler that ends with IRETQ (or never), keeps all
/// registers, and fits the vector (error code or none). Interrupts are off during the call.
pub unsafe fn set_gate(vector: u8, handler: u64, ist: Ist) {
    let gate = Gate::interrupt(handler, ist);
    // SAFETY: the index is below 256; interrupts are off, so the processor does not read the gate
    // half written.
    unsafe { (*IDT.0.get())[usize::from(vector)] = gate };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_holds_address_selector_and_stack() {
        let Gate([low, high]) = Gate::interrupt(0x1234_5678_9abc_def0, Ist::Device);
        assert_eq!(low, 0x9abc_8e03_0008_def0);
        assert_eq!(high, 0x1234_5678);
    }

    #[test]
    fn a_pointer_into_the_guard_page_sees_the_whole_stack() {
        let bounds = StackBounds {
            name: "some",
            guard: 0x1000,
            top: 0x4000,
        };
        assert!(bounds.guards(0x1fff) && !bounds.guards(0x2000) && !bounds.guards(0xfff));
        assert_eq!(bounds.from(0x1800), Some(0x2000..0x4000));
        assert_eq!(bounds.from(0x3ff1), Some(0x3ff8..0x4000));
        assert_eq!(bounds.from(0xff8), None);
        assert_eq!(bounds.from(0x4000), None);
        assert_eq!(bounds.from(u64::MAX), None);
    }

    #[test]
    fn the_task_state_has_its_architectural_size() {
        assert_eq!(size_of::<TaskState>(), 104);
        assert_eq!(core::mem::offset_of!(TaskState, interrupt_stacks), 36);
        assert_eq!(GuardedStack::<4096>::new().top() % 16, 0);
    }
}
