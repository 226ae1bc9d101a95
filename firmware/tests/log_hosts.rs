//! Requirement: messages reach the configured syslog servers, by UDP and by TCP, in the configured
//! form; what does not is counted; a TCP server that is down stops new connections unless that is
//! permitted. Needs: nothing; virtual time, servers made of packets.

mod common;

use std::net::Ipv4Addr;
use std::time::Duration;

use common::Box;
use common::wire::{INSIDE, OUTSIDE, tcp};
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};

const DESK: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 40);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 9);
const BOX_INSIDE: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);
const PEER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);

const NETWORKS: &str = "\
    hostname asa1\n\
    interface gi0/0\nnameif outside\nsecurity-level 0\nip address 203.0.113.2 255.255.255.240\n\
    no shutdown\n\
    interface gi0/1\nnameif inside\nip address 10.20.0.1 255.255.255.0\nno shutdown\n\
    route outside 0.0.0.0 0.0.0.0 203.0.113.1\n";

/// A box that sends connections and worse to its servers; `more` are further lines.
fn sending_box(more: &str) -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(&format!(
        "configure terminal\n{NETWORKS}logging enable\nlogging list CONNS message 302013-302014\n\
         logging list CONNS message 414003-414004\nlogging list CONNS message 201008\n\
         logging buffered CONNS\nlogging trap CONNS\n{more}end"
    ));
    sallyport
}

/// Sends a SYN from inside; returns whether it leaves outside, and everything else that left.
fn open(sallyport: &mut Box, port: u16) -> (bool, Vec<(usize, Vec<u8>)>) {
    let left = sallyport.exchange(INSIDE, &tcp((DESK, port), (PEER, 443), "S", 1, 0));
    let (outside, inside): (Vec<_>, Vec<_>) =
        left.into_iter().partition(|(end, _)| *end == OUTSIDE);
    (!outside.is_empty(), inside)
}

fn built(number: u32, port: u16) -> String {
    format!(
        "%ASA-6-302013: Built outbound TCP connection {number} for outside:198.51.100.20/443 \
         (198.51.100.20/443) to inside:10.20.0.40/{port} (10.20.0.40/{port})"
    )
}

/// The datagrams among `packets`: destination port and text, checksums verified.
fn datagrams(packets: &[(usize, Vec<u8>)]) -> Vec<(u16, String)> {
    let mut found = Vec::new();
    for (end, packet) in packets {
        let ip = Ipv4Packet::new_checked(packet).expect("a packet");
        if ip.next_header() != IpProtocol::Udp {
            continue;
        }
        assert_eq!(
            (*end, ip.src_addr(), ip.dst_addr()),
            (INSIDE, BOX_INSIDE, SERVER)
        );
        assert!(ip.verify_checksum());
        let udp = UdpPacket::new_checked(ip.payload()).expect("a datagram");
        assert!(udp.verify_checksum(&BOX_INSIDE.into(), &SERVER.into()));
        assert_eq!(udp.src_port(), 514);
        let text = String::from_utf8(udp.payload().to_vec()).expect("text");
        found.push((udp.dst_port(), text));
    }
    found
}

/// A server at 10.20.0.9 that takes lines on port 1470, one connection at a time.
#[derive(Default)]
struct Receiver {
    is_refusing: bool,
    /// Port of the box, and the next sequence number expected from it.
    connection: Option<(u16, i32)>,
    connections: usize,
    text: String,
}

impl Receiver {
    /// Answers what the box sends for `time`.
    fn serve(&mut self, sallyport: &mut Box, time: Duration) {
        let step = Duration::from_millis(100);
        for _ in 0..time.as_millis() / step.as_millis() {
            let packets = sallyport.listen(step);
            self.answer(sallyport, packets);
        }
    }

    fn answer(&mut self, sallyport: &mut Box, mut packets: Vec<(usize, Vec<u8>)>) {
        while !packets.is_empty() {
            let answers: Vec<_> = packets
                .iter()
                .filter_map(|(_, packet)| self.take(packet))
                .collect();
            packets.clear();
            for answer in answers {
                packets.extend(sallyport.exchange(INSIDE, &answer));
            }
        }
    }

