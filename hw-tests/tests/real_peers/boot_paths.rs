//! The disk image on machines that start by themselves: BIOS (SeaBIOS) and UEFI (OVMF), from each kind
//! of medium.
//!
//! Each start is printed as a row: machine, loader, medium, and how long it took from power-on to the
//! prompt, QEMU's emulation included. A medium that the machine cannot have is printed with the reason. The loaders read every medium
//! through the machine's own firmware; what the firmware can keep its configuration on is another matter, and checked where
//! it has a driver.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hw_tests::federation::{PASSWORD, type_lines};
use slots::layout::{PARTITIONS, SLOT_A, SLOT_B};
use slots::{Guid, SECTOR};
use tools::console::Console;
use tools::qemu::{Config, Machine, Qemu};
use tools::workspace;

const CODE: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/// How long a start may take up to the firmware. UEFI takes most of it for itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// Why none of this can run here.
pub(crate) fn reason_to_skip() -> Option<String> {
    if !workspace::disk_image().is_file() {
        return Some("there is no disk image: cargo xtask image".to_owned());
    }
    let is_missing = !Path::new(CODE).is_file() || !Path::new(VARIABLES).is_file();
    is_missing.then(|| "there is no OVMF: package ovmf".to_owned())
}

/// Who starts the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Starter {
    Bios,
    Uefi,
}

impl Starter {
    const fn name(self) -> &'static str {
        match self {
            Self::Bios => "BIOS",
            Self::Uefi => "UEFI",
        }
    }
}

/// Where the image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Medium {
    VirtioBlk,
    Ide,
    Ahci,
    Nvme,
    UsbStick,
    Cd,
}

impl Medium {
    const ALL: [Self; 6] = [
        Self::VirtioBlk,
        Self::Ide,
        Self::Ahci,
        Self::Nvme,
        Self::UsbStick,
        Self::Cd,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::VirtioBlk => "virtio-blk",
            Self::Ide => "IDE",
            Self::Ahci => "AHCI",
            Self::Nvme => "NVMe",
            Self::UsbStick => "USB stick",
            Self::Cd => "CD",
        }
    }

    /// Why `machine` cannot have one.
    const fn reason_to_skip(self, machine: Machine) -> Option<&'static str> {
        match (self, machine) {
            (Self::Ide, Machine::Q35) => Some("q35 has no IDE controller"),
            _ => None,
        }
    }

    /// The devices.
    const fn devices(self) -> &'static [&'static str] {
        match self {
            Self::VirtioBlk => &["virtio-blk-pci,drive=medium"],
            Self::Ide => &["ide-hd,drive=medium,bus=ide.0"],
            Self::Ahci => &["ahci,id=ahci", "ide-hd,drive=medium,bus=ahci.0"],
            Self::Nvme => &["nvme,drive=medium,serial=medium"],
            Self::UsbStick => &["qemu-xhci,id=usb", "usb-storage,drive=medium,bus=usb.0"],
            Self::Cd => &["ahci,id=ahci", "ide-cd,drive=medium,bus=ahci.0"],
        }
    }
}

/// A machine with `image` on `medium`. What it writes is kept only if `keeps` says so.
fn config(
    folder: &Path,
    machine: Machine,
    starter: Starter,
    medium: Medium,
    image: &Path,
    keeps: bool,
) -> Result<Config> {
    let mut config = Config::without_kernel();
    config.machine = machine;
    // The least that is promised; UEFI takes more for itself.
    config.memory_mib = match starter {
        Starter::Bios => 64,
        Starter::Uefi => 256,
    };
    config.output = Some(folder.join("qemu.log"));
    let mut add = |option: &str, value: String| {
        config.extra.push(option.into());
        config.extra.push(value.into());
    };
    if starter == Starter::Uefi {
        let variables = folder.join("variables.fd");
        fs::copy(VARIABLES, &variables).context("cannot copy UEFI's variables")?;
        add(
            "-drive",
            format!("if=pflash,format=raw,readonly=on,file={CODE}"),
        );
        add(
            "-drive",
            format!("if=pflash,format=raw,file={}", variables.display()),
        );
    }
    let kind = match (medium, keeps) {
        (Medium::Cd, _) => "media=cdrom,readonly=on",
        (_, true) => "media=disk",
        (_, false) => "media=disk,snapshot=on",
    };
    add(
        "-drive",
        format!(
            "if=none,id=medium,format=raw,{kind},file={}",
            image.display()
        ),
    );
    for device in medium.devices() {
        add("-device", (*device).to_owned());
    }
    Ok(config)
}

/// Starts the machine and waits for the firmware's prompt; returns what was said until the loader let go.
async fn start(config: &Config) -> Result<(Qemu, Console, String)> {
    let (qemu, mut console) = Qemu::start(config).await?;
    console.set_patience(PATIENCE);
    // Nothing is typed before: UEFI would take it.
    let said = console.expect("starting slot").await;
    let said = said.with_context(|| format!("console:\n{}", console.tail(25)))?;
    // Nor before the firmware greets: a box out of the factory would take it for an answer.
    console.expect("Sallyport Version").await?;
    let ready = console.wait_ready().await;
    ready.with_context(|| format!("console:\n{}", console.tail(25)))?;
    Ok((qemu, console, said))
}

