//! Requirement: the operator sees and steers what is done about fragments, forged sources, shunned
//! sources and rates of drops. Needs: nothing; virtual time.

mod common;

use common::Box;
use std::time::Duration;

const INTERFACES: &str = "configure terminal\nlogging enable\nlogging buffered debugging\n\
     interface gi0/0\n nameif outside\n ip address 203.0.113.2 255.255.255.240\n no shutdown\n\
     interface gi0/1\n nameif inside\n ip address 10.20.0.1 255.255.255.0\n no shutdown\nend";

/// An IPv4 packet in a frame to the box at port `port`, with the flags word `fragment`.
fn frame(port: u8, from: [u8; 4], to: [u8; 4], fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x45, 0, 0, 20 + payload.len() as u8, 0, 7];
    header.extend(fragment.to_be_bytes());
    header.extend([64, 17, 0, 0]);
    header.extend(from);
    header.extend(to);
    let mut sum: u32 = header
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    header[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    let mut frame = vec![0x52, 0x54, 0, 0, 0, port + 1, 2, 0, 0, 0, 0, 9, 8, 0];
    frame.extend(header);
    frame.extend(payload);
    frame
}

/// A UDP header, length of the datagram included, without checksum.
fn udp(len: u8) -> Vec<u8> {
    vec![0x10, 0, 0x20, 0, 0, len, 0, 0]
}

const PEER: [u8; 4] = [203, 0, 113, 14];
const HOST: [u8; 4] = [10, 20, 0, 40];

fn boot(more: &str) -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(INTERFACES);
    sallyport.config(&format!("configure terminal\n{more}end"));
    sallyport.wait(Duration::from_secs(1));
    sallyport
}

#[test]
fn fragments_are_shown_as_configured_and_counted() {
    let mut sallyport = boot("fragment chain 2 outside\nfragment reassembly full inside\n");
    let shown = sallyport.line("show fragment");
    let (outside, inside) = (
        "Interface: outside\n    Size: 200, Chain: 2, Timeout: 5, Reassembly: virtual\n    \
         Queue: 0, Assembled: 0, Fail: 0, Overflow: 0\n",
        "Interface: inside\n    Size: 200, Chain: 24, Timeout: 5, Reassembly: full\n    \
         Queue: 0, Assembled: 0, Fail: 0, Overflow: 0\n",
    );
    assert!(
        shown
            .replace('\r', "")
            .contains(&[outside, inside].concat()),
        "{shown}"
    );

    // One of three pieces, and a datagram of two that is complete.
    let end = &sallyport.ends[0];
    assert!(end.send(&frame(0, PEER, HOST, 0x2000, &udp(200))));
    sallyport.wait(Duration::from_millis(100));
    let shown = sallyport.line("show fragment outside");
    assert!(shown.contains("Queue: 1, Assembled: 0, Fail: 0"), "{shown}");
    assert!(!shown.contains("inside"), "{shown}");
    assert!(sallyport.ends[0].send(&frame(0, PEER, HOST, 0x2001, &[0; 8])));
    assert!(sallyport.ends[0].send(&frame(0, PEER, HOST, 0x0003, &[0; 8])));
    sallyport.wait(Duration::from_secs(1));
    let shown = sallyport.line("show fragment outside");
    assert!(shown.contains("Queue: 0, Assembled: 0, Fail: 1"), "{shown}");
    let drops = sallyport.line("show asp drop frame");
    assert!(drops.contains("(fragment-chain-limit)"), "{drops}");
    sallyport.line("clear fragment statistics");
    let shown = sallyport.line("show fragment outside");
    assert!(
        shown.contains("Assembled: 0, Fail: 0, Overflow: 0"),
        "{shown}"
    );
    assert!(
        sallyport
            .line("show fragment dmz")
            .contains("does not exist")
    );
}

#[test]
fn forged_sources_are_counted_by_interface() {
    let mut sallyport = boot("ip verify reverse-path interface outside\n");
    let forged = frame(0, HOST, [10, 20, 0, 1], 0, &udp(8));
    assert!(sallyport.ends[0].send(&forged));
    sallyport.wait(Duration::from_secs(1));
    let shown = sallyport.line("show ip verify statistics");
    assert!(
        shown.contains("interface outside: 1 unicast rpf drops"),
        "{shown}"
    );
    assert!(
        shown.contains("interface inside: 0 unicast rpf drops"),
        "{shown}"
    );
    sallyport.line("clear ip verify statistics");
    let shown = sallyport.line("show ip verify statistics interface outside");
    assert!(
        shown.contains("interface outside: 0 unicast rpf drops"),
        "{shown}"
    );
    assert!(!shown.contains("interface inside:"), "{shown}");
}

