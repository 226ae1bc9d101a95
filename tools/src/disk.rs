//! Builds the loaders and writes the bootable disk in all its forms.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use image::disk::{DiskError, Parts, PrivateKey, release};
use slots::Version;

use crate::progress::Steps;
use crate::{build, workspace};

/// The development key, which is no secret.
const DEVELOPMENT_KEY: &str = "image/keys/development.private.pem";

/// Cargo profile of the loaders.
const PROFILE: &str = "loader";

/// Builds the loaders and writes the image of `firmware` and its other forms into `target/image`. Returns the image.
///
/// # Errors
/// When a build fails, a file cannot be written, or a release is to be signed with the development key.
pub fn write(
    steps: &mut Steps,
    firmware: &Path,
    release_key: Option<&Path>,
    line: &str,
) -> Result<PathBuf> {
    let development = PrivateKey::read(&workspace::root().join(DEVELOPMENT_KEY))?;
    let key = match release_key {
        Some(path) => {
            let key = PrivateKey::read(path)
                .with_context(|| format!("{} does not sign releases", path.display()))?;
            if key.public() == development.public() {
                bail!(DiskError::DevelopmentKey);
            }
            key
        }
        None => development,
    };
    steps.begin("building the loaders");
    let [bios, uefi] = build_loaders(&key)?;
    steps.begin("writing the image and its other forms");
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let (firmware, bios, uefi) = (read(firmware)?, read(&bios)?, read(&uefi)?);
    let version = Version::parse(env!("CARGO_PKG_VERSION"))
        .context("the workspace's version is three numbers")?;
    let parts = Parts {
        firmware: &firmware,
        bios: &bios,
        uefi: &uefi,
        version,
        line,
        key: &key,
    };
    let image = parts.assemble()?;
    for (path, bytes) in release::write(&image, &key, &workspace::image_directory())? {
        eprintln!("      {}: {bytes} bytes", path.display());
    }
    if release_key.is_none() {
        eprintln!("      signed with the development key: for tests, not for the field");
    }
    Ok(workspace::image_directory().join(release::DISK_NAME))
}

/// Names of the loaders' packages, and of what is linked.
const LOADERS: [&str; 2] = ["bios", "uefi"];

/// Builds both loaders, which trust `key`; returns the linked files.
fn build_loaders(key: &PrivateKey) -> Result<[PathBuf; 2]> {
    let mut cargo = loaders_cargo("build");
    cargo.env("SALLYPORT_PUBLIC_KEY", release::hexadecimal(&key.public()));
    workspace::run(&mut cargo)?;
    Ok(LOADERS.map(|name| build::target_directory().join(PROFILE).join(name)))
}

/// A Cargo subcommand on both loaders, with the flags and the folder of their build.
pub(crate) fn loaders_cargo(subcommand: &str) -> Command {
    let mut cargo = build::firmware_cargo(subcommand);
    for name in LOADERS {
        cargo.args(["--package", name]);
    }
    cargo
        .args(["--profile", PROFILE])
        // UEFI's interrupts run on the loader's stack, so nothing may be kept below it.
        .env("RUSTFLAGS", "-Cno-redzone=yes");
    cargo
}
