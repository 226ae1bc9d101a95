//! A virtio device in memory that misbehaves on demand, for tests.
//!
//! [`FakeQueue`] is the device's side of a split virtqueue, written from the standard and not from
//! `ring.rs`; it can return whatever a broken device could. [`FakeTransport`] is the registers, and
//! shares its [`FakeDevice`] with the test.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::time::Duration;

use hal::time::{Instant, Monotonic};

use super::regs::status;
use super::ring::{QueueAddresses, Segment};
use super::transport::{Transport, TransportError};

/// A clock that goes on a little whenever it is read, so that waits end.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeClock(Rc<Cell<u64>>);

impl FakeClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.set(self.0.get() + by.as_micros() as u64);
    }
}

impl Monotonic for FakeClock {
    fn now(&self) -> Instant {
        self.0.set(self.0.get() + 10);
        Instant::from_micros(self.0.get())
    }
}

/// A chain that the driver made available.
#[derive(Clone, Debug)]
pub(crate) struct FakeChain {
    pub(crate) id: u16,
    pub(crate) segments: Vec<Segment>,
}

impl FakeChain {
    /// What the driver wrote for the device.
    pub(crate) fn read(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for segment in self.segments.iter().filter(|part| !part.device_writes) {
            for offset in 0..u64::from(segment.len) {
                let address = (segment.address + offset) as *const u8;
                // SAFETY: the drivers under test give only live memory of this process.
                bytes.push(unsafe { address.read_volatile() });
            }
        }
        bytes
    }

    /// Fills what the device may write, as far as `data` goes; returns the bytes written.
    pub(crate) fn write(&self, data: &[u8]) -> u32 {
        let mut data = data.iter();
        let mut written = 0;
        for segment in self.segments.iter().filter(|part| part.device_writes) {
            for offset in 0..u64::from(segment.len) {
                let Some(byte) = data.next() else {
                    return written;
                };
                let address = (segment.address + offset) as *mut u8;
                // SAFETY: as in `read`; the driver has given the memory away to be written.
                unsafe { address.write_volatile(*byte) };
                written += 1;
            }
        }
        written
    }

    pub(crate) fn writable(&self) -> u32 {
        let segments = self.segments.iter();
        segments
            .filter(|part| part.device_writes)
            .map(|part| part.len)
            .sum()
    }
}

/// The device's side of a queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeQueue {
    pub(crate) size_max: u16,
    pub(crate) size: u16,
    pub(crate) addresses: Option<QueueAddresses>,
    pub(crate) is_event_index: bool,
    last_available: u16,
    used: u16,
}

impl FakeQueue {
    pub(crate) fn attached(addresses: QueueAddresses, size: u16) -> Self {
        Self {
            size_max: size,
            size,
            addresses: Some(addresses),
            ..Self::default()
        }
    }

    fn at(&self) -> QueueAddresses {
        self.addresses.expect("the driver enabled the queue")
    }

    fn get<T>(address: u64) -> T {
        // SAFETY: ring memory that the driver under test shares, aligned by the standard's layout.
        unsafe { (address as *const T).read_volatile() }
    }

    fn put<T>(address: u64, value: T) {
        // SAFETY: as in `get`.
        unsafe { (address as *mut T).write_volatile(value) }
    }

    /// Chains made available and not yet taken.
    pub(crate) fn waiting(&self) -> u16 {
        let index: u16 = Self::get(self.at().available + 2);
        index.wrapping_sub(self.last_available)
    }

    /// Takes the next chain, if the driver made one available.
    pub(crate) fn take(&mut self) -> Option<FakeChain> {
        if self.waiting() == 0 {
            return None;
        }
        let entry = u64::from(self.last_available % self.size);
        let id: u16 = Self::get(self.at().available + 4 + 2 * entry);
        self.last_available = self.last_available.wrapping_add(1);
        let (mut segments, mut next) = (Vec::new(), id);
        loop {
            assert!(next < self.size, "a descriptor of the table");
            let descriptor = self.at().descriptors + 16 * u64::from(next);
            let flags: u16 = Self::get(descriptor + 12);
            segments.push(Segment {
                address: Self::get(descriptor),
                len: Self::get(descriptor + 8),
                device_writes: flags & 2 != 0,
            });
            if flags & 1 == 0 {
                return Some(FakeChain { id, segments });
            }
            next = Self::get(descriptor + 14);
        }
    }

    /// Returns a chain, or pretends to.
    pub(crate) fn finish(&mut self, id: u32, len: u32) {
        let entry = self.at().used + 4 + 8 * u64::from(self.used % self.size);
        Self::put(entry, id);
        Self::put(entry + 4, len);
        self.set_used_index(self.used.wrapping_add(1));
    }

    pub(crate) fn set_used_index(&mut self, index: u16) {
        self.used = index;
        Self::put(self.at().used + 2, index);
    }

    pub(crate) fn used_index(&self) -> u16 {
        self.used
    }

    /// Whether the driver wants an interrupt for the last completion.
    pub(crate) fn wants_interrupt(&self) -> bool {
        let available = self.at().available;
        if self.is_event_index {
            let event: u16 = Self::get(available + 4 + 2 * u64::from(self.size));
            event == self.used.wrapping_sub(1)
        } else {
            Self::get::<u16>(available) & 1 == 0
        }
    }

