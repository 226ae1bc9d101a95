//! The console line as the tasks see it: bytes in, text out, neither lost.
//!
//! The event loop moves bytes between the device and two bounded queues once a turn. Input that the
//! queue has no room for stays in the device's own ring (the driver's flow control holds the sender
//! off), and a task that writes faster than the line drains waits.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Poll, Waker};

use hal::serial::Serial;
use hal::time::Instant;

use crate::state::Shared;

/// Bytes held between the device and the session, in each direction.
const QUEUE_LEN: usize = 4096;

/// Both queues, and who waits at them.
#[derive(Default)]
pub(crate) struct ConsoleLine {
    input: VecDeque<u8>,
    output: VecDeque<u8>,
    reader: Option<Waker>,
    writer: Option<Waker>,
    lost_seen: u64,
    /// A break that ends the session, until somebody takes note of it.
    is_broken_off: bool,
}

impl ConsoleLine {
    pub(crate) fn new() -> Self {
        Self {
            input: VecDeque::with_capacity(QUEUE_LEN),
            output: VecDeque::with_capacity(QUEUE_LEN),
            ..Self::default()
        }
    }

    /// Moves what can be moved between the queues and the device. Returns whether anything was.
    pub(crate) fn exchange(&mut self, device: &mut dyn Serial) -> bool {
        let mut moved = false;
        let mut chunk = [0; 256];
        while self.input.len() + chunk.len() <= QUEUE_LEN {
            let count = device.read(&mut chunk);
            self.input.extend(chunk.get(..count).unwrap_or_default());
            moved |= count > 0;
            if count < chunk.len() {
                break;
            }
        }
        while !self.output.is_empty() {
            let count = device.write(self.output.as_slices().0);
            if count == 0 {
                break;
            }
            self.output.drain(..count);
            moved = true;
        }
        if !self.input.is_empty()
            && let Some(waker) = self.reader.take()
        {
            waker.wake();
        }
        if self.output.len() < QUEUE_LEN
            && let Some(waker) = self.writer.take()
        {
            waker.wake();
        }
        moved
    }

    /// Bytes the device has lost since the last call.
    pub(crate) fn newly_lost(&mut self, device: &dyn Serial) -> u64 {
        let lost = device.lost();
        lost - core::mem::replace(&mut self.lost_seen, lost)
    }

    /// Whether nothing waits to be sent, here or in the device.
    pub(crate) fn is_drained(&self, device: &dyn Serial) -> bool {
        self.output.is_empty() && device.is_drained()
    }

    /// Whether typed-ahead bytes wait.
    pub(crate) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Ends the session that reads from the line: it is told that its time is over.
    pub(crate) fn break_off(&mut self) {
        self.is_broken_off = true;
        self.input.clear();
        self.nudge();
    }

    /// Whether [`break_off`](Self::break_off) ended the session.
    pub(crate) fn take_break_off(&mut self) -> bool {
        core::mem::take(&mut self.is_broken_off)
    }

    /// Wakes whoever waits for a byte: there is something else to look at.
    pub(crate) fn nudge(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    /// Wakes `waker` when a byte arrives.
    pub(crate) fn watch(&mut self, waker: &Waker) {
        self.reader = Some(waker.clone());
    }

    /// Takes an escape character (Ctrl-C, Ctrl-^) if one is the next byte typed; other bytes stay
    /// typed ahead.
    pub(crate) fn take_abort(&mut self) -> bool {
        let is_abort = matches!(self.input.front(), Some(0x03 | 0x1e));
        if is_abort {
            self.input.pop_front();
        }
        is_abort
    }
}

/// What ended a wait at the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// A byte.
    Byte(u8),
    /// Log lines for the console.
    Log,
    /// The deadline, or a break that ends the session.
    Timeout,
}

