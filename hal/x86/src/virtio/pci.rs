//! The modern PCI transport: where a device's structures are, and how they are reached.
//!
//! A transitional device (QEMU's default) has the modern structures too and is driven by them; one
//! that has only the legacy ports is refused. Interrupts are MSI-X: entry 0 for configuration
//! changes, the next ones for the queues that the driver wants to be woken by; the others have no
//! vector and so never interrupt.
//!
//! Neighbours: `crate::pci` and `crate::msix` below, `transport.rs` above. Source: virtio 1.2 §4.1.

use alloc::vec::Vec;

use super::regs::{NO_VECTOR, capability, common, status};
use super::ring::QueueAddresses;
use super::transport::{Transport, TransportError};
use crate::mmio::Mmio;
use crate::msix::{Msix, MsixError};
use crate::pci::{BarError, Bars, ConfigSpace, Function, Machine};

/// Capability identifier of vendor-specific structures.
const VENDOR_SPECIFIC: u8 = 0x09;
/// The most queues of a device that are looked at: a network card with 32 pairs and control.
const QUEUES_MAX: u16 = 65;
/// No place for a doorbell: it would not lie within any structure.
const NO_DOORBELL: usize = usize::MAX;
/// A doorbell is written as 16 bits, §4.1.5.2.
const DOORBELL_LEN: u64 = 2;

/// Why a function cannot be used as a virtio device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The device has no modern structures; it follows a draft of before virtio 1.0 only.
    LegacyOnly,
    /// A structure lies where it cannot be reached.
    Structure(BarError),
    /// The device says that it has no queues, or a doorbell lies outside its structure.
    Doorbell,
    /// The device cannot interrupt.
    Msix(MsixError),
    /// The machine has no interrupt message left.
    NoMessage,
    /// The device could not be brought up.
    Transport(TransportError),
    /// There is no driver for this type of virtio device (a number of virtio 1.2 §5).
    UnknownType(u16),
}

/// A virtio device on PCI.
#[derive(Debug)]
pub struct PciTransport {
    function: Function,
    bars: Bars,
    common: Mmio,
    device: Option<Mmio>,
    notify: Mmio,
    notify_multiplier: u32,
    /// Offset of each queue's doorbell in `notify`, once the queue is on.
    doorbells: Vec<usize>,
    /// MSI-X entry of the queues that are listened to, and which these are.
    completion_vector: u16,
    listened_to: Vec<u16>,
    config_vector: u16,
    /// Kept so that the table stays claimed.
    msix: Option<Msix>,
}

/// Where a structure is, as its capability says.
#[derive(Clone, Copy, Debug)]
struct Place {
    bar: usize,
    offset: u64,
    len: u64,
    capability: u8,
}

impl PciTransport {
    /// Finds and maps the structures of `function` and lets it reach memory.
    ///
    /// # Errors
    /// [`Refusal::LegacyOnly`], [`Refusal::Structure`], [`Refusal::Doorbell`].
    pub fn open(
        function: &Function,
        config: &mut impl ConfigSpace,
        machine: &mut impl Machine,
    ) -> Result<Self, Refusal> {
        let common = find(function, config, capability::COMMON).ok_or(Refusal::LegacyOnly)?;
        let notify = find(function, config, capability::NOTIFY).ok_or(Refusal::LegacyOnly)?;
        let device = find(function, config, capability::DEVICE);
        let multiplier_at = notify
            .capability
            .wrapping_add(capability::NOTIFY_MULTIPLIER);
        let multiplier = config.read(function.address, multiplier_at);
        if common.len < common::LEN {
            return Err(Refusal::Structure(BarError::OutOfRange));
        }
        let bars = function.bars(config);
        let mut map = |place: Place| {
            bars.map_part(machine, place.bar, place.offset, place.len)
                .map_err(Refusal::Structure)
        };
        let common = map(common)?;
        let device = device.map(&mut map).transpose()?;
        let notify = map(notify)?;
        function.enable(config);
        let transport = Self {
            function: *function,
            bars,
            common,
            device,
            notify,
            notify_multiplier: multiplier,
            doorbells: Vec::new(),
            completion_vector: NO_VECTOR,
            listened_to: Vec::new(),
            config_vector: NO_VECTOR,
            msix: None,
        };
        for queue in 0..transport.queues() {
            transport.doorbell(queue).ok_or(Refusal::Doorbell)?;
        }
        Ok(transport)
    }

