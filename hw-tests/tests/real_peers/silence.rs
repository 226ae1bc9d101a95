//! Nothing is forwarded before the policy is in force: frames that it permits and frames that it
//! denies are sent to both ports all through the start.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hw_tests::between::{MACS, TAPS, cables, machine};
use hw_tests::federation::{PASSWORD, type_lines};
use hw_tests::namespace::Namespace;
use hw_tests::process::Talker;
use hw_tests::topology::{CLIENT, EDGE, OUTSIDE};
use serde::Deserialize;
use serde_json::json;
use tools::demo::script;
use tools::qemu::{Config, Qemu, ensure_disk};
use tools::workspace;

use crate::storage::DISK_MIB;

const PATIENCE: Duration = Duration::from_secs(30);

/// How long frames are still sent when the box has its prompt.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// Starts that are tried with a saved configuration.
const STARTS: u32 = 3;

/// Elements between the lines that matter, so that to read them all takes its time.
const FILLER: u16 = 3_000;

/// What goes out would be permitted by the security levels alone, were it not for `inside_in`.
const ENDS: &str = "\
access-list inside_in extended deny udp any any eq 69
access-list inside_in extended permit ip any any
access-group outside_in in interface outside
access-group inside_in in interface inside
object network server
 host 10.20.0.10
 nat (inside,outside) static 203.0.113.5
object network everybody
 subnet 10.20.0.0 255.255.255.0
 nat (inside,outside) dynamic interface
exit
end
";

/// What the sender has counted, by kind of frame.
#[derive(Debug, Deserialize)]
struct Counts {
    sent: BTreeMap<String, u64>,
    passed: BTreeMap<String, u64>,
    /// Those sent before the first one passed.
    before: BTreeMap<String, u64>,
    strange: Vec<String>,
}

pub(crate) async fn nothing_is_forwarded_before_the_policy_is_in_force(
    folder: &Path,
) -> Result<()> {
    let cables = cables(folder)?;
    let mut config = machine(&cables, folder);
    let disk = folder.join("disk.img");
    ensure_disk(&disk, DISK_MIB)?;
    config.disk = Some(disk);
    save_policy(&config).await?;

    for start in 1..=STARTS {
        let counts = count_through_start(&cables, &config, folder).await?;
        let passed = |kind: &str| counts.passed.get(kind).copied().unwrap_or(0);
        ensure!(counts.strange.is_empty(), "start {start}: {counts:?}");
        for side in ["outside", "inside"] {
            let (permitted, denied) = (
                format!("permitted from {side}"),
                format!("denied from {side}"),
            );
            ensure!(passed(&permitted) > 0, "start {start}: {counts:?}");
            ensure!(passed(&denied) == 0, "start {start}: {counts:?}");
            // Or else nothing was shown.
            let early = counts.before.get(&permitted).copied().unwrap_or(0);
            let tried = counts.sent.get(&denied).copied().unwrap_or(0);
            ensure!(early > 0 && tried > early, "start {start}: {counts:?}");
        }
        println!(
            "      start {start}: {:?} frames before the first that passed, {:?} passed",
            counts.before.values().max().unwrap_or(&0),
            counts.passed.values().sum::<u64>()
        );
    }

    // As it comes from the factory it has no policy, and forwards nothing at all.
    config.disk = None;
    let counts = count_through_start(&cables, &config, folder).await?;
    ensure!(
        counts.strange.is_empty() && counts.passed.values().all(|&passed| passed == 0),
        "without a configuration: {counts:?}"
    );
    ensure!(counts.sent.values().all(|&sent| sent > 100), "{counts:?}");
    Ok(())
}

async fn save_policy(config: &Config) -> Result<()> {
    let (qemu, mut console) = Qemu::start(config).await?;
    console.set_patience(PATIENCE);
    console.wait_ready().await?;
    console.enable(PASSWORD).await?;
    type_lines(&mut console, script::BASICS).await?;
    let mut lines =
        String::from("access-list outside_in extended permit tcp any host 10.20.0.10 eq 5269\n");
    for port in 0..FILLER {
        lines.push_str(&format!(
            "access-list outside_in extended permit tcp host 192.0.2.{} host 10.20.0.11 eq {}\n",
            port % 250,
            port + 1
        ));
    }
    lines.push_str(ENDS);
    console.paste(&lines).await?;
    let saved = console.command("write memory").await?;
    ensure!(saved.contains("[OK]"), "{saved}");
    qemu.kill().await
}

/// Starts a box while frames are sent to it, up to a little behind its prompt.
async fn count_through_start(cables: &Namespace, config: &Config, folder: &Path) -> Result<Counts> {
    let facts = folder.join("facts.json");
    let known = json!({
        "outside_device": TAPS[0],
        "outside_station": "02:00:00:00:00:01",
        "outside_mac": MACS[0],
        "inside_device": TAPS[1],
        "inside_station": "02:00:00:00:00:02",
        "inside_mac": MACS[1],
        "peer": EDGE,
        "public": "203.0.113.5",
        "shared": OUTSIDE,
        "server": "10.20.0.10",
        "client": CLIENT,
        "published": 5269,
        "hidden": 22,
        "allowed": 53,
        "forbidden": 69,
    });
    fs::write(&facts, known.to_string())?;
    let script = workspace::root().join("hw-tests/clients/packets/boot.py");
    let (script, facts) = (
        script.to_string_lossy().into_owned(),
        facts.to_string_lossy().into_owned(),
    );
    let words = ["/usr/bin/python3", "-B", &script, &facts];
    let mut sender = Talker::start(&cables.command(&words), PATIENCE, true)?;
    sender.line.expect("ready\n").await?;
    let (qemu, mut console) = Qemu::start(config).await?;
    console.set_patience(PATIENCE);
    console.wait_ready().await?;
    tokio::time::sleep(AFTERWARDS).await;
    sender.line.send(b"\n").await?;
    let line = sender.line.expect("}\n").await?;
    qemu.kill().await?;
    serde_json::from_str(line.trim()).with_context(|| line.clone())
}
