//! Fixed ACPI description table (ACPI §5.2.9) and the `\_S5` package (§7.4.2).

use super::{read_u32, read_u64};

/// A register: address space and address (ACPI §5.2.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenericAddress {
    /// In memory.
    Memory(u64),
    /// A port.
    Port(u16),
}

impl GenericAddress {
    fn parse(table: &[u8], offset: usize) -> Option<Self> {
        let space = *table.get(offset)?;
        let address = read_u64(table, offset + 4).filter(|&address| address != 0)?;
        match space {
            0 => Some(Self::Memory(address)),
            1 => u16::try_from(address).ok().map(Self::Port),
            _ => None,
        }
    }
}

/// The values that `SLP_TYP` takes for a sleep state in the two PM1 control registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SleepType {
    /// For PM1a.
    pub a: u8,
    /// For PM1b.
    pub b: u8,
}

/// Where the power registers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fadt {
    /// Address of the DSDT.
    pub dsdt: Option<u64>,
    /// PM1a control register.
    pub pm1a_control: Option<u16>,
    /// PM1b control register; few machines have one.
    pub pm1b_control: Option<u16>,
    /// Port and value that switch the machine from its firmware's power management to ACPI's.
    pub enable_acpi: Option<(u16, u8)>,
    /// Register and value that reset the machine.
    pub reset: Option<(GenericAddress, u8)>,
    /// CMOS register that holds the century.
    pub century_register: Option<u8>,
}

impl Fadt {
    /// Reads a checked table; fields beyond its end are absent.
    pub(super) fn parse(table: &[u8]) -> Self {
        let port = |offset| {
            read_u32(table, offset)
                .and_then(|port| u16::try_from(port).ok())
                .filter(|&port| port != 0)
        };
        let flags = read_u32(table, 112).unwrap_or(0);
        let has_reset = flags & (1 << 10) != 0;
        let enable = table.get(52).copied().filter(|&value| value != 0);
        Self {
            dsdt: read_u64(table, 140)
                .filter(|&address| address != 0)
                .or_else(|| read_u32(table, 40).map(u64::from)),
            pm1a_control: port(64),
            pm1b_control: port(68),
            enable_acpi: port(48).zip(enable),
            reset: GenericAddress::parse(table, 116)
                .zip(table.get(128).copied())
                .filter(|_| has_reset),
            century_register: table.get(108).copied().filter(|&register| register != 0),
        }
    }
}

/// Finds `Name (_S5, Package {a, b, …})` in the DSDT without interpreting it.
///
/// The package is a constant in every machine's DSDT: NameOp, the name (with or without a root
/// prefix), PackageOp, length, count, then byte-sized integers (§20.2.5.4, §20.2.3).
pub(super) fn soft_off(dsdt: &[u8]) -> Option<SleepType> {
    let at = dsdt.windows(4).position(|name| name == b"_S5_")?;
    let before = dsdt.get(..at)?;
    if !(before.ends_with(&[0x08]) || before.ends_with(&[0x08, b'\\'])) {
        return None;
    }
    let body = dsdt.get(at + 4..)?;
    let (&0x12, body) = body.split_first()? else {
        return None;
    };
    // The two top bits of the length's first byte say how many more follow.
    let more = usize::from(*body.first()? >> 6);
    let elements = body.get(more + 2..)?;
    let (a, elements) = byte_integer(elements)?;
    let b = byte_integer(elements).map_or(a, |(b, _)| b);
    Some(SleepType { a, b })
}

/// An AML integer of at most a byte and what follows it.
fn byte_integer(aml: &[u8]) -> Option<(u8, &[u8])> {
    match *aml {
        [0x0a, value, ref rest @ ..] => Some((value, rest)),
        [value @ 0..=1, ref rest @ ..] => Some((value, rest)),
        _ => None,
    }
    .filter(|(value, _)| *value < 8)
}
