//! Hosts on one segment.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Host, Segment};

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// An address behind B, reached through it.
const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);

fn pair() -> (Host, Host) {
    let segment = Segment::new();
    (
        Host::new(&segment, &[(A, 24)], Some(B)),
        Host::new(&segment, &[(B, 24), (FAR, 32)], None),
    )
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), work).await.unwrap()
}

#[tokio::test]
async fn a_megabyte_crosses_unharmed_and_the_end_is_seen() {
    let (a, b) = pair();
    let mut listener = b.listen(SocketAddrV4::new(FAR, 7000), 1);
    let data: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let sent = data.clone();
    let sender = tokio::spawn(async move {
        let mut stream = a.connect(A, SocketAddrV4::new(FAR, 7000)).await.unwrap();
        stream.write_all(&sent).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut end = Vec::new();
        stream.read_to_end(&mut end).await.unwrap();
        end
    });
    let mut stream = within(listener.accept()).await.unwrap();
    assert_eq!(stream.remote.ip(), A);
    assert_eq!(stream.local.port(), 7000);
    let mut received = Vec::new();
    within(stream.read_to_end(&mut received)).await.unwrap();
    assert!(received == data, "{} bytes arrived", received.len());
    stream.write_all(b"thanks").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(within(sender).await.unwrap(), b"thanks");
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let (a, _b) = pair();
    let error = within(a.connect(A, SocketAddrV4::new(B, 9)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_backlog_of_four_accepts_four_at_once() {
    let (a, b) = pair();
    let mut listener = b.listen(SocketAddrV4::new(B, 7001), 4);
    let mut calls = Vec::new();
    for _ in 0..4 {
        calls.push(
            within(a.connect(A, SocketAddrV4::new(B, 7001)))
                .await
                .unwrap(),
        );
    }
    let mut ports = Vec::new();
    for _ in 0..4 {
        ports.push(within(listener.accept()).await.unwrap().remote.port());
    }
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 4);
}

/// A minimum frame between two made-up stations.
fn frame(destination: u8, source: u8) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[5] = destination;
    frame[11] = source;
    frame
}

#[tokio::test]
async fn a_segment_learns_stations_and_a_mirror_still_sees_everything() {
    let segment = Segment::new();
    let (mut one, mut two, mut three) = (segment.attach(), segment.attach(), segment.attach());
    let mut mirror = segment.mirror();
    one.send(frame(2, 1)); // station 2 is not known yet: flooded
    assert!(two.try_receive().is_some() && three.try_receive().is_some());
    two.send(frame(1, 2)); // station 1 is
    assert!(one.try_receive().is_some() && three.try_receive().is_none());
    assert!(mirror.try_receive().is_some() && mirror.try_receive().is_some());
}