    /// Queues there are now. Their number follows the features: a network card has those of further
    /// pairs only after it was told that they will be used.
    fn queues(&self) -> u16 {
        self.common.read16(common::NUM_QUEUES).min(QUEUES_MAX)
    }

    /// Where in `notify` the doorbell of `queue` is, if it lies within.
    fn doorbell(&self, queue: u16) -> Option<usize> {
        self.common.write16(common::QUEUE_SELECT, queue);
        let position = u64::from(self.common.read16(common::QUEUE_NOTIFY_OFF));
        let offset = position * u64::from(self.notify_multiplier);
        let is_within = offset + DOORBELL_LEN <= self.notify.len() as u64;
        // Less than the structure's length, which is a usize.
        (is_within && offset % DOORBELL_LEN == 0).then_some(offset as usize)
    }

    /// Has configuration changes and completions on `queues` interrupt (the latter while armed, all of
    /// them by one message).
    ///
    /// # Errors
    /// [`Refusal::Msix`], [`Refusal::NoMessage`].
    pub fn listen(
        &mut self,
        config: &mut impl ConfigSpace,
        machine: &mut impl Machine,
        queues: &[u16],
    ) -> Result<(), Refusal> {
        let mut msix =
            Msix::open(&self.function, &self.bars, config, machine).map_err(Refusal::Msix)?;
        let mut entry = 0;
        let mut route = |machine: &mut _| {
            let message = Machine::claim_message(machine).ok_or(Refusal::NoMessage)?;
            msix.route(entry, message).map_err(Refusal::Msix)?;
            entry += 1;
            Ok(entry - 1)
        };
        self.config_vector = route(machine)?;
        self.completion_vector = route(machine)?;
        self.listened_to = queues.to_vec();
        msix.enable(config);
        self.msix = Some(msix);
        Ok(())
    }

    fn select(&mut self, queue: u16) {
        self.common.write16(common::QUEUE_SELECT, queue);
    }

    fn write_address(&mut self, offset: usize, address: u64) {
        // 64-bit fields are written as two halves, §4.1.3.1.
        self.common.write32(offset, address as u32);
        self.common.write32(offset + 4, (address >> 32) as u32);
    }

    fn device_part(&self, offset: usize, len: usize) -> Option<Mmio> {
        let device = self.device?;
        (offset + len <= device.len()).then_some(device)
    }
}

/// Finds the first structure of a type, which is the one to prefer (§4.1.4.1).
fn find(function: &Function, config: &mut impl ConfigSpace, kind: u8) -> Option<Place> {
    let capabilities = function.capabilities(config);
    capabilities
        .iter()
        .filter(|entry| entry.id == VENDOR_SPECIFIC)
        .find_map(|entry| {
            let at = |field: u8| entry.offset.checked_add(field);
            let address = function.address;
            let len = config.read_u8(address, at(capability::LEN)?);
            let wanted = if kind == capability::NOTIFY {
                capability::NOTIFY_MULTIPLIER + 4
            } else {
                capability::LENGTH + 4
            };
            // The last field must be inside the capability and inside configuration space.
            at(wanted - 1)?;
            if len < wanted || config.read_u8(address, at(capability::TYPE)?) != kind {
                return None;
            }
            Some(Place {
                bar: usize::from(config.read_u8(address, at(capability::BAR)?)),
                offset: u64::from(config.read(address, at(capability::OFFSET)?)),
                len: u64::from(config.read(address, at(capability::LENGTH)?)),
                capability: entry.offset,
            })
        })
}

impl Transport for PciTransport {
    fn begin_reset(&mut self) {
        self.common.write8(common::DEVICE_STATUS, 0);
    }

    fn is_reset(&mut self) -> bool {
        self.common.read8(common::DEVICE_STATUS) == 0
    }

