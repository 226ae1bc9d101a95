//! All captures, and where frames come to them.

use alloc::string::String;
use alloc::vec::Vec;

use hal::packet::{Batch, PacketBuf};
use hal::time::Instant;

use super::ring::Ring;
use super::sight::{self, Sight};
use super::{
    CAPTURE_MATCHES_MAX, CAPTURES_MAX, Capture, CaptureError, CaptureKind, CapturePoint,
    CaptureSettings, CapturedFrame,
};
use crate::access::Index;
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::policy::{AclId, Policy, PortId};
use crate::vlan::{self, ADDRESSES_LEN, TAG_LEN, Tag};
use crate::wire::ETHERNET_LEN;

/// Stands for the Ethernet header of a packet that was dropped before it had one.
const fn blank_header(ethertype: u16) -> [u8; ETHERNET_LEN] {
    let mut header = [0; ETHERNET_LEN];
    [header[12], header[13]] = ethertype.to_be_bytes();
    header
}

/// The access lists, compiled, and the policy that they are of.
type Rules<'a> = (&'a Index, &'a Policy);

/// The captures.
pub(crate) struct CaptureSet {
    captures: Vec<Capture>,
    /// Bytes that all buffers together may take.
    limit: usize,
    next_id: u32,
    /// Whether any capture wants frames of interfaces, and dropped ones.
    sees_frames: bool,
    sees_drops: bool,
    /// The time of this turn.
    now: Instant,
    /// The port whose frames are being handled.
    ingress: Option<PortId>,
}

impl CaptureSet {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            captures: Vec::new(),
            limit,
            next_id: 0,
            sees_frames: false,
            sees_drops: false,
            now: Instant::ZERO,
            ingress: None,
        }
    }

    /// Whether a batch has to come by [`begin_batch`](Self::begin_batch).
    #[inline]
    pub(crate) const fn is_active(&self) -> bool {
        self.sees_frames | self.sees_drops
    }

    /// Whether sent frames have to come by [`sent`](Self::sent).
    #[inline]
    pub(crate) const fn sees_frames(&self) -> bool {
        self.sees_frames
    }

    /// Whether dropped frames have to come by [`dropped`](Self::dropped).
    #[inline]
    pub(crate) const fn sees_drops(&self) -> bool {
        self.sees_drops
    }

    /// Looks at the frames that the physical port `port` has received, and remembers the port until
    /// [`end_batch`](Self::end_batch) or [`resume_batch`](Self::resume_batch).
    #[cold]
    pub(crate) fn begin_batch(
        &mut self,
        port: PortId,
        frames: &Batch,
        rules: Rules<'_>,
        now: Instant,
    ) {
        self.now = now;
        self.ingress = Some(port);
        if self.sees_frames {
            for frame in frames {
                let port = vlan::port_of(rules.1, port, frame.bytes());
                self.see(CapturePoint::Received, Some(port), frame, None, rules);
            }
        }
    }

    /// The batch is done, or set aside: returns what [`resume_batch`](Self::resume_batch) wants.
    #[inline]
    pub(crate) const fn end_batch(&mut self) -> Option<PortId> {
        self.ingress.take()
    }

    /// Goes on with a batch: with frames of that port, or of none.
    #[inline]
    pub(crate) const fn resume_batch(&mut self, ingress: Option<PortId>) {
        self.ingress = ingress;
    }

    /// Looks at the frames that are about to leave by the physical port `port`.
    #[cold]
    pub(crate) fn sent<'a>(
        &mut self,
        port: PortId,
        frames: impl Iterator<Item = &'a PacketBuf>,
        rules: Rules<'_>,
    ) {
        for frame in frames {
            let port = vlan::port_of(rules.1, port, frame.bytes());
            self.see(CapturePoint::Sent, Some(port), frame, None, rules);
        }
    }

    /// Looks at a frame that is about to be freed. Frames of the batch being handled are whole; others
    /// may not be addressed yet.
    #[cold]
    pub(crate) fn dropped(&mut self, reason: DropReason, frame: &PacketBuf, rules: Rules<'_>) {
        // Frames of a VLAN have lost their tag by now.
        let tag = self.ingress.and_then(|port| vlan::tag_of(rules.1, port));
        self.see(
            CapturePoint::Dropped(reason),
            self.ingress,
            frame,
            tag.map(Tag::bytes),
            rules,
        );
    }

    fn see(
        &mut self,
        point: CapturePoint,
        port: Option<PortId>,
        frame: &PacketBuf,
        tag: Option<[u8; TAG_LEN]>,
        (lists, policy): Rules<'_>,
    ) {
        if !self
            .captures
            .iter()
            .any(|capture| capture.takes(point, port))
        {
            return;
        }
        let mut frame_len = frame.frame_len();
        let start = match port {
            Some(_) => None,
            None => sight::packet_start(frame.bytes(), frame_len),
        };
        let blank = blank_header(start.map_or(0, |(_, ethertype)| ethertype));
        let (head, first, sight) = match start {
            Some((start, ethertype)) => {
                let packet = frame.bytes().get(start..).unwrap_or_default();
                frame_len = frame_len - start + blank.len();
                (&blank[..], packet, Sight::of_packet(ethertype, packet))
            }
            None => {
                let sight = Sight::new(frame.bytes());
                match (&tag, frame.bytes().split_at_checked(ADDRESSES_LEN)) {
                    (Some(_), Some((addresses, rest))) => {
                        frame_len += TAG_LEN;
                        (addresses, rest, sight.with_tag())
                    }
                    _ => (&[][..], frame.bytes(), sight),
                }
            }
        };
        let tag = match &tag {
            Some(tag) if !head.is_empty() && start.is_none() => &tag[..],
            _ => &[],
        };
        for capture in &mut self.captures {
            if !capture.takes(point, port) || !capture.fits(&sight, lists, policy) {
                continue;
            }
            let noted = CapturedFrame {
                // The ring counts.
                number: 0,
                at: self.now,
                port,
                point,
                frame_len: u32::try_from(frame_len).unwrap_or(u32::MAX),
            };
            let parts = [head, tag, first]
                .into_iter()
                .chain(frame.segments().skip(1));
            capture.keep(&noted, &sight, parts);
        }
    }

    fn refresh(&mut self) {
        let mut running = (false, false);
        for capture in self.captures.iter().filter(|capture| capture.is_running()) {
            match capture.settings.kind {
                CaptureKind::RawData => running.0 |= !capture.settings.ports.is_empty(),
                CaptureKind::AspDrop(_) => running.1 = true,
            }
        }
        (self.sees_frames, self.sees_drops) = running;
    }

    /// Finds the access lists of captures in a new policy.
    pub(crate) fn resolve(&mut self, policy: &Policy) {
        for capture in &mut self.captures {
            capture.resolve(policy);
        }
    }

    fn used(&self) -> usize {
        self.captures.iter().map(Capture::buffer_len).sum()
    }

    fn add(
        &mut self,
        name: &str,
        buffer_len: usize,
        settings: CaptureSettings,
    ) -> Result<&mut Capture, CaptureError> {
        if self.captures.len() >= CAPTURES_MAX {
            return Err(CaptureError::TooMany);
        }
        check(&settings)?;
        let free = self.limit.saturating_sub(self.used());
        if buffer_len > free {
            return Err(CaptureError::NoRoom { free });
        }
        let id = self.next_id;
        let ring = Ring::new(buffer_len)?;
        self.next_id = id.wrapping_add(1);
        self.captures.push(Capture {
            name: String::from(name),
            id,
            settings,
            acl: None,
            ring,
            is_stopped: false,
            is_full: false,
            overwritten: 0,
            missed: 0,
        });
        self.captures.last_mut().ok_or(CaptureError::Unknown)
    }

    fn named(&mut self, name: &str) -> Result<&mut Capture, CaptureError> {
        self.captures
            .iter_mut()
            .find(|capture| capture.name == name)
            .ok_or(CaptureError::Unknown)
    }
}

