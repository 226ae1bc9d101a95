//! Figures and the page they are written to.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::native::NativeBench;
use crate::{host, workspace};

/// One measured figure, or why it could not be measured.
#[derive(Debug)]
pub struct Figure {
    name: String,
    value: Result<String>,
    aim: String,
}

impl Figure {
    /// A figure with its unit, and what is aimed at (may be empty).
    pub fn new(name: impl Into<String>, value: Result<String>, aim: &str) -> Self {
        Self {
            name: name.into(),
            value,
            aim: aim.to_owned(),
        }
    }

    fn value(&self) -> String {
        match &self.value {
            Ok(value) => value.clone(),
            Err(error) => {
                let reason = format!("{error:#}");
                format!(
                    "not measured: {}",
                    reason.lines().next().unwrap_or_default()
                )
            }
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<60} {}", self.name, self.value())
    }
}

/// Writes `docs/performance.md` and returns its path.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(figures: &[Figure], native: &[NativeBench]) -> Result<PathBuf> {
    let path = workspace::root().join("docs").join("performance.md");
    std::fs::write(&path, page(figures, native))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn page(figures: &[Figure], native: &[NativeBench]) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut page = format!(
        "# Performance\n\nWritten by `cargo xtask bench`; do not edit.\n\n\
         | | |\n| --- | --- |\n| Date | {} |\n| Processor | {}, {cores} cores |\n| System | {} |\n| Emulator | {}, \
         `-M q35 -accel tcg -cpu max -m 256` |\n\n\
         ## Through the box in QEMU\n\nQEMU emulates every instruction here and shares the machine with the peers, so these \
         figures\ncompare with each other and with the same peers without a box, not with hardware. Ports offer no\n\
         checksum or segmentation offload here. The Linux guest is a Debian cloud kernel with the same translation\n\
         and policy in nftables, on the same machine between the same peers.\n\n\
         | Figure | Measured | Aim |\n| --- | --- | --- |\n",
        date(),
        host::processor(),
        host::system(),
        host::qemu_version().unwrap_or_default(),
    );
    for figure in figures {
        page.push_str(&format!(
            "| {} | {} | {} |\n",
            figure.name,
            figure.value().replace('|', "/"),
            figure.aim
        ));
    }
    page.push_str("\n## Natively, on one core\n");
    for bench in native {
        page.push_str(&format!(
            "\n`{}`\n\n```text\n{}\n```\n",
            bench.command,
            bench.output.trim_end()
        ));
    }
    if native.is_empty() {
        page.push_str("\nNo crate has a benchmark.\n");
    }
    page
}

/// Today as the host's `date` writes it.
fn date() -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "+%Y-%m-%d %H:%M UTC"])
        .output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_could_not_be_measured_says_why_in_one_line() {
        let figure = Figure::new(
            "Speed",
            Err(anyhow::anyhow!("no road\nsecond line").context("no car")),
            "fast",
        );
        let page = page(&[figure], &[]);
        assert!(
            page.contains("| Speed | not measured: no car: no road | fast |"),
            "{page}"
        );
    }
}
