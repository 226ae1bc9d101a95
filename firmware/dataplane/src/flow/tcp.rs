//! TCP tracking: the handshake, the windows, the end.
//!
//! ```text
//! (none) ─SYN→ SynSent ─SYN-ACK→ SynReceived ─ACK→ Established ─both FINs acknowledged→ (removed)
//!                 └────────── RST from either side, exactly in place ──────────────────↗
//! ```
//!
//! Windows follow "Real Stateful TCP Packet Filtering in IP Filter" (van Rooij, 2001): per side
//! the end of what it has sent, the right edge the peer has allowed it, and the largest window it
//! has offered. RST acceptance follows RFC 5961 as far as a box in the middle can: only sequence
//! numbers from the last acknowledged byte to the last sent one.

use super::{Direction, Flags, Flow, State};
use crate::drop_reason::DropReason;
use crate::wire::{ACK, FIN, RST, SYN, TcpFields};

/// How far back an acknowledgment may lie: van Rooij's constant, the largest unscaled window and
/// a few segments.
const ACK_SLACK: u32 = 66_000;

/// Largest window shift, RFC 7323 §2.3.
pub(crate) const MAX_SCALE: u8 = 14;

/// The window shifts of both sides, four bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scales(u8);

impl Default for Scales {
    fn default() -> Self {
        Self(0xff)
    }
}

impl Scales {
    /// Larger than any shift: no window-scale option was sent.
    const NONE: u8 = 15;

    /// The shift of `side`, if it sent one.
    pub(crate) const fn get(self, side: Direction) -> Option<u8> {
        match self.0 >> (side as u8 * 4) & 15 {
            Self::NONE => None,
            shift => Some(shift),
        }
    }

    fn set(&mut self, side: Direction, shift: Option<u8>) {
        let shift = shift.map_or(Self::NONE, |shift| shift.min(MAX_SCALE));
        let at = side as u8 * 4;
        self.0 = self.0 & !(15 << at) | shift << at;
    }
}

/// What is known about one side of a connection. Sequence numbers wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TcpSide {
    /// Behind the last byte (or SYN, FIN) it sent.
    pub(crate) end: u32,
    /// Behind the last byte the peer will take.
    pub(crate) max_end: u32,
    /// The highest acknowledgment it sent.
    pub(crate) acknowledged: u32,
    /// The largest window it offered, in units of its shift; at least 1.
    pub(crate) max_window: u16,
    /// The largest segment it announced to take; 0 if it said nothing.
    pub(crate) segment_size: u16,
}

/// What becomes of the flow when the packet has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracked {
    /// Nothing new.
    Same,
    /// Another idle time applies.
    TimeoutChanged,
    /// It ends.
    Closed,
    /// The server has answered a connection that the box answered for; the segment goes no further.
    Spliced,
    /// The server has refused such a connection; the segment goes no further.
    Refused,
}

/// Whether `a` lies behind `b` in sequence space (RFC 9293 §3.4).
const fn after(a: u32, b: u32) -> bool {
    (b.wrapping_sub(a) as i32) < 0
}

/// Sequence space that a segment takes.
fn span(tcp: &TcpFields, payload_len: u32) -> u32 {
    payload_len
        .wrapping_add(u32::from(tcp.has(SYN)))
        .wrapping_add(u32::from(tcp.has(FIN)))
}

/// Starts tracking with the first SYN. `scale` is that of its window-scale option.
pub(crate) fn open(flow: &mut Flow, tcp: &TcpFields, payload_len: u32, scale: Option<u8>) {
    let end = tcp.sequence.wrapping_add(span(tcp, payload_len));
    flow.tcp[Direction::Forward.index()] = TcpSide {
        end,
        max_end: end,
        // Until the SYN-ACK: the lowest that may acknowledge this SYN, which may carry data.
        acknowledged: tcp.sequence.wrapping_add(1),
        max_window: tcp.window.max(1),
        segment_size: 0,
    };
    flow.scales.set(Direction::Forward, scale);
    flow.state = State::SynSent;
}

