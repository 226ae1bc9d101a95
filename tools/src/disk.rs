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

/// Who signs an image.
#[derive(Debug)]
pub struct Signer {
    key: PrivateKey,
    is_release: bool,
}

impl Signer {
    /// The key in the file `release_key`, or the development key.
    ///
    /// # Errors
    /// When the file cannot be read or is no key, or is the development key, which signs no releases.
    pub fn read(release_key: Option<&Path>) -> Result<Self> {
        let development = PrivateKey::read(&workspace::root().join(DEVELOPMENT_KEY))?;
        let Some(path) = release_key else {
            return Ok(Self {
                key: development,
                is_release: false,
            });
        };
        let key = PrivateKey::read(path)
            .with_context(|| format!("{} does not sign releases", path.display()))?;
        if key.public() == development.public() {
            bail!(DiskError::DevelopmentKey);
        }
        Ok(Self {
            key,
            is_release: true,
        })
    }
}

/// Builds the loaders and writes the image of `firmware` and its other forms into `target/image`.
/// Returns the image.
///
/// # Errors
/// When a build fails or a file cannot be written.
pub fn write(steps: &mut Steps, firmware: &Path, signer: &Signer, line: &str) -> Result<PathBuf> {
    let key = &signer.key;
    steps.begin("building the loaders");
    let [bios, uefi] = build_loaders(key)?;
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
        key,
    };
    let image = parts.assemble()?;
    for (path, bytes) in release::write(&image, key, &workspace::image_directory())? {
        eprintln!("      {}: {bytes} bytes", path.display());
    }
    if !signer.is_release {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_development_key_signs_no_release() {
        let path = workspace::root().join(DEVELOPMENT_KEY);
        let error = Signer::read(Some(&path)).expect_err("it is the development key");
        assert!(matches!(
            error.downcast_ref(),
            Some(DiskError::DevelopmentKey)
        ));
        assert!(!Signer::read(None).expect("it is in the tree").is_release);
    }
}
