use super::*;

/// Tables in a vector; address `n * PAGE` is element `n`.
struct Fake {
    tables: Vec<Table>,
    limit: usize,
}

impl Fake {
    fn new(limit: usize) -> Self {
        Self {
            tables: Vec::new(),
            limit,
        }
    }
}

impl Frames for Fake {
    fn allocate(&mut self) -> Option<u64> {
        if self.tables.len() == self.limit {
            return None;
        }
        self.tables.push([0; 512]);
        Some((self.tables.len() as u64 - 1) * PAGE)
    }

    fn table(&mut self, address: u64) -> &mut Table {
        &mut self.tables[(address / PAGE) as usize]
    }
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn layout<'a>(guards: &'a [u64], memory: &'a [Range<u64>]) -> Layout<'a> {
    Layout {
        code: 2 * MIB..2 * MIB + 0x5000,
        constants: 2 * MIB + 0x5000..2 * MIB + 0x8000,
        guards,
        memory,
    }
}

#[test]
fn the_image_is_never_writable_and_executable() {
    let mut tables = Tables::new(Fake::new(64)).expect("frames");
    let memory = [MIB..4 * MIB, 4 * MIB..256 * MIB];
    let guards = [2 * MIB + 0x9000];
    let mapped = fill(&mut tables, &layout(&guards, &memory)).expect("fits");
    assert_eq!(mapped, 4 * GIB);
    let expected = [
        (0, None),
        (0xfff, None),
        (0x1000, Some(Access::Memory)),
        (2 * MIB, Some(Access::Code)),
        (2 * MIB + 0x4fff, Some(Access::Code)),
        (2 * MIB + 0x5000, Some(Access::Constants)),
        (2 * MIB + 0x8000, Some(Access::Memory)),
        (2 * MIB + 0x9000, None),
        (2 * MIB + 0xa000, Some(Access::Memory)),
        (255 * MIB, Some(Access::Memory)),
        (256 * MIB, Some(Access::Device)),
        (0xfee0_0000, Some(Access::Device)),
        (4 * GIB, None),
    ];
    for (address, access) in expected {
        assert_eq!(tables.access(address), access, "at {address:#x}");
    }
}

#[test]
fn memory_above_four_gib_is_mapped_as_far_as_tables_reach() {
    let memory = [MIB..2 * GIB, 4 * GIB..10 * GIB];
    let mut tables = Tables::new(Fake::new(64)).expect("frames");
    assert_eq!(fill(&mut tables, &layout(&[], &memory)), Ok(10 * GIB));
    assert_eq!(tables.access(10 * GIB - 1), Some(Access::Memory));
    assert_eq!(tables.access(10 * GIB), None);

    let mut tables = Tables::new(Fake::new(10)).expect("frames");
    assert_eq!(fill(&mut tables, &layout(&[], &memory)), Ok(6 * GIB));
    assert_eq!(tables.access(6 * GIB - 1), Some(Access::Memory));
    assert_eq!(tables.access(6 * GIB), None);
}

#[test]
fn splitting_a_large_page_keeps_the_rest_of_it() {
    let mut tables = Tables::new(Fake::new(8)).expect("frames");
    tables.map(0..4 * MIB, Access::Device).expect("map");
    tables.unmap(MIB..MIB + 1).expect("split");
    assert_eq!(tables.access(MIB - 1), Some(Access::Device));
    assert_eq!(tables.access(MIB), None);
    assert_eq!(tables.access(MIB + PAGE), Some(Access::Device));
    assert_eq!(tables.access(3 * MIB), Some(Access::Device));
}

#[test]
fn impossible_ranges_are_refused() {
    let mut tables = Tables::new(Fake::new(8)).expect("frames");
    let beyond = LOWER_HALF - PAGE..LOWER_HALF + 1;
    assert_eq!(
        tables.map(beyond, Access::Device),
        Err(MapError::OutOfRange)
    );
    assert_eq!(
        tables.map(0..u64::MAX, Access::Device),
        Err(MapError::OutOfRange)
    );
    assert!(Tables::new(Fake::new(0)).is_err());
    let mut small = Tables::new(Fake::new(2)).expect("root");
    assert_eq!(small.map(0..1, Access::Memory), Err(MapError::NoFrames));
    assert_eq!(map_device(u64::MAX, 2), Err(MapError::OutOfRange));
}
