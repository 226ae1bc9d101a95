//! The TCP normaliser: what is checked in every segment of a connection, and what is cleared.
//!
//! [`TcpMap`] is `tcp-map` of the configuration, with the ASA's defaults; every connection has one.
//! Options that are to be cleared are overwritten by "no operation". The usual segment, without
//! options or with timestamps in the layout of RFC 7323 appendix A, is recognised at once.

use alloc::string::String;
use alloc::vec::Vec;

use hal::packet::PacketBuf;

use crate::drop_reason::DropReason;
use crate::flow::tcp::{self, Tracked};
use crate::flow::{Direction, Flow, Marks, State};
use crate::wheel::Tick;
use crate::wire::checksum;
use crate::wire::patch::Patch;
use crate::wire::{ACK, Headers, PROTOCOL_TCP, RST, SYN, TcpFields, URG, array, be16};

/// TCP option kinds: RFC 9293 §3.2, RFC 7323 §2 and §3, RFC 2018 §2, RFC 2385.
const OPTION_MSS: u8 = 2;
const OPTION_WINDOW_SCALE: u8 = 3;
const OPTION_SACK_PERMITTED: u8 = 4;
const OPTION_TIMESTAMPS: u8 = 8;
const NO_OPERATION: u8 = 1;
/// NOP, NOP, timestamps of ten bytes.
const USUAL_OPTIONS: [u8; 4] = [1, 1, OPTION_TIMESTAMPS, 10];
/// RFC 7323 §5.5: a timestamp older than that says nothing. Ticks of 24 days.
const TIMESTAMP_LIFE: Tick = 24 * 24 * 3600 * 10;

/// What happens to a segment with something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Treatment {
    /// It passes.
    #[default]
    Allow,
    /// It passes without it.
    Clear,
    /// It is dropped.
    Drop,
}

/// `tcp-map NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpMap {
    /// The name.
    pub name: String,
    /// `checksum-verification`.
    pub verify_checksum: bool,
    /// `exceed-mss drop`: more data than the receiver announced to take.
    pub drop_exceeding_mss: bool,
    /// `invalid-ack drop`.
    pub drop_invalid_ack: bool,
    /// `reserved-bits`.
    pub reserved_bits: Treatment,
    /// `seq-past-window drop`.
    pub drop_past_window: bool,
    /// `synack-data drop`.
    pub drop_syn_ack_data: bool,
    /// `syn-data drop`.
    pub drop_syn_data: bool,
    /// `tcp-options` by kind: kinds to clear, and kinds that drop the segment, as bit sets.
    pub cleared_options: OptionSet,
    /// See `cleared_options`.
    pub dropped_options: OptionSet,
    /// `ttl-evasion-protection`.
    pub hold_ttl: bool,
    /// `urgent-flag clear`.
    pub clear_urgent: bool,
    /// `window-variation drop`: a window that is taken back.
    pub drop_shrunk_window: bool,
}

impl Default for TcpMap {
    /// The factory settings of the ASA.
    fn default() -> Self {
        let mut cleared_options = OptionSet::default();
        cleared_options.add(6, 7);
        cleared_options.add(9, u8::MAX);
        Self {
            name: String::new(),
            verify_checksum: false,
            drop_exceeding_mss: false,
            drop_invalid_ack: true,
            reserved_bits: Treatment::Allow,
            drop_past_window: true,
            drop_syn_ack_data: true,
            drop_syn_data: false,
            cleared_options,
            dropped_options: OptionSet::default(),
            hold_ttl: true,
            clear_urgent: true,
            drop_shrunk_window: false,
        }
    }
}

/// A set of TCP option kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OptionSet([u64; 4]);

impl OptionSet {
    /// Adds the kinds `first..=last`.
    pub fn add(&mut self, first: u8, last: u8) {
        for kind in first..=last {
            if let Some(word) = self.0.get_mut(usize::from(kind >> 6)) {
                *word |= 1 << (kind & 63);
            }
        }
    }

    /// Takes the kinds `first..=last` out.
    pub fn remove(&mut self, first: u8, last: u8) {
        for kind in first..=last {
            if let Some(word) = self.0.get_mut(usize::from(kind >> 6)) {
                *word &= !(1 << (kind & 63));
            }
        }
    }

    /// Whether `kind` is in the set.
    #[must_use]
    pub fn has(&self, kind: u8) -> bool {
        self.0
            .get(usize::from(kind >> 6))
            .is_some_and(|word| word >> (kind & 63) & 1 == 1)
    }
}

