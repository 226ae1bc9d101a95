//! What a dying box leaves behind for the next boot.
//!
//! One page at a fixed address that the heap never gets and that a warm reset leaves alone. A CRC
//! tells an epitaph from whatever else the memory holds after power-on.

use core::fmt::{self, Write as _};

use crc::{CRC_32_ISCSI, Crc};
use heapless::{String, Vec};

use crate::exceptions::Frame;

/// Bytes of the page.
pub const PAGE_LEN: usize = 4096;
/// Frames of a backtrace that are kept.
pub const BACKTRACE_MAX: usize = 32;
/// Bytes of the cause that are kept.
pub const CAUSE_MAX: usize = 480;

const MAGIC: [u8; 8] = *b"epitaph1";
const FRAME_WORDS: usize = size_of::<Frame>() / 8;
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// Magic and checksum; the checksum covers what follows.
const HEAD_LEN: usize = 12;

/// Why the box stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Epitaph {
    /// What happened, in words.
    pub cause: String<CAUSE_MAX>,
    /// Microseconds since the clock was started.
    pub uptime_micros: u64,
    /// The registers, if an exception was the end and not a panic.
    pub registers: Option<Frame>,
    /// Code addresses, innermost first.
    pub backtrace: Vec<u64, BACKTRACE_MAX>,
}

impl Epitaph {
    /// Writes the epitaph to a page.
    pub fn encode(&self, page: &mut [u8; PAGE_LEN]) {
        page.fill(0);
        let mut writer = Writer { page, at: HEAD_LEN };
        writer.word(self.uptime_micros);
        writer.word(u64::from(self.registers.is_some()));
        for word in words(&self.registers.unwrap_or_default()) {
            writer.word(word);
        }
        writer.word(self.backtrace.len() as u64);
        for &address in &self.backtrace {
            writer.word(address);
        }
        writer.word(self.cause.len() as u64);
        writer.bytes(self.cause.as_bytes());
        let checksum = CHECKSUM.checksum(&page[HEAD_LEN..]);
        page[..8].copy_from_slice(&MAGIC);
        page[8..HEAD_LEN].copy_from_slice(&checksum.to_le_bytes());
    }

    /// Reads a page; `None` if it holds no whole epitaph.
    #[must_use]
    pub fn decode(page: &[u8; PAGE_LEN]) -> Option<Self> {
        let (head, body) = page.split_at(HEAD_LEN);
        let (magic, checksum) = head.split_at(MAGIC.len());
        if magic != MAGIC || checksum != CHECKSUM.checksum(body).to_le_bytes() {
            return None;
        }
        let mut words = body
            .as_chunks::<8>()
            .0
            .iter()
            .map(|w| u64::from_le_bytes(*w));
        let uptime_micros = words.next()?;
        let has_registers = words.next()? == 1;
        let mut registers = [0; FRAME_WORDS];
        for register in &mut registers {
            *register = words.next()?;
        }
        let count = usize::try_from(words.next()?).ok()?;
        let mut backtrace = Vec::new();
        for _ in 0..count {
            backtrace.push(words.next()?).ok()?;
        }
        let len = usize::try_from(words.next()?).ok()?;
        // Uptime, flag, count and length are the other four words.
        let start = (4 + FRAME_WORDS + count) * 8;
        let cause = body.get(start..start.checked_add(len)?)?;
        Some(Self {
            cause: String::try_from(core::str::from_utf8(cause).ok()?).ok()?,
            uptime_micros,
            registers: has_registers.then(|| frame(&registers)),
            backtrace,
        })
    }

    /// Makes a page hold no epitaph.
    pub fn erase(page: &mut [u8; PAGE_LEN]) {
        page[..MAGIC.len()].fill(0);
    }

    /// Sets the cause, cut to [`CAUSE_MAX`] bytes.
    pub fn set_cause(&mut self, cause: fmt::Arguments<'_>) {
        self.cause.clear();
        let _ = Cut(&mut self.cause).write_fmt(cause);
    }
}

impl fmt::Display for Epitaph {
    /// Several lines; backtrace lines are `  #n 0xaddress`, for `cargo xtask` to symbolise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, micros) = (
            self.uptime_micros / 1_000_000,
            self.uptime_micros % 1_000_000,
        );
        writeln!(f, "cause:  {}", self.cause)?;
        writeln!(f, "uptime: {secs}.{micros:06} s")?;
        if let Some(r) = &self.registers {
            writeln!(
                f,
                "  rip 0x{:016x}  rsp {:016x}  rflags {:08x}  error {:x}",
                r.rip, r.rsp, r.rflags, r.error_code
            )?;
            writeln!(
                f,
                "  rax {:016x}  rbx {:016x}  rcx {:016x}",
                r.rax, r.rbx, r.rcx
            )?;
            writeln!(
                f,
                "  rdx {:016x}  rsi {:016x}  rdi {:016x}",
                r.rdx, r.rsi, r.rdi
            )?;
            writeln!(
                f,
                "  rbp {:016x}  r8  {:016x}  r9  {:016x}",
                r.rbp, r.r8, r.r9
            )?;
            writeln!(
                f,
                "  r10 {:016x}  r11 {:016x}  r12 {:016x}",
                r.r10, r.r11, r.r12
            )?;
            writeln!(
                f,
                "  r13 {:016x}  r14 {:016x}  r15 {:016x}",
                r.r13, r.r14, r.r15
            )?;
        }
        writeln!(f, "backtrace:")?;
        for (number, address) in self.backtrace.iter().enumerate() {
            writeln!(f, "  #{number} 0x{address:016x}")?;
        }
        Ok(())
    }
}