/// Whether the firmware knows that it was started from `slot` by `starter`.
async fn ensure_origin(console: &mut Console, slot: char, starter: Starter) -> Result<()> {
    let shown = console.command("show version").await?;
    let expected = format!(
        "System image file is \"slot {slot}\" (started by {})",
        starter.name()
    );
    ensure!(shown.contains(&expected), "{shown}");
    Ok(())
}

/// Starts one machine from each kind of medium.
async fn every_medium(folder: &Path, machine: Machine, starter: Starter) -> Result<()> {
    let image = workspace::disk_image();
    for medium in Medium::ALL {
        let row = format!(
            "{:<4} {:<4} {:<10}",
            machine.name(),
            starter.name(),
            medium.name()
        );
        if let Some(reason) = medium.reason_to_skip(machine) {
            println!("     {row} skipped: {reason}");
            continue;
        }
        let begun = Instant::now();
        let config = config(folder, machine, starter, medium, &image, false)?;
        let started = start(&config).await;
        let (qemu, mut console, said) = started.with_context(|| row.clone())?;
        let loader = format!("{} loader ", starter.name());
        ensure!(
            said.contains("Sallyport") && said.contains(&loader),
            "{row}: {said}"
        );
        ensure!(said.contains("slot A: version "), "{row}: {said}");
        ensure_origin(&mut console, 'A', starter)
            .await
            .with_context(|| row.clone())?;
        println!("     {row} {:.1} s", begun.elapsed().as_secs_f32());
        qemu.kill().await?;
    }
    Ok(())
}

pub(crate) async fn boots_by_bios_on_pc(folder: &Path) -> Result<()> {
    every_medium(folder, Machine::Pc, Starter::Bios).await
}

pub(crate) async fn boots_by_bios_on_q35(folder: &Path) -> Result<()> {
    every_medium(folder, Machine::Q35, Starter::Bios).await
}

pub(crate) async fn boots_by_uefi_on_pc(folder: &Path) -> Result<()> {
    every_medium(folder, Machine::Pc, Starter::Uefi).await
}

pub(crate) async fn boots_by_uefi_on_q35(folder: &Path) -> Result<()> {
    every_medium(folder, Machine::Q35, Starter::Uefi).await
}

/// Changes one bit of the firmware in a slot.
fn damage(image: &Path, slot: Guid) -> Result<()> {
    let mut bytes = fs::read(image)?;
    let row = PARTITIONS.iter().find(|row| row.kind == slot);
    let first = row.context("the layout has both slots")?.first as usize * SECTOR;
    let byte = bytes
        .get_mut(first + (1 << 20))
        .context("the image is whole")?;
    *byte ^= 1;
    fs::write(image, bytes)?;
    Ok(())
}

/// A copy of the image.
fn copy(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("disk.img");
    fs::copy(workspace::disk_image(), &path).context("cannot copy the image")?;
    Ok(path)
}

pub(crate) async fn tampered_slots_are_refused_by_both_loaders(folder: &Path) -> Result<()> {
    const REFUSED: &str = "refused: the firmware is not the one that was signed";
    let image = copy(folder)?;
    let installed = |starter| {
        let medium = Medium::VirtioBlk;
        config(folder, Machine::Q35, starter, medium, &image, false)
    };
    damage(&image, SLOT_A)?;
    for starter in [Starter::Bios, Starter::Uefi] {
        let config = installed(starter)?;
        let (qemu, mut console, said) = start(&config).await?;
        ensure!(said.contains(&format!("slot A: {REFUSED}")), "{said}");
        ensure_origin(&mut console, 'B', starter).await?;
        qemu.kill().await?;
    }
    damage(&image, SLOT_B)?;
    for starter in [Starter::Bios, Starter::Uefi] {
        let config = installed(starter)?;
        let (qemu, mut console) = Qemu::start(&config).await?;
        console.set_patience(PATIENCE);
        let said = console.expect("The box stays here").await;
        let said = said.with_context(|| format!("console:\n{}", console.tail(25)))?;
        for slot in ['A', 'B'] {
            ensure!(said.contains(&format!("slot {slot}: {REFUSED}")), "{said}");
        }
        ensure!(!said.contains("starting slot"), "{said}");
        qemu.kill().await?;
    }
    Ok(())
}

pub(crate) async fn saved_by_bios_is_found_by_uefi(folder: &Path) -> Result<()> {
    let image = copy(folder)?;
    let path = config(
        folder,
        Machine::Q35,
        Starter::Bios,
        Medium::VirtioBlk,
        &image,
        true,
    )?;
    let (qemu, mut console, _) = start(&path).await?;
    console.enable(PASSWORD).await?;
    type_lines(&mut console, "configure terminal\nhostname kept\nend\n").await?;
    let saved = console.command("write memory").await?;
    ensure!(saved.contains("[OK]"), "{saved}");
    // A restart by the box itself goes the whole way again.
    console.send(b"reload noconfirm\r").await?;
    console.set_patience(PATIENCE);
    console.expect("starting slot A").await?;
    console.expect("kept>").await?;
    qemu.kill().await?;
    let path = config(
        folder,
        Machine::Q35,
        Starter::Uefi,
        Medium::VirtioBlk,
        &image,
        true,
    )?;
    let (qemu, mut console, _) = start(&path).await?;
    ensure_origin(&mut console, 'A', Starter::Uefi).await?;
    let greeting = console.transcript();
    ensure!(greeting.contains("kept>"), "{greeting}");
    qemu.kill().await
}
