//! `cargo xtask logs`: the developer log of the second serial port as text.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use defmt_decoder::{DecodeError, Table};

/// How often a followed file is looked at.
const POLL: Duration = Duration::from_millis(200);

/// Prints the frames in `log`; with `follows`, goes on as the file grows.
///
/// # Errors
/// When a file cannot be read, or `debug_file` has no log tables.
pub fn logs(log: &Path, debug_file: &Path, follows: bool) -> Result<()> {
    let elf = std::fs::read(debug_file)
        .with_context(|| format!("cannot read {}", debug_file.display()))?;
    let table = Table::parse(&elf)?
        .with_context(|| format!("{} has no log tables", debug_file.display()))?;
    let mut file = File::open(log).with_context(|| format!("cannot open {}", log.display()))?;
    let mut decoder = table.new_stream_decoder();
    let mut chunk = vec![0; 64 << 10];
    let mut out = std::io::stdout().lock();
    loop {
        let length = file.read(&mut chunk).context("cannot read the log")?;
        decoder.received(chunk.get(..length).unwrap_or_default());
        loop {
            match decoder.decode() {
                Ok(frame) => writeln!(out, "{}", frame.display(false))?,
                Err(DecodeError::UnexpectedEof) => break,
                // A reset in mid-frame leaves half a frame; the encoding finds the next one.
                Err(DecodeError::Malformed) if table.encoding().can_recover() => {
                    writeln!(out, "(a damaged frame)")?
                }
                Err(DecodeError::Malformed) => break,
            }
        }
        out.flush()?;
        if length == 0 {
            if !follows {
                return Ok(());
            }
            sleep(POLL);
        }
    }
}
