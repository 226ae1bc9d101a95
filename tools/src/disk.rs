//! Builds the loaders and writes the bootable disk in all its forms.

use std::fs;
use std::path::{Path, PathBuf};

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
    let bios = build_loader("bios", &key)?;
    let uefi = build_loader("uefi", &key)?;
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

/// Builds one loader, which trusts `key`; returns the linked file.
fn build_loader(name: &str, key: &PrivateKey) -> Result<PathBuf> {
    let mut cargo = build::firmware_cargo("build");
    cargo
        .args(["--package", name, "--profile", PROFILE])
        // UEFI's interrupts run on the loader's stack, so nothing may be kept below it.
        .env("RUSTFLAGS", "-Cno-redzone=yes")
        .env("SALLYPORT_PUBLIC_KEY", release::hexadecimal(&key.public()));
    workspace::run(&mut cargo)?;
    Ok(build::target_directory().join(PROFILE).join(name))
}
