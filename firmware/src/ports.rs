//! The network ports: devices and their batches.

use alloc::boxed::Box;

use dataplane::{DataPlane, PortId};
use hal::nic::{Link, MacAddr, Nic, NicStats};
use hal::offload::Finisher;
use hal::packet::{Batch, PacketPool};
use hal::time::Instant;

/// A port and what is on its way through it.
pub(crate) struct Port {
    pub(crate) id: PortId,
    nic: Box<dyn Nic>,
    is_started: bool,
    /// The cable as last looked at; unknown until then.
    link: Option<Link>,
    received: Batch,
    /// Taken from the data plane, and asking for what the device does not do.
    finisher: Finisher,
    /// Ready to be sent, but the transmit ring was full.
    unsent: Batch,
}

impl Port {
    pub(crate) fn new(number: u8, nic: Box<dyn Nic>) -> Self {
        Self {
            id: PortId(number),
            nic,
            is_started: false,
            link: None,
            received: Batch::new(),
            finisher: Finisher::default(),
            unsent: Batch::new(),
        }
    }

    pub(crate) fn mac(&self) -> MacAddr {
        self.nic.mac()
    }

    pub(crate) fn model(&self) -> &'static str {
        self.nic.model()
    }

    pub(crate) fn link(&self) -> Link {
        self.link.unwrap_or_default()
    }

    pub(crate) fn stats(&self) -> NicStats {
        self.nic.stats()
    }

    /// Starts or stops the device. A stopped one neither receives nor sends. Returns whether that is
    /// a change.
    pub(crate) fn set_running(&mut self, is_running: bool, pool: &mut PacketPool) -> bool {
        if is_running == self.is_started {
            return false;
        }
        self.is_started = is_running;
        if is_running {
            self.nic.start(pool);
        } else {
            self.forget_unsent(pool);
            self.nic.stop(pool);
        }
        true
    }

    /// Looks at the cable. Returns the new state if it has changed.
    pub(crate) fn poll_link(&mut self) -> Option<Link> {
        let link = self.nic.link();
        (self.link.replace(link) != Some(link)).then_some(link)
    }

    /// Takes one batch of received frames through the data plane. Returns whether there were any.
    pub(crate) fn receive(
        &mut self,
        dataplane: &mut DataPlane,
        pool: &mut PacketPool,
        now: Instant,
    ) -> bool {
        if !self.is_started {
            return false;
        }
        self.nic.receive(&mut self.received, pool);
        if self.received.is_empty() {
            return false;
        }
        dataplane.handle_batch(self.id, &mut self.received, pool, now);
        true
    }

    /// Hands what the data plane has queued to the device. Returns whether there was anything.
    pub(crate) fn transmit(&mut self, dataplane: &mut DataPlane, pool: &mut PacketPool) -> bool {
        let mut was_busy = false;
        let offloads = self.nic.offloads();
        loop {
            self.finisher
                .fill(&mut self.unsent, offloads, pool, |frames| {
                    dataplane.drain_transmit(self.id, frames);
                });
            if self.unsent.is_empty() {
                return was_busy;
            }
            if !self.is_started {
                self.forget_unsent(pool);
                continue;
            }
            let waiting = self.unsent.len();
            self.nic.transmit(&mut self.unsent, pool);
            was_busy |= self.unsent.len() < waiting;
            if !self.unsent.is_empty() {
                return was_busy;
            }
        }
    }

    fn forget_unsent(&mut self, pool: &mut PacketPool) {
        self.finisher.clear(pool);
        while let Some(frame) = self.unsent.pop_front() {
            pool.free(frame);
        }
    }

    /// Whether frames wait for room in the transmit ring, or for buffers to be cut into.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty() || !self.finisher.is_idle()
    }

    /// Frames that asked for what neither the device nor software can do.
    pub(crate) fn refused(&self) -> u64 {
        self.finisher.refused()
    }

    /// Asks for an interrupt. Returns false if frames are waiting already.
    pub(crate) fn arm_interrupt(&mut self) -> bool {
        !self.is_started || self.nic.arm_interrupt()
    }

    /// Polls from here on.
    pub(crate) fn disarm_interrupt(&mut self) {
        if self.is_started {
            self.nic.disarm_interrupt();
        }
    }
}