    /// Takes a packet; returns the answer.
    fn take(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let ip = Ipv4Packet::new_checked(packet).expect("a packet");
        if ip.next_header() != IpProtocol::Tcp || ip.dst_addr() != SERVER {
            return None;
        }
        let segment = TcpPacket::new_checked(ip.payload()).expect("a segment");
        assert!(segment.verify_checksum(&BOX_INSIDE.into(), &SERVER.into()));
        assert_eq!(segment.dst_port(), 1470);
        let from = (SERVER, 1470);
        let to = (BOX_INSIDE, segment.src_port());
        let after = segment.seq_number().0 + segment.segment_len() as i32;
        if self.is_refusing {
            self.connection = None;
            return (!segment.rst()).then(|| {
                let ack = segment.ack_number().0;
                tcp(from, to, "RA", ack, after)
            });
        }
        if segment.syn() {
            self.connection = Some((segment.src_port(), after));
            self.connections += 1;
            return Some(tcp(from, to, "SA", 7000, after));
        }
        let (port, expected) = self.connection.as_mut()?;
        assert_eq!(segment.src_port(), *port);
        if segment.seq_number().0 == *expected - 1 {
            // Asks whether anybody is there (RFC 9293 §3.8.4).
            return Some(tcp(from, to, "A", 7001, *expected));
        }
        assert_eq!(segment.seq_number().0, *expected, "nothing is lost here");
        *expected = after;
        let payload = segment.payload();
        self.text += std::str::from_utf8(payload).expect("text");
        (!payload.is_empty()).then(|| tcp(from, to, "A", 7001, after))
    }
}

