//! What a virtio driver needs of the bus, and how drivers bring a device up over it.
//!
//! [`Transport`] is implemented by `pci.rs` for real devices and by `fake.rs` in tests. The steps
//! of bringing one up are those of virtio 1.2 §3.1.1.

use core::time::Duration;

use hal::time::Monotonic;

use super::regs::{feature, status};
use super::ring::{QueueAddresses, Suppression, Transfer, Virtqueue};

/// How long a device may take over a reset. The standard sets no bound; QEMU needs none, hardware
/// some milliseconds.
pub const RESET_DEADLINE: Duration = Duration::from_millis(100);

/// The status when features are settled.
const SETTLED: u8 = status::ACKNOWLEDGE | status::DRIVER | status::FEATURES_OK;

/// Proof that a device has been reset, so that it uses no memory it was given before.
#[derive(Debug)]
pub struct Reset(());

/// Why a device could not be brought up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// The device did not finish its reset in [`RESET_DEADLINE`].
    ResetTimeout,
    /// The device speaks only the protocol of before virtio 1.0.
    NotModern,
    /// The device lacks feature bits (given as a mask) that the driver cannot do without.
    FeaturesMissing(u64),
    /// The device did not accept a subset of its own features.
    FeaturesRefused,
    /// The device lacks a queue.
    QueueMissing(u16),
    /// The device did not take the interrupt vector of a queue or of configuration changes.
    VectorRefused,
    /// There was no memory for a queue.
    OutOfMemory,
    /// The device's configuration holds a value that the standard forbids.
    BadConfig,
}

/// The bus side of one virtio device.
pub trait Transport {
    /// Asks for a reset, which [`is_reset`](Self::is_reset) tells the end of.
    fn begin_reset(&mut self);
    /// Whether the reset is over.
    fn is_reset(&mut self) -> bool;
    /// Device status.
    fn status(&mut self) -> u8;
    /// Sets the device status.
    fn set_status(&mut self, status: u8);
    /// Features the device offers.
    fn device_features(&mut self) -> u64;
    /// Sets the features the driver accepts.
    fn accept_features(&mut self, features: u64);
    /// Routes configuration changes to their interrupt, if they have one.
    ///
    /// # Errors
    /// [`TransportError::VectorRefused`].
    fn route_config_interrupt(&mut self) -> Result<(), TransportError>;
    /// The largest size of `queue`; 0 if there is no such queue.
    fn queue_size_max(&mut self, queue: u16) -> u16;
    /// Tells the device where the rings of `queue` are and turns it on.
    ///
    /// # Errors
    /// [`TransportError::QueueMissing`], [`TransportError::VectorRefused`].
    fn enable_queue(
        &mut self,
        queue: u16,
        size: u16,
        addresses: QueueAddresses,
    ) -> Result<(), TransportError>;
    /// Rings the doorbell of `queue`.
    fn notify(&mut self, queue: u16);
    /// Changes when the device-specific configuration does.
    fn config_generation(&mut self) -> u8;
    /// A byte of the device-specific configuration; 0 beyond its end.
    fn config_u8(&mut self, offset: usize) -> u8;
    /// A 16-bit field of the device-specific configuration; 0 beyond its end.
    fn config_u16(&mut self, offset: usize) -> u16;
    /// A 32-bit field of the device-specific configuration; 0 beyond its end.
    fn config_u32(&mut self, offset: usize) -> u32;
}

/// Resets the device and waits for the end.
///
/// # Errors
/// [`TransportError::ResetTimeout`]; the device may then still use memory it was given.
pub(crate) fn reset(
    transport: &mut impl Transport,
    clock: &impl Monotonic,
) -> Result<Reset, TransportError> {
    transport.begin_reset();
    let deadline = clock.now() + RESET_DEADLINE;
    while !transport.is_reset() {
        if clock.now() >= deadline {
            return Err(TransportError::ResetTimeout);
        }
        core::hint::spin_loop();
    }
    Ok(Reset(()))
}

/// Settles the features of a device that has just been reset: what `wanted` chooses of those that it
/// offers, and `required`.
///
/// # Errors
/// Any [`TransportError`] but those of resets and queues; the device is then told that the driver
/// gave up.
pub(crate) fn settle_features(
    transport: &mut impl Transport,
    wanted: impl FnOnce(u64) -> u64,
    required: u64,
) -> Result<u64, TransportError> {
    let settled = try_features(transport, wanted, required);
    if settled.is_err() {
        transport.set_status(status::FAILED);
    }
    settled
}

fn try_features(
    transport: &mut impl Transport,
    wanted: impl FnOnce(u64) -> u64,
    required: u64,
) -> Result<u64, TransportError> {
    transport.set_status(status::ACKNOWLEDGE);
    transport.set_status(status::ACKNOWLEDGE | status::DRIVER);
    let offered = transport.device_features();
    if offered & feature::VERSION_1 == 0 {
        return Err(TransportError::NotModern);
    }
    if required & !offered != 0 {
        return Err(TransportError::FeaturesMissing(required & !offered));
    }
    let common = feature::VERSION_1 | feature::ACCESS_PLATFORM | feature::EVENT_IDX;
    let features = offered & (wanted(offered) | required | common);
    transport.accept_features(features);
    transport.set_status(SETTLED);
    // §3.1.1 step 6: the device clears the bit if it does not like the subset.
    if transport.status() & status::FEATURES_OK == 0 {
        return Err(TransportError::FeaturesRefused);
    }
    transport.route_config_interrupt()?;
    Ok(features)
}

/// Makes a queue as large as the device and `size_max` allow, at most [`QUEUE_SIZE_MAX`](super::ring::QUEUE_SIZE_MAX).
///
/// # Errors
/// [`TransportError::QueueMissing`], [`TransportError::OutOfMemory`].
pub(crate) fn make_queue<T: Transfer>(
    transport: &mut impl Transport,
    queue: u16,
    size_max: u16,
) -> Result<Virtqueue<T>, TransportError> {
    let max = transport.queue_size_max(queue).min(size_max);
    // The largest power of two that is not above `max` (§2.7: sizes are powers of two).
    let size = match max.checked_ilog2() {
        Some(exponent) => 1 << exponent,
        None => return Err(TransportError::QueueMissing(queue)),
    };
    Virtqueue::new(size).ok_or(TransportError::OutOfMemory)
}

/// Hands the rings of an empty queue to the device.
///
/// # Errors
/// [`TransportError::QueueMissing`], [`TransportError::VectorRefused`].
pub(crate) fn enable_queue<T: Transfer>(
    transport: &mut impl Transport,
    number: u16,
    queue: &mut Virtqueue<T>,
    features: u64,
) -> Result<(), TransportError> {
    queue.set_suppression(if features & feature::EVENT_IDX != 0 {
        Suppression::EventIndex
    } else {
        Suppression::Flags
    });
    transport.enable_queue(number, queue.size(), queue.addresses())
}

/// Tells the device that the driver is ready (§3.1.1 step 8).
pub(crate) fn driver_ok(transport: &mut impl Transport) {
    transport.set_status(SETTLED | status::DRIVER_OK);
}

/// Whether the device has asked for a reset (§2.1.2).
pub(crate) fn needs_reset(transport: &mut impl Transport) -> bool {
    transport.status() & status::DEVICE_NEEDS_RESET != 0
}

#[cfg(test)]
pub(crate) fn reset_for_tests() -> Reset {
    Reset(())
}