fn check(settings: &CaptureSettings) -> Result<(), CaptureError> {
    if settings.matches.len() > CAPTURE_MATCHES_MAX {
        return Err(CaptureError::TooManyMatches);
    }
    Ok(())
}

impl DataPlane {
    /// Tells captures the time. Called once a turn; a batch that is received tells it too.
    #[inline]
    pub const fn note_time(&mut self, now: Instant) {
        self.captures.now = now;
    }

    /// The captures, in the order they were made.
    pub fn captures(&self) -> impl Iterator<Item = &Capture> {
        self.captures.captures.iter()
    }

    /// A capture by its name.
    #[must_use]
    pub fn capture(&self, name: &str) -> Option<&Capture> {
        self.captures().find(|capture| capture.name == name)
    }

    /// Whether the access list of that name permits a frame with these bytes, as a capture by that list
    /// would have it.
    #[must_use]
    pub fn permits(&self, list: &str, frame: &[u8]) -> bool {
        let mut lists = self.policy.access_lists.iter();
        let place = lists.position(|known| known.name == list);
        place
            .and_then(|place| u16::try_from(place).ok())
            .is_some_and(|place| {
                let acl = AclId(place);
                Sight::new(frame).is_permitted(&self.access, &self.policy, acl)
            })
    }

    /// Makes a capture with a buffer of `buffer_len` bytes. It captures from now on.
    ///
    /// # Errors
    /// [`CaptureError`]; there is then none.
    pub fn add_capture(
        &mut self,
        name: &str,
        buffer_len: usize,
        settings: CaptureSettings,
    ) -> Result<(), CaptureError> {
        let capture = self.captures.add(name, buffer_len, settings)?;
        capture.resolve(&self.policy);
        self.captures.refresh();
        Ok(())
    }

    /// Gives a capture other settings, for frames from now on.
    ///
    /// # Errors
    /// [`CaptureError`]; it goes on as before.
    pub fn change_capture(
        &mut self,
        name: &str,
        settings: CaptureSettings,
    ) -> Result<(), CaptureError> {
        check(&settings)?;
        let capture = self.captures.named(name)?;
        capture.settings = settings;
        // Room can be made from now on.
        capture.is_full &= !capture.settings.is_circular;
        capture.resolve(&self.policy);
        self.captures.refresh();
        Ok(())
    }

    /// Stops a capture, or lets it go on.
    ///
    /// # Errors
    /// [`CaptureError::Unknown`].
    pub fn stop_capture(&mut self, name: &str, is_stopped: bool) -> Result<(), CaptureError> {
        self.captures.named(name)?.is_stopped = is_stopped;
        self.captures.refresh();
        Ok(())
    }

    /// Forgets what a capture holds. If its buffer was full it captures again.
    ///
    /// # Errors
    /// [`CaptureError::Unknown`].
    pub fn clear_capture(&mut self, name: &str) -> Result<(), CaptureError> {
        self.captures.named(name)?.clear();
        Ok(())
    }

    /// Forgets what every capture holds.
    pub fn clear_captures(&mut self) {
        for capture in &mut self.captures.captures {
            capture.clear();
        }
    }

    /// Removes a capture and gives its memory back.
    ///
    /// # Errors
    /// [`CaptureError::Unknown`].
    pub fn remove_capture(&mut self, name: &str) -> Result<(), CaptureError> {
        self.captures.named(name)?;
        self.captures
            .captures
            .retain(|capture| capture.name != name);
        self.captures.refresh();
        Ok(())
    }
}