/// Waits for the next byte, for log lines, or until `deadline`. Bytes go first.
pub(crate) async fn read_at_prompt(shared: &Shared, deadline: Option<Instant>) -> Arrival {
    poll_fn(|context| {
        let mut core = shared.borrow_mut();
        if core.line.is_broken_off {
            return Poll::Ready(Arrival::Timeout);
        }
        if let Some(byte) = core.line.input.pop_front() {
            return Poll::Ready(Arrival::Byte(byte));
        }
        if core.logger.has_console_lines() {
            return Poll::Ready(Arrival::Log);
        }
        if let Some(deadline) = deadline {
            if core.now() >= deadline {
                return Poll::Ready(Arrival::Timeout);
            }
            core.timers.wake_at(deadline, context.waker());
        }
        core.line.reader = Some(context.waker().clone());
        Poll::Pending
    })
    .await
}

/// Waits for the next byte; none at `deadline`, or after a break that ends the session.
pub(crate) async fn read_byte(shared: &Shared, deadline: Option<Instant>) -> Option<u8> {
    poll_fn(|context| {
        let mut core = shared.borrow_mut();
        if core.line.is_broken_off {
            return Poll::Ready(None);
        }
        if let Some(byte) = core.line.input.pop_front() {
            return Poll::Ready(Some(byte));
        }
        if let Some(deadline) = deadline {
            if core.now() >= deadline {
                return Poll::Ready(None);
            }
            core.timers.wake_at(deadline, context.waker());
        }
        core.line.reader = Some(context.waker().clone());
        Poll::Pending
    })
    .await
}

/// Waits for bytes and takes all that are there, `most` at most; none at `deadline`.
pub(crate) async fn read_bytes(shared: &Shared, most: usize, deadline: Option<Instant>) -> Vec<u8> {
    let Some(first) = read_byte(shared, deadline).await else {
        return Vec::new();
    };
    let mut core = shared.borrow_mut();
    let count = core.line.input.len().min(most.saturating_sub(1));
    core::iter::once(first)
        .chain(core.line.input.drain(..count))
        .collect()
}

/// Waits for a byte to be there, or until `until`. Returns whether one is.
pub(crate) async fn wait_for_input(shared: &Shared, until: Instant) -> bool {
    poll_fn(|context| {
        let mut core = shared.borrow_mut();
        if core.line.has_input() {
            return Poll::Ready(true);
        }
        if core.now() >= until {
            return Poll::Ready(false);
        }
        core.timers.wake_at(until, context.waker());
        core.line.watch(context.waker());
        Poll::Pending
    })
    .await
}

/// Sends bytes as they are.
pub(crate) async fn write_bytes(shared: &Shared, bytes: &[u8]) {
    let mut rest = bytes;
    poll_fn(|context| {
        let mut core = shared.borrow_mut();
        let room = QUEUE_LEN - core.line.output.len();
        let (now, later) = rest.split_at(room.min(rest.len()));
        core.line.output.extend(now);
        rest = later;
        if rest.is_empty() {
            return Poll::Ready(());
        }
        core.line.writer = Some(context.waker().clone());
        Poll::Pending
    })
    .await;
}

/// Sends text, a line feed as carriage return and line feed.
pub(crate) async fn write_text(shared: &Shared, text: &str) {
    for part in text.split_inclusive('\n') {
        match part.strip_suffix('\n') {
            Some(line) => {
                write_bytes(shared, line.as_bytes()).await;
                write_bytes(shared, b"\r\n").await;
            }
            None => write_bytes(shared, part.as_bytes()).await,
        }
    }
}

/// Waits until everything written has left the device.
pub(crate) async fn drain(shared: &Shared) {
    poll_fn(|context| {
        let core = shared.borrow();
        if core.line.is_drained(&*core.console) {
            return Poll::Ready(());
        }
        let soon = core.now() + core::time::Duration::from_millis(1);
        core.timers.wake_at(soon, context.waker());
        Poll::Pending
    })
    .await;
}