/// Takes a further segment of `flow`. `scale` is the window-scale option of a SYN-ACK.
///
/// # Errors
/// Why the segment must not pass; the flow is unchanged then.
pub(crate) fn track(
    flow: &mut Flow,
    direction: Direction,
    tcp: &TcpFields,
    payload_len: u32,
    scale: Option<u8>,
) -> Result<Tracked, DropReason> {
    match flow.state {
        State::SynSent => syn_sent(flow, direction, tcp, payload_len, scale),
        State::Spliced => spliced(flow, direction, tcp, payload_len),
        State::SynReceived => syn_received(flow, direction, tcp, payload_len),
        State::Established => established(flow, direction, tcp, payload_len),
        State::Free | State::Stateless => Err(DropReason::FlowBeingFreed),
    }
}

fn syn_sent(
    flow: &mut Flow,
    direction: Direction,
    tcp: &TcpFields,
    payload_len: u32,
    scale: Option<u8>,
) -> Result<Tracked, DropReason> {
    let opener = flow.tcp[0];
    let end = tcp.sequence.wrapping_add(span(tcp, payload_len));
    match direction {
        Direction::Forward if tcp.is(SYN) => {
            // A repeated SYN, or an intruder's.
            if end == opener.end {
                Ok(Tracked::Same)
            } else {
                Err(DropReason::TcpSeqSynDiff)
            }
        }
        Direction::Forward if tcp.has(RST) => {
            if tcp.sequence == opener.end {
                Ok(Tracked::Closed)
            } else {
                Err(DropReason::TcpRstFinOutOfOrder)
            }
        }
        Direction::Reply if tcp.is(SYN) => Err(DropReason::TcpDualOpen),
        Direction::Reply if tcp.is(SYN | ACK) => {
            if after(tcp.acknowledgment, opener.end)
                || after(opener.acknowledged, tcp.acknowledgment)
            {
                return Err(DropReason::TcpAckSynDiff);
            }
            if scale.is_none() || flow.scales.get(Direction::Forward).is_none() {
                // Only if both have it.
                flow.scales.set(Direction::Forward, Some(0));
                flow.scales.set(Direction::Reply, Some(0));
            } else {
                flow.scales.set(Direction::Reply, scale);
            }
            let shifts = [Direction::Forward, Direction::Reply]
                .map(|side| flow.scales.get(side).unwrap_or(0));
            let window = tcp.window.max(1);
            let [opener, responder] = &mut flow.tcp;
            // RFC 7323 §2.2: the windows of SYN and SYN-ACK are not scaled.
            opener.max_end = opener.end.wrapping_add(u32::from(window));
            opener.acknowledged = tcp.sequence.wrapping_add(1);
            *responder = TcpSide {
                end,
                max_end: end.wrapping_add(u32::from(opener.max_window)),
                acknowledged: tcp.acknowledgment,
                max_window: in_units(window, shifts[1]),
                segment_size: responder.segment_size,
            };
            opener.max_window = in_units(opener.max_window, shifts[0]);
            flow.state = State::SynReceived;
            Ok(Tracked::TimeoutChanged)
        }
        Direction::Reply if tcp.has(RST) => {
            // RFC 9293 §3.10.7.3: acceptable if it acknowledges the SYN.
            if tcp.has(ACK) && tcp.acknowledgment == opener.end {
                Ok(Tracked::Closed)
            } else {
                Err(DropReason::TcpRstFinOutOfOrder)
            }
        }
        Direction::Forward | Direction::Reply => Err(DropReason::TcpThreeWayHandshake),
    }
}

