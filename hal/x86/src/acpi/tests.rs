use super::*;

/// Memory that starts at an address of its own.
struct Fake {
    base: u64,
    bytes: Vec<u8>,
}

impl Physical for Fake {
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(address.checked_sub(self.base)?).ok()?;
        self.bytes.get(start..start.checked_add(len)?)
    }
}

impl Fake {
    fn put(&mut self, bytes: &[u8]) -> u64 {
        let address = self.base + self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        address
    }
}

fn set_checksum(bytes: &mut [u8], at: usize) {
    bytes[at] = 0;
    bytes[at] = bytes.iter().fold(0_u8, |sum, &b| sum.wrapping_sub(b));
}

fn sealed(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut table = vec![0; HEADER_LEN];
    table[..4].copy_from_slice(signature);
    table.extend_from_slice(body);
    let len = table.len() as u32;
    table[4..8].copy_from_slice(&len.to_le_bytes());
    set_checksum(&mut table, 9);
    table
}

fn madt() -> Vec<u8> {
    let mut body = vec![0, 0, 0xe0, 0xfe, 1, 0, 0, 0];
    body.extend_from_slice(&[0, 8, 0, 0, 1, 0, 0, 0]); // a processor
    body.extend_from_slice(&[1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
    body.extend_from_slice(&[2, 10, 0, 0, 2, 0, 0, 0, 0, 0]); // line 0 at 2
    body.extend_from_slice(&[2, 10, 0, 9, 9, 0, 0, 0, 0x0f, 0]); // line 9 low, level
    sealed(b"APIC", &body)
}

fn fadt(dsdt: u64) -> Vec<u8> {
    let mut body = vec![0; 244 - HEADER_LEN];
    let mut set = |offset: usize, bytes: &[u8]| {
        body[offset - HEADER_LEN..][..bytes.len()].copy_from_slice(bytes);
    };
    set(40, &(dsdt as u32).to_le_bytes());
    set(48, &0xb2_u32.to_le_bytes());
    set(52, &[0xa1]);
    set(64, &0x604_u32.to_le_bytes());
    set(108, &[0x32]);
    set(112, &(1_u32 << 10).to_le_bytes());
    set(116, &[1, 8, 0, 1, 0xf9, 0x0c, 0, 0, 0, 0, 0, 0, 0x0f]);
    sealed(b"FACP", &body)
}

/// A machine whose root table holds `tables`.
fn machine(tables: &[Vec<u8>], memory: &mut Fake) -> u64 {
    let mut body = Vec::new();
    for table in tables {
        body.extend_from_slice(&(memory.put(table) as u32).to_le_bytes());
    }
    let rsdt = memory.put(&sealed(b"RSDT", &body));
    let mut rsdp = b"RSD PTR \0OWNER \0".to_vec();
    rsdp.extend_from_slice(&(rsdt as u32).to_le_bytes());
    set_checksum(&mut rsdp, 8);
    memory.put(&rsdp)
}

fn fake() -> Fake {
    Fake {
        base: 0x7f_0000,
        bytes: Vec::new(),
    }
}

#[test]
fn a_pc_is_understood() {
    let mut memory = fake();
    let dsdt = memory.put(&sealed(
        b"DSDT",
        b"\x10\x08_S5_\x12\x06\x04\x0a\x05\x00\x00\x00",
    ));
    let rsdp = machine(&[madt(), fadt(dsdt)], &mut memory);
    let tables = Tables::read(&memory, rsdp);
    assert_eq!(tables.madt.io_apics.len(), 1);
    assert_eq!(tables.madt.isa_input(0).gsi, 2);
    let line_9 = tables.madt.isa_input(9);
    assert!(line_9.is_active_low && line_9.is_level);
    let line_4 = tables.madt.isa_input(4);
    assert_eq!((line_4.gsi, line_4.is_level), (4, false));
    let fadt = tables.fadt.expect("present");
    assert_eq!(fadt.reset, Some((GenericAddress::Port(0xcf9), 0x0f)));
    assert_eq!(fadt.pm1a_control, Some(0x604));
    assert_eq!(fadt.pm1b_control, None);
    assert_eq!(fadt.enable_acpi, Some((0xb2, 0xa1)));
    assert_eq!(fadt.century_register, Some(0x32));
    assert_eq!(tables.soft_off, Some(SleepType { a: 5, b: 0 }));
}

#[test]
fn a_flipped_byte_in_any_table_is_not_believed() {
    let mut memory = fake();
    let rsdp = machine(&[madt()], &mut memory);
    for at in 0..memory.bytes.len() {
        let mut broken = Fake {
            base: memory.base,
            bytes: memory.bytes.clone(),
        };
        broken.bytes[at] ^= 0x40;
        let tables = Tables::read(&broken, rsdp);
        assert_eq!(tables.madt, Madt::default(), "byte {at}");
    }
}

#[test]
fn cut_off_tables_do_no_harm() {
    let entries = madt();
    for len in HEADER_LEN..entries.len() {
        let parsed = Madt::parse(&entries[..len]);
        assert!(parsed.io_apics.len() == 1);
    }
    let fadt = fadt(0);
    for len in 0..fadt.len() {
        let _ = Fadt::parse(&fadt[..len]);
    }
    assert_eq!(Fadt::parse(&[]), Fadt::default());
    assert!(
        Madt::parse(&sealed(b"APIC", &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 9, 9]))
            .io_apics
            .len()
            == 1
    );
}

#[test]
fn the_soft_off_package_is_found_only_as_a_name() {
    assert_eq!(
        fadt::soft_off(b"\x08\\_S5_\x12\x07\x04\x01\x01"),
        Some(SleepType { a: 1, b: 1 })
    );
    assert_eq!(fadt::soft_off(b"x_S5_\x12\x06\x04\x0a\x05"), None);
    assert_eq!(fadt::soft_off(b"\x08_S5_\x12\x06\x04\x0a\x09"), None);
    assert_eq!(fadt::soft_off(b"\x08_S5_\x12"), None);
    assert_eq!(fadt::soft_off(b""), None);
}
