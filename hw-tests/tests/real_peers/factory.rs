//! A box out of the factory, and one whose password is lost, on a real serial line.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hw_tests::federation::PASSWORD;
use tools::qemu::Qemu;

use super::storage::{boot, with_disk};

/// What is answered to each question, the offer first.
const ANSWERS: [(&str, &str); 15] = [
    ("interactive prompts [yes]? ", "yes"),
    ("Host name [sallyport]: ", "edge1"),
    ("Domain name: ", "example.com"),
    ("Enable password: ", PASSWORD),
    ("Repeat Password: ", PASSWORD),
    ("Allow password recovery [yes]? ", ""),
    ("Year", ""),
    ("Month", ""),
    ("Day", ""),
    ("Time", ""),
    ("Inside interface", ""),
    ("Inside IP address: ", "10.1.1.1"),
    ("Inside network mask", ""),
    ("save to flash [yes]? ", "yes"),
    ("edge1> ", ""),
];

pub(crate) async fn first_questions_set_a_new_box_up(folder: &Path) -> Result<()> {
    let mut config = with_disk(folder)?;
    config.ports = (0..2)
        .map(|port| tools::qemu::Link::User {
            network: format!("10.{}.0.0/24", 90 + port),
        })
        .collect();
    let (qemu, mut console) = Qemu::start(&config).await?;
    console.set_patience(Duration::from_secs(30));
    for (question, answer) in ANSWERS {
        console.expect(question).await?;
        console.send(format!("{answer}\r").as_bytes()).await?;
    }
    qemu.kill().await?;

    // A cold start; then a break, and the way back in without the password.
    let (qemu, mut console) = boot(&config).await?;
    console.enable(PASSWORD).await?;
    let shown = console.command("show running-config interface").await?;
    ensure!(
        shown.contains(" ip address 10.1.1.1 255.255.255.0"),
        "{shown}"
    );
    console
        .configure("configure terminal\ncrypto key generate ecdsa label mine\nend")
        .await?;
    console.command("write memory").await?;
    qemu.kill().await?;
    let (qemu, mut console) = boot(&config).await?;
    qemu.monitor("chardev-send-break console").await?;
    console.expect("erase the keys? [yes/no]: ").await?;
    console.send(b"yes\r").await?;
    console.expect("1 key pair(s) erased").await?;
    console.wait_ready().await?;
    console.enable("another1").await?;
    let shown = console.command("show crypto key mypubkey ecdsa").await?;
    ensure!(!shown.contains("mine"), "{shown}");
    qemu.kill().await?;
    let (_qemu, mut console) = boot(&config).await?;
    let enabled = console.enable("another2").await;
    enabled.context("nobody saved a password, so the first `enable` sets one")?;
    let shown = console.command("show running-config interface").await?;
    ensure!(
        shown.contains(" ip address 10.1.1.1 255.255.255.0"),
        "{shown}"
    );
    Ok(())
}
