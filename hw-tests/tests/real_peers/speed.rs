//! How fast packets of real hosts cross, with a TAP device of the box's in either host's hands.
//!
//! Prints figures and asserts nothing about time; what it does assert is what makes them: bulk TCP
//! crosses in units much longer than the medium's, because ports coalesce and cut for the box.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hw_tests::between::{Between, Hosts};
use hw_tests::sip::wait_listening;
use hw_tests::topology::ROUTER;

/// How long each rate is measured, in seconds.
const SPAN: u32 = 5;
const LIMIT: Duration = Duration::from_secs(30);
/// The longest frame without offloads: an MTU of 1,500 and the Ethernet header.
const FRAME_MAX: u64 = 1_514;
/// Pairs of queues, and streams that spread over them.
const PAIRS: u16 = 2;
const STREAMS: &str = "8";
const IPERF_PORT: u16 = 5201;
const SINK_PORT: &str = "9999";

/// Everything from inside goes out behind the box's own address.
const TRANSLATION: &str = "\
object network everybody
 subnet 0.0.0.0 0.0.0.0
 nat (inside,outside) dynamic interface
exit
end
";

/// Takes datagrams and never reads them.
const SINK: &str = "import socket,sys,time
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sink.bind((sys.argv[1], int(sys.argv[2])))
time.sleep(60)";

/// Sends datagrams of 18 bytes (frames of 60) at a pace of 200,000/s. The kernel cuts them from one
/// call (UDP_SEGMENT), which a sender in Python needs for such a rate.
const SENDER: &str = "import socket,sys,time
source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
source.setsockopt(socket.IPPROTO_UDP, 103, 18)
source.connect((sys.argv[1], int(sys.argv[2])))
start, sent = time.time(), 0
while time.time() - start < float(sys.argv[3]):
    if sent > (time.time() - start) * 200000:
        time.sleep(0.0001)
        continue
    try:
        source.send(bytes(18 * 32))
        sent += 32
    except OSError:
        pass
print(sent)";

struct Box {
    between: Between,
    hosts: Hosts,
}

impl Box {
    async fn boot(folder: &Path) -> Result<Self> {
        Self::on(Between::boot(folder, TRANSLATION).await?)
    }

    /// Boots with ports of several pairs of queues.
    async fn boot_with_pairs(folder: &Path) -> Result<Self> {
        Self::on(Between::boot_with_pairs(folder, TRANSLATION, PAIRS).await?)
    }

    fn on(between: Between) -> Result<Self> {
        let hosts = between.hosts()?;
        Ok(Self { between, hosts })
    }

    /// Frames and bytes that the inside port has taken in and sent.
    async fn traffic(&mut self) -> Result<[(u64, u64); 2]> {
        let shown = self.between.console.command("show interface gi0/1").await?;
        let count = |label: &str| {
            let line = shown.lines().find(|line| line.contains(label))?;
            let mut numbers = line.split_whitespace().filter_map(|word| word.parse().ok());
            Some((numbers.next()?, numbers.next()?))
        };
        Ok([
            count(" packets input, ").with_context(|| shown.clone())?,
            count(" packets output, ").with_context(|| shown.clone())?,
        ])
    }

    /// Sends TCP streams for [`SPAN`], one by default; returns Mbit/s at the receiver.
    async fn stream(&self, more: &[&str]) -> Result<f64> {
        let (target, span) = (ROUTER.to_string(), SPAN.to_string());
        let mut words = vec!["iperf3", "-c", &target, "-t", &span, "-f", "m"];
        words.extend(more);
        let output = self.hosts.inside.run(&words, LIMIT).await?.success()?;
        // The last one is the sum, if there are several streams.
        let line = output.lines().rfind(|line| line.contains("receiver"));
        let line = line.with_context(|| format!("no receiver's line:\n{output}"))?;
        let words: Vec<_> = line.split_whitespace().collect();
        let pair = words.windows(2).find(|pair| pair[1] == "Mbits/sec");
        let rate = pair.with_context(|| format!("no rate: {line}"))?[0];
        Ok(rate.parse()?)
    }

    /// Frames that the outside host has received.
    async fn arrived(&self) -> Result<u64> {
        let words = ["sh", "-c", "grep eth0: /proc/net/dev"];
        let line = self.hosts.outside.run(&words, LIMIT).await?.success()?;
        let count = line.split_whitespace().nth(2);
        Ok(count.context("no count")?.parse()?)
    }
}

