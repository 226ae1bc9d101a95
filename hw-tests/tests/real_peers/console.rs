//! The serial line under load.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Result, ensure};
use hw_tests::federation::Federation;
use hw_tests::topology::EDGE;
use tools::console::find_error;

const LINES: u32 = 5_000;

/// The `index`th line of the list.
fn line(index: u32) -> String {
    format!(
        "access-list long extended permit tcp host 192.0.2.{} host 10.20.{}.{} eq {}",
        index % 250 + 1,
        index / 250,
        index % 250 + 1,
        1024 + index
    )
}

pub(crate) async fn paste_of_5000_lines_arrives_whole(lab: &mut Federation) -> Result<()> {
    let edge = EDGE.to_string();
    let ping = ["ping", "-f", "-i", "0.005", "-q", &edge];
    let flood = lab.topology.client.daemon("flood", &ping)?;
    let mut text = String::from("configure terminal\n");
    for index in 0..LINES {
        writeln!(text, "{}", line(index))?;
    }
    text.push_str("end\n");
    lab.console.set_patience(Duration::from_secs(150));
    let output = lab.console.paste(&text).await?;
    ensure!(find_error(&output).is_none(), "{:?}", find_error(&output));
    let shown = lab
        .console
        .command("show running-config access-list long")
        .await?;
    let kept: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with("access-list long "))
        .collect();
    ensure!(
        kept.len() == LINES as usize,
        "{} lines of {LINES} arrived",
        kept.len()
    );
    for index in [0, LINES / 2, LINES - 1] {
        let (is, should) = (kept.get(index as usize).copied(), line(index));
        ensure!(is == Some(&should), "line {index} is {is:?}, not {should}");
    }
    let report = flood.finish(Duration::from_secs(5)).await?;
    println!(
        "      {}",
        report
            .lines()
            .rfind(|line| line.contains("loss"))
            .unwrap_or_default()
    );
    let received = report
        .split(" received")
        .next()
        .and_then(|before| before.rsplit(' ').next()?.parse::<u32>().ok());
    ensure!(
        received.is_some_and(|count| count > 100),
        "the flood stood still: {report}"
    );
    Ok(())
}