#[test]
fn a_source_is_shunned_and_let_in_again_at_the_console() {
    let mut sallyport = boot("");
    let added = sallyport.line("shun 203.0.113.14 10.20.0.40 5000 53 17");
    assert!(
        added.contains("Shun 203.0.113.14 added, 0 connection(s) ended"),
        "{added}"
    );
    sallyport.line("shun 203.0.113.13");
    let shown = sallyport.line("show shun");
    assert!(
        shown.contains("shun (outside) 203.0.113.13 0.0.0.0 0 0 0"),
        "{shown}"
    );
    assert!(
        shown.contains("shun (outside) 203.0.113.14 10.20.0.40 5000 53 17"),
        "{shown}"
    );
    for _ in 0..3 {
        assert!(sallyport.ends[0].send(&frame(0, PEER, [203, 0, 113, 2], 0, &udp(8))));
    }
    sallyport.wait(Duration::from_secs(60));
    let shown = sallyport.line("show shun statistics");
    assert!(shown.contains("outside=ON, cnt=3"), "{shown}");
    assert!(shown.contains("inside=OFF, cnt=0"), "{shown}");
    assert!(
        shown.contains("Shun 203.0.113.14 cnt=3, time=(0:01:0"),
        "{shown}"
    );
    assert!(
        sallyport
            .line("show asp drop")
            .contains("Packet shunned (shunned)")
    );
    assert!(
        sallyport
            .line("no shun 203.0.113.14")
            .contains("Shun 203.0.113.14 deleted")
    );
    assert!(
        sallyport
            .line("no shun 203.0.113.14")
            .contains("is not shunned")
    );
    assert!(!sallyport.line("show shun").contains("203.0.113.14"));
    sallyport.line("clear shun");
    assert!(!sallyport.line("show shun").contains("203.0.113.13"));
    let logged = sallyport.line("show logging");
    assert!(
        logged.contains("%ASA-4-401002: Shun added: 203.0.113.14 10.20.0.40 5000 53"),
        "{logged}"
    );
    assert!(
        logged.contains("%ASA-4-401003: Shun deleted: 203.0.113.14"),
        "{logged}"
    );
}

#[test]
fn drops_above_a_configured_rate_are_told_once_a_bucket() {
    let mut sallyport = boot(
        "threat-detection rate bad-packet-drop rate-interval 600 average-rate 1 burst-rate 4\n",
    );
    // An option that is never let through: five a second for twenty seconds.
    let mut bad = frame(0, PEER, HOST, 0, &udp(8));
    bad[14] = 0x44;
    for _ in 0..2 {
        for _ in 0..50 {
            assert!(sallyport.ends[0].send(&bad));
        }
        sallyport.wait(Duration::from_secs(10));
    }
    sallyport.wait(Duration::from_secs(20));
    let logged = sallyport.line("show logging");
    let told: Vec<_> = logged
        .lines()
        .filter(|line| line.contains("-733100: "))
        .collect();
    assert_eq!(told.len(), 1, "{logged}");
    assert!(
        told[0].contains(
            "%ASA-4-733100: [ Bad pkts] drop rate-1 exceeded. Current burst rate is 5 per second, \
             max configured rate is 4; Current average rate is 0 per second, max configured rate \
             is 1; Cumulative total count is 100"
        ),
        "{told:?}"
    );
    let shown = sallyport.line("show threat-detection rate bad-packet-drop");
    let line = shown
        .lines()
        .find(|line| line.contains("10-min  Bad pkts:"));
    let columns: Vec<_> = line.expect("a line").split_whitespace().collect();
    // The last bucket that is full is that of the drops.
    assert_eq!(columns[3..], ["0", "5", "1", "100"], "{shown}");
    assert!(shown.contains("1-hour  Bad pkts:"), "{shown}");
    assert!(!shown.contains("ACL drop"), "{shown}");
    sallyport.line("clear threat-detection rate");
    let shown = sallyport.line("show threat-detection rate");
    assert!(
        shown.contains("ACL drop") && !shown.contains("100\r"),
        "{shown}"
    );
    sallyport.config("configure terminal\nno threat-detection basic-threat\nend");
    sallyport.wait(Duration::from_secs(1));
    assert!(
        !sallyport
            .line("show threat-detection rate")
            .contains("ACL drop")
    );
}
