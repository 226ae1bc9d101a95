//! Every kind of disk that is driven keeps the configuration: over a reload, and over power cuts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hw_tests::federation::{PASSWORD, type_lines};
use tools::console::Console;
use tools::qemu::{Config, Machine, ensure_disk};
use tools::workspace;

use crate::storage::{DISK_MIB, Random, boot, host_name, save};

/// Power cuts of each disk.
const CUTS: u32 = 6;

/// The longest time from the command to the cut, about twice what saving takes.
const CUT_WITHIN_MICROS: u64 = 30_000;

/// A disk and the machine it is in.
struct Kind {
    name: &'static str,
    machine: Machine,
    /// QEMU's device, which takes the drive `kept`.
    device: &'static str,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "virtio-blk",
        machine: Machine::Q35,
        device: "virtio-blk-pci,drive=kept",
    },
    Kind {
        name: "virtio-blk",
        machine: Machine::Pc,
        device: "virtio-blk-pci,drive=kept",
    },
    Kind {
        name: "nvme",
        machine: Machine::Q35,
        device: "nvme,drive=kept,serial=1",
    },
    Kind {
        name: "nvme",
        machine: Machine::Pc,
        device: "nvme,drive=kept,serial=1",
    },
    Kind {
        name: "nvme, 4096-byte blocks",
        machine: Machine::Q35,
        device: "nvme,drive=kept,serial=1,logical_block_size=4096,physical_block_size=4096",
    },
];

pub(crate) async fn every_kind_of_disk_keeps_the_configuration(folder: &Path) -> Result<()> {
    let mut random = Random(0x5a11_7061_7274_0004);
    println!("      disk                    machine  reload  cuts  old  new");
    for (index, kind) in KINDS.iter().enumerate() {
        let disk = folder.join(format!("kept{index}.img"));
        let config = with(kind, disk, folder)?;
        let named = || format!("{} on {}", kind.name, kind.machine.name());
        reload_keeps(&config).await.with_context(named)?;
        let (old, new) = cuts_keep(&config, &mut random).await.with_context(named)?;
        println!(
            "      {:<23} {:<8} kept    {CUTS:>4} {old:>4} {new:>4}",
            kind.name,
            kind.machine.name()
        );
    }
    Ok(())
}

fn with(kind: &Kind, disk: PathBuf, folder: &Path) -> Result<Config> {
    ensure_disk(&disk, DISK_MIB)?;
    let mut config = Config::new(workspace::image());
    config.machine = kind.machine;
    config.output = Some(folder.join("qemu.log"));
    let drive = format!("if=none,id=kept,format=raw,file={}", disk.display());
    config.extra = ["-drive", &drive, "-device", kind.device]
        .map(Into::into)
        .to_vec();
    Ok(config)
}

/// Saves `start` and restarts the box from within.
async fn reload_keeps(config: &Config) -> Result<()> {
    let (qemu, mut console) = boot(config).await?;
    console.enable(PASSWORD).await?;
    save(&mut console, "start").await?;
    console.send(b"reload\r").await?;
    console.expect("[confirm]").await?;
    console.send(b"\r").await?;
    console.expect("SHUTDOWN NOW").await?;
    console.expect("start>").await?;
    qemu.kill().await
}

/// Ends QEMU at random moments of saving, and returns how often the next cold boot had the old and
/// the new configuration; any other is an error.
async fn cuts_keep(config: &Config, random: &mut Random) -> Result<(u32, u32)> {
    let (mut old, mut new) = (0, 0);
    let mut kept = String::from("start");
    for cut in 1..=CUTS {
        let (qemu, mut console) = boot(config).await?;
        console.enable(PASSWORD).await?;
        let next = format!("cut{cut}");
        rename(&mut console, &next).await?;
        console.send(b"write memory\r").await?;
        let moment = Duration::from_micros(random.next() % CUT_WITHIN_MICROS);
        tokio::time::sleep(moment).await;
        qemu.kill().await?;
        let (qemu, mut console) = boot(config).await?;
        console.enable(PASSWORD).await?;
        let found = host_name(&mut console).await?;
        ensure!(
            found == kept || found == next,
            "cut {cut}: neither {kept} nor {next}, but {found}:\n{}",
            console.tail(30)
        );
        if found == next {
            new += 1;
        } else {
            old += 1;
        }
        kept = found;
        qemu.kill().await?;
    }
    Ok((old, new))
}

async fn rename(console: &mut Console, name: &str) -> Result<()> {
    let lines = format!("configure terminal\nhostname {name}\nend\n");
    type_lines(console, &lines).await.map(drop)
}
