//! Builds the firmware and lays the image out.
//!
//! The firmware is built in its own Cargo invocation and its own target folder: Cargo unifies
//! features per invocation, and `std` must not leak into the kernel; separate folders keep the two
//! kinds of builds from evicting each other.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use image::Image;

use crate::progress::Steps;
use crate::{host, workspace};

/// Builds firmware and image as steps of a larger command.
///
/// # Errors
/// When the host lacks a program, the build fails, or the image breaks a rule.
pub fn build(steps: &mut Steps) -> Result<Image> {
    steps.begin("looking for the compiler");
    host::require(host::FOR_BUILD)?;
    steps.begin("building the firmware (the first build takes minutes)");
    workspace::run(firmware_cargo("build").args(["--package", "boot", "--release"]))?;
    steps.begin("laying out the image");
    let linked = target_directory().join("release").join("sallyport");
    let image = image::lay_out(&linked, &workspace::image_directory())
        .with_context(|| format!("{} does not make an image", linked.display()))?;
    eprintln!(
        "      {}: {} bytes, {} bytes in memory, PVH entry {:#x}",
        image.elf.display(),
        image.size_bytes,
        image.layout.memory_bytes(),
        image.layout.pvh_entry
    );
    Ok(image)
}

/// A Cargo subcommand with the firmware's target folder, free of flags meant for host programs.
pub fn firmware_cargo(subcommand: &str) -> Command {
    let mut cargo = workspace::cargo();
    cargo
        .arg(subcommand)
        .arg("--target-dir")
        .arg(target_directory())
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR");
    cargo
}

/// The firmware's target folder.
pub(crate) fn target_directory() -> PathBuf {
    workspace::root().join("target").join("kernel")
}