pub(crate) async fn bulk_tcp_crosses_in_long_units(folder: &Path) -> Result<()> {
    let mut lab = Box::boot(folder).await?;
    let address: Ipv4Addr = ROUTER;
    let bound = address.to_string();
    let words = ["iperf3", "-s", "-B", &bound];
    let _server = lab.hosts.outside.daemon("iperf3", &words)?;
    wait_listening(&lab.hosts.outside, address, IPERF_PORT).await?;
    for (what, more, side) in [
        ("inside to outside", &[][..], 0),
        ("outside to inside", &["-R"][..], 1),
    ] {
        let before = lab.traffic().await?[side];
        let rate = lab.stream(more).await.with_context(|| what)?;
        let after = lab.traffic().await?[side];
        let (frames, bytes) = (after.0 - before.0, after.1 - before.1);
        let average = bytes / frames.max(1);
        println!("      one TCP stream, {what}: {rate} Mbit/s in frames of {average} bytes");
        ensure!(rate > 0.0, "{what}: no data arrived");
        ensure!(
            average > 4 * FRAME_MAX,
            "{what}: frames of {average} bytes: nothing was coalesced"
        );
    }
    let shown = lab.between.console.command("show interface").await?;
    for wrong in [" input errors, ", " output errors, "] {
        let clean = format!("\t0{wrong}");
        let lines = shown.lines().filter(|line| line.contains(wrong));
        ensure!(lines.clone().all(|line| line.contains(&clean)), "{shown}");
    }
    let shown = lab.between.console.command("show asp drop").await?;
    ensure!(!shown.contains("invalid-offload"), "{shown}");
    Ok(())
}

/// Sends [`STREAMS`] at once through the box; returns Mbit/s of all.
async fn streams(lab: &Box) -> Result<f64> {
    let bound = ROUTER.to_string();
    let words = ["iperf3", "-s", "-B", &bound];
    let _server = lab.hosts.outside.daemon("iperf3", &words)?;
    wait_listening(&lab.hosts.outside, ROUTER, IPERF_PORT).await?;
    let rate = lab.stream(&["-P", STREAMS]).await?;
    ensure!(rate > 0.0, "no data arrived");
    Ok(rate)
}

pub(crate) async fn flows_spread_over_several_queues(folder: &Path) -> Result<()> {
    let one = streams(&Box::boot(&folder.join("one")).await?).await?;
    let lab = Box::boot_with_pairs(&folder.join("several")).await?;
    let several = streams(&lab).await?;
    println!(
        "      {STREAMS} TCP streams: {one} Mbit/s by one pair of queues, {several} by {PAIRS}"
    );
    // Receive and transmit queues of the pairs, as QEMU counts what went through them.
    for port in 0..2 {
        for queue in 0..2 * PAIRS {
            let path = format!("/machine/peripheral-anon/device[{port}]/virtio-backend");
            let line = format!("info virtio-queue-status {path} {queue}");
            let shown = lab.between.qemu.monitor(&line).await?;
            let used = shown
                .lines()
                .find_map(|line| line.trim().strip_prefix("used_idx:"))
                .with_context(|| format!("`{line}`: {shown}"))?;
            ensure!(
                used.trim() != "0",
                "port {port}: nothing went through queue {queue}\n{shown}"
            );
        }
    }
    Ok(())
}

pub(crate) async fn small_packets_cross(folder: &Path) -> Result<()> {
    let lab = Box::boot(folder).await?;
    let (target, span) = (ROUTER.to_string(), SPAN.to_string());
    let words = ["python3", "-c", SINK, &target, SINK_PORT];
    let _sink = lab.hosts.outside.daemon("sink", &words)?;
    let before = lab.arrived().await?;
    let words = ["python3", "-c", SENDER, &target, SINK_PORT, &span];
    let sent = lab.hosts.inside.run(&words, LIMIT).await?.success()?;
    let arrived = lab.arrived().await? - before;
    let rate = |count: u64| count / u64::from(SPAN);
    let sent: u64 = sent.trim().parse()?;
    println!(
        "      60-byte UDP packets: {} sent, {} arrived a second",
        rate(sent),
        rate(arrived)
    );
    ensure!(arrived > 0, "nothing arrived");
    Ok(())
}
