//! Connections that have fallen silent: ended, reset, or asked whether they still live.
//!
//! Dead connection detection asks both sides at once, with an acknowledgment of old data that any
//! living TCP answers (RFC 9293 §3.8.4). The answers go no further. When both have come, the
//! connection may be idle for its whole time again; when one stays out for all the retries, both
//! sides are reset.

use hal::packet::PacketPool;
use hal::time::Instant;

use crate::engine::DataPlane;
use crate::event::FlowEnd;
use crate::flow::{Direction, Flags, Flow, Marks, State};
use crate::wheel::{Tick, tick_of, ticks};
use crate::wire::{ACK, FIN, PROTOCOL_TCP, RST, SYN, TcpFields};

use super::settings::DeadDetection;

const BOTH: [Direction; 2] = [Direction::Forward, Direction::Reply];

impl DataPlane {
    /// What is due for the flow at `index`, whose timer has run out.
    pub(crate) fn flow_due(&mut self, index: u32, pool: &mut PacketPool, now: Instant) {
        let tick = tick_of(now);
        let Some(flow) = self.flows.get(index) else {
            return;
        };
        if flow.state == State::Spliced {
            self.ask_server_again(index, pool, now);
            return;
        }
        let Some(deadline) = self
            .idle_ticks(flow)
            .map(|idle| flow.last_used.saturating_add(idle))
        else {
            self.flows.set_deadline(index, None);
            return;
        };
        if deadline > tick {
            // Used since its timer was set.
            if let Some(flow) = self.flows.get_mut(index) {
                flow.stop_probing();
            }
            self.flows.set_deadline(index, Some(deadline));
            return;
        }
        let settings = self.class_settings(flow.class);
        let is_tcp = flow.protocol == PROTOCOL_TCP && flow.state != State::Stateless;
        let is_silent = is_tcp
            && flow.state == State::Established
            && !BOTH.iter().any(|&side| flow.flags.has(Flags::fin(side)));
        // A half-open connection has nothing that both sides would believe a reset by.
        let resets = is_tcp
            && flow.state == State::Established
            && settings.is_some_and(|settings| settings.reset);
        let detection = settings
            .and_then(|settings| settings.dead_detection)
            .filter(|_| is_silent);
        match detection {
            Some(detection) if flow.probes < detection.retries => {
                self.probe(index, detection, tick, pool, now);
            }
            Some(_) => {
                if let Some(counts) = self.classes.count_mut(flow.class) {
                    counts.expired += 1;
                }
                self.reset_both(index, pool, now);
                self.end_flow(index, FlowEnd::Idle, now);
            }
            None => {
                let end = Self::timeout_end(flow);
                self.handshake_timeouts += u64::from(end == FlowEnd::HandshakeTimeout);
                if resets {
                    self.reset_both(index, pool, now);
                }
                self.end_flow(index, end, now);
            }
        }
    }

    fn probe(
        &mut self,
        index: u32,
        detection: DeadDetection,
        tick: Tick,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let Some(flow) = self.flows.get_mut(index) else {
            return;
        };
        flow.probes += 1;
        // Asked are those who have not answered since the first probe.
        let asked = BOTH.map(|side| !flow.marks.has(Marks::answered(side)));
        let probes = BOTH.map(|side| flow.probe(side.other()));
        let class = flow.class;
        self.flows.set_deadline(
            index,
            Some(tick.saturating_add(ticks(detection.interval).max(1))),
        );
        if let Some(counts) = self.classes.count_mut(class) {
            counts.client_probes += u64::from(asked[0]);
            counts.server_probes += u64::from(asked[1]);
        }
        for side in BOTH {
            if asked[side.index()] {
                let probe = &probes[side.index()];
                self.send_segment(index, side.other(), probe, pool, now);
            }
        }
    }

    /// Notes that `side` has answered a probe. When both have, the connection may be idle again.
    pub(crate) fn note_answer(&mut self, index: u32, side: Direction, now: Instant) {
        let Some(flow) = self.flows.get_mut(index) else {
            return;
        };
        flow.marks.set(Marks::answered(side));
        if BOTH
            .iter()
            .all(|&side| flow.marks.has(Marks::answered(side)))
        {
            flow.stop_probing();
            flow.last_used = tick_of(now);
            self.reset_timer(index);
        }
    }
}

impl Flow {
    /// Forgets what was asked and answered.
    pub(crate) fn stop_probing(&mut self) {
        self.probes = 0;
        for side in BOTH {
            self.marks.clear(Marks::answered(side));
        }
    }

    /// Whether a segment (in everybody's own numbers) answers a probe and says nothing new.
    pub(crate) fn is_answer(&self, side: Direction, fields: &TcpFields, payload_len: u32) -> bool {
        self.probes != 0
            && self.state == State::Established
            && payload_len == 0
            && fields.flags & (SYN | ACK | FIN | RST) == ACK
            && fields.sequence == self.tcp[side.index()].end
            && fields.acknowledgment == self.tcp[side.other().index()].end
    }
}
