//! Restarting, powering off, and the machines that the box runs on.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use hw_tests::federation::{PASSWORD, type_lines};
use tools::console::Dialogue;
use tools::qemu::{Config, Link, Machine};
use tools::workspace;

use crate::storage::{boot, with_disk};

pub(crate) async fn reload_and_shutdown(folder: &Path) -> Result<()> {
    let config = with_disk(folder)?;
    let (mut qemu, mut console) = boot(&config).await?;
    console.enable(PASSWORD).await?;
    type_lines(&mut console, "configure terminal\nhostname kept\nend\n").await?;
    let saved = console.command("write memory").await?;
    ensure!(saved.contains("[OK]"), "{saved}");
    console.send(b"reload\r").await?;
    console.expect("[confirm]").await?;
    console.send(b"\r").await?;
    console.expect("SHUTDOWN NOW").await?;
    console.expect("kept>").await?;
    // The saved password is asked for, and another one is refused.
    let wrong = Dialogue::new("enable").answer("assword:", "wrong");
    let refused = console.dialogue(&wrong).await;
    ensure!(refused.map_or(true, |text| text.contains("Access denied")
        || text.contains("nvalid")));
    console.enable(PASSWORD).await?;
    console.send(b"shutdown noconfirm\r").await?;
    let status = qemu.wait(Duration::from_secs(10)).await?;
    ensure!(status.success(), "QEMU ended with {status}");
    Ok(())
}

pub(crate) async fn boots_with_64_mib_on_both_machines(folder: &Path) -> Result<()> {
    for machine in [Machine::Q35, Machine::Pc] {
        let mut config = with_disk(folder)?;
        config.machine = machine;
        config.memory_mib = 64;
        config.ports = ["203.0.113.0/28", "10.20.0.0/24"]
            .map(|network| Link::User {
                network: network.to_owned(),
            })
            .to_vec();
        let (qemu, mut console) = boot(&config).await?;
        console.enable(PASSWORD).await?;
        let shown = console.command("show interface ip brief").await?;
        ensure!(
            shown.contains("GigabitEthernet0/0") && shown.contains("GigabitEthernet0/1"),
            "{}: {shown}",
            machine.name()
        );
        let shown = console.command("show memory").await?;
        ensure!(shown.contains("Free memory"), "{}: {shown}", machine.name());
        qemu.kill().await?;
    }
    Ok(())
}

pub(crate) async fn without_a_disk_says_that_nothing_is_kept(folder: &Path) -> Result<()> {
    let mut config = Config::new(workspace::image());
    config.output = Some(folder.join("qemu.log"));
    let (qemu, mut console) = boot(&config).await?;
    let greeting = console.transcript();
    ensure!(greeting.contains("nothing will be kept"), "{greeting}");
    console.enable(PASSWORD).await?;
    let shown = console.try_command("write memory").await?;
    ensure!(shown.contains("there is no disk"), "{shown}");
    qemu.kill().await
}
