//! XMODEM over the console line: the protocol's state machines joined to the bytes of the line.

use alloc::string::String;
use alloc::vec::Vec;

use cli::xmodem::{Padding, ReceiveEvent, Receiver, SendEvent, Sender};
use hal::serial::FlowControl;
use md5::Digest as _;
use sha2::Sha256;

use super::line;
use super::session::{Gone, Session};
use crate::print::put_line;
use crate::tasks::yield_now;

/// Bytes taken between two turns of the packet path.
const BYTES_PER_TURN: usize = 512;

/// What is known of a file that has crossed the line.
pub(super) struct Received {
    /// Its length, in bytes.
    pub(super) bytes: usize,
    /// Blocks that had to be repeated.
    pub(super) retries: u32,
    sha256: Sha256,
    md5: md5::Md5,
}

impl Received {
    pub(super) fn new() -> Self {
        Self {
            bytes: 0,
            retries: 0,
            sha256: Sha256::new(),
            md5: md5::Md5::new(),
        }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.md5.update(bytes);
    }

    /// Hashes as `sha256sum` and `md5sum` print them, to be compared by eye.
    pub(super) fn hashes(self, out: &mut String) {
        put_line!(out, "SHA-256 {}", hex(&self.sha256.finalize()));
        put_line!(out, "MD5     {}", hex(&self.md5.finalize()));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| alloc::format!("{byte:02x}"))
        .collect()
}

/// Receives a file of at most `limit` bytes and gives it piece by piece to `keep`. Whatever went wrong
/// comes back in words; the pieces kept so far are then the caller's to drop.
pub(super) async fn receive(
    session: &mut Session,
    limit: usize,
    mut keep: impl FnMut(&Session, &[u8]) -> Result<(), String>,
) -> Result<Result<Received, String>, Gone> {
    session
        .say("Send the file by XMODEM now (CRC, 128 or 1K blocks); Ctrl-C gives up.\n")
        .await?;
    begin(session).await;
    let now = session.core().now();
    let mut receiver = Receiver::new(limit, Padding::Strip, now);
    let mut received = Received::new();
    let mut trouble: Option<String> = None;
    let outcome = 'transfer: loop {
        while let Some(bytes) = receiver.poll_transmit() {
            line::write_bytes(session.shared(), bytes).await;
        }
        while let Some(event) = receiver.poll_event() {
            match event {
                ReceiveEvent::Data(bytes) => {
                    if trouble.is_some() {
                        continue;
                    }
                    received.add(&bytes);
                    if let Err(error) = keep(session, &bytes) {
                        trouble = Some(error);
                        let now = session.core().now();
                        receiver.cancel(now);
                    }
                }
                ReceiveEvent::Done { bytes, retries } => {
                    (received.bytes, received.retries) = (bytes, retries);
                    break 'transfer Ok(received);
                }
                ReceiveEvent::Failed(failure) => {
                    break 'transfer Err(alloc::format!("ERROR: {failure}\n"));
                }
            }
        }
        let bytes =
            line::read_bytes(session.shared(), BYTES_PER_TURN, receiver.poll_timeout()).await;
        let now = session.core().now();
        for &byte in &bytes {
            receiver.handle_byte(byte, now);
        }
        if bytes.is_empty() {
            receiver.handle_timeout(now);
        }
        yield_now().await;
    };
    end(session).await;
    Ok(match trouble {
        Some(trouble) => Err(trouble),
        None => outcome,
    })
}

/// Sends a file. Returns its length and the blocks that were repeated, or in words what went wrong.
pub(super) async fn send(
    session: &mut Session,
    bytes: Vec<u8>,
) -> Result<Result<(usize, u32), String>, Gone> {
    session
        .say("Receive the file by XMODEM now (rx, or CRC and 1K blocks: rx -c); Ctrl-C gives up.\n")
        .await?;
    begin(session).await;
    let now = session.core().now();
    let mut sender = Sender::new(bytes, now);
    let outcome = loop {
        loop {
            let now = session.core().now();
            let Some(frame) = sender.poll_transmit(now).map(Vec::from) else {
                break;
            };
            line::write_bytes(session.shared(), &frame).await;
        }
        match sender.poll_event() {
            Some(SendEvent::Done { bytes, retries }) => break Ok((bytes, retries)),
            Some(SendEvent::Failed(failure)) => {
                break Err(alloc::format!("ERROR: {failure}\n"));
            }
            None => {}
        }
        // Whatever came before the next block is handed out is no answer to it.
        let bytes = line::read_bytes(session.shared(), BYTES_PER_TURN, sender.poll_timeout()).await;
        let now = session.core().now();
        for &byte in &bytes {
            sender.handle_byte(byte, now);
        }
        if bytes.is_empty() {
            sender.handle_timeout(now);
        }
        yield_now().await;
    };
    end(session).await;
    Ok(outcome)
}

/// Makes the line binary.
async fn begin(session: &Session) {
    line::drain(session.shared()).await;
    session.core().console.set_flow(FlowControl::None);
}

/// Gives the line back to a person.
async fn end(session: &Session) {
    line::drain(session.shared()).await;
    session.core().console.set_flow(FlowControl::XonXoff);
}
