//! `cargo xtask run`: the box with your terminal as its console.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result};

use crate::progress::Steps;
use crate::qemu::{Config, ConsolePort, Link, Machine, ensure_disk};
use crate::{build, host, workspace};

/// Size of the disk made at first use, in MiB.
const DISK_MIB: u64 = 16;

/// Networks behind the two ports, in QEMU's own user networking; `.2` is QEMU's gateway.
const NETWORKS: [&str; 2] = ["203.0.113.0/28", "10.20.0.0/24"];

/// Builds and runs the box until the user ends it.
///
/// # Errors
/// When something is missing, the build fails or QEMU ends with an error.
pub fn run(machine: Machine, memory_mib: u32) -> Result<()> {
    let mut steps = Steps::new(5);
    steps.begin("looking for QEMU");
    host::require(host::FOR_QEMU)?;
    build::build(&mut steps)?;
    let folder = workspace::run_directory();
    let disk = folder.join("disk.img");
    ensure_disk(&disk, DISK_MIB)?;
    let mut config = Config::new(workspace::image());
    config.machine = machine;
    config.memory_mib = memory_mib;
    config.disk = Some(disk.clone());
    config.developer_log = Some(folder.join("defmt.bin"));
    config.ports = NETWORKS
        .iter()
        .map(|network| Link::User {
            network: (*network).to_owned(),
        })
        .collect();
    steps.begin("starting QEMU");
    println!(
        "GigabitEthernet0/0 is on {}, GigabitEthernet0/1 on {} (QEMU user networking, QEMU is .2).",
        NETWORKS[0], NETWORKS[1]
    );
    println!("Configuration and keys are kept in {}.", disk.display());
    println!("Developer log: cargo xtask logs --follow, in another terminal.");
    println!("Ctrl-A x ends QEMU, Ctrl-A c is its monitor.");
    let line: Vec<OsString> = config.command(&ConsolePort::Terminal, None);
    let (program, arguments) = line
        .split_first()
        .context("a command line has a first word")?;
    workspace::run(Command::new(program).args(arguments))
}