/// The default and the maps of a policy, in the order of
/// [`FlowSettings::normalizer`](super::settings::FlowSettings).
pub(crate) fn compile(maps: &[TcpMap]) -> Vec<TcpMap> {
    core::iter::once(TcpMap::default())
        .chain(maps.iter().cloned())
        .collect()
}

/// A segment that may pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    pub(crate) tracked: Tracked,
    /// Where the largest segment size stands.
    pub(crate) mss: Option<usize>,
    /// It answers a probe of the box and goes no further.
    pub(crate) is_answer: bool,
}

/// What the options of a segment say.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    /// Where the largest segment size stands, and what it is.
    mss: Option<(usize, u16)>,
    scale: Option<u8>,
    timestamp: Option<u32>,
}

/// Takes a segment of `flow`: checks it, clears what is to be cleared, and tracks it.
///
/// # Errors
/// Why it must not pass.
#[inline]
pub(crate) fn pass(
    map: &TcpMap,
    flow: &mut Flow,
    direction: Direction,
    headers: &Headers,
    fields: &TcpFields,
    frame: &mut PacketBuf,
    now: Tick,
) -> Result<Passed, DropReason> {
    let own = flow.own_numbers(direction, fields);
    let payload_len = headers.payload_len();
    if map.is_strict() {
        strict(map, flow, direction, headers, &own, frame)?;
    }
    if fields.flags & URG != 0 && map.clear_urgent {
        clear_urgent(frame, headers, fields);
    }
    let options = if fields.header_len == 20 {
        Options::default()
    } else {
        read_options(map, frame, headers, fields)?
    };
    check_syn_data(map, fields, payload_len)?;
    let is_stamped = flow.marks.has(Marks::TIMESTAMPS) && !fields.has(RST);
    if let Some(value) = options.timestamp
        && is_stamped
        && is_old(flow, direction, value, now)
    {
        return Err(DropReason::TcpPawsFail);
    }
    if flow.is_answer(direction, &own, payload_len) {
        return Ok(Passed {
            tracked: Tracked::Same,
            mss: None,
            is_answer: true,
        });
    }
    let tracked = track(map, flow, direction, &own, payload_len, options.scale)?;
    if flow.probes != 0 && flow.state == State::Established {
        // The connection speaks for itself, and its acknowledgments are nobody's answers.
        flow.stop_probing();
    }
    note(flow, direction, &own, &options);
    Ok(Passed {
        tracked,
        mss: options.mss.map(|(at, _)| at),
        is_answer: false,
    })
}

/// What would become of a segment without options, urgent data or reserved bits: as [`pass`], on a copy
/// of the flow.
///
/// # Errors
/// Why it must not pass.
pub(crate) fn rehearse(
    map: &TcpMap,
    mut flow: Flow,
    direction: Direction,
    headers: &Headers,
    fields: &TcpFields,
    scale: Option<u8>,
) -> Result<(), DropReason> {
    let own = flow.own_numbers(direction, fields);
    let payload_len = headers.payload_len();
    check_syn_data(map, fields, payload_len)?;
    if flow.is_answer(direction, &own, payload_len) {
        return Ok(());
    }
    track(map, &mut flow, direction, &own, payload_len, scale).map(|_| ())
}

/// Whether the map lets data pass in the handshake.
fn check_syn_data(map: &TcpMap, fields: &TcpFields, payload_len: u32) -> Result<(), DropReason> {
    if !fields.has(SYN) || payload_len == 0 {
        return Ok(());
    }
    match fields.has(ACK) {
        true if map.drop_syn_ack_data => Err(DropReason::TcpSynAckData),
        false if map.drop_syn_data => Err(DropReason::TcpSynData),
        _ => Ok(()),
    }
}

/// Tracks a segment as strictly as the map wants it.
#[inline]
fn track(
    map: &TcpMap,
    flow: &mut Flow,
    direction: Direction,
    own: &TcpFields,
    payload_len: u32,
    scale: Option<u8>,
) -> Result<Tracked, DropReason> {
    match tcp::track(flow, direction, own, payload_len, scale) {
        Err(DropReason::TcpInvalidAck) if !map.drop_invalid_ack => Ok(Tracked::Same),
        Err(DropReason::TcpSeqPastWindow) if !map.drop_past_window => Ok(Tracked::Same),
        outcome => outcome,
    }
}

