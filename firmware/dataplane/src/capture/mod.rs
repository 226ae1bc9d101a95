//! Captures: copies of frames for an operator to look at.
//!
//! A [`Capture`] owns a ring of bytes that is claimed when it is made, out of
//! [`Limits::capture_bytes`](crate::Limits::capture_bytes), and copies the frames that fit its
//! [`CaptureSettings`] into it. Frames of an interface are seen as on the wire: before anything is
//! done to them, and after everything was. Dropped frames are seen as they were when they were
//! dropped, with the reason.
//!
//! While nothing is captured, a batch costs one test, in either direction; so does a dropped frame.
//!
//! | Module | Holds |
//! | --- | --- |
//! | `ring` | the bytes |
//! | `sight` | what can be read of any frame |
//! | `set` | all captures, and where frames come to them |

mod ring;
mod set;
mod sight;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

pub use ring::{CaptureCursor, CapturedFrame};
pub(crate) use set::CaptureSet;

use crate::access::Index;
use crate::drop_reason::DropReason;
use crate::policy::{AclId, AddressRange, Policy, PortId, PortMatch};
use crate::v6::AddressRange6;
use crate::vlan;
use crate::wire::{ETHERTYPE_IPV4, ETHERTYPE_IPV6};
use ring::{HEADER_LEN, Ring};
use sight::Sight;

/// Most captures there are at a time.
pub const CAPTURES_MAX: usize = 16;

/// Most matches of one capture.
pub const CAPTURE_MATCHES_MAX: usize = 8;

/// What a capture copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaptureKind {
    /// Frames that interfaces receive and send.
    #[default]
    RawData,
    /// Dropped frames: of one reason, or of all.
    AspDrop(Option<DropReason>),
}

/// Addresses of one side of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureAddresses {
    /// Every address.
    Any,
    /// IPv4 addresses.
    V4(AddressRange),
    /// IPv6 addresses.
    V6(AddressRange6),
}

impl CaptureAddresses {
    fn contains(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Any, _) => true,
            (Self::V4(range), IpAddr::V4(address)) => range.contains(address),
            (Self::V6(range), IpAddr::V6(address)) => range.contains(address),
            _ => false,
        }
    }
}

/// A description of packets, which holds in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureMatch {
    /// The IP protocol; `None` is every one.
    pub protocol: Option<u8>,
    /// Addresses of one side, as on the wire.
    pub source: CaptureAddresses,
    /// Ports of that side.
    pub source_ports: PortMatch,
    /// Addresses of the other side.
    pub destination: CaptureAddresses,
    /// Ports of the other side.
    pub destination_ports: PortMatch,
}

/// Which frames a capture copies, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureSettings {
    /// What it copies.
    pub kind: CaptureKind,
    /// The ports it listens at. A capture of dropped frames with none of them takes all.
    pub ports: Vec<PortId>,
    /// Only packets that one of these describes; every frame if there is none.
    pub matches: Vec<CaptureMatch>,
    /// Only IPv4 packets that this access list permits, looked at as on the wire and in this direction.
    pub access_list: Option<String>,
    /// Only frames of this EtherType. Without one, `RawData` takes IPv4 and IPv6.
    pub ethertype: Option<u16>,
    /// Most bytes kept of a frame, from its Ethernet header on.
    pub packet_len: u16,
    /// Keep nothing behind the headers.
    pub headers_only: bool,
    /// Overwrite the oldest frames when the buffer is full, instead of stopping.
    pub is_circular: bool,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            kind: CaptureKind::default(),
            ports: Vec::new(),
            matches: Vec::new(),
            access_list: None,
            ethertype: None,
            packet_len: 1518,
            headers_only: false,
            is_circular: false,
        }
    }
}

/// Where on its way a frame was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapturePoint {
    /// As it came in.
    Received,
    /// As it goes out.
    Sent,
    /// As it was when it was dropped.
    Dropped(DropReason),
}

/// What a capture is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureState {
    /// Frames that fit are kept.
    Capturing,
    /// The operator has stopped it.
    Stopped,
    /// A frame did not fit any more; it and all later ones are not kept.
    Full,
}

/// Why a capture is not made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureError {
    /// There are [`CAPTURES_MAX`].
    TooMany,
    /// It would have more than [`CAPTURE_MATCHES_MAX`].
    TooManyMatches,
    /// The buffer is longer than what is left of the memory set aside.
    NoRoom {
        /// Bytes left.
        free: usize,
    },
    /// The heap has no such piece.
    NoMemory,
    /// There is none of that name.
    Unknown,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "there are {CAPTURES_MAX} captures already"),
            Self::TooManyMatches => {
                write!(f, "a capture has {CAPTURE_MATCHES_MAX} matches at most")
            }
            Self::NoRoom { free } => write!(
                f,
                "captures may take {free} more bytes of memory; remove one or choose a smaller buffer"
            ),
            Self::NoMemory => f.write_str("the memory for the buffer is not free"),
            Self::Unknown => f.write_str("there is no such capture"),
        }
    }
}

