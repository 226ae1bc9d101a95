//! The PCI transport and the choice of drivers, on registers that are plain memory: they remember
//! what was written, which is enough for bringing a device up.

use super::pci::Refusal;
use super::regs::common;
use super::transport::TransportError;
use super::*;
use crate::mmio::Mmio;
use crate::msix::MsixError;
use crate::pci::BarError;
use crate::pci::fake::{FakeConfig, FakeFunction, FakeMachine};
use crate::virtio::fake::FakeClock;

const BAR_LEN: usize = 0x4000;
const DEVICE_CONFIG: usize = 0x2000;
const NOTIFY: usize = 0x3000;
const MSIX_TABLE: usize = 0x3800;

/// A BAR's memory, aligned to its length as every BAR is.
#[repr(align(0x4000))]
struct Registers([u8; BAR_LEN]);

/// Registers of a device with `offered` features in both halves, and its function.
fn device(device: u16, offered: u32, queues: u16) -> (FakeFunction, Mmio) {
    let memory = &mut Box::leak(Box::new(Registers([0; BAR_LEN]))).0;
    let base = memory.as_mut_ptr();
    let features = common::DEVICE_FEATURE;
    memory[features..features + 4].copy_from_slice(&offered.to_le_bytes());
    memory[common::NUM_QUEUES..][..2].copy_from_slice(&queues.to_le_bytes());
    memory[common::QUEUE_SIZE..][..2].copy_from_slice(&256_u16.to_le_bytes());
    memory[common::QUEUE_NOTIFY_OFF..][..2].copy_from_slice(&3_u16.to_le_bytes());
    memory[DEVICE_CONFIG..][..8].copy_from_slice(&[2, 0, 0, 0, 0, 9, 1, 0]);
    let mut fake = FakeFunction::new(VENDOR, device);
    fake.put(0x2e, &1_u16.to_le_bytes());
    fake.put_bar64(4, base as u64, BAR_LEN as u64);
    fake.put_capability(0x84, &structure(2, NOTIFY, 0x100, 4));
    fake.put_capability(0x70, &structure(4, DEVICE_CONFIG, 0x100, 0));
    fake.put_capability(0x60, &structure(1, 0, 0x38, 0));
    let table = (MSIX_TABLE as u32 | 4).to_le_bytes();
    let msix = [0x11, 0, 2, 0, table[0], table[1], table[2], table[3]];
    fake.put_capability(0x40, &msix);
    // SAFETY: leaked memory, from here on reached through windows only.
    (fake, unsafe { Mmio::new(base as u64, BAR_LEN) })
}

fn structure(kind: u8, offset: usize, len: u32, multiplier: u32) -> alloc::vec::Vec<u8> {
    let mut body = alloc::vec![0x09, 0, if kind == 2 { 20 } else { 16 }, kind, 4, 0, 0, 0];
    body.extend_from_slice(&(offset as u32).to_le_bytes());
    body.extend_from_slice(&len.to_le_bytes());
    if kind == 2 {
        body.extend_from_slice(&multiplier.to_le_bytes());
    }
    body
}

/// VERSION_1 (in the upper half) and MAC (in the lower).
const OFFERED: u32 = 0b10_0001;

fn probe_one(fake: FakeFunction, messages_left: u32) -> (Found, FakeConfig) {
    let mut config = FakeConfig::default();
    config.put(0, 2, 0, fake);
    let functions = crate::pci::enumerate(&mut config);
    let mut machine = FakeMachine {
        messages_left,
        ..FakeMachine::default()
    };
    let clock = FakeClock::default();
    let found = probe(&functions, &mut config, &mut machine, &clock);
    (found, config)
}

fn refusal(fake: FakeFunction) -> Option<Refusal> {
    let (found, _) = probe_one(fake, 8);
    assert!(found.nics.is_empty());
    found.refused.first().map(|(_, refusal)| *refusal)
}

