//! Packets that no honest stack sends, made with scapy: none passes, each ends in its counter.
//!
//! The rows are in `clients/packets/hostile.txt`. Between two rows every counter of `show asp drop
//! frame` is read: those of the row must have grown by exactly what it says, all others not at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hw_tests::between::{Between, MACS, TAPS};
use hw_tests::process::Talker;
use hw_tests::topology::{EDGE, INSIDE, OUTSIDE};
use serde::Deserialize;
use serde_json::json;
use tools::console::Console;
use tools::workspace;

/// Rows that take their time wait for fragments to be given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything may come in, and the server is published.
const LINES: &str = "\
fragment timeout 1 outside
ip verify reverse-path interface outside
object network server
 host 10.20.0.10
 nat (inside,outside) static 203.0.113.5
access-list outside_in extended permit ip any any
access-group outside_in in interface outside
policy-map global_policy
 class class-default
  inspect icmp
exit
exit
interface GigabitEthernet0/0
 ipv6 address 2001:db8:0:1::2/64
 ipv6 nd suppress-ra
interface GigabitEthernet0/1
 ipv6 address 2001:db8:0:2::1/64
 ipv6 nd suppress-ra
exit
ipv6 route outside ::/0 2001:db8:0:1::1
end
";

/// What came of a row.
#[derive(Deserialize)]
struct Played {
    row: String,
    faults: Vec<String>,
    drops: BTreeMap<String, u64>,
}

/// What is said behind the last row.
#[derive(Deserialize)]
struct Ended {
    rows: usize,
}

pub(crate) async fn hostile_packets_end_in_their_counters(folder: &Path) -> Result<()> {
    let mut lab = Between::boot(folder, LINES).await?;
    let scripts = workspace::root().join("hw-tests/clients/packets");
    let facts = folder.join("facts.json");
    let known = json!({
        "outside_device": TAPS[0],
        "outside_station": "02:00:00:00:00:01",
        "outside_mac": MACS[0],
        "inside_device": TAPS[1],
        "inside_station": "02:00:00:00:00:02",
        "inside_mac": MACS[1],
        "peer": EDGE,
        "box": OUTSIDE,
        "box_inside": INSIDE,
        "public": "203.0.113.5",
        "server": "10.20.0.10",
        "broadcast": "203.0.113.15",
        "network": "203.0.113.0",
        "service": 5269,
        "peer6": "2001:db8:ff::9",
        "box6": "2001:db8:0:1::2",
        "server6": "2001:db8:0:2::10",
    });
    fs::write(&facts, known.to_string())?;
    let (script, table, facts) = (
        scripts.join("rows.py").to_string_lossy().into_owned(),
        scripts.join("hostile.txt").to_string_lossy().into_owned(),
        facts.to_string_lossy().into_owned(),
    );
    // Debian's own Python has Debian's scapy. The checked-in folder is no place for compiled files.
    let words = ["/usr/bin/python3", "-B", &script, &facts, &table];
    let mut player = Talker::start(&lab.cables.command(&words), PATIENCE, true)?;
    let (mut rows, mut wrong) = (0, Vec::new());
    let mut before = counters(&mut lab.console).await?;
    loop {
        let line = player.line.expect("}\n").await?;
        if let Ok(ended) = serde_json::from_str::<Ended>(line.trim()) {
            ensure!(ended.rows == rows, "{rows} of {} rows", ended.rows);
            break;
        }
        let played: Played = serde_json::from_str(line.trim()).with_context(|| line.clone())?;
        let after = counters(&mut lab.console).await?;
        let grown = grown(&before, &after);
        let row = &played.row;
        wrong.extend(played.faults.iter().map(|fault| format!("{row}: {fault}")));
        if played.drops != grown {
            let wanted = &played.drops;
            wrong.push(format!("{row}: counted {grown:?}, not {wanted:?}"));
        }
        before = after;
        rows += 1;
        player.line.send(b"\n").await?;
    }
    ensure!(wrong.is_empty(), "of {rows} rows:\n{}", wrong.join("\n"));
    println!("      {rows} rows, each with its exact counters");
    Ok(())
}

/// The counters of frames by their short names.
async fn counters(console: &mut Console) -> Result<BTreeMap<String, u64>> {
    let shown = console.command("show asp drop frame").await?;
    let lines = shown.lines().filter_map(|line| {
        let (_, rest) = line.rsplit_once('(')?;
        let (name, count) = rest.split_once(')')?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    });
    Ok(lines.collect())
}

/// By how much each counter has grown, if it has.
fn grown(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let counts = after.iter().filter_map(|(name, count)| {
        let more = count - before.get(name).copied().unwrap_or(0);
        (more > 0).then(|| (name.clone(), more))
    });
    counts.collect()
}
