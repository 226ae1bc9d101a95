//! VLANs: logical ports that share a physical one, told apart by a tag. IEEE 802.1Q-2022 §9.3 to §9.6.
//!
//! A tag is four bytes between the addresses of a frame and its EtherType. It is taken off before
//! anything else looks at the frame, and put back as the last thing before the frame is queued:
//!
//! ```text
//! physical port → handle_tagged → frame of a logical port → … → enqueue_tagged → queue of the physical port
//! ```
//!
//! In between a frame of a VLAN is like any other: flows, neighbours, rules and routes know logical
//! ports only, and the port a flow leaves by says which tag it leaves with. Either way twelve bytes are
//! moved by four, within the headroom; a partial checksum keeps its place ([`PacketBuf::trim_front`]).
//! An untagged frame pays for it with one comparison when it leaves: a tagged one is recognised when it
//! turns out to be no frame of the physical port.

use alloc::vec::Vec;

use hal::nic::MacAddr;
use hal::packet::{BATCH, Batch, PacketBuf, PacketPool};
use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::{DataPlane, Limits};
use crate::input::{Dropped, Outcome, Verdict};
use crate::output::{pad, put_ethernet};
use crate::policy::{Policy, PortId};
use crate::wire::{array, be16, put};

/// What stands where an EtherType would, if a tag follows.
pub(crate) const TPID: u16 = 0x8100;
/// The same of a service tag (802.1ad), which may stand before another one.
const TPID_SERVICE: u16 = 0x88a8;
/// Bytes of a tag.
pub(crate) const TAG_LEN: usize = 4;
/// Bytes before it: destination and source.
pub(crate) const ADDRESSES_LEN: usize = 12;
/// Bytes of the Ethernet header with it.
const TAGGED_LEN: usize = ADDRESSES_LEN + TAG_LEN + 2;
/// The number of the VLAN in the second half of a tag; the rest is priority.
const VLAN_BITS: u16 = 0x0fff;

/// The highest number of a VLAN. 0 is none, and 4095 is reserved (IEEE 802.1Q-2022 table 9-2).
pub const VLAN_MAX: u16 = 4094;

/// A logical port: one VLAN of a physical port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VlanPort {
    /// Its number: behind those of the physical ports, below [`Limits::all_ports`].
    pub port: PortId,
    /// The physical port.
    pub carrier: PortId,
    /// The VLAN, 1 to [`VLAN_MAX`].
    pub vlan: u16,
}

/// What a logical port puts before its frames, and where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) carrier: PortId,
    vlan: u16,
}

impl Tag {
    /// The tag as it stands in a frame; priority is the lowest.
    pub(crate) const fn bytes(self) -> [u8; TAG_LEN] {
        let ([a, b], [c, d]) = (TPID.to_be_bytes(), self.vlan.to_be_bytes());
        [a, b, c, d]
    }
}

/// The logical ports by physical port and VLAN.
#[derive(Debug, Default)]
pub(crate) struct VlanTable(Vec<(PortId, u16, PortId)>);

impl VlanTable {
    /// Takes what fits the engine: logical ports on physical ones, each VLAN once.
    pub(crate) fn new(ports: &[VlanPort], limits: &Limits) -> Self {
        let mut table = Vec::with_capacity(ports.len());
        for &VlanPort {
            port,
            carrier,
            vlan,
        } in ports
        {
            let fits = (limits.ports..limits.all_ports()).contains(&port.0)
                && carrier.0 < limits.ports
                && (1..=VLAN_MAX).contains(&vlan);
            let is_new = !table
                .iter()
                .any(|&(on, of, known)| (on, of) == (carrier, vlan) || known == port);
            if fits && is_new {
                table.push((carrier, vlan, port));
            }
        }
        table.sort_unstable();
        Self(table)
    }

    fn find(&self, carrier: PortId, vlan: u16) -> Option<PortId> {
        let place = self
            .0
            .binary_search_by_key(&(carrier, vlan), |&(on, of, _)| (on, of));
        self.0.get(place.ok()?).map(|&(_, _, port)| port)
    }

    /// The logical ports and their tags.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PortId, Tag)> + '_ {
        self.0
            .iter()
            .map(|&(carrier, vlan, port)| (port, Tag { carrier, vlan }))
    }
}