/// A capture.
pub struct Capture {
    name: String,
    /// Tells captures of one name apart.
    id: u32,
    settings: CaptureSettings,
    /// The access list in the policy in force.
    acl: Option<AclId>,
    ring: Ring,
    is_stopped: bool,
    is_full: bool,
    overwritten: u64,
    missed: u64,
}

impl Capture {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it copies.
    #[must_use]
    pub fn settings(&self) -> &CaptureSettings {
        &self.settings
    }

    /// What it is doing.
    #[must_use]
    pub const fn state(&self) -> CaptureState {
        if self.is_stopped {
            CaptureState::Stopped
        } else if self.is_full {
            CaptureState::Full
        } else {
            CaptureState::Capturing
        }
    }

    /// Bytes of its buffer.
    #[must_use]
    pub fn buffer_len(&self) -> usize {
        self.ring.capacity()
    }

    /// Bytes of the buffer in use: frames, and 17 bytes of notes for each.
    #[must_use]
    pub const fn used(&self) -> usize {
        self.ring.used()
    }

    /// Frames held.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.ring.count()
    }

    /// The number of the oldest frame held, and the one that the next will have.
    #[must_use]
    pub const fn numbers(&self) -> (u64, u64) {
        self.ring.range()
    }

    /// Frames that were overwritten since the capture was made or cleared.
    #[must_use]
    pub const fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// Frames that fitted but were not kept, because the buffer was full.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// A place before the oldest frame.
    #[must_use]
    pub const fn cursor(&self) -> CaptureCursor {
        self.ring.first(self.id)
    }

    /// Copies the frame at `cursor` into `bytes` and moves on. `None` at the end, or if the cursor is
    /// another capture's. Frames that were overwritten meanwhile are left out.
    pub fn read(&self, cursor: &mut CaptureCursor, bytes: &mut Vec<u8>) -> Option<CapturedFrame> {
        if cursor.capture != self.id {
            return None;
        }
        self.ring.read(cursor, bytes)
    }

    /// Whether it counts frames of this kind: kept, or missed because the buffer is full.
    const fn is_running(&self) -> bool {
        !self.is_stopped
    }

    fn takes(&self, point: CapturePoint, port: Option<PortId>) -> bool {
        let takes_point = match (self.settings.kind, point) {
            (CaptureKind::RawData, CapturePoint::Received | CapturePoint::Sent) => true,
            (CaptureKind::AspDrop(wanted), CapturePoint::Dropped(reason)) => {
                wanted.is_none_or(|wanted| wanted == reason)
            }
            _ => false,
        };
        let takes_port = match self.settings.kind {
            CaptureKind::AspDrop(_) if self.settings.ports.is_empty() => true,
            _ => port.is_some_and(|port| self.settings.ports.contains(&port)),
        };
        takes_point && takes_port && self.is_running()
    }

    fn fits(&self, sight: &Sight, lists: &Index, policy: &Policy) -> bool {
        let fits_type = match (self.settings.ethertype, self.settings.kind) {
            (Some(vlan::TPID), _) => sight.is_tagged,
            (Some(wanted), _) => sight.ethertype == wanted,
            (None, CaptureKind::RawData) => {
                matches!(sight.ethertype, ETHERTYPE_IPV4 | ETHERTYPE_IPV6)
            }
            (None, CaptureKind::AspDrop(_)) => true,
        };
        fits_type && self.fits_matches(sight) && self.fits_access_list(sight, lists, policy)
    }

    fn fits_matches(&self, sight: &Sight) -> bool {
        let matches = &self.settings.matches;
        matches.is_empty()
            || sight
                .packet
                .is_some_and(|packet| matches.iter().any(|wanted| packet.fits(wanted)))
    }

    fn fits_access_list(&self, sight: &Sight, lists: &Index, policy: &Policy) -> bool {
        if self.settings.access_list.is_none() {
            return true;
        }
        // A list that is not there permits nothing.
        self.acl
            .is_some_and(|acl| sight.is_permitted(lists, policy, acl))
    }

    /// Keeps a frame, if there is room or can be made.
    fn keep<'a>(
        &mut self,
        frame: &CapturedFrame,
        sight: &Sight,
        parts: impl Iterator<Item = &'a [u8]>,
    ) {
        let mut kept = usize::from(self.settings.packet_len);
        if self.settings.headers_only {
            kept = kept.min(sight.headers_len);
        }
        let kept = kept
            .min(frame.frame_len as usize)
            .min(self.ring.capacity().saturating_sub(HEADER_LEN));
        if self.settings.is_circular {
            self.overwritten += self.ring.make_room(kept);
        }
        if self.is_full || !self.ring.has_room(kept) {
            self.is_full = true;
            self.missed += 1;
            return;
        }
        // At most `packet_len`.
        self.ring.push(frame, kept as u16, parts);
    }

    fn clear(&mut self) {
        self.ring.clear();
        self.is_full = false;
        self.overwritten = 0;
        self.missed = 0;
    }

    /// Finds the access list in a policy.
    fn resolve(&mut self, policy: &Policy) {
        let wanted = self.settings.access_list.as_deref();
        let named = |name: &str| {
            let mut lists = policy.access_lists.iter();
            let index = lists.position(|list| list.name == name)?;
            Some(AclId(u16::try_from(index).ok()?))
        };
        self.acl = wanted.and_then(named);
    }
}
