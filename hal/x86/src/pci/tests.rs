use alloc::string::ToString;
use alloc::vec::Vec;

use super::fake::{FakeConfig, FakeFunction, FakeMachine};
use super::*;

fn places(config: &mut FakeConfig) -> Vec<alloc::string::String> {
    let functions = enumerate(config);
    functions
        .iter()
        .map(|function| function.address.to_string())
        .collect()
}

fn only(config: &mut FakeConfig) -> Function {
    enumerate(config)[0]
}

#[test]
fn functions_behind_bridges_are_found_in_order_of_bus_device_function() {
    let mut config = FakeConfig::default();
    config.put(0, 3, 0, FakeFunction::bridge(2));
    config.put(0, 1, 0, FakeFunction::bridge(5));
    config.put(0, 31, 0, FakeFunction::new(0x8086, 1));
    config.put(2, 0, 0, FakeFunction::new(0x1af4, 0x1041));
    config.put(5, 0, 0, FakeFunction::bridge(6));
    config.put(6, 4, 0, FakeFunction::new(0x1af4, 0x1042));
    config.put(9, 0, 0, FakeFunction::new(0x1af4, 0x1041));
    let expected = [
        "00:01.0", "00:03.0", "00:1f.0", "02:00.0", "05:00.0", "06:04.0",
    ];
    assert_eq!(places(&mut config), expected, "bus 9 is behind no bridge");
}

#[test]
fn further_functions_are_looked_for_only_where_there_are_several() {
    let mut config = FakeConfig::default();
    let mut several = FakeFunction::new(0x8086, 1);
    several.put(0x0e, &[0x80]);
    config.put(0, 2, 0, several);
    config.put(0, 2, 7, FakeFunction::new(0x8086, 2));
    config.put(0, 4, 0, FakeFunction::new(0x8086, 3));
    config.put(0, 4, 1, FakeFunction::new(0x8086, 4));
    config.put(0, 5, 1, FakeFunction::new(0x8086, 5));
    assert_eq!(places(&mut config), ["00:02.0", "00:02.7", "00:04.0"]);
}

#[test]
fn bridges_that_lead_in_circles_do_not_hang() {
    let mut config = FakeConfig::default();
    config.put(0, 1, 0, FakeFunction::bridge(1));
    config.put(0, 2, 0, FakeFunction::bridge(0));
    config.put(1, 0, 0, FakeFunction::bridge(1));
    assert_eq!(places(&mut config).len(), 3);
}

#[test]
fn bars_of_all_kinds_are_sized_and_left_as_they_were() {
    let mut config = FakeConfig::default();
    let mut fake = FakeFunction::new(0x1af4, 0x1041);
    fake.put(0x10, &0xc041_u32.to_le_bytes());
    fake.bar_masks[0] = 0xffff_ffe0;
    fake.put(0x14, &0xfebd_1000_u32.to_le_bytes());
    fake.bar_masks[1] = 0xffff_f000;
    fake.put_bar64(2, 0x8_0000_0000, 0x2_0000_0000);
    fake.put_bar64(4, 0xfe00_0000, 0x4000);
    fake.put(0x04, &[3, 0]);
    let before = fake.bytes;
    config.put(0, 1, 0, fake);
    let function = only(&mut config);
    let ports = Bar::Ports {
        base: 0xc040,
        len: 32,
    };
    let memory = |base, len| Some(Bar::Memory { base, len });
    assert_eq!(function.bars(&mut config).get(0), Some(ports));
    assert_eq!(
        function.bars(&mut config).get(1),
        memory(0xfebd_1000, 0x1000)
    );
    assert_eq!(
        function.bars(&mut config).get(2),
        memory(0x8_0000_0000, 0x2_0000_0000)
    );
    assert_eq!(
        function.bars(&mut config).get(4),
        memory(0xfe00_0000, 0x4000)
    );
    for index in [3, 5, 6] {
        assert_eq!(function.bars(&mut config).get(index), None);
    }
    assert_eq!(config.0[&function.address].bytes, before);
}

#[test]
fn bars_that_are_not_there_are_none() {
    let mut config = FakeConfig::default();
    let mut fake = FakeFunction::new(0x1af4, 0x1041);
    // A 64-bit BAR without an upper half.
    fake.put(0x24, &0xfe00_000c_u32.to_le_bytes());
    config.put(0, 1, 0, fake);
    let function = only(&mut config);
    assert_eq!(function.bars(&mut config).get(0), None);
    assert_eq!(function.bars(&mut config).get(5), None);
}

#[test]
fn capabilities_are_listed_in_order_and_a_loop_is_cut() {
    let mut config = FakeConfig::default();
    let mut fake = FakeFunction::new(0x1af4, 0x1041);
    fake.put_capability(0x50, &[0x11, 0]);
    fake.put_capability(0x40, &[0x09, 0]);
    config.put(0, 1, 0, fake.clone());
    let function = only(&mut config);
    let list = function.capabilities(&mut config);
    let list: Vec<_> = list.iter().map(|entry| (entry.id, entry.offset)).collect();
    assert_eq!(list, [(0x09, 0x40), (0x11, 0x50)]);
    fake.put(0x51, &[0x43]);
    config.put(0, 1, 0, fake.clone());
    assert_eq!(function.capabilities(&mut config).len(), CAPABILITIES_MAX);
    // Into the header, where there are no capabilities.
    fake.put(0x51, &[0x10]);
    config.put(0, 1, 0, fake.clone());
    assert_eq!(function.capabilities(&mut config).len(), 2);
    fake.bytes[0x06] = 0;
    config.put(0, 1, 0, fake);
    assert!(function.capabilities(&mut config).is_empty());
}

#[test]
fn enabling_keeps_other_bits_and_clears_no_status() {
    let mut config = FakeConfig::default();
    let mut fake = FakeFunction::new(0x1af4, 0x1041);
    fake.put(0x04, &[0x40, 0x00, 0x10, 0xf9]);
    config.put(0, 1, 0, fake);
    let function = only(&mut config);
    function.enable(&mut config);
    assert_eq!(config.read(function.address, 0x04), 0xf910_0446);
}

#[test]
fn only_what_lies_within_a_bar_is_mapped() {
    let mut config = FakeConfig::default();
    let mut machine = FakeMachine::default();
    let mut fake = FakeFunction::new(0x1af4, 0x1041);
    fake.put(0x10, &0xc041_u32.to_le_bytes());
    fake.bar_masks[0] = 0xffff_ffe0;
    fake.bar_masks[1] = 0xffff_f000;
    fake.put_bar64(4, 0x10_0000_0000, 0x4000);
    config.put(0, 1, 0, fake);
    let function = only(&mut config);
    let bars = function.bars(&mut config);
    let mut map = |index, offset, len| {
        let window = bars.map_part(&mut machine, index, offset, len);
        window.map(|window| (window.base(), window.len()))
    };
    assert_eq!(map(4, 0x3000, 0x1000), Ok((0x10_0000_3000, 0x1000)));
    assert_eq!(map(4, 0x3000, 0x1001), Err(BarError::OutOfRange));
    assert_eq!(map(4, u64::MAX, 2), Err(BarError::OutOfRange));
    assert_eq!(map(0, 0, 4), Err(BarError::NotMemory));
    assert_eq!(map(1, 0, 4), Err(BarError::Unassigned));
    assert_eq!(map(7, 0, 4), Err(BarError::NotMemory));
    assert_eq!(machine.mapped, [(0x10_0000_3000, 0x1000)]);
}