    fn status(&mut self) -> u8 {
        // A device that was unplugged reads all ones, which looks like one that needs a reset.
        self.common.read8(common::DEVICE_STATUS)
    }

    fn set_status(&mut self, status: u8) {
        self.common.write8(common::DEVICE_STATUS, status);
    }

    fn device_features(&mut self) -> u64 {
        self.common.write32(common::DEVICE_FEATURE_SELECT, 0);
        let low = self.common.read32(common::DEVICE_FEATURE);
        self.common.write32(common::DEVICE_FEATURE_SELECT, 1);
        let high = self.common.read32(common::DEVICE_FEATURE);
        u64::from(high) << 32 | u64::from(low)
    }

    fn accept_features(&mut self, features: u64) {
        self.common.write32(common::DRIVER_FEATURE_SELECT, 0);
        self.common.write32(common::DRIVER_FEATURE, features as u32);
        self.common.write32(common::DRIVER_FEATURE_SELECT, 1);
        self.common
            .write32(common::DRIVER_FEATURE, (features >> 32) as u32);
    }

    fn route_config_interrupt(&mut self) -> Result<(), TransportError> {
        let vector = self.config_vector;
        self.common.write16(common::CONFIG_MSIX_VECTOR, vector);
        // The device answers with no vector if it cannot (§4.1.5.1.2).
        if self.common.read16(common::CONFIG_MSIX_VECTOR) == vector {
            Ok(())
        } else {
            Err(TransportError::VectorRefused)
        }
    }

    fn queue_size_max(&mut self, queue: u16) -> u16 {
        if queue >= self.queues() {
            return 0;
        }
        self.select(queue);
        self.common.read16(common::QUEUE_SIZE)
    }

    fn enable_queue(
        &mut self,
        queue: u16,
        size: u16,
        addresses: QueueAddresses,
    ) -> Result<(), TransportError> {
        let missing = TransportError::QueueMissing(queue);
        if queue >= self.queues() {
            return Err(missing);
        }
        let doorbell = self.doorbell(queue).ok_or(missing)?;
        let position = usize::from(queue);
        if self.doorbells.len() <= position {
            self.doorbells.resize(position + 1, NO_DOORBELL);
        }
        if let Some(place) = self.doorbells.get_mut(position) {
            *place = doorbell;
        }
        let vector = match self.listened_to.contains(&queue) {
            true => self.completion_vector,
            false => NO_VECTOR,
        };
        self.select(queue);
        self.common.write16(common::QUEUE_SIZE, size);
        self.common.write16(common::QUEUE_MSIX_VECTOR, vector);
        if self.common.read16(common::QUEUE_MSIX_VECTOR) != vector {
            return Err(TransportError::VectorRefused);
        }
        self.write_address(common::QUEUE_DESC, addresses.descriptors);
        self.write_address(common::QUEUE_DRIVER, addresses.available);
        self.write_address(common::QUEUE_DEVICE, addresses.used);
        self.common.write16(common::QUEUE_ENABLE, 1);
        Ok(())
    }

    fn notify(&mut self, queue: u16) {
        let doorbell = self.doorbells.get(usize::from(queue));
        if let Some(&offset) = doorbell.filter(|&&offset| offset != NO_DOORBELL) {
            self.notify.write16(offset, queue);
        }
    }

    fn config_generation(&mut self) -> u8 {
        self.common.read8(common::CONFIG_GENERATION)
    }

    fn config_u8(&mut self, offset: usize) -> u8 {
        self.device_part(offset, 1)
            .map_or(0, |device| device.read8(offset))
    }

    fn config_u16(&mut self, offset: usize) -> u16 {
        self.device_part(offset, 2)
            .map_or(0, |device| device.read16(offset))
    }

    fn config_u32(&mut self, offset: usize) -> u32 {
        self.device_part(offset, 4)
            .map_or(0, |device| device.read32(offset))
    }
}

impl Drop for PciTransport {
    /// Silences a device that nobody drives any more. Its memory is never freed, so even a device
    /// that ignores this can do no damage.
    fn drop(&mut self) {
        self.set_status(status::FAILED);
        self.begin_reset();
    }
}
