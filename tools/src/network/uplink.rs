//! Joins a segment to a QEMU port over `-netdev stream`.
//!
//! The stream carries each frame behind its length, 32 bits big-endian (QEMU `net/stream.c`).

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use super::Segment;

/// Largest frame taken from QEMU: a segmentation-offload frame and its header.
const MAX_FRAME: u32 = 65_600;

/// A running uplink. Dropping it cuts the cable.
#[derive(Debug)]
pub struct Uplink {
    tasks: [JoinHandle<()>; 2],
}

impl Uplink {
    /// Joins `stream`, QEMU's end of a port, to `segment`.
    pub fn new(stream: UnixStream, segment: &Segment) -> Self {
        let (reader, writer) = stream.into_split();
        let mut port = segment.attach();
        let sender = port.sender();
        let from_box = tokio::spawn(async move {
            let mut reader = BufReader::with_capacity(256 << 10, reader);
            while let Ok(length) = reader.read_u32().await {
                if length > MAX_FRAME {
                    break;
                }
                let mut frame = vec![0; length as usize];
                if reader.read_exact(&mut frame).await.is_err() {
                    break;
                }
                sender.send(frame);
            }
        });
        let to_box = tokio::spawn(async move {
            let mut writer = BufWriter::with_capacity(256 << 10, writer);
            while let Some(frame) = port.receive().await {
                let mut next = Some(frame);
                // What has gathered meanwhile goes out in one write.
                while let Some(frame) = next {
                    let length = u32::try_from(frame.len()).unwrap_or(MAX_FRAME);
                    if writer.write_u32(length).await.is_err()
                        || writer.write_all(&frame).await.is_err()
                    {
                        return;
                    }
                    next = port.try_receive();
                }
                if writer.flush().await.is_err() {
                    return;
                }
            }
        });
        Self {
            tasks: [from_box, to_box],
        }
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