/// The box has answered the SYN of the opener and sent it to the server: what the server says.
fn spliced(
    flow: &mut Flow,
    direction: Direction,
    tcp: &TcpFields,
    payload_len: u32,
) -> Result<Tracked, DropReason> {
    let opener = flow.tcp[0];
    match direction {
        Direction::Forward if tcp.has(RST) => {
            if tcp.sequence == opener.end {
                Ok(Tracked::Closed)
            } else {
                Err(DropReason::TcpRstFinOutOfOrder)
            }
        }
        // Its window is shut until the server has answered.
        Direction::Forward => Err(DropReason::InterceptUnexpected),
        Direction::Reply if tcp.is(SYN | ACK) => {
            // No shift was offered, so none counts.
            let answer = flow.offsets[1];
            flow.state = State::SynSent;
            match syn_sent(flow, direction, tcp, payload_len, None) {
                Ok(_) => {
                    flow.offsets[1] = answer.wrapping_sub(tcp.sequence);
                    flow.state = State::Established;
                    Ok(Tracked::Spliced)
                }
                Err(reason) => {
                    flow.state = State::Spliced;
                    Err(reason)
                }
            }
        }
        Direction::Reply if tcp.is(RST | ACK) && tcp.acknowledgment == opener.end => {
            Ok(Tracked::Refused)
        }
        Direction::Reply => Err(DropReason::TcpThreeWayHandshake),
    }
}

fn syn_received(
    flow: &mut Flow,
    direction: Direction,
    tcp: &TcpFields,
    payload_len: u32,
) -> Result<Tracked, DropReason> {
    let [opener, responder] = flow.tcp;
    let end = tcp.sequence.wrapping_add(span(tcp, payload_len));
    match direction {
        Direction::Forward if tcp.is(SYN) => {
            if end == opener.end {
                Ok(Tracked::Same)
            } else {
                Err(DropReason::TcpSeqSynDiff)
            }
        }
        Direction::Reply if tcp.is(SYN | ACK) => {
            if end != responder.end {
                Err(DropReason::TcpSeqSynDiff)
            } else if tcp.acknowledgment != responder.acknowledged {
                Err(DropReason::TcpAckSynDiff)
            } else {
                Ok(Tracked::Same)
            }
        }
        _ if tcp.has(RST) => reset(flow, direction, tcp),
        Direction::Forward if tcp.has(ACK) && !tcp.has(SYN) => {
            if tcp.acknowledgment != responder.end || after(tcp.sequence, opener.end) {
                return Err(DropReason::TcpThreeWayHandshake);
            }
            established(flow, direction, tcp, payload_len)?;
            flow.state = State::Established;
            Ok(Tracked::TimeoutChanged)
        }
        Direction::Forward | Direction::Reply => Err(DropReason::TcpThreeWayHandshake),
    }
}

