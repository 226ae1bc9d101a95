//! The few ACPI tables the box reads (ACPI specification 6.5, chapter 5).
//!
//! Tables come from the machine's firmware and are checked like any input: signature, length,
//! checksum. Nothing here interprets AML, but for the one package that says how to power off.

mod fadt;
mod madt;

pub use fadt::{Fadt, GenericAddress, SleepType};
pub use madt::{IoApic, IsaInput, Madt};

/// Memory that tables are read from.
pub trait Physical {
    /// The `len` bytes at `address`, or `None` if they are not readable memory.
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]>;
}

/// The longest table that is believed. QEMU's DSDT is about 8 KiB, large servers' below 1 MiB.
const TABLE_MAX: usize = 4 << 20;
/// Entries of the root table that are looked at.
const TABLES_MAX: usize = 256;
const HEADER_LEN: usize = 36;

/// What the tables say. A missing or broken table leaves its defaults.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Interrupt controllers.
    pub madt: Madt,
    /// Power registers; `None` if there is no valid FADT.
    pub fadt: Option<Fadt>,
    /// Sleep type of "soft off", from the DSDT.
    pub soft_off: Option<SleepType>,
}

impl Tables {
    /// Reads the tables that the RSDP at `rsdp` leads to.
    pub fn read(memory: &impl Physical, rsdp: u64) -> Self {
        let mut found = Self::default();
        let Some(root) = root_table(memory, rsdp) else {
            return found;
        };
        for address in root.entries().take(TABLES_MAX) {
            let Some(table) = table(memory, address) else {
                continue;
            };
            match table.first_chunk() {
                Some(b"APIC") => found.madt = Madt::parse(table),
                Some(b"FACP") => {
                    let fadt = Fadt::parse(table);
                    found.soft_off = fadt
                        .dsdt
                        .and_then(|dsdt| self::table(memory, dsdt))
                        .and_then(fadt::soft_off);
                    found.fadt = Some(fadt);
                }
                _ => {}
            }
        }
        found
    }
}

/// The RSDT or XSDT.
struct Root<'a> {
    table: &'a [u8],
    entry_len: usize,
}

impl Root<'_> {
    fn entries(&self) -> impl Iterator<Item = u64> {
        let body = self.table.get(HEADER_LEN..).unwrap_or_default();
        body.chunks_exact(self.entry_len).map(|entry| {
            entry
                .iter()
                .rev()
                .fold(0, |value, &byte| value << 8 | u64::from(byte))
        })
    }
}

fn root_table(memory: &impl Physical, rsdp: u64) -> Option<Root<'_>> {
    // §5.2.5.3: 20 bytes in revision 0, 36 from revision 2 on.
    let short = memory.bytes(rsdp, 20)?;
    if !short.starts_with(b"RSD PTR ") || !sums_to_zero(short) {
        return None;
    }
    if short.get(15).is_some_and(|&revision| revision >= 2)
        && let Some(long) = memory.bytes(rsdp, 36)
        && sums_to_zero(long)
        && let Some(xsdt) = read_u64(long, 24).and_then(|address| table(memory, address))
        && xsdt.starts_with(b"XSDT")
    {
        return Some(Root {
            table: xsdt,
            entry_len: 8,
        });
    }
    let rsdt = table(memory, u64::from(read_u32(short, 16)?))?;
    rsdt.starts_with(b"RSDT").then_some(Root {
        table: rsdt,
        entry_len: 4,
    })
}

/// The whole, checked table at `address`.
fn table(memory: &impl Physical, address: u64) -> Option<&[u8]> {
    let header = memory.bytes(address, HEADER_LEN)?;
    let len = read_u32(header, 4)? as usize;
    if !(HEADER_LEN..=TABLE_MAX).contains(&len) {
        return None;
    }
    let table = memory.bytes(address, len)?;
    sums_to_zero(table).then_some(table)
}

fn sums_to_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0_u8, |sum, &b| sum.wrapping_add(b)) == 0
}

fn read_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..)?.first_chunk()?;
    Some(u16::from_le_bytes(*field))
}

fn read_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..)?.first_chunk()?;
    Some(u32::from_le_bytes(*field))
}

fn read_u64(bytes: &[u8], offset: usize) -> Option<u64> {
    let field = bytes.get(offset..)?.first_chunk()?;
    Some(u64::from_le_bytes(*field))
}

#[cfg(test)]
mod tests;
