//! `cargo xtask bench`: the project's figures, measured and written to `docs/performance.md`.
//!
//! Each figure is measured on its own; one that cannot be measured is reported as such, with the
//! reason, and the others go on.

mod boot;
mod console;
mod forwarding;
mod frames;
mod guest;
mod native;
mod proxy;
mod report;

use std::time::Duration;

use anyhow::{Context, Result};

use crate::demo::lab::{Lab, Shape};
use crate::progress::Steps;
use crate::qemu::Machine;
use crate::{build, host, workspace};

pub use report::Figure;

/// How long each rate is measured.
const SPAN: Duration = Duration::from_secs(5);

/// Connections used at once, one column of the report each.
const CONNECTIONS: [usize; 2] = [1, 64];

/// Measures everything and writes the report. Runs in an optimised build of this program, because
/// the peers it measures with are part of it.
///
/// # Errors
/// When nothing can be measured at all: no image, no QEMU, no place for the report.
pub fn bench(only_forwarding: bool) -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--profile",
        "host",
        "--package",
        "tools",
        "--bin",
        "xtask",
        "--",
        "bench",
        "--here",
    ]);
    if only_forwarding {
        cargo.arg("--forwarding");
    }
    workspace::run(&mut cargo)
}

/// Measures everything in this very program.
///
/// # Errors
/// As [`fn@bench`].
pub async fn measure() -> Result<()> {
    let mut steps = Steps::new(13);
    steps.begin("looking for QEMU");
    host::require(host::FOR_QEMU)?;
    let image = build::build(&mut steps)?;
    let mut figures = vec![Figure::new(
        "Image size",
        Ok(format!("{} bytes", image.size_bytes)),
        "under 4,000,000 bytes",
    )];

    steps.begin("a configured box");
    let disk = workspace::run_directory().join("bench.img");
    match configured(&disk).await {
        Ok(mut lab) => {
            steps.begin("answers at the console");
            figures.push(console::help(&mut lab).await);
            steps.begin("forwarding");
            let ours = forwarding::rates(&lab.cast).await;
            steps.begin("TLS proxy");
            proxy::measure(&lab, &mut figures).await;
            lab.qemu.kill().await?;
            steps.begin("a Linux guest in its place");
            forwarding::compare(ours, guest::measure().await, &mut figures);
            steps.begin("power-on to first packet");
            figures.push(boot::first_packet(&disk).await);
        }
        Err(error) => figures.push(Figure::new("Everything through QEMU", Err(error), "")),
    }
    steps.begin("least memory");
    figures.push(boot::least_memory().await);
    steps.begin("without the box, for comparison");
    forwarding::measure_baseline(&mut figures).await;
    steps.begin("native benchmarks");
    let native = native::run()?;
    let path = report::write(&figures, &native)?;
    for figure in &figures {
        println!("{figure}");
    }
    println!("written to {}", path.display());
    steps.finish("bench");
    Ok(())
}

/// Measures forwarding alone, through the box and through a Linux guest, and prints it.
///
/// # Errors
/// As [`fn@bench`].
pub async fn measure_forwarding() -> Result<()> {
    let mut figures = Vec::new();
    let lab = configured(&workspace::run_directory().join("bench.img")).await?;
    let ours = forwarding::rates(&lab.cast).await;
    lab.qemu.kill().await?;
    forwarding::compare(ours, guest::measure().await, &mut figures);
    for figure in &figures {
        println!("{figure}");
    }
    Ok(())
}

/// A box that is configured and has saved its configuration on `disk`.
async fn configured(disk: &std::path::Path) -> Result<Lab> {
    if disk.exists() {
        std::fs::remove_file(disk).with_context(|| format!("cannot remove {}", disk.display()))?;
    }
    crate::qemu::ensure_disk(disk, 16)?;
    let mut lab = Lab::boot(&shape(256, Some(disk))).await?;
    lab.configure_all().await?;
    lab.console
        .command("write memory")
        .await
        .context("`write memory` failed")?;
    Ok(lab)
}

/// A quiet q35 box.
fn shape(memory_mib: u32, disk: Option<&std::path::Path>) -> Shape {
    Shape {
        machine: Machine::Q35,
        memory_mib,
        disk: disk.map(Into::into),
        pastes: false,
        is_shown: false,
    }
}
