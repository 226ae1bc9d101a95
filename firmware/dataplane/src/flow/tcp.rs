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
/// No window-scale option was sent.
pub(crate) const NO_SCALE: u8 = u8::MAX;

/// What is known about one side of a connection. Sequence numbers wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TcpSide {
    /// Behind the last byte (or SYN, FIN) it sent.
    pub(crate) end: u32,
    /// Behind the last byte the peer will take.
    pub(crate) max_end: u32,
    /// The highest acknowledgment it sent.
    pub(crate) acknowledged: u32,
    /// The largest window it offered, scaled; at least 1.
    pub(crate) max_window: u32,
    /// Its window shift, or [`NO_SCALE`].
    pub(crate) scale: u8,
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
        max_window: u32::from(tcp.window).max(1),
        scale: scale.map_or(NO_SCALE, |scale| scale.min(MAX_SCALE)),
    };
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
            let both_scale = opener.scale != NO_SCALE && scale.is_some();
            let window = u32::from(tcp.window).max(1);
            let [opener, responder] = &mut flow.tcp;
            if !both_scale {
                opener.scale = 0;
            }
            // RFC 7323 §2.2: the windows of SYN and SYN-ACK are not scaled.
            opener.max_end = opener.end.wrapping_add(window);
            opener.acknowledged = tcp.sequence.wrapping_add(1);
            *responder = TcpSide {
                end,
                max_end: end.wrapping_add(opener.max_window),
                acknowledged: tcp.acknowledgment,
                max_window: window,
                scale: if both_scale {
                    scale.unwrap_or(0).min(MAX_SCALE)
                } else {
                    0
                },
            };
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
        sender.end.wrapping_sub(receiver.max_window).wrapping_sub(1),
        end,
    ) {
        return Err(out_of_window);
    }
    if flow.flags.has(Flags::fin(direction)) && after(end, sender.end) {
        return Err(DropReason::TcpDataPastFin);
    }
    let slack = sender.max_window.max(ACK_SLACK);
    if after(tcp.acknowledgment, receiver.end)
        || after(receiver.end.wrapping_sub(slack), tcp.acknowledgment)
    {
        return Err(DropReason::TcpInvalidAck);
    }

    let mut tracked = Tracked::Same;
    let window = u32::from(tcp.window) << sender.scale.min(MAX_SCALE);
    let side = &mut flow.tcp[direction.index()];
    if after(end, side.end) {
        side.end = end;
    }
    if after(tcp.acknowledgment, side.acknowledged) {
        side.acknowledged = tcp.acknowledgment;
    }
    side.max_window = side.max_window.max(window);
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
            assert_eq!(flow.tcp[1].scale, expected);
            assert_eq!(flow.tcp[0].scale, if expected == 0 { 0 } else { 3 });
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
