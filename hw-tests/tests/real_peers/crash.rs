//! Faults on purpose: each is reported, survived, and remembered.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hw_tests::federation::PASSWORD;
use tools::qemu::{Config, Qemu};
use tools::workspace;

pub(crate) async fn faults_are_reported_and_survived(folder: &Path) -> Result<()> {
    for (word, names) in [
        ("panic", "panic"),
        ("divide", "divide"),
        ("stack-overflow", "stack"),
        ("write-text", "page fault"),
        ("exec-data", "page fault"),
        ("null", "page fault"),
    ] {
        drill(folder, word, names).await.with_context(|| word)?;
    }
    Ok(())
}

async fn drill(folder: &Path, word: &str, names: &str) -> Result<()> {
    let mut config = Config::new(workspace::image());
    config.command_line = format!("sallyport.test={word}");
    config.output = Some(folder.join("qemu.log"));
    let (qemu, mut console) = Qemu::start(&config).await?;
    console.set_patience(Duration::from_secs(20));
    let report = console.expect("the last run ended in a crash").await?;
    std::fs::write(folder.join(format!("{word}.txt")), &report)?;
    let lower = report.to_lowercase();
    ensure!(
        lower.contains(names),
        "the report names no {names}:\n{report}"
    );
    let (_, trace) = report.split_once("backtrace:").context("no backtrace")?;
    ensure!(trace.contains("#2 0x"), "the backtrace is short:\n{report}");
    // A panic is reported by code that goes on; registers say something about exceptions only.
    ensure!(
        word == "panic" || lower.contains("rip"),
        "no registers:\n{report}"
    );
    console.wait_ready().await?;
    console.enable(PASSWORD).await?;
    let shown = console.command("show crashinfo").await?;
    ensure!(
        shown.to_lowercase().contains(names),
        "show crashinfo: {shown}"
    );
    qemu.kill().await
}