    /// Says whether the device wants a doorbell at the next chain.
    pub(crate) fn want_doorbell(&mut self, is_wanted: bool) {
        let used = self.at().used;
        if self.is_event_index {
            let event = if is_wanted {
                self.last_available
            } else {
                self.last_available.wrapping_sub(1)
            };
            Self::put(used + 4 + 8 * u64::from(self.size), event);
        } else {
            Self::put(used, u16::from(!is_wanted));
        }
    }
}

/// What a device does when its doorbell rings.
pub(crate) type Behaviour = fn(&mut FakeDevice, u16);

/// The device behind a [`FakeTransport`].
#[derive(Debug)]
pub(crate) struct FakeDevice {
    pub(crate) offered: u64,
    pub(crate) accepted: u64,
    pub(crate) status: u8,
    pub(crate) config: Vec<u8>,
    /// How often the generation is seen to change.
    pub(crate) unsettled_reads: u8,
    pub(crate) queues: Vec<FakeQueue>,
    pub(crate) doorbells: u32,
    pub(crate) resets: u32,
    pub(crate) ignores_reset: bool,
    pub(crate) refuses_features: bool,
    pub(crate) behaviour: Behaviour,
    /// What a disk holds, or the rest of what an entropy source will give.
    pub(crate) contents: Vec<u8>,
    /// Requests seen, by type.
    pub(crate) requests: Vec<u32>,
    generation: u8,
}

impl FakeDevice {
    fn reset(&mut self) {
        self.resets += 1;
        if self.ignores_reset {
            return;
        }
        self.status = 0;
        for queue in &mut self.queues {
            *queue = FakeQueue {
                size_max: queue.size_max,
                ..FakeQueue::default()
            };
        }
    }

    pub(crate) fn is_driven(&self) -> bool {
        self.status & status::DRIVER_OK != 0
    }
}

/// The registers of a [`FakeDevice`].
#[derive(Clone, Debug)]
pub(crate) struct FakeTransport(pub(crate) Rc<RefCell<FakeDevice>>);

impl FakeTransport {
    pub(crate) fn new(offered: u64, config: &[u8], queues: usize, size: u16) -> Self {
        let queue = FakeQueue {
            size_max: size,
            ..FakeQueue::default()
        };
        Self(Rc::new(RefCell::new(FakeDevice {
            offered,
            accepted: 0,
            status: 0,
            config: config.to_vec(),
            unsettled_reads: 0,
            queues: vec![queue; queues],
            doorbells: 0,
            resets: 0,
            ignores_reset: false,
            refuses_features: false,
            behaviour: |_, _| {},
            contents: Vec::new(),
            requests: Vec::new(),
            generation: 0,
        })))
    }

    fn config<const N: usize>(&self, offset: usize) -> [u8; N] {
        let device = self.0.borrow();
        let bytes = device.config.get(offset..offset + N);
        bytes.map_or([0; N], |bytes| bytes.try_into().expect("N bytes"))
    }
}

impl Transport for FakeTransport {
    fn begin_reset(&mut self) {
        self.0.borrow_mut().reset();
    }

    fn is_reset(&mut self) -> bool {
        self.0.borrow().status == 0
    }

    fn status(&mut self) -> u8 {
        self.0.borrow().status
    }

    fn set_status(&mut self, status: u8) {
        let mut device = self.0.borrow_mut();
        device.status = if device.refuses_features {
            status & !status::FEATURES_OK
        } else {
            status
        };
    }

    fn device_features(&mut self) -> u64 {
        self.0.borrow().offered
    }

    fn accept_features(&mut self, features: u64) {
        self.0.borrow_mut().accepted = features;
    }

    fn route_config_interrupt(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    fn queue_size_max(&mut self, queue: u16) -> u16 {
        let device = self.0.borrow();
        let queue = device.queues.get(usize::from(queue));
        queue.map_or(0, |queue| queue.size_max)
    }

    fn enable_queue(
        &mut self,
        queue: u16,
        size: u16,
        addresses: QueueAddresses,
    ) -> Result<(), TransportError> {
        let mut device = self.0.borrow_mut();
        let is_event_index = device.accepted & super::regs::feature::EVENT_IDX != 0;
        let queue = &mut device.queues[usize::from(queue)];
        *queue = FakeQueue {
            size_max: queue.size_max,
            is_event_index,
            ..FakeQueue::attached(addresses, size)
        };
        Ok(())
    }

    fn notify(&mut self, queue: u16) {
        let mut device = self.0.borrow_mut();
        assert!(device.is_driven(), "a doorbell before DRIVER_OK");
        device.doorbells += 1;
        let behaviour = device.behaviour;
        behaviour(&mut device, queue);
    }

    fn config_generation(&mut self) -> u8 {
        let mut device = self.0.borrow_mut();
        if device.unsettled_reads > 0 {
            device.unsettled_reads -= 1;
            device.generation = device.generation.wrapping_add(1);
        }
        device.generation
    }

    fn config_u8(&mut self, offset: usize) -> u8 {
        u8::from_le_bytes(self.config(offset))
    }

    fn config_u16(&mut self, offset: usize) -> u16 {
        u16::from_le_bytes(self.config(offset))
    }

    fn config_u32(&mut self, offset: usize) -> u32 {
        u32::from_le_bytes(self.config(offset))
    }
}
