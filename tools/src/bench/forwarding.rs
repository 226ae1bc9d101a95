//! Packets and bytes through address translation.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::frames::{is_probe, probe};
use super::{Figure, SPAN};
use crate::demo::cast::{NODE_1, XMPP};
use crate::demo::lab::Lab;
use crate::network::{Host, Port, Segment};

/// Where the bulk receiver listens.
const BULK_PORT: u16 = 5001;

/// Probes under way before the sender waits for the box.
const PROBE_WINDOW: u64 = 1024;

/// Measures through the box.
pub(super) async fn measure(lab: &Lab, figures: &mut Vec<Figure>) {
    let bulk = bulk(&lab.cast.node_1, NODE_1, &lab.cast.world, XMPP, SPAN).await;
    figures.push(Figure::new(
        "TCP through dynamic PAT, one stream inside to outside",
        bulk,
        "",
    ));
    let rate = packets(lab.cast.inside.attach(), lab.cast.outside.mirror(), SPAN).await;
    figures.push(Figure::new(
        "60-byte UDP packets through dynamic PAT, one flow",
        rate,
        "",
    ));
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
        bulk,
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
) -> Result<String> {
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
    Ok(format!("{:.0} Mbit/s", bytes as f64 * 8.0 / seconds / 1e6))
}

/// Sends minimum-size packets of one flow, never more than a window ahead of those that came out.
async fn packets(inside: Port, mut outside: Port, span: Duration) -> Result<String> {
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
    Ok(format!(
        "{:.0} packets/s",
        arrived as f64 / started.elapsed().as_secs_f64()
    ))
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
        assert!(
            rate.ends_with("Mbit/s") && !rate.starts_with("0 "),
            "{rate}"
        );

        // Probes go to the box's address; a segment without it floods them.
        let segment = Segment::new();
        let rate = packets(segment.attach(), segment.attach(), BRIEFLY)
            .await
            .unwrap();
        assert!(rate.ends_with("packets/s"), "{rate}");
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