#[test]
fn a_transitional_network_card_is_driven_by_its_modern_structures() {
    for identifier in [0x1000, 0x1041] {
        let (fake, registers) = device(identifier, OFFERED, 3);
        let (mut found, config) = probe_one(fake, 2);
        assert_eq!(found.refused, []);
        let nic = found.nics.first_mut().expect("a port");
        assert_eq!(nic.mac().0, [2, 0, 0, 0, 0, 9]);
        let mut pool = hal::packet::PacketPool::new(300);
        nic.start(&mut pool);
        assert_eq!(pool.available(), 300 - 256);
        assert_eq!(registers.read8(common::DEVICE_STATUS), 0b1111);
        // The transmit queue was set up last: no vector, enabled.
        assert_eq!(registers.read16(common::QUEUE_MSIX_VECTOR), 0xffff);
        assert_eq!(registers.read16(common::QUEUE_ENABLE), 1);
        assert_eq!(registers.read16(common::CONFIG_MSIX_VECTOR), 0);
        // Receive doorbell (queue 0) at 3 times the multiplier.
        assert_eq!(registers.read32(NOTIFY + 12), 0);
        // Entries 0 and 1 carry messages, entry 2 stays masked.
        assert_eq!(registers.read32(MSIX_TABLE), 0xfee0_0000);
        assert_eq!(registers.read32(MSIX_TABLE + 8), 0x51);
        assert_eq!(registers.read32(MSIX_TABLE + 16 + 8), 0x50);
        assert_eq!(registers.read32(MSIX_TABLE + 16 + 12), 0);
        assert_eq!(registers.read32(MSIX_TABLE + 32 + 12), 1);
        let function = config.0.values().next().expect("one function");
        assert_eq!(
            function.bytes[0x43] >> 6,
            0b10,
            "MSI-X on, function unmasked"
        );
        assert_eq!(function.bytes[0x04..0x06], [0b110, 0b100]);
        nic.stop(&mut pool);
        assert_eq!(pool.available(), 300);
    }
}

#[test]
fn devices_that_cannot_be_used_are_refused_with_the_reason() {
    let legacy = FakeFunction::new(VENDOR, 0x1000);
    let mut legacy = legacy;
    legacy.put(0x2e, &[1, 0]);
    assert_eq!(refusal(legacy), Some(Refusal::LegacyOnly));
    let (fake, _) = device(0x1041, 0b10_0000, 3);
    let expected = Refusal::Transport(TransportError::NotModern);
    assert_eq!(refusal(fake), Some(expected));
    let (fake, _) = device(0x1041, OFFERED, 1);
    let expected = Refusal::Transport(TransportError::QueueMissing(1));
    assert_eq!(refusal(fake), Some(expected));
    let (fake, _) = device(0x1050, OFFERED, 3);
    assert_eq!(refusal(fake), Some(Refusal::UnknownType(16)));
    let (mut fake, _) = device(0x1041, OFFERED, 3);
    fake.put(0x60 + 8, &(BAR_LEN as u32 - 4).to_le_bytes());
    assert_eq!(
        refusal(fake),
        Some(Refusal::Structure(BarError::OutOfRange))
    );
    let (mut fake, _) = device(0x1041, OFFERED, 3);
    fake.put(0x60 + 12, &8_u32.to_le_bytes());
    assert_eq!(
        refusal(fake),
        Some(Refusal::Structure(BarError::OutOfRange))
    );
    let (mut fake, _) = device(0x1041, OFFERED, 3);
    fake.put(0x84 + 16, &u32::MAX.to_le_bytes());
    assert_eq!(refusal(fake), Some(Refusal::Doorbell));
    let (mut fake, _) = device(0x1041, OFFERED, 3);
    fake.bytes[0x40] = 0x05;
    assert_eq!(refusal(fake), Some(Refusal::Msix(MsixError::Missing)));
    let (fake, _) = device(0x1041, OFFERED, 3);
    let (found, _) = probe_one(fake, 1);
    assert_eq!(found.refused[0].1, Refusal::NoMessage);
}

#[test]
fn a_structure_capability_at_the_end_of_configuration_space_is_passed_over() {
    let (mut fake, _) = device(0x1041, OFFERED, 3);
    fake.put_capability(0xfc, &[0x09, 0, 255, 1]);
    let (found, _) = probe_one(fake, 2);
    assert_eq!((found.nics.len(), found.refused.len()), (1, 0));
}

#[test]
fn functions_of_others_are_left_alone() {
    let other = FakeFunction::new(0x8086, 0x100e);
    assert_eq!(refusal(other), None);
    let not_virtio = FakeFunction::new(VENDOR, 0x1110);
    assert_eq!(refusal(not_virtio), None);
}

#[test]
fn an_unused_device_is_silenced() {
    let (fake, registers) = device(0x1041, OFFERED, 3);
    let (found, _) = probe_one(fake, 2);
    assert_ne!(registers.read8(common::DEVICE_STATUS), 0);
    drop(found);
    assert_eq!(registers.read8(common::DEVICE_STATUS), 0);
}
