//! `cargo xtask check`: what must hold of every source file, each as a named step.
//!
//! | Step | Rule |
//! | --- | --- |
//! | format | `cargo fmt` changes nothing |
//! | clippy | no warning, host crates and firmware apart |
//! | documentation | builds without warning |
//! | imports | [`imports`]: the direction table of `docs/architecture.md` |
//! | house rules | [`house`]: where `unsafe` may be, how long a file may be |

pub mod house;
pub mod imports;

use std::process::Command;

use anyhow::Result;

use crate::progress::Steps;
use crate::{build, disk, host, workspace};

/// One named check.
pub struct Check {
    /// Shown to the user.
    pub name: &'static str,
    run: fn() -> Result<()>,
}

impl Check {
    /// Runs it.
    ///
    /// # Errors
    /// When the rule is broken; the details are printed or in the error.
    pub fn run(&self) -> Result<()> {
        (self.run)()
    }
}

/// All checks, quickest first.
pub const CHECKS: &[Check] = &[
    Check {
        name: "house rules",
        run: house::check,
    },
    Check {
        name: "imports",
        run: imports::check,
    },
    Check {
        name: "format",
        run: format,
    },
    Check {
        name: "clippy: host crates",
        run: clippy_host,
    },
    Check {
        name: "clippy: firmware image",
        run: clippy_boot,
    },
    Check {
        name: "clippy: loaders",
        run: clippy_loaders,
    },
    Check {
        name: "documentation: host crates",
        run: doc_host,
    },
    Check {
        name: "documentation: firmware image",
        run: doc_boot,
    },
    Check {
        name: "documentation: loaders",
        run: doc_loaders,
    },
];

/// Runs every check, all of them even if some fail.
///
/// # Errors
/// When any rule is broken; names the broken ones.
pub fn check() -> Result<()> {
    host::require(host::FOR_HOST_CRATES)?;
    let mut steps = Steps::new(CHECKS.len());
    let mut broken = Vec::new();
    for check in CHECKS {
        steps.begin(check.name);
        if let Err(error) = check.run() {
            eprintln!("      {}: {error:#}", check.name);
            broken.push(check.name);
        }
    }
    steps.finish("check");
    anyhow::ensure!(broken.is_empty(), "broken: {}", broken.join(", "));
    Ok(())
}

fn format() -> Result<()> {
    workspace::run(workspace::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy_host() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["clippy", "--workspace"]);
    cargo.args(workspace::WITHOUT_IMAGES);
    cargo.args(["--all-targets", "--", "-D", "warnings"]);
    workspace::run(&mut cargo)
}

fn clippy_loaders() -> Result<()> {
    let mut cargo = disk::loaders_cargo("clippy");
    workspace::run(cargo.args(["--", "-D", "warnings"]))
}

fn doc_loaders() -> Result<()> {
    let mut cargo = disk::loaders_cargo("doc");
    workspace::run(cargo.arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings"))
}

fn clippy_boot() -> Result<()> {
    workspace::run(firmware("clippy").args(["--release", "--", "-D", "warnings"]))
}

fn doc_host() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo
        .args(["doc", "--workspace", "--no-deps"])
        .args(workspace::WITHOUT_IMAGES)
        .env("RUSTDOCFLAGS", "-D warnings");
    workspace::run(&mut cargo)
}

fn doc_boot() -> Result<()> {
    workspace::run(
        firmware("doc")
            .args(["--release", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// A Cargo subcommand on the firmware image, with the flags and the folder of its build.
fn firmware(subcommand: &str) -> Command {
    let mut cargo = build::firmware_cargo(subcommand);
    cargo.args(["--package", "boot"]);
    cargo
}