/// Remembers what the options of an accepted segment said.
fn note(flow: &mut Flow, direction: Direction, own: &TcpFields, options: &Options) {
    if own.has(SYN) {
        if let Some((_, size)) = options.mss {
            flow.tcp[direction.index()].segment_size = size;
        }
        if let Some(value) = options.timestamp {
            flow.timestamps[direction.index()] = value;
        }
        match (own.has(ACK), options.timestamp.is_some()) {
            (false, true) => flow.marks.set(Marks::TIMESTAMPS_OFFERED),
            (true, true) if flow.marks.has(Marks::TIMESTAMPS_OFFERED) => {
                flow.marks.set(Marks::TIMESTAMPS);
            }
            _ => {}
        }
    } else if let Some(value) = options.timestamp
        && flow.marks.has(Marks::TIMESTAMPS)
    {
        // RFC 7323 §4.3: only of a segment that the receiver has been waiting for.
        let awaited = flow.tcp[direction.other().index()].acknowledged;
        let slot = &mut flow.timestamps[direction.index()];
        let is_newer = (value.wrapping_sub(*slot) as i32) > 0;
        if is_newer && (own.sequence.wrapping_sub(awaited) as i32) <= 0 {
            *slot = value;
        }
    }
}

/// RFC 7323 §5.3: whether a timestamp lies before one that was sent later.
fn is_old(flow: &Flow, direction: Direction, value: u32, now: Tick) -> bool {
    let latest = flow.timestamps[direction.index()];
    (value.wrapping_sub(latest) as i32) < 0 && now.saturating_sub(flow.last_used) < TIMESTAMP_LIFE
}

impl TcpMap {
    /// Whether anything is asked for that the default does not.
    const fn is_strict(&self) -> bool {
        self.verify_checksum
            || self.drop_exceeding_mss
            || self.drop_shrunk_window
            || !matches!(self.reserved_bits, Treatment::Allow)
    }
}

/// The checks that a map must ask for.
fn strict(
    map: &TcpMap,
    flow: &Flow,
    direction: Direction,
    headers: &Headers,
    own: &TcpFields,
    frame: &mut PacketBuf,
) -> Result<(), DropReason> {
    let transport = usize::from(headers.transport);
    if map.verify_checksum && !is_sum_right(frame, headers) {
        return Err(DropReason::BadTransportChecksum);
    }
    // The four bits behind the header length: RFC 9293 §3.1.
    let offset_byte = frame.bytes().get(transport + 12).copied().unwrap_or(0);
    if offset_byte & 0x0f != 0 {
        match map.reserved_bits {
            Treatment::Allow => {}
            Treatment::Clear => {
                let mut patch = Patch::new(frame, headers);
                patch.put_byte(transport + 12, offset_byte & 0xf0);
                patch.finish();
            }
            Treatment::Drop => return Err(DropReason::TcpReservedSet),
        }
    }
    let most = flow.tcp[direction.other().index()].segment_size;
    // Data in units of segmentation offload is as large as its segments.
    let segment_len = match frame.offload().segment_size {
        0 => headers.payload_len(),
        size => u32::from(size).min(headers.payload_len()),
    };
    if map.drop_exceeding_mss && most != 0 && segment_len > u32::from(most) {
        return Err(DropReason::TcpMssExceeded);
    }
    if map.drop_shrunk_window && flow.state == State::Established && !own.has(SYN | RST) {
        // RFC 9293 §3.8.6.2.1 discourages what this forbids. An old acknowledgment takes nothing
        // back.
        let is_newest = own.acknowledgment == flow.tcp[direction.index()].acknowledged;
        let edge = own
            .acknowledgment
            .wrapping_add(flow.offered(direction, own));
        let given = flow.tcp[direction.other().index()].max_end;
        if is_newest && (edge.wrapping_sub(given) as i32) < 0 {
            return Err(DropReason::TcpWindowVariation);
        }
    }
    Ok(())
}

/// Whether the TCP checksum of a packet is right. What the device has verified, or is still to
/// fill in, is.
fn is_sum_right(frame: &PacketBuf, headers: &Headers) -> bool {
    let offload = frame.offload();
    if offload.checksum_verified || offload.checksum_partial {
        return true;
    }
    let start = usize::from(headers.transport);
    let len = usize::from(headers.total_len - (headers.transport - headers.ip));
    let tuple = headers.tuple;
    let mut sum = checksum::pseudo_sum(
        tuple.source,
        tuple.destination,
        PROTOCOL_TCP,
        // Shorter than the packet.
        len as u16,
    );
    let (mut skip, mut left, mut is_odd) = (start, len, false);
    for segment in frame.segments() {
        let part = segment.get(skip.min(segment.len())..).unwrap_or_default();
        skip -= skip.min(segment.len());
        let part = part.get(..left.min(part.len())).unwrap_or_default();
        left -= part.len();
        let plain = checksum::sum(part);
        // A buffer that begins at an odd offset counts with its bytes swapped: RFC 1071 §2.
        sum = checksum::add(sum, if is_odd { plain.swap_bytes() } else { plain });
        is_odd ^= part.len() % 2 == 1;
    }
    sum == 0xffff
}

