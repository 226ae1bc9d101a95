//! What the disk holds after a power cut, and after damage.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use hw_tests::federation::{PASSWORD, type_lines};
use tools::console::Console;
use tools::qemu::{Config, Qemu, ensure_disk};
use tools::workspace;

/// Size of the disks in MiB.
pub(crate) const DISK_MIB: u64 = 16;

/// Power cuts tried.
const CUTS: u32 = 24;

/// Boots a box without ports, up to its prompt.
pub(crate) async fn boot(config: &Config) -> Result<(Qemu, Console)> {
    let (qemu, mut console) = Qemu::start(config).await?;
    console.set_patience(Duration::from_secs(20));
    let outcome = console.wait_ready().await;
    outcome.with_context(|| format!("console:\n{}", console.tail(25)))?;
    Ok((qemu, console))
}

/// A box with a disk of its own.
pub(crate) fn with_disk(folder: &Path) -> Result<Config> {
    let mut config = Config::new(workspace::image());
    let disk = folder.join("disk.img");
    ensure_disk(&disk, DISK_MIB)?;
    config.disk = Some(disk);
    config.output = Some(folder.join("qemu.log"));
    Ok(config)
}

/// The host name that the box shows in its running configuration.
pub(crate) async fn host_name(console: &mut Console) -> Result<String> {
    let shown = console.command("show running-config hostname").await?;
    let name = shown
        .lines()
        .find_map(|line| line.trim().strip_prefix("hostname "));
    Ok(name.unwrap_or("none").to_owned())
}

/// Sets and saves a host name, among lines enough for a slot to take several writes.
pub(crate) async fn save(console: &mut Console, name: &str) -> Result<()> {
    type_lines(
        console,
        &format!("configure terminal\nhostname {name}\nend\n"),
    )
    .await?;
    let shown = console.command("write memory").await?;
    ensure!(shown.contains("[OK]"), "{shown}");
    Ok(())
}

pub(crate) async fn power_cut_keeps_the_old_or_the_new_configuration(folder: &Path) -> Result<()> {
    let config = with_disk(folder)?;
    let (qemu, mut console) = boot(&config).await?;
    console.enable(PASSWORD).await?;
    let mut filler = String::from("configure terminal\n");
    for index in 0..800 {
        filler.push_str(&format!(
            "access-list filler extended permit tcp any host 192.0.2.{} eq {}\n",
            index % 250,
            index + 1
        ));
    }
    filler.push_str("end\n");
    console.paste(&filler).await?;
    save(&mut console, "cut0").await?;
    qemu.kill().await?;
    let mut kept = "cut0".to_owned();
    let (mut old, mut new) = (0, 0);
    for cut in 1..=CUTS {
        let (qemu, mut console) = boot(&config).await.with_context(|| format!("cut {cut}"))?;
        console.enable(PASSWORD).await?;
        let found = host_name(&mut console).await?;
        ensure!(found == kept, "cut {cut}: {found} loaded instead of {kept}");
        let next = format!("cut{cut}");
        type_lines(
            &mut console,
            &format!("configure terminal\nhostname {next}\nend\n"),
        )
        .await?;
        console.send(b"write memory\r").await?;
        // Spread over the time that saving takes, which is some milliseconds after the line's echo.
        tokio::time::sleep(Duration::from_micros(u64::from(cut) * 1_700)).await;
        qemu.kill().await?;
        let (qemu, mut console) = boot(&config)
            .await
            .with_context(|| format!("after cut {cut}"))?;
        console.enable(PASSWORD).await?;
        let found = host_name(&mut console).await?;
        if found == next {
            new += 1;
        } else if found == kept {
            old += 1;
        } else {
            bail!(
                "cut {cut}: neither {kept} nor {next}, but {found}:\n{}",
                console.tail(30)
            );
        }
        let shown = console
            .command("show running-config access-list filler")
            .await?;
        let lines = shown
            .lines()
            .filter(|line| line.starts_with("access-list"))
            .count();
        ensure!(lines == 800, "cut {cut}: {lines} of 800 lines");
        kept = found;
        qemu.kill().await?;
    }
    println!("      {CUTS} cuts: {old} kept the old configuration, {new} had the new one");
    Ok(())
}

/// Ways of changing the configuration for good; each line is typed and answered before the next.
const WAYS: [&[&str]; 3] = [
    &["configure terminal", "hostname NAME", "end", "write memory"],
    &[
        "configure session",
        "hostname NAME",
        "commit",
        "write memory",
    ],
    &[
        "configure session",
        "hostname NAME",
        "commit confirmed 5",
        "commit",
        "write memory",
    ],
];