/// Takes as much text as fits and swallows the rest.
struct Cut<'a>(&'a mut String<CAUSE_MAX>);

impl fmt::Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let _ = self.0.push(if character.is_control() {
                ' '
            } else {
                character
            });
        }
        Ok(())
    }
}

struct Writer<'a> {
    page: &'a mut [u8; PAGE_LEN],
    at: usize,
}

impl Writer<'_> {
    fn word(&mut self, word: u64) {
        self.bytes(&word.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        // The bounds of `Epitaph`'s fields keep their sum within a page; see the test.
        if let Some(room) = self.page.get_mut(self.at..self.at + bytes.len()) {
            room.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }
}

fn words(frame: &Frame) -> [u64; FRAME_WORDS] {
    let r = frame;
    [
        r.r15,
        r.r14,
        r.r13,
        r.r12,
        r.r11,
        r.r10,
        r.r9,
        r.r8,
        r.rbp,
        r.rdi,
        r.rsi,
        r.rdx,
        r.rcx,
        r.rbx,
        r.rax,
        r.vector,
        r.error_code,
        r.rip,
        r.cs,
        r.rflags,
        r.rsp,
        r.ss,
    ]
}

fn frame(words: &[u64; FRAME_WORDS]) -> Frame {
    let [
        r15,
        r14,
        r13,
        r12,
        r11,
        r10,
        r9,
        r8,
        rbp,
        rdi,
        rsi,
        rdx,
        rcx,
        rbx,
        rax,
        vector,
        error_code,
        rip,
        cs,
        rflags,
        rsp,
        ss,
    ] = *words;
    Frame {
        r15,
        r14,
        r13,
        r12,
        r11,
        r10,
        r9,
        r8,
        rbp,
        rdi,
        rsi,
        rdx,
        rcx,
        rbx,
        rax,
        vector,
        error_code,
        rip,
        cs,
        rflags,
        rsp,
        ss,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest() -> Epitaph {
        let mut epitaph = Epitaph {
            uptime_micros: u64::MAX,
            registers: Some(frame(&core::array::from_fn(|n| n as u64 + 1))),
            ..Epitaph::default()
        };
        epitaph.set_cause(format_args!("{}", "x".repeat(CAUSE_MAX + 50)));
        for n in 0..BACKTRACE_MAX {
            epitaph.backtrace.push(n as u64).expect("room");
        }
        epitaph
    }

    #[test]
    fn an_epitaph_survives_its_page() {
        let mut page = [0xa5; PAGE_LEN];
        let mut small = Epitaph::default();
        small.set_cause(format_args!("panic: {}\nat line {}", "no way", 7));
        for epitaph in [small, largest()] {
            epitaph.encode(&mut page);
            assert_eq!(Epitaph::decode(&page), Some(epitaph));
        }
        Epitaph::erase(&mut page);
        assert_eq!(Epitaph::decode(&page), None);
    }

    #[test]
    fn a_page_with_any_flipped_bit_is_no_epitaph() {
        let mut page = [0; PAGE_LEN];
        largest().encode(&mut page);
        for at in 0..PAGE_LEN {
            page[at] ^= 1 << (at % 8);
            assert_eq!(Epitaph::decode(&page), None, "byte {at}");
            page[at] ^= 1 << (at % 8);
        }
        assert_eq!(Epitaph::decode(&[0; PAGE_LEN]), None);
        assert_eq!(Epitaph::decode(&[0xff; PAGE_LEN]), None);
    }

    #[test]
    fn lying_lengths_behind_a_right_checksum_are_refused() {
        let mut page = [0; PAGE_LEN];
        largest().encode(&mut page);
        let count_at = HEAD_LEN + (2 + FRAME_WORDS) * 8;
        page[count_at..count_at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        let checksum = CHECKSUM.checksum(&page[HEAD_LEN..]);
        page[8..HEAD_LEN].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Epitaph::decode(&page), None);
    }

    #[test]
    fn the_report_names_cause_uptime_and_addresses() {
        let mut epitaph = Epitaph {
            uptime_micros: 1_000_042,
            ..Epitaph::default()
        };
        epitaph.set_cause(format_args!("page fault"));
        epitaph.backtrace.push(0x20_1234).expect("room");
        assert_eq!(
            std::format!("{epitaph}"),
            "cause:  page fault\nuptime: 1.000042 s\nbacktrace:\n  #0 0x0000000000201234\n"
        );
        epitaph.registers = Some(Frame::default());
        assert!(std::format!("{epitaph}").contains("  rax 0000000000000000"));
    }
}
