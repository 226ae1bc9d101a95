//! Packets and bytes through address translation.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::frames::{is_probe, probe};
use super::{Figure, SPAN};
use crate::demo::cast::{Cast, NODE_1, XMPP};
use crate::network::{Host, Port, Segment};

/// Where the bulk receiver listens.
const BULK_PORT: u16 = 5001;

/// Probes under way before the sender waits for the box.
const PROBE_WINDOW: u64 = 1024;

/// What crosses a box between an inside and an outside host.
pub(super) struct Rates {
    /// Mbit/s of one TCP stream.
    bulk: Result<f64>,
    /// Packets/s of one flow of the smallest ones.
    packets: Result<f64>,
}

/// Measures through whatever stands between the networks of a cast.
pub(super) async fn rates(cast: &Cast) -> Rates {
    Rates {
        bulk: bulk(&cast.node_1, NODE_1, &cast.world, XMPP, SPAN).await,
        packets: packets(cast.inside.attach(), cast.outside.mirror(), SPAN).await,
    }
}

/// Tells the rates of the box beside those of a Linux guest, and how often the one goes into the
/// other.
pub(super) fn compare(ours: Rates, theirs: Result<Rates>, figures: &mut Vec<Figure>) {
    let theirs = theirs.unwrap_or_else(|error| {
        let reason = format!("{error:#}");
        Rates {
            bulk: Err(anyhow!(reason.clone())),
            packets: Err(anyhow!(reason)),
        }
    });
    for (what, unit, ours, theirs, aim) in [
        (
            "TCP through dynamic PAT, one stream inside to outside",
            "Mbit/s",
            ours.bulk,
            theirs.bulk,
            "more than the guest",
        ),
        (
            "60-byte UDP packets through dynamic PAT, one flow",
            "packets/s",
            ours.packets,
            theirs.packets,
            "3 times the guest",
        ),
    ] {
        let ratio = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => Some(ours / theirs),
            _ => None,
        };
        let show = |rate: Result<f64>| rate.map(|rate| format!("{rate:.0} {unit}"));
        let mut value = show(ours);
        if let (Ok(text), Some(ratio)) = (&mut value, ratio) {
            text.push_str(&format!(", {ratio:.1} times the guest"));
        }
        figures.push(Figure::new(what, value, aim));
        let guest = format!("The same through a Linux guest with nftables ({unit})");
        figures.push(Figure::new(guest, show(theirs), ""));
    }
}

/// Measures the same stream between the same hosts with no box between them.
pub(super) async fn measure_baseline(figures: &mut Vec<Figure>) {
    let segment = Segment::new();
    let (near, far) = (
        Host::new(&segment, &[(NODE_1, 0)], None),
        Host::new(&segment, &[(XMPP, 0)], None),
    );
    let bulk = bulk(&near, NODE_1, &far, XMPP, SPAN).await;
    figures.push(Figure::new(
        "The same TCP stream without a box (limit of the peers)",
        bulk.map(|rate| format!("{rate:.0} Mbit/s")),
        "",
    ));
}

/// Sends as fast as the connection takes it, and counts at the receiver.
async fn bulk(
    near: &Host,
    from: Ipv4Addr,
    far: &Host,
    to: Ipv4Addr,
    span: Duration,
) -> Result<f64> {
    let target = SocketAddrV4::new(to, BULK_PORT);
    let mut listener = far.listen(target, 1);
    let near = near.clone();
    let sender = tokio::spawn(async move {
        let mut stream = near.connect(from, target).await?;
        let block = vec![0x5A; 64 << 10];
        loop {
            stream.write_all(&block).await?;
        }
        #[allow(unreachable_code)]
        std::io::Result::Ok(())
    });
    let mut stream = timeout(Duration::from_secs(10), listener.accept())
        .await
        .context("no connection in 10 s")??;
    let started = Instant::now();
    let mut block = vec![0; 64 << 10];
    let mut bytes = 0_u64;
    while started.elapsed() < span {
        let length = timeout(span, stream.read(&mut block))
            .await
            .context("the stream stalled")??;
        bytes += length as u64;
    }
    let seconds = started.elapsed().as_secs_f64();
    sender.abort();
    Ok(bytes as f64 * 8.0 / seconds / 1e6)
}

/// Sends minimum-size packets of one flow, never more than a window ahead of those that came out.
async fn packets(inside: Port, mut outside: Port, span: Duration) -> Result<f64> {
    let frame = probe(5001);
    let (mut sent, mut arrived) = (0_u64, 0_u64);
    let mut last_arrival = Instant::now();
    let started = Instant::now();
    while started.elapsed() < span {
        while let Some(frame) = outside.try_receive() {
            if is_probe(&frame) {
                arrived += 1;
                last_arrival = Instant::now();
            }
        }
        if sent.saturating_sub(arrived) < PROBE_WINDOW {
            for _ in 0..64 {
                inside.send(frame.clone());
            }
            sent += 64;
            tokio::task::yield_now().await;
        } else if last_arrival.elapsed() > Duration::from_millis(50) {
            // What has not arrived by now is lost; without this a loss would stop the sender.
            sent = arrived;
        } else {
            sleep(Duration::from_micros(100)).await;
        }
    }
    anyhow::ensure!(arrived > 0, "no packet came out");
    Ok(arrived as f64 / started.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIEFLY: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn bulk_and_packets_flow_between_hosts_without_a_box() {
        let segment = Segment::new();
        let near = Host::new(&segment, &[(NODE_1, 0)], None);
        let far = Host::new(&segment, &[(XMPP, 0)], None);
        let rate = bulk(&near, NODE_1, &far, XMPP, BRIEFLY).await.unwrap();
        assert!(rate > 1.0, "{rate} Mbit/s");

        // Probes go to the box's address; a segment without it floods them.
        let segment = Segment::new();
        let rate = packets(segment.attach(), segment.attach(), BRIEFLY)
            .await
            .unwrap();
        assert!(rate > 1.0, "{rate} packets/s");
    }

    #[test]
    fn a_guest_that_cannot_be_had_is_said_and_the_box_still_told() {
        let (mut alone, mut both) = (Vec::new(), Vec::new());
        let ours = || Rates {
            bulk: Ok(900.0),
            packets: Ok(300_000.0),
        };
        compare(ours(), Err(anyhow!("no network")), &mut alone);
        let shown: Vec<String> = alone.iter().map(ToString::to_string).collect();
        assert!(shown[0].ends_with(" 900 Mbit/s"), "{shown:?}");
        assert!(shown[3].ends_with("not measured: no network"), "{shown:?}");
        let theirs = Rates {
            bulk: Ok(450.0),
            packets: Ok(100_000.0),
        };
        compare(ours(), Ok(theirs), &mut both);
        let shown: Vec<String> = both.iter().map(ToString::to_string).collect();
        assert!(
            shown[2].ends_with("300000 packets/s, 3.0 times the guest"),
            "{shown:?}"
        );
    }

    #[tokio::test]
    async fn a_box_that_forwards_nothing_is_an_error() {
        let (inside, outside) = (Segment::new(), Segment::new());
        assert!(
            packets(inside.attach(), outside.attach(), BRIEFLY)
                .await
                .is_err()
        );
    }
}