/// Which VLAN of which port `port` is in `policy`; `None` for a physical port.
pub(crate) fn tag_of(policy: &Policy, port: PortId) -> Option<Tag> {
    let found = policy.vlans.iter().find(|known| known.port == port)?;
    Some(Tag {
        carrier: found.carrier,
        vlan: found.vlan,
    })
}

/// The logical port that a frame on the wire of `carrier` belongs to; `carrier` if to none.
pub(crate) fn port_of(policy: &Policy, carrier: PortId, frame: &[u8]) -> PortId {
    let vlan = if is_tagged(frame) {
        be16(frame, ADDRESSES_LEN + 2).map_or(0, |control| control & VLAN_BITS)
    } else {
        0
    };
    let mut vlans = policy.vlans.iter();
    vlans
        .find(|known| known.carrier == carrier && known.vlan == vlan)
        .map_or(carrier, |known| known.port)
}

/// Whether a frame has a tag.
#[inline]
pub(crate) fn is_tagged(frame: &[u8]) -> bool {
    be16(frame, ADDRESSES_LEN) == Some(TPID)
}

/// Puts a tag between the addresses and the EtherType. Returns false if there is no headroom.
fn put_tag(frame: &mut PacketBuf, tag: Tag) -> bool {
    if !frame.grow_front(TAG_LEN) {
        return false;
    }
    let bytes = frame.bytes_mut();
    if let Some(addresses) = array::<ADDRESSES_LEN>(bytes, TAG_LEN) {
        put(bytes, 0, &addresses);
        put(bytes, ADDRESSES_LEN, &tag.bytes());
    }
    true
}

impl DataPlane {
    /// Takes frames with tags, received on `carrier`, to their verdicts: all of one logical port
    /// together, so that their look-ups overlap. Flows arrive by one port, so none is reordered.
    #[inline(never)]
    pub(crate) fn handle_tagged(
        &mut self,
        carrier: PortId,
        frames: &mut Batch,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let mut waiting: heapless::Deque<(PortId, PacketBuf), BATCH> = heapless::Deque::new();
        while let Some(mut frame) = frames.pop_front() {
            match self.untag(carrier, &mut frame) {
                Ok(port) => {
                    // As many as the batch had.
                    let _ = waiting.push_back((port, frame));
                }
                Err(reason) => self.refuse_tag(carrier, Dropped::new(reason, frame), pool),
            }
        }
        while let Some(&(port, _)) = waiting.front() {
            for _ in 0..waiting.len() {
                match waiting.pop_front() {
                    Some((of, frame)) if of == port => {
                        let _ = frames.push_back(frame);
                    }
                    Some(other) => {
                        let _ = waiting.push_back(other);
                    }
                    None => {}
                }
            }
            self.captures.resume_batch(Some(port));
            self.handle_frames(port, frames, pool, now);
        }
    }

    fn refuse_tag(&mut self, carrier: PortId, dropped: Dropped, pool: &mut PacketPool) {
        if let Some(port) = self.ports.get_mut(carrier.index()) {
            port.counters.packets_in += 1;
            port.counters.bytes_in += dropped.frame.frame_len() as u64;
            port.counters.dropped += 1;
        }
        self.verdicts.received += 1;
        // The reason is counted; nobody waits for it here.
        let _ = self.settle(Err(dropped), pool);
    }

    /// Takes the tag off a frame received on `carrier`, and says which port it belongs to. A tag without
    /// VLAN, which tells a priority only, leaves it with the physical port.
    ///
    /// # Errors
    /// The reason to drop the frame, which is then untouched.
    fn untag(&self, carrier: PortId, frame: &mut PacketBuf) -> Result<PortId, DropReason> {
        let bytes = frame.bytes_mut();
        let (Some(addresses), Some(header)) = (
            array::<ADDRESSES_LEN>(bytes, 0),
            array::<TAGGED_LEN>(bytes, 0),
        ) else {
            return Err(DropReason::VlanRunt);
        };
        let [.., high, low, type_high, type_low] = header;
        if matches!(
            u16::from_be_bytes([type_high, type_low]),
            TPID | TPID_SERVICE
        ) {
            return Err(DropReason::VlanDoubleTag);
        }
        let port = match u16::from_be_bytes([high, low]) & VLAN_BITS {
            0 => carrier,
            vlan => self
                .vlans
                .find(carrier, vlan)
                .ok_or(DropReason::VlanUnknown)?,
        };
        put(bytes, TAG_LEN, &addresses);
        frame.trim_front(TAG_LEN);
        Ok(port)
    }

