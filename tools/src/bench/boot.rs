//! Power-on to first forwarded packet, and the least memory a federation takes.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::{sleep, timeout};

use super::frames::{is_probe, probe};
use super::{Figure, shape};
use crate::demo;
use crate::demo::lab::Lab;
use crate::progress::Steps;

/// How often the box is started; the middle result counts.
const STARTS: usize = 5;

/// Memory sizes tried, in MiB.
const MEMORY_STEP: u32 = 4;
const MEMORY_LEAST: u32 = 16;
const MEMORY_MOST: u32 = 128;

/// Seconds from starting QEMU to the first probe seen on the other side of the box.
pub(super) async fn first_packet(disk: &Path) -> Figure {
    let name = format!("QEMU start to first packet forwarded, middle of {STARTS}");
    let work = async {
        let mut times = Vec::new();
        for _ in 0..STARTS {
            times.push(start_once(disk).await?);
        }
        times.sort();
        let middle = times
            .get(STARTS / 2)
            .copied()
            .context("no start was measured")?;
        Ok(format!("{:.3} s", middle.as_secs_f64()))
    };
    Figure::new(name, work.await, "under 0.3 s")
}

async fn start_once(disk: &Path) -> Result<Duration> {
    let started = Instant::now();
    let lab = Lab::boot(&shape(256, Some(disk))).await?;
    let sender = lab.cast.inside.attach();
    let mut outside = lab.cast.outside.mirror();
    let probes = async {
        loop {
            sender.send(probe(5000));
            sleep(Duration::from_millis(1)).await;
        }
    };
    let arrival = async {
        while let Some(frame) = outside.receive().await {
            if is_probe(&frame) {
                break;
            }
        }
    };
    let wait = async {
        tokio::select! {
            () = probes => {}
            () = arrival => {}
        }
    };
    let outcome = timeout(Duration::from_secs(20), wait).await;
    let elapsed = started.elapsed();
    let tail = lab.console.tail(5);
    lab.qemu.kill().await?;
    outcome.with_context(|| format!("no packet in 20 s; console: {tail}"))?;
    Ok(elapsed)
}

/// The least memory with which the demonstration passes, found by halving.
pub(super) async fn least_memory() -> Figure {
    let work = async {
        let (mut low, mut high) = (MEMORY_LEAST / MEMORY_STEP, MEMORY_MOST / MEMORY_STEP);
        passes(high * MEMORY_STEP)
            .await
            .with_context(|| format!("the demonstration fails with {MEMORY_MOST} MiB"))?;
        while low < high {
            let middle = (low + high) / 2;
            if passes(middle * MEMORY_STEP).await.is_ok() {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(format!("{} MiB", high * MEMORY_STEP))
    };
    Figure::new(
        "Least guest memory at which the demonstration passes",
        work.await,
        "64 MiB",
    )
}

async fn passes(memory_mib: u32) -> Result<()> {
    eprintln!("      with {memory_mib} MiB");
    let lab = demo::perform(&shape(memory_mib, None), &mut Steps::new(9)).await?;
    lab.qemu.kill().await
}