fn clear_urgent(frame: &mut PacketBuf, headers: &Headers, fields: &TcpFields) {
    let transport = usize::from(headers.transport);
    let mut patch = Patch::new(frame, headers);
    patch.put_byte(transport + 13, fields.flags & !URG);
    patch.put_byte(transport + 18, 0);
    patch.put_byte(transport + 19, 0);
    patch.finish();
}

/// Reads the options, clearing those that are to be cleared.
///
/// # Errors
/// [`DropReason::TcpBadOptionList`] for a list that does not parse, has an option twice that may be
/// there once, or has one that is not wanted.
#[inline]
fn read_options(
    map: &TcpMap,
    frame: &mut PacketBuf,
    headers: &Headers,
    fields: &TcpFields,
) -> Result<Options, DropReason> {
    let start = usize::from(headers.transport) + 20;
    if fields.header_len == 32
        && !map.cleared_options.has(OPTION_TIMESTAMPS)
        && !map.dropped_options.has(OPTION_TIMESTAMPS)
        && let Some([a, b, c, d, value @ .., _, _, _, _]) = array::<12>(frame.bytes(), start)
        && [a, b, c, d] == USUAL_OPTIONS
    {
        return Ok(Options {
            timestamp: Some(u32::from_be_bytes(value)),
            ..Options::default()
        });
    }
    read_any_options(map, frame, headers, fields)
}

fn read_any_options(
    map: &TcpMap,
    frame: &mut PacketBuf,
    headers: &Headers,
    fields: &TcpFields,
) -> Result<Options, DropReason> {
    let mut at = usize::from(headers.transport) + 20;
    let end = usize::from(headers.transport) + usize::from(fields.header_len);
    let mut options = Options::default();
    let mut once = OptionSet::default();
    let mut patch = Patch::new(frame, headers);
    while at < end {
        let kind = match patch.bytes().get(at) {
            Some(0) | None => break,
            Some(1) => {
                at += 1;
                continue;
            }
            Some(&kind) => kind,
        };
        let len = usize::from(patch.bytes().get(at + 1).copied().unwrap_or(0));
        let value_len = len.wrapping_sub(2);
        if len < 2 || at + len > end || map.dropped_options.has(kind) {
            return Err(DropReason::TcpBadOptionList);
        }
        if map.cleared_options.has(kind) {
            for place in at..at + len {
                patch.put_byte(place, NO_OPERATION);
            }
            at += len;
            continue;
        }
        let expected = match kind {
            OPTION_MSS => Some(2),
            OPTION_WINDOW_SCALE => Some(1),
            OPTION_SACK_PERMITTED => Some(0),
            OPTION_TIMESTAMPS => Some(8),
            _ => None,
        };
        if let Some(expected) = expected {
            if value_len != expected || once.has(kind) {
                return Err(DropReason::TcpBadOptionList);
            }
            once.add(kind, kind);
        }
        let bytes = patch.bytes();
        match kind {
            OPTION_MSS if fields.has(SYN) => {
                options.mss = be16(bytes, at + 2).map(|size| (at + 2, size));
            }
            OPTION_WINDOW_SCALE if fields.has(SYN) => options.scale = bytes.get(at + 2).copied(),
            OPTION_TIMESTAMPS => {
                options.timestamp = array(bytes, at + 2).map(u32::from_be_bytes);
            }
            _ => {}
        }
        at += len;
    }
    patch.finish();
    Ok(options)
}

/// Holds the TTL of a side down: it may fall, never rise, so that no segment dies behind the box
/// that another, with the same numbers, outlives. Returns what it becomes if it changes.
#[inline]
pub(crate) fn held_ttl(map: &TcpMap, flow: &mut Flow, direction: Direction, ttl: u8) -> Option<u8> {
    let lowest = &mut flow.ttls[direction.index()];
    if ttl <= *lowest {
        *lowest = ttl;
        return None;
    }
    map.hold_ttl.then_some(*lowest)
}