fn established(
    flow: &mut Flow,
    direction: Direction,
    tcp: &TcpFields,
    payload_len: u32,
) -> Result<Tracked, DropReason> {
    let (sender, receiver) = (
        flow.tcp[direction.index()],
        flow.tcp[direction.other().index()],
    );
    if tcp.has(RST) {
        return reset(flow, direction, tcp);
    }
    if tcp.is(SYN) {
        return Err(if after(tcp.sequence, sender.max_end) {
            DropReason::TcpSeqPastWindow
        } else {
            DropReason::TcpRstSynInWindow
        });
    }
    let end = tcp.sequence.wrapping_add(span(tcp, payload_len));
    if tcp.is(SYN | ACK) {
        // Our opener's last ACK was lost: the SYN-ACK comes again, and nothing has followed it.
        let is_repeated = direction == Direction::Reply
            && end == sender.end
            && !flow.flags.has(Flags::data(direction));
        return if is_repeated {
            Ok(Tracked::Same)
        } else {
            Err(DropReason::TcpSynAckOutOfOrder)
        };
    }
    if !tcp.has(ACK) {
        return Err(DropReason::BadTcpFlags);
    }
    let out_of_window = if tcp.has(FIN) {
        DropReason::TcpRstFinOutOfOrder
    } else {
        DropReason::TcpSeqPastWindow
    };
    // One byte beyond is a window probe (RFC 9293 §3.8.6.1).
    if after(end, sender.max_end.wrapping_add(1)) {
        return Err(out_of_window);
    }
    // Older than anything the receiver could still miss.
    if after(
        sender
            .end
            .wrapping_sub(flow.widest(direction.other()))
            .wrapping_sub(1),
        end,
    ) {
        return Err(out_of_window);
    }
    if flow.flags.has(Flags::fin(direction)) && after(end, sender.end) {
        return Err(DropReason::TcpDataPastFin);
    }
    let slack = flow.widest(direction).max(ACK_SLACK);
    if after(tcp.acknowledgment, receiver.end)
        || after(receiver.end.wrapping_sub(slack), tcp.acknowledgment)
    {
        return Err(DropReason::TcpInvalidAck);
    }

    let mut tracked = Tracked::Same;
    let window = flow.offered(direction, tcp);
    let side = &mut flow.tcp[direction.index()];
    if after(end, side.end) {
        side.end = end;
    }
    if after(tcp.acknowledgment, side.acknowledged) {
        side.acknowledged = tcp.acknowledgment;
    }
    side.max_window = side.max_window.max(tcp.window);
    let peer = &mut flow.tcp[direction.other().index()];
    let edge = tcp.acknowledgment.wrapping_add(window);
    if after(edge, peer.max_end) {
        peer.max_end = edge;
    }
    let peer_end = peer.end;
    if payload_len > 0 {
        flow.flags.set(Flags::data(direction));
    }
    if tcp.has(FIN) && !flow.flags.has(Flags::fin(direction)) {
        flow.flags.set(Flags::fin(direction));
        tracked = Tracked::TimeoutChanged;
    }
    if flow.flags.has(Flags::fin(direction.other())) && tcp.acknowledgment == peer_end {
        flow.flags.set(Flags::fin_acked(direction.other()));
    }
    let both = [Direction::Forward, Direction::Reply];
    if both
        .into_iter()
        .all(|side| flow.flags.has(Flags::fin_acked(side)))
    {
        tracked = Tracked::Closed;
    }
    Ok(tracked)
}

/// A window of `bytes` in units of `shift`, rounded up.
const fn in_units(bytes: u16, shift: u8) -> u16 {
    // At most 65,535 before the shift, hence after it.
    (bytes as u32).div_ceil(1 << shift) as u16
}

impl Flow {
    /// The largest window that `side` has offered, in bytes.
    pub(crate) fn widest(&self, side: Direction) -> u32 {
        let shift = self.scales.get(side).unwrap_or(0);
        u32::from(self.tcp[side.index()].max_window) << shift
    }

    /// The window that a segment of `side` offers, in bytes.
    pub(crate) fn offered(&self, side: Direction, tcp: &TcpFields) -> u32 {
        u32::from(tcp.window) << self.scales.get(side).unwrap_or(0)
    }
}

