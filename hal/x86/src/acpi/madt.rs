//! Multiple APIC description table (ACPI §5.2.12).

use heapless::Vec;

use super::{HEADER_LEN, read_u16, read_u32};

/// An I/O APIC (§5.2.12.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoApic {
    /// Physical address of its registers.
    pub address: u32,
    /// Global interrupt number of its first pin.
    pub gsi_base: u32,
}

/// Where an ISA interrupt line arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsaInput {
    /// Global interrupt number.
    pub gsi: u32,
    /// Whether the line is active low (ISA: high).
    pub is_active_low: bool,
    /// Whether the line is level-triggered (ISA: edge).
    pub is_level: bool,
}

/// Interrupt controllers and how ISA lines are wired to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Madt {
    /// I/O APICs in table order.
    pub io_apics: Vec<IoApic, 8>,
    /// ISA lines that are not wired one to one.
    overrides: Vec<(u8, IsaInput), 16>,
}

impl Default for Madt {
    /// What every PC has: one I/O APIC at the usual place, lines wired one to one.
    fn default() -> Self {
        let mut io_apics = Vec::new();
        let _ = io_apics.push(IoApic {
            address: 0xfec0_0000,
            gsi_base: 0,
        });
        Self {
            io_apics,
            overrides: Vec::new(),
        }
    }
}

impl Madt {
    /// Reads a checked table; entries that do not fit are left out.
    pub(super) fn parse(table: &[u8]) -> Self {
        let mut io_apics = Vec::new();
        let mut overrides = Vec::new();
        // Header, local APIC address, flags; then entries of type, length, contents.
        let mut rest = table.get(HEADER_LEN + 8..).unwrap_or_default();
        while let [kind, len, ..] = *rest {
            // An entry shorter than its own head would never end the walk.
            let Some((entry, next)) = rest.split_at_checked(usize::from(len.max(2))) else {
                break;
            };
            rest = next;
            match kind {
                1 => {
                    if let (Some(address), Some(gsi_base)) =
                        (read_u32(entry, 4), read_u32(entry, 8))
                    {
                        let _ = io_apics.push(IoApic { address, gsi_base });
                    }
                }
                2 => {
                    if let (Some(&line), Some(gsi), Some(flags)) =
                        (entry.get(3), read_u32(entry, 4), read_u16(entry, 8))
                    {
                        // §5.2.12.5, MPS INTI flags: 0 means "as the bus does", 3 low or level.
                        let input = IsaInput {
                            gsi,
                            is_active_low: flags & 0b11 == 0b11,
                            is_level: flags >> 2 & 0b11 == 0b11,
                        };
                        let _ = overrides.push((line, input));
                    }
                }
                _ => {}
            }
        }
        if io_apics.is_empty() {
            io_apics = Self::default().io_apics;
        }
        Self {
            io_apics,
            overrides,
        }
    }

    /// Where ISA interrupt line `line` arrives.
    #[must_use]
    pub fn isa_input(&self, line: u8) -> IsaInput {
        let wired = self.overrides.iter().find(|(source, _)| *source == line);
        wired.map_or(
            IsaInput {
                gsi: u32::from(line),
                is_active_low: false,
                is_level: false,
            },
            |&(_, input)| input,
        )
    }
}
