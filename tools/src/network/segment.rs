//! An Ethernet segment: a learning switch of channels.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

/// An Ethernet frame without check sequence.
pub type Frame = Vec<u8>;

/// Frames a port holds for a reader that is behind; more are lost, as on a real switch.
const QUEUE_FRAMES: usize = 4096;

/// A learning switch. Clones are the same segment.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    ports: Vec<Attached>,
    learned: HashMap<[u8; 6], usize>,
}

/// The segment's end of a port.
#[derive(Debug)]
struct Attached {
    sender: mpsc::Sender<Frame>,
    /// Gets every frame, whomever it is for.
    is_mirror: bool,
}

/// One port of a [`Segment`].
#[derive(Debug)]
pub struct Port {
    sender: PortSender,
    frames: mpsc::Receiver<Frame>,
}

/// The sending half of a port.
#[derive(Clone, Debug)]
pub struct PortSender {
    index: usize,
    segment: Segment,
}

impl Segment {
    /// An empty segment.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a port.
    pub fn attach(&self) -> Port {
        self.add(false)
    }

    /// Adds a port that gets a copy of every frame, whomever it is for.
    pub fn mirror(&self) -> Port {
        self.add(true)
    }

    fn add(&self, is_mirror: bool) -> Port {
        let (sender, frames) = mpsc::channel(QUEUE_FRAMES);
        let mut table = self.lock();
        table.ports.push(Attached { sender, is_mirror });
        let index = table.ports.len() - 1;
        Port {
            sender: PortSender {
                index,
                segment: self.clone(),
            },
            frames,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PortSender {
    /// Puts a frame on the segment. A receiver that is behind loses it; runts are dropped.
    pub fn send(&self, frame: Frame) {
        let (Some(destination), Some(source)) = (address(&frame, 0), address(&frame, 6)) else {
            return;
        };
        let mut table = self.segment.lock();
        table.learned.insert(source, self.index);
        let is_group = destination[0] & 1 != 0;
        let target = table
            .learned
            .get(&destination)
            .copied()
            .filter(|_| !is_group);
        for (index, port) in table.ports.iter().enumerate() {
            let is_for_port = port.is_mirror || target.is_none_or(|target| target == index);
            if is_for_port && index != self.index {
                // A full queue is a lost frame, as on a real switch.
                let _ = port.sender.try_send(frame.clone());
            }
        }
    }
}

impl Port {
    /// Puts a frame on the segment. A receiver that is behind loses it; runts are dropped.
    pub fn send(&self, frame: Frame) {
        self.sender.send(frame);
    }

    /// Waits for the next frame. `None` never comes while the segment lives.
    pub async fn receive(&mut self) -> Option<Frame> {
        self.frames.recv().await
    }

    /// Takes a frame that is already there.
    pub fn try_receive(&mut self) -> Option<Frame> {
        self.frames.try_recv().ok()
    }

    /// A second handle for sending, for a task of its own.
    pub fn sender(&self) -> PortSender {
        self.sender.clone()
    }
}

/// The hardware address at `offset`.
fn address(frame: &[u8], offset: usize) -> Option<[u8; 6]> {
    frame.get(offset..offset + 6)?.try_into().ok()
}