/// A RST passes only where the receiver may believe it.
fn reset(flow: &Flow, direction: Direction, tcp: &TcpFields) -> Result<Tracked, DropReason> {
    let (sender, receiver) = (
        &flow.tcp[direction.index()],
        &flow.tcp[direction.other().index()],
    );
    let low = receiver.acknowledged;
    if !after(low, tcp.sequence) && !after(tcp.sequence, sender.end) {
        Ok(Tracked::Closed)
    } else if !after(low, tcp.sequence) && !after(tcp.sequence, sender.max_end) {
        Err(DropReason::TcpRstSynInWindow)
    } else {
        Err(DropReason::TcpRstFinOutOfOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Forward, Reply};

    fn segment(flags: u8, sequence: u32, acknowledgment: u32) -> TcpFields {
        TcpFields {
            sequence,
            acknowledgment,
            flags,
            window: 1000,
            header_len: 20,
        }
    }

    /// A connection with initial sequence numbers 100 and `u32::MAX - 9` (to wrap early).
    const SERVER: u32 = u32::MAX - 9;

    fn opened() -> Flow {
        let mut flow = Flow::unused();
        open(&mut flow, &segment(SYN, 100, 0), 0, None);
        flow
    }

    fn connected() -> Flow {
        let mut flow = opened();
        let syn_ack = segment(SYN | ACK, SERVER, 101);
        assert_eq!(
            track(&mut flow, Reply, &syn_ack, 0, None),
            Ok(Tracked::TimeoutChanged)
        );
        let ack = segment(ACK, 101, SERVER + 1);
        assert_eq!(
            track(&mut flow, Forward, &ack, 0, None),
            Ok(Tracked::TimeoutChanged)
        );
        assert_eq!(flow.state, State::Established);
        flow
    }

    fn check(
        flow: &mut Flow,
        direction: Direction,
        tcp: TcpFields,
        len: u32,
    ) -> Result<Tracked, DropReason> {
        track(flow, direction, &tcp, len, None)
    }

    #[test]
    fn syn_sent_takes_only_the_answer_to_its_syn() {
        let mut flow = opened();
        for (direction, tcp, expected) in [
            (Forward, segment(SYN, 100, 0), Ok(Tracked::Same)),
            (Forward, segment(SYN, 99, 0), Err(DropReason::TcpSeqSynDiff)),
            (
                Forward,
                segment(ACK, 101, 1),
                Err(DropReason::TcpThreeWayHandshake),
            ),
            (Reply, segment(SYN, 5, 0), Err(DropReason::TcpDualOpen)),
            (
                Reply,
                segment(SYN | ACK, 5, 102),
                Err(DropReason::TcpAckSynDiff),
            ),
            (
                Reply,
                segment(ACK, 5, 101),
                Err(DropReason::TcpThreeWayHandshake),
            ),
            (
                Reply,
                segment(RST | ACK, 0, 100),
                Err(DropReason::TcpRstFinOutOfOrder),
            ),
            (Reply, segment(RST | ACK, 0, 101), Ok(Tracked::Closed)),
            (Forward, segment(RST, 101, 0), Ok(Tracked::Closed)),
        ] {
            assert_eq!(check(&mut flow, direction, tcp, 0), expected, "{tcp:?}");
            assert_eq!(flow.state, State::SynSent);
        }
    }

    #[test]
    fn syn_received_waits_for_the_last_ack() {
        let mut flow = opened();
        assert!(check(&mut flow, Reply, segment(SYN | ACK, 500, 101), 0).is_ok());
        for (direction, tcp, expected) in [
            (Reply, segment(SYN | ACK, 500, 101), Ok(Tracked::Same)),
            (
                Reply,
                segment(SYN | ACK, 501, 101),
                Err(DropReason::TcpSeqSynDiff),
            ),
            (
                Reply,
                segment(ACK, 501, 101),
                Err(DropReason::TcpThreeWayHandshake),
            ),
            (
                Forward,
                segment(ACK, 101, 502),
                Err(DropReason::TcpThreeWayHandshake),
            ),
            (Forward, segment(SYN, 100, 0), Ok(Tracked::Same)),
            (Reply, segment(RST, 501, 0), Ok(Tracked::Closed)),
        ] {
            assert_eq!(check(&mut flow, direction, tcp, 0), expected, "{tcp:?}");
        }
    }

    #[test]
    fn data_passes_within_the_window_also_where_numbers_wrap() {
        let mut flow = connected();
        assert_eq!(
            check(&mut flow, Reply, segment(ACK, SERVER + 1, 101), 600),
            Ok(Tracked::Same)
        );
        // 400 of the window are left, and one byte for a probe.
        let next = SERVER.wrapping_add(601);
        assert_eq!(
            check(&mut flow, Reply, segment(ACK, next, 101), 402),
            Err(DropReason::TcpSeqPastWindow)
        );
        assert_eq!(
            check(&mut flow, Reply, segment(ACK, next, 101), 400),
            Ok(Tracked::Same)
        );
        // A repetition of what may be lost passes, something ancient does not.
        assert_eq!(
            check(&mut flow, Reply, segment(ACK, SERVER + 1, 101), 600),
            Ok(Tracked::Same)
        );
        assert_eq!(
            check(
                &mut flow,
                Reply,
                segment(ACK, SERVER.wrapping_sub(5000), 101),
                10
            ),
            Err(DropReason::TcpSeqPastWindow)
        );
        assert!(flow.flags.has(Flags::data(Reply)) && !flow.flags.has(Flags::data(Forward)));
    }

    #[test]
    fn acknowledging_the_unsent_is_refused() {
        let mut flow = connected();
        let end = flow.tcp[1].end;
        for acknowledgment in [end.wrapping_add(1), end.wrapping_sub(ACK_SLACK + 1)] {
            assert_eq!(
                check(&mut flow, Forward, segment(ACK, 101, acknowledgment), 1),
                Err(DropReason::TcpInvalidAck)
            );
        }
    }

    #[test]
    fn a_window_scale_counts_only_if_both_sides_have_it() {
        for (theirs, expected) in [(Some(7), 7), (None, 0)] {
            let mut flow = Flow::unused();
            open(&mut flow, &segment(SYN, 100, 0), 0, Some(3));
            assert!(track(&mut flow, Reply, &segment(SYN | ACK, 500, 101), 0, theirs).is_ok());
            assert_eq!(flow.scales.get(Reply), Some(expected));
            let ours = if expected == 0 { 0 } else { 3 };
            assert_eq!(flow.scales.get(Forward), Some(ours));
        }
    }

    #[test]
    fn both_fins_acknowledged_close_in_any_order() {
        let mut flow = connected();
        let s = SERVER + 1;
        assert_eq!(
            check(&mut flow, Forward, segment(FIN | ACK, 101, s), 0),
            Ok(Tracked::TimeoutChanged)
        );
        assert_eq!(
            check(&mut flow, Reply, segment(ACK, s, 102), 0),
            Ok(Tracked::Same)
        );
        assert!(flow.flags.has(Flags::fin_acked(Forward)));
        // The other side may go on; the closed one may not.
        assert_eq!(
            check(&mut flow, Reply, segment(ACK, s, 102), 3),
            Ok(Tracked::Same)
        );
        assert_eq!(
            check(&mut flow, Forward, segment(ACK, 102, s + 3), 1),
            Err(DropReason::TcpDataPastFin)
        );
        assert_eq!(
            check(&mut flow, Reply, segment(FIN | ACK, s + 3, 102), 0),
            Ok(Tracked::TimeoutChanged)
        );
        assert_eq!(
            check(&mut flow, Forward, segment(ACK, 102, s + 4), 0),
            Ok(Tracked::Closed)
        );
    }

    #[test]
    fn only_an_exact_rst_ends_a_connection() {
        let mut flow = connected();
        assert!(check(&mut flow, Forward, segment(ACK, 101, SERVER + 1), 50).is_ok());
        for (sequence, expected) in [
            (100, Err(DropReason::TcpRstFinOutOfOrder)),
            (101, Ok(Tracked::Closed)),
            (151, Ok(Tracked::Closed)),
            (152, Err(DropReason::TcpRstSynInWindow)),
            (101 + 1000, Err(DropReason::TcpRstSynInWindow)),
            (101 + 1001, Err(DropReason::TcpRstFinOutOfOrder)),
        ] {
            assert_eq!(
                check(&mut flow, Forward, segment(RST, sequence, 0), 0),
                expected,
                "{sequence}"
            );
        }
    }

    #[test]
    fn an_open_connection_refuses_a_new_handshake() {
        let mut flow = connected();
        assert_eq!(
            check(&mut flow, Forward, segment(SYN, 500, 0), 0),
            Err(DropReason::TcpRstSynInWindow)
        );
        assert_eq!(
            check(&mut flow, Forward, segment(SYN, 90_000, 0), 0),
            Err(DropReason::TcpSeqPastWindow)
        );
        // The SYN-ACK may come again until data follows it.
        assert_eq!(
            check(&mut flow, Reply, segment(SYN | ACK, SERVER, 101), 0),
            Ok(Tracked::Same)
        );
        assert!(check(&mut flow, Reply, segment(ACK, SERVER + 1, 101), 5).is_ok());
        assert_eq!(
            check(&mut flow, Reply, segment(SYN | ACK, SERVER, 101), 0),
            Err(DropReason::TcpSynAckOutOfOrder)
        );
    }
}
