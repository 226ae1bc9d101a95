//! TCP segments that the box makes itself, for the sides of a flow.

use hal::packet::{HEADROOM, PacketBuf, PacketPool};
use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::{Direction, Flow, Marks, State};
use crate::input::Dropped;
use crate::wire::checksum;
use crate::wire::{
    ACK, ETHERNET_LEN, IP_CHECKSUM, IP_DESTINATION, IP_DONT_FRAGMENT, IP_FRAGMENT, IP_PROTOCOL,
    IP_SOURCE, IP_TOTAL_LEN, IP_TTL, IPV4_LEN, PROTOCOL_TCP, RST, TCP_CHECKSUM, Tuple, put,
};

/// Bytes of a TCP header without options, and of the options the box sends at most.
const TCP_LEN: usize = 20;
const OPTIONS_MAX: usize = 12;
const TTL: u8 = 64;
/// Bytes of the header of a frame up to the TCP options.
const HEADERS_LEN: usize = ETHERNET_LEN + IPV4_LEN + TCP_LEN;

/// A segment without data.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) sequence: u32,
    pub(crate) acknowledgment: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    /// Whole words.
    pub(crate) options: heapless::Vec<u8, OPTIONS_MAX>,
}

impl Segment {
    /// A segment without options.
    pub(crate) const fn plain(sequence: u32, acknowledgment: u32, flags: u8, window: u16) -> Self {
        Self {
            sequence,
            acknowledgment,
            flags,
            window,
            options: heapless::Vec::new(),
        }
    }

    /// The same, announcing the largest segment taken (RFC 9293 §3.7.1).
    pub(crate) fn announcing(mut self, segment_size: u16) -> Self {
        let [high, low] = segment_size.to_be_bytes();
        // There is room for twelve bytes.
        let _ = self.options.extend_from_slice(&[2, 4, high, low]);
        self
    }

    /// The same with timestamps, in the layout of RFC 7323 appendix A.
    fn stamped(mut self, value: u32, echo: u32) -> Self {
        // They are the only options.
        let _ = self.options.extend_from_slice(&[1, 1, 8, 10]);
        let _ = self.options.extend_from_slice(&value.to_be_bytes());
        let _ = self.options.extend_from_slice(&echo.to_be_bytes());
        self
    }

    /// Makes `frame` a frame with this segment, its Ethernet header still empty. Returns whether it
    /// fits.
    pub(crate) fn write(&self, tuple: &Tuple, frame: &mut PacketBuf) -> bool {
        let tcp_len = TCP_LEN + self.options.len();
        let mut bytes = [0; HEADERS_LEN + OPTIONS_MAX];
        let (ip, tcp) = (ETHERNET_LEN, ETHERNET_LEN + IPV4_LEN);
        bytes[ip] = 0x45;
        // At most 52.
        let total_len = (IPV4_LEN + tcp_len) as u16;
        put(&mut bytes, ip + IP_TOTAL_LEN, &total_len.to_be_bytes());
        put(
            &mut bytes,
            ip + IP_FRAGMENT,
            &IP_DONT_FRAGMENT.to_be_bytes(),
        );
        put(&mut bytes, ip + IP_TTL, &[TTL]);
        put(&mut bytes, ip + IP_PROTOCOL, &[PROTOCOL_TCP]);
        put(&mut bytes, ip + IP_SOURCE, &tuple.source.octets());
        put(&mut bytes, ip + IP_DESTINATION, &tuple.destination.octets());
        let sum = bytes.get(ip..tcp).map_or(0, checksum::sum);
        put(&mut bytes, ip + IP_CHECKSUM, &(!sum).to_be_bytes());

        put(&mut bytes, tcp, &tuple.source_port.to_be_bytes());
        put(&mut bytes, tcp + 2, &tuple.destination_port.to_be_bytes());
        put(&mut bytes, tcp + 4, &self.sequence.to_be_bytes());
        put(&mut bytes, tcp + 8, &self.acknowledgment.to_be_bytes());
        put(
            &mut bytes,
            tcp + 12,
            &[(tcp_len as u8 / 4) << 4, self.flags],
        );
        put(&mut bytes, tcp + 14, &self.window.to_be_bytes());
        put(&mut bytes, tcp + TCP_LEN, &self.options);
        let segment = bytes.get(tcp..tcp + tcp_len).unwrap_or_default();
        let sum = checksum::add(
            checksum::pseudo_sum(
                tuple.source,
                tuple.destination,
                PROTOCOL_TCP,
                tcp_len as u16,
            ),
            checksum::sum(segment),
        );
        put(&mut bytes, tcp + TCP_CHECKSUM, &(!sum).to_be_bytes());
        frame.reset(HEADROOM);
        bytes
            .get(..tcp + tcp_len)
            .is_some_and(|bytes| frame.extend(bytes))
    }
}

