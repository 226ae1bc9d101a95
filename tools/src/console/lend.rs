//! The console lent to another program, which talks to the box as if it held the serial cable.
//!
//! The reader task goes on collecting what the box prints, so that a failed test can still show all
//! of it; a copy goes to the borrower.

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::sync::mpsc;

use super::{Console, Stream};

/// Chunks of output on their way to the borrower. Behind them the line itself holds the box back, as
/// a serial line with flow control does.
const CHUNKS: usize = 64;

impl Console {
    /// Joins `client` to the console until it closes: the box gets what it sends, it gets what the
    /// box prints from now on. Dropping the future takes the console back as well.
    ///
    /// # Errors
    /// When the console closes meanwhile.
    pub async fn lend(&mut self, client: impl Stream) -> Result<()> {
        let (sender, mut printed) = mpsc::channel::<Vec<u8>>(CHUNKS);
        self.record.lock().borrower = Some(sender);
        let (mut reader, mut writer) = split(client);
        let line = &mut self.writer;
        // Each direction waits for nobody but its own two ends: a client may write much before it
        // reads anything.
        let printing = async {
            while let Some(bytes) = printed.recv().await {
                let written = writer.write_all(&bytes).await;
                if written.is_err() || writer.flush().await.is_err() {
                    return Ok(());
                }
            }
            anyhow::bail!("the console closed while a client had it")
        };
        let typing = async {
            let mut chunk = [0_u8; 4096];
            loop {
                // A client that is gone has nothing more to type, however it went.
                let length = reader.read(&mut chunk).await.unwrap_or(0);
                let bytes = chunk.get(..length).unwrap_or_default();
                if bytes.is_empty() {
                    return Ok(());
                }
                line.write_all(bytes)
                    .await
                    .context("the console is closed")?;
                line.flush().await.context("the console is closed")?;
            }
        };
        tokio::select! {
            result = printing => result,
            result = typing => result,
        }
    }
}