/// Changes made in all.
const CYCLES: u64 = 500;

/// Changes between two power cuts.
const CYCLES_PER_CUT: u64 = 5;

pub(crate) async fn commits_and_saves_survive_power_cuts_at_random_moments(
    folder: &Path,
) -> Result<()> {
    let config = with_disk(folder)?;
    let mut random = Random(0x5a11_7061_7274_0003);
    let mut kept = String::from("sallyport");
    let (mut old, mut new, mut cycle) = (0, 0, 0);
    while cycle < CYCLES {
        let (qemu, mut console) = boot(&config)
            .await
            .with_context(|| format!("before cycle {cycle}"))?;
        console.enable(PASSWORD).await?;
        let found = host_name(&mut console).await?;
        ensure!(
            found == kept,
            "cycle {cycle}: {found} loaded instead of {kept}"
        );
        for _ in 1..CYCLES_PER_CUT {
            cycle += 1;
            kept = format!("c{cycle}");
            for line in WAYS[(random.next() % 3) as usize] {
                let shown = console.command(&line.replace("NAME", &kept)).await?;
                ensure!(!shown.contains("ERROR"), "cycle {cycle}: {line}: {shown}");
            }
        }
        // The last cycle is cut: within one of its lines, at a random moment after it was sent.
        cycle += 1;
        let next = format!("c{cycle}");
        let way = WAYS[(random.next() % 3) as usize];
        let cut_at = match random.next() % 3 {
            0 => (random.next() % way.len() as u64) as usize,
            _ => way.len() - 1,
        };
        for line in &way[..cut_at] {
            console.command(&line.replace("NAME", &next)).await?;
        }
        console
            .send(format!("{}\r", way[cut_at].replace("NAME", &next)).as_bytes())
            .await?;
        tokio::time::sleep(Duration::from_micros(random.next() % 30_000)).await;
        qemu.kill().await?;
        let (qemu, mut console) = boot(&config)
            .await
            .with_context(|| format!("after the cut of cycle {cycle}"))?;
        console.enable(PASSWORD).await?;
        let found = host_name(&mut console).await?;
        if found == next {
            ensure!(
                cut_at == way.len() - 1,
                "cycle {cycle}: {next} was there before it was saved"
            );
            new += 1;
        } else if found == kept {
            old += 1;
        } else {
            bail!("cycle {cycle}: neither {kept} nor {next}, but {found}");
        }
        kept = found;
        qemu.kill().await?;
    }
    println!(
        "      {cycle} cycles, cut {} times: {old} times the old configuration, {new} times the new one",
        old + new
    );
    Ok(())
}

/// SplitMix64: the moments differ from run to run by the machine, not by the seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

pub(crate) async fn flipped_byte_falls_back_to_the_older_slot(folder: &Path) -> Result<()> {
    let config = with_disk(folder)?;
    let disk = config.disk.clone().context("it has a disk")?;
    let (qemu, mut console) = boot(&config).await?;
    console.enable(PASSWORD).await?;
    save(&mut console, "older").await?;
    save(&mut console, "newer").await?;
    qemu.kill().await?;
    flip_after(&disk, b"hostname newer")?;
    let (qemu, mut console) = boot(&config).await?;
    console.enable(PASSWORD).await?;
    let found = host_name(&mut console).await?;
    ensure!(
        found == "older",
        "{found} was loaded:\n{}",
        console.tail(30)
    );
    qemu.kill().await?;
    flip_after(&disk, b"hostname older")?;
    let (qemu, mut console) = boot(&config).await?;
    let greeting = console.transcript();
    ensure!(
        greeting.to_lowercase().contains("damage")
            || greeting.contains("ERROR")
            || greeting.contains("WARNING"),
        "nothing was said about two damaged slots:\n{greeting}"
    );
    console.enable(PASSWORD).await?;
    save(&mut console, "again").await?;
    qemu.kill().await
}

/// Inverts the bits of the byte after the first occurrence of `text` in a file.
fn flip_after(file: &Path, text: &[u8]) -> Result<()> {
    let bytes = fs::read(file)?;
    let found = bytes.windows(text.len()).position(|window| window == text);
    let at = found.context("the saved text is not on the disk")? + text.len();
    let byte = bytes.get(at).copied().unwrap_or(0);
    let file = OpenOptions::new().write(true).open(file)?;
    file.write_all_at(&[!byte], at as u64)
        .context("cannot write to the disk image")
}
