//! The console line.

/// A byte line with buffers on both sides; neither call waits.
pub trait Serial {
    /// Moves received bytes into `bytes` and returns how many.
    fn read(&mut self, bytes: &mut [u8]) -> usize;

    /// Queues bytes for sending and returns how many fitted.
    fn write(&mut self, bytes: &[u8]) -> usize;

    /// Bytes that [`write`](Self::write) would take now.
    fn write_room(&self) -> usize;

    /// Whether everything queued has left.
    fn is_drained(&self) -> bool;

    /// Received bytes that were lost since power-on (overruns, framing errors).
    fn lost(&self) -> u64;

    /// Whether the line saw a break condition since the last call.
    fn take_break(&mut self) -> bool;
}