impl Flow {
    /// A segment without data that goes in `direction`, `back` bytes before what its sender has
    /// sent last, in the numbers of the receiver.
    fn bare(&self, direction: Direction, back: u32, flags: u8) -> Segment {
        let sender = &self.tcp[direction.index()];
        let receiver = &self.tcp[direction.other().index()];
        // What the sender would offer: up to the edge it has given.
        let shift = self.scales.get(direction).unwrap_or(0);
        let room = receiver.max_end.wrapping_sub(sender.acknowledged) >> shift;
        let segment = Segment::plain(
            sender
                .end
                .wrapping_sub(back)
                .wrapping_add(self.offsets[direction.index()]),
            sender.acknowledged,
            flags,
            u16::try_from(room).unwrap_or(u16::MAX),
        );
        if self.marks.has(Marks::TIMESTAMPS) && flags & RST == 0 {
            segment.stamped(
                self.timestamps[direction.index()],
                self.timestamps[direction.other().index()],
            )
        } else {
            segment
        }
    }

    /// A question whether the receiver still lives: RFC 9293 §3.8.4, without the byte of data.
    pub(crate) fn probe(&self, direction: Direction) -> Segment {
        self.bare(direction, 1, ACK)
    }

    /// Tells the receiver what has been received and may be sent.
    pub(crate) fn acknowledgment(&self, direction: Direction) -> Segment {
        self.bare(direction, 0, ACK)
    }

    /// Ends the connection for the receiver.
    pub(crate) fn reset(&self, direction: Direction) -> Segment {
        if self.state == State::Spliced && direction == Direction::Reply {
            // It knows the box's own answer.
            let next = self.offsets[1].wrapping_add(1);
            return Segment::plain(next, self.tcp[0].end, RST | ACK, 0);
        }
        Segment {
            window: 0,
            ..self.bare(direction, 0, RST | ACK)
        }
    }
}

impl DataPlane {
    /// Sends a segment of the box itself along a flow. What is lost on the way is the concern of
    /// whoever waits for it.
    pub(crate) fn send_segment(
        &mut self,
        index: u32,
        direction: Direction,
        segment: &Segment,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let Some(tuple) = self.flows.get(index).map(|flow| flow.leaving(direction)) else {
            return;
        };
        let Some(mut frame) = pool.take() else {
            self.drops.count_frame(DropReason::DispatchBlockAlloc);
            return;
        };
        self.verdicts.made += 1;
        let outcome = if segment.write(&tuple, &mut frame) {
            self.send_along(index, direction, frame, pool, now)
        } else {
            Err(Dropped::new(DropReason::InvalidEncap, frame))
        };
        // The reason is counted.
        let _ = self.settle(outcome, pool);
    }

    /// Tells both sides of a flow that it ends.
    pub(crate) fn reset_both(&mut self, index: u32, pool: &mut PacketPool, now: Instant) {
        for direction in [Direction::Forward, Direction::Reply] {
            if let Some(segment) = self.flows.get(index).map(|flow| flow.reset(direction)) {
                self.send_segment(index, direction, &segment, pool, now);
            }
        }
    }
}