#[test]
fn datagrams_carry_priority_time_and_name_in_the_configured_form() {
    let mut sallyport = sending_box(
        "logging timestamp\nlogging device-id hostname\nlogging host inside 10.20.0.9\n\
         logging host inside 10.20.0.9\n",
    );
    let (_, left) = open(&mut sallyport, 1000);
    let mut sent = datagrams(&left);
    sent.extend(datagrams(&sallyport.listen(Duration::from_secs(1))));
    let [(514, line)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    let start = "<166>Jan 15 2026 12:00:";
    let end = format!(" asa1 : {}", built(1, 1000));
    assert!(line.starts_with(start) && line.ends_with(&end), "{line}");

    sallyport.config(
        "configure terminal\nlogging facility 23\nlogging timestamp rfc5424\n\
         logging host inside 10.20.0.9 udp/1514 format emblem\nend",
    );
    sallyport.listen(Duration::from_secs(1));
    let (_, left) = open(&mut sallyport, 1001);
    let mut sent = datagrams(&left);
    sent.extend(datagrams(&sallyport.listen(Duration::from_secs(1))));
    let [(1514, line)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert!(line.starts_with("<190>:2026-01-15T12:00:"), "{line}");
    let end = format!("Z: {}", built(2, 1001).replace("%ASA-", "%ASA-session-"));
    assert!(line.ends_with(&end), "{line}");

    let shown = sallyport.line("show logging setting");
    assert!(
        shown.contains("Logging to inside 10.20.0.9, udp/1514 TX:2 errors: 0  dropped: 0"),
        "{shown}"
    );
}

#[test]
fn a_server_that_is_not_behind_its_interface_gets_nothing_and_that_is_counted() {
    let mut sallyport = sending_box("logging host outside 10.20.0.9\n");
    sallyport.listen(Duration::from_secs(1));
    let (_, left) = open(&mut sallyport, 1000);
    assert_eq!(datagrams(&left), []);
    let shown = sallyport.line("show logging setting");
    assert!(
        shown.contains("Logging to outside 10.20.0.9, UDP TX:0 errors: 1  dropped: 0"),
        "{shown}"
    );
}

#[test]
fn lines_reach_a_tcp_server_whole_and_in_order() {
    let mut sallyport = sending_box("logging host inside 10.20.0.9 tcp/1470\n");
    let mut receiver = Receiver::default();
    receiver.serve(&mut sallyport, Duration::from_secs(1));
    assert_eq!(receiver.connections, 1);
    let mut expected = String::new();
    for number in 1..=300 {
        let port = 1000 + number as u16;
        let (is_open, left) = open(&mut sallyport, port);
        assert!(is_open);
        receiver.answer(&mut sallyport, left);
        expected += &format!("<166>{}\n", built(number, port));
    }
    receiver.serve(&mut sallyport, Duration::from_secs(2));
    assert_eq!(receiver.text, expected);
    let shown = sallyport.line("show logging setting");
    assert!(
        shown.contains("Logging to inside 10.20.0.9, tcp/1470 TX:300 errors: 0  dropped: 0"),
        "{shown}"
    );
}

#[test]
fn a_tcp_server_that_is_down_stops_new_connections_until_it_is_back() {
    let mut sallyport = sending_box("logging host inside 10.20.0.9 tcp/1470\n");
    let mut receiver = Receiver {
        is_refusing: true,
        ..Receiver::default()
    };
    receiver.serve(&mut sallyport, Duration::from_secs(1));
    assert!(!open(&mut sallyport, 1000).0, "nothing new may pass");
    let drops = sallyport.line("show asp drop frame");
    assert!(drops.contains("(log-server-down)"), "{drops}");
    let shown = sallyport.line("show logging");
    assert!(
        shown.contains(
            "%ASA-3-414003: TCP Syslog Server inside: 10.20.0.9/1470 not responding. New \
             connections are denied based on logging permit-hostdown policy."
        ) && shown.contains("%ASA-3-201008: Disallowing new connections."),
        "{shown}"
    );
    let since = "Logging to inside 10.20.0.9 tcp/1470 Not connected since Thu, 15 Jan 2026 12:00:";
    assert!(shown.contains(since), "{shown}");

    receiver.is_refusing = false;
    receiver.serve(&mut sallyport, Duration::from_secs(70));
    assert_eq!(receiver.connections, 1);
    let (is_open, left) = open(&mut sallyport, 1001);
    assert!(is_open, "the server is back");
    receiver.answer(&mut sallyport, left);
    receiver.serve(&mut sallyport, Duration::from_secs(1));
    let restored = "<166>%ASA-6-414004: TCP Syslog Server inside: 10.20.0.9/1470 - Connection \
                    restored.\n";
    assert_eq!(
        receiver.text,
        format!("{restored}<166>{}\n", built(1, 1001))
    );

    // The server dies; the next line finds out.
    receiver.is_refusing = true;
    let (is_open, left) = open(&mut sallyport, 1002);
    assert!(is_open);
    receiver.answer(&mut sallyport, left);
    receiver.serve(&mut sallyport, Duration::from_secs(1));
    assert!(!open(&mut sallyport, 1003).0);
    let shown = sallyport.line("show logging setting");
    assert!(shown.contains("CHANNEL_FLAP_CNT: 1"), "{shown}");

    sallyport.config("configure terminal\nlogging permit-hostdown\nend");
    sallyport.listen(Duration::from_secs(1));
    assert!(
        open(&mut sallyport, 1004).0,
        "permitted although the server is down"
    );
    let shown = sallyport.line("show logging setting");
    assert!(
        shown.contains("Permit-hostdown logging: enabled"),
        "{shown}"
    );
    assert!(!shown.contains("ALL_CHANNEL_DOWN: 0"), "{shown}");
}

#[test]
fn a_silent_tcp_server_is_tried_less_and_less_often() {
    let mut sallyport = sending_box("logging host inside 10.20.0.9 tcp/1470\n");
    let mut syns = Vec::new();
    for second in 0..200 {
        for (_, packet) in sallyport.listen(Duration::from_secs(1)) {
            let ip = Ipv4Packet::new_checked(&packet).expect("a packet");
            let segment = TcpPacket::new_checked(ip.payload()).expect("a segment");
            let attempt = (segment.src_port(), segment.seq_number());
            if segment.syn() && !syns.iter().any(|(_, known)| *known == attempt) {
                syns.push((second, attempt));
            }
        }
    }
    let gaps: Vec<i32> = syns.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(gaps.len() >= 4 && gaps.is_sorted(), "{gaps:?}");
    assert!(gaps[0] <= 12 && gaps[gaps.len() - 1] >= 40, "{gaps:?}");
}

#[test]
fn strangers_cannot_speak_for_the_server() {
    let mut sallyport = sending_box("logging host inside 10.20.0.9 tcp/1470\n");
    let mut receiver = Receiver::default();
    receiver.serve(&mut sallyport, Duration::from_secs(1));
    let (port, next) = receiver.connection.expect("a connection");
    let stranger = (Ipv4Addr::new(10, 20, 0, 66), 1470);
    let reset = tcp(stranger, (BOX_INSIDE, port), "R", 7001, next);
    assert_eq!(sallyport.exchange(INSIDE, &reset), []);
    let scan = tcp(stranger, (BOX_INSIDE, port), "S", 1, 0);
    assert_eq!(sallyport.exchange(INSIDE, &scan), []);
    let (is_open, left) = open(&mut sallyport, 1000);
    assert!(is_open);
    receiver.answer(&mut sallyport, left);
    receiver.serve(&mut sallyport, Duration::from_secs(1));
    assert_eq!(receiver.text, format!("<166>{}\n", built(1, 1000)));
}