    /// As [`enqueue`](Self::enqueue), for a logical port: it waits in the queue of the physical one.
    #[inline(never)]
    pub(crate) fn enqueue_tagged(
        &mut self,
        port: PortId,
        tag: Tag,
        destination: MacAddr,
        ethertype: u16,
        mut frame: PacketBuf,
    ) -> Outcome {
        let has_room = self.has_room(port, 1);
        let Some(exit) = self.ports.get_mut(port.index()) else {
            return Err(Dropped::new(DropReason::InterfaceDown, frame));
        };
        if !has_room {
            exit.counters.transmit_overflow += 1;
            return Err(Dropped::new(DropReason::DispatchQueueLimit, frame));
        }
        put_ethernet(&mut frame, destination, exit.mac, ethertype);
        pad(&mut frame, ethertype);
        let len = frame.frame_len();
        if !put_tag(&mut frame, tag) {
            return Err(Dropped::new(DropReason::InvalidEncap, frame));
        }
        exit.counters.packets_out += 1;
        exit.counters.bytes_out += len as u64;
        if let Some(carrier) = self.ports.get_mut(tag.carrier.index()) {
            carrier.transmit.push_back(frame);
        }
        Ok(Verdict::Sent)
    }

    /// Whether `count` frames more may wait to leave by `port`.
    pub(crate) fn has_room(&self, port: PortId, count: usize) -> bool {
        let limit = usize::from(self.limits.transmit_queue);
        let port_at = |port: PortId| self.ports.get(port.index());
        port_at(port)
            .and_then(|exit| match exit.tag {
                Some(tag) => port_at(tag.carrier),
                None => Some(exit),
            })
            .is_some_and(|queue| queue.transmit.len() + count <= limit)
    }

    /// Gives the logical ports of the policy in force their tags, and the links of their physical
    /// ports.
    pub(crate) fn connect_vlans(&mut self) {
        self.vlans = VlanTable::new(&self.policy.vlans, &self.limits);
        for port in &mut self.ports {
            port.tag = None;
        }
        for (port, tag) in self.vlans.iter() {
            let is_link_up = self
                .ports
                .get(tag.carrier.index())
                .is_some_and(|carrier| carrier.is_link_up);
            if let Some(port) = self.ports.get_mut(port.index()) {
                port.tag = Some(tag);
                port.is_link_up = is_link_up;
            }
        }
    }

    /// `carrier` and the logical ports on it.
    pub(crate) fn carried_by(&self, carrier: PortId) -> Vec<PortId> {
        let carried = self.vlans.iter().filter(|(_, tag)| tag.carrier == carrier);
        core::iter::once(carrier)
            .chain(carried.map(|(port, _)| port))
            .collect()
    }

    /// One more than the highest number of a port in use, and at least as many as there are physical
    /// ones: what tables for pairs of ports are made for.
    pub(crate) fn ports_in_use(&self) -> usize {
        let interfaces = self.policy.interfaces.iter();
        interfaces
            .map(|interface| interface.port.index() + 1)
            .max()
            .unwrap_or(0)
            .clamp(usize::from(self.limits.ports), self.ports.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        ports: 2,
        flows: 1,
        neighbors: 1,
        transmit_queue: 1,
        handoff_queue: 1,
        access_bytes: 0,
        capture_bytes: 0,
        fragments: 1,
        subinterfaces: 3,
    };

    fn on(port: u8, carrier: u8, vlan: u16) -> VlanPort {
        VlanPort {
            port: PortId(port),
            carrier: PortId(carrier),
            vlan,
        }
    }

    #[test]
    fn what_does_not_fit_the_engine_is_left_out() {
        let table = VlanTable::new(
            &[
                on(2, 1, 4094),
                on(3, 0, 10),
                on(4, 0, 10),
                on(3, 0, 20),
                on(1, 0, 30),
                on(5, 0, 40),
                on(4, 2, 50),
                on(4, 0, 0),
                on(4, 0, 4095),
            ],
            &LIMITS,
        );
        let kept: Vec<_> = table.iter().map(|(port, tag)| (port.0, tag.vlan)).collect();
        assert_eq!(kept, [(3, 10), (2, 4094)]);
        assert_eq!(table.find(PortId(0), 10), Some(PortId(3)));
        assert_eq!(table.find(PortId(1), 10), None);
        assert_eq!(table.find(PortId(1), 4094), Some(PortId(2)));
    }
}
