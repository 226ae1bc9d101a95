//! Connections of the box itself, and whether others may be opened.

use core::ops::RangeInclusive;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::policy::PortId;
use crate::wire::{Headers, Layer4, SYN};

/// Ports from which the box itself opens TCP connections. PAT to an interface address leaves them
/// alone.
pub const LOCAL_TCP_PORTS: RangeInclusive<u16> = 65_024..=65_535;

impl DataPlane {
    /// Lets no new flow through, or again every allowed one. Standing flows, and what is for the box
    /// itself, are not touched. Refused packets count as [`DropReason::LogServerDown`].
    pub fn refuse_new_flows(&mut self, is_refusing: bool) {
        self.refuses_flows = is_refusing;
    }

    /// Whether a new flow may be opened, rules apart.
    pub(crate) fn check_new_flows(&self) -> Result<(), DropReason> {
        if self.refuses_flows {
            Err(DropReason::LogServerDown)
        } else {
            Ok(())
        }
    }

    /// Whether a packet may belong to a connection of the box itself: it is for a port that those
    /// begin at, and asks for no connection. Who handed the first packet to
    /// [`send_local`](Self::send_local) knows whether it does.
    pub(crate) fn is_answer_to_us(&self, port: PortId, headers: &Headers) -> bool {
        let Layer4::Tcp(fields) = headers.layer4 else {
            return false;
        };
        LOCAL_TCP_PORTS.contains(&headers.tuple.destination_port)
            && !fields.is(SYN)
            && self
                .interface(port)
                .is_some_and(|own| own.address == headers.tuple.destination)
    }
}
