//! Requirement: an operator sees what crosses the box and what it drops, and takes it along as a file
//! that other programs read. Needs: nothing; virtual time.

mod common;

use std::time::Duration;

use common::{Box, receive};
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::{Block, PcapNgReader};

const CONFIGURATION: &str = "configure terminal\nhostname asa1\ninterface gi0/0\n nameif outside\n \
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nexit\nroute outside 0 0 203.0.113.1\n\
     object network desks\n subnet 10.20.0.0 255.255.255.0\n nat (inside,outside) dynamic interface\n\
     access-list calls extended permit tcp any any eq 5061\nend";

const DESK: [u8; 4] = [10, 20, 0, 40];
const GATEWAY: [u8; 4] = [203, 0, 113, 1];
const EDGE: [u8; 4] = [198, 51, 100, 20];

const OUTSIDE: usize = 0;
const INSIDE: usize = 1;

/// The box between its neighbours, each of which has said who it is.
fn configured() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(CONFIGURATION);
    sallyport.config(common::KEEP_SEQUENCES);
    sallyport.wait(Duration::from_secs(1));
    for (end, station, target) in [
        (OUTSIDE, GATEWAY, [203, 0, 113, 2]),
        (INSIDE, DESK, [10, 20, 0, 1]),
    ] {
        let mut frame = vec![0xff; 6];
        frame.extend(mac(station));
        frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend(mac(station));
        frame.extend(station);
        frame.extend([0; 6]);
        frame.extend(target);
        assert!(sallyport.ends[end].send(&frame));
    }
    sallyport.wait(Duration::from_millis(10));
    for end in &sallyport.ends {
        drop(end.receive_all());
    }
    sallyport
}

/// The Ethernet address of a station.
fn mac([a, b, c, d]: [u8; 4]) -> [u8; 6] {
    [2, 0, a, b, c, d]
}

fn sum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// A TCP segment to the box at `end`, checksums right.
fn segment(end: usize, from: ([u8; 4], u16), to: ([u8; 4], u16), flags: u8) -> Vec<u8> {
    let mut tcp = Vec::new();
    tcp.extend(from.1.to_be_bytes());
    tcp.extend(to.1.to_be_bytes());
    tcp.extend(1000u32.to_be_bytes());
    tcp.extend([0, 0, 0, 0, 0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    let mut pseudo = [from.0, to.0].concat();
    pseudo.extend([0, 6, 0, 20]);
    pseudo.extend(&tcp);
    let check = !sum(&pseudo);
    tcp[16..18].copy_from_slice(&check.to_be_bytes());
    let mut packet = vec![0x45, 0, 0, 40, 0, 9, 0x40, 0, 64, 6, 0, 0];
    packet.extend([from.0, to.0].concat());
    let check = !sum(&packet);
    packet[10..12].copy_from_slice(&check.to_be_bytes());
    let mut frame = vec![0x52, 0x54, 0, 0, 0, end as u8 + 1];
    frame.extend(mac(if end == OUTSIDE { GATEWAY } else { DESK }));
    frame.extend([8, 0]);
    frame.extend(packet);
    frame.extend(tcp);
    frame
}

const SYN: u8 = 2;

/// Sends a SYN of the desk to the edge's SIP port.
fn call(sallyport: &mut Box, from_port: u16) {
    let syn = segment(INSIDE, (DESK, from_port), (EDGE, 5061), SYN);
    assert!(sallyport.ends[INSIDE].send(&syn));
    sallyport.wait(Duration::from_millis(10));
}

#[test]
fn a_call_is_seen_on_both_sides_as_on_the_wire() {
    let mut sallyport = configured();
    sallyport.config(
        "capture in interface inside match tcp any host 198.51.100.20 eq 5061\n\
         capture out interface outside",
    );
    call(&mut sallyport, 41_022);
    // Not for port 5061.
    let other = segment(INSIDE, (DESK, 41_023), (EDGE, 80), SYN);
    assert!(sallyport.ends[INSIDE].send(&other));
    sallyport.wait(Duration::from_millis(10));
    assert_eq!(sallyport.ends[OUTSIDE].receive_all().len(), 2);

    let printed = sallyport.line("show capture in");
    assert!(
        printed.contains("\r\n1 packet captured\r\n\r\n   1: 12:00:"),
        "{printed}"
    );
    let line = "       10.20.0.40.41022 > 198.51.100.20.5061: S 1000:1000(0) win 8192\r\n\
                1 packet shown\r\n";
    assert!(printed.contains(line), "{printed}");
    let printed = sallyport.line("show capture out");
    assert!(printed.contains("2 packets captured"), "{printed}");
    assert!(
        printed.contains("203.0.113.2.41022 > 198.51.100.20.5061: S 1000:1000(0) win 8192\r\n"),
        "{printed}"
    );
    let printed = sallyport.line("show capture");
    assert!(
        printed.contains(
            "capture in type raw-data interface inside [Capturing - 71 bytes]\r\n  \
             match tcp any host 198.51.100.20 eq 5061\r\n\
             capture out type raw-data interface outside [Capturing - 154 bytes]\r\n"
        ),
        "{printed}"
    );
    // Not part of the configuration.
    let printed = sallyport.line("show running-config | include capture");
    assert!(!printed.contains("capture in"), "{printed}");
}

#[test]
fn a_dropped_syn_names_its_reason() {
    let mut sallyport = configured();
    sallyport.config("capture all type asp-drop\ncapture some type asp-drop acl-drop buffer 2000");
    let stray = segment(OUTSIDE, (EDGE, 5061), ([203, 0, 113, 2], 5061), SYN);
    assert!(sallyport.ends[OUTSIDE].send(&stray));
    sallyport.wait(Duration::from_millis(10));
    let drops = sallyport.line("show asp drop frame");
    let printed = sallyport.line("show capture all detail");
    let (before, _) = printed.split_once(" Drop-reason: (").expect("a reason");
    assert!(
        before.ends_with(
            " 0200.cb00.7101 5254.0000.0001 0x0800 Length: 54 outside dropped\r\n      \
             198.51.100.20.5061 > 203.0.113.2.5061: S 1000:1000(0) win 8192 (DF) (ttl 64, id 9)"
        ),
        "{printed}"
    );
    let (_, reason) = printed.split_once(" Drop-reason: (").expect("a reason");
    let (name, text) = reason.split_once(") ").expect("a text");
    let text = text.lines().next().expect("a line");
    assert!(drops.contains(&format!("  {text} ({name})")), "{drops}");
    let printed = sallyport.line("show capture");
    assert!(
        printed.contains("capture some type asp-drop acl-drop buffer 2000 ["),
        "{printed}"
    );
}

#[test]
fn a_listing_is_narrowed_paged_and_filtered() {
    let mut sallyport = configured();
    sallyport.config("capture out interface outside");
    for port in 0..60 {
        call(&mut sallyport, 40_000 + port);
        let other = segment(INSIDE, (DESK, 50_000 + port), (EDGE, 80), SYN);
        assert!(sallyport.ends[INSIDE].send(&other));
        sallyport.wait(Duration::from_millis(10));
    }
    let printed = sallyport.line("show capture out count 2 packet-number 4");
    let numbers: Vec<_> = printed
        .lines()
        .filter_map(|line| line.split_once(": 12:00:"))
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, ["   4", "   5"], "{printed}");
    let printed = sallyport.line("show capture out access-list calls");
    assert!(printed.contains("60 packets shown"), "{printed}");
    assert!(!printed.contains(".80: S"), "{printed}");
    let printed = sallyport.line("show capture out | count 5061:");
    assert!(
        printed.contains("Number of lines which match: 60"),
        "{printed}"
    );
    let printed = sallyport.line("show capture out count 1 decode dump");
    assert!(printed.contains("      TCP: "), "{printed}");
    assert!(printed.contains("\r\n0x0030   "), "{printed}");

    sallyport.line("terminal pager 10");
    let printed = sallyport.line("show capture out");
    assert!(printed.ends_with("<--- More --->"), "{printed}");
    // Packets pass and are captured while somebody reads.
    drop(sallyport.ends[OUTSIDE].receive_all());
    call(&mut sallyport, 45_000);
    assert_eq!(sallyport.ends[OUTSIDE].receive_all().len(), 1);
    let printed = sallyport.type_text("q");
    assert!(printed.ends_with("asa1# "), "{printed}");
    sallyport.line("terminal pager 0");
    let printed = sallyport.line("show capture out");
    assert!(printed.contains("121 packets shown"), "{printed}");
}

#[test]
fn a_capture_is_stopped_cleared_added_to_and_removed() {
    let mut sallyport = configured();
    sallyport.config("capture c interface inside access-list calls packet-length 64");
    let state = |sallyport: &mut Box| {
        let printed = sallyport.line("show capture");
        let (_, state) = printed.split_once('[').expect("a state");
        state.split_once(']').expect("its end").0.to_owned()
    };
    call(&mut sallyport, 40_000);
    assert_eq!(state(&mut sallyport), "Capturing - 71 bytes");
    sallyport.config("capture c stop");
    call(&mut sallyport, 40_001);
    assert_eq!(state(&mut sallyport), "Stopped - 71 bytes");
    sallyport.config("no capture c stop");
    call(&mut sallyport, 40_002);
    assert_eq!(state(&mut sallyport), "Capturing - 142 bytes");
    // The list changes under the capture.
    sallyport.config("configure terminal\naccess-list calls line 1 extended deny tcp any any\nend");
    call(&mut sallyport, 40_003);
    assert_eq!(state(&mut sallyport), "Capturing - 142 bytes");
    sallyport.config(
        "no capture c access-list calls\ncapture c interface outside\ncapture c match ip any any\n\
         no capture c interface inside\nclear capture c",
    );
    call(&mut sallyport, 40_004);
    assert_eq!(state(&mut sallyport), "Capturing - 77 bytes");
    assert!(
        sallyport
            .line("show capture c")
            .contains("203.0.113.2.40004 >")
    );
    sallyport.config("clear capture /all");
    assert_eq!(state(&mut sallyport), "Capturing - 0 bytes");
    sallyport.config("no capture c");
    assert!(!sallyport.line("show capture").contains("type"));
    // A buffer that is full says so.
    sallyport.config("capture c interface inside buffer 1534 headers-only");
    for port in 0..30 {
        call(&mut sallyport, 42_000 + port);
    }
    assert_eq!(state(&mut sallyport), "Buffer Full - 1491 bytes");
    let printed = sallyport.line("show capture c count 1");
    assert!(
        printed.contains("21 packets captured\r\n9 packets not kept: the buffer is full\r\n"),
        "{printed}"
    );
    sallyport.config("no capture c\ncapture c interface inside buffer 1534 circular-buffer");
    for port in 0..30 {
        call(&mut sallyport, 43_000 + port);
    }
    assert_eq!(state(&mut sallyport), "Capturing - 1491 bytes");
    let printed = sallyport.line("show capture c count 1");
    assert!(
        printed.contains("21 packets captured\r\n9 packets overwritten\r\n"),
        "{printed}"
    );
    assert!(printed.contains("10.20.0.40.43009 >"), "{printed}");
}

#[test]
fn what_cannot_be_captured_is_refused_and_changes_nothing() {
    let mut sallyport = configured();
    sallyport.config("capture c interface inside match udp any any eq 53");
    let before = sallyport.line("show capture");
    for (line, error) in [
        ("capture d interface dmz", "there is no interface named dmz"),
        (
            "capture d access-list none",
            "access-list <none> does not exist",
        ),
        (
            "capture d type asp-drop nothing",
            "there is no reason nothing",
        ),
        ("capture d type tls-proxy", "decrypted data is not captured"),
        (
            "capture d ethernet-type cdp",
            "there is no Ethernet type cdp",
        ),
        (
            "capture d match icmp any any eq 8",
            "only tcp and udp have ports",
        ),
        (
            "capture d match tcp any any gt 65535",
            "no port is beyond 65535",
        ),
        (
            "capture d match ip 10.0.0.0 255.0.255.0 any",
            "255.0.255.0 is no network mask",
        ),
        (
            "capture d interface inside buffer 33554432",
            "captures may take 1572864 more bytes of memory",
        ),
        (
            "capture c type asp-drop",
            "the type of a capture stays as it is",
        ),
        (
            "capture c buffer 10000",
            "the buffer of a capture is claimed",
        ),
        ("no capture c match ip any any", "has no such condition"),
        ("no capture d", "capture <d> does not exist"),
        ("capture d stop", "capture <d> does not exist"),
        ("clear capture d", "capture <d> does not exist"),
        ("show capture d", "capture <d> does not exist"),
        ("copy /pcap capture:d disk0:x", "capture <d> does not exist"),
        ("copy /pcap c disk0:x", "use capture:NAME"),
        ("copy /pcap capture:c startup-config", "goes to disk0:/NAME"),
        ("copy capture:c disk0:x", "use copy /pcap capture:c"),
    ] {
        let printed = sallyport.line(line);
        assert!(printed.contains("ERROR: "), "{line}: {printed}");
        assert!(printed.contains(error), "{line}: {printed}");
    }
    assert_eq!(sallyport.line("show capture"), before);
}

#[test]
fn a_capture_leaves_the_box_as_pcapng() {
    let mut sallyport = configured();
    sallyport.config("capture in interface inside\ncapture in interface outside");
    let asked = segment(INSIDE, (DESK, 41_022), (EDGE, 5061), SYN);
    for _ in 0..200 {
        call(&mut sallyport, 41_022);
    }
    sallyport.wait(Duration::from_millis(100));
    sallyport.type_text("copy /pcap capture:in xmodem:\r");
    let (file, printed) = receive(&mut sallyport);
    let sent = format!("\n{} bytes sent, ", file.len());
    assert!(printed.contains(&sent), "{} bytes received", file.len());

    let mut reader = PcapNgReader::new(file.as_slice()).expect("a section");
    let (mut received, mut sent) = (Vec::new(), Vec::new());
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(block) = block.expect("a block") {
            let data = block.data.to_vec();
            let at = block.timestamp.as_nanos() / 1_000_000;
            assert!((1_768_478_400..1_768_478_500).contains(&at), "{at}");
            match block.options.first() {
                Some(EnhancedPacketOption::Flags(1)) => received.push((block.interface_id, data)),
                Some(EnhancedPacketOption::Flags(2)) => sent.push((block.interface_id, data)),
                other => panic!("{other:?}"),
            }
        }
    }
    // Nothing is lost on either side.
    let left: Vec<_> = sallyport.ends[OUTSIDE]
        .receive_all()
        .into_iter()
        .map(|frame| (OUTSIDE as u32, frame.to_vec()))
        .collect();
    assert_eq!(left.len(), 200);
    assert_eq!(sent, left);
    assert_eq!(received, vec![(INSIDE as u32, asked); 200]);

    let printed = sallyport.line("copy /noconfirm /pcap capture:in disk0:");
    assert!(
        printed.contains(&format!("{} bytes copied in", file.len())),
        "{printed}"
    );
    let printed = sallyport.line("copy /pcap capture:in disk0:/in.pcapng");
    assert!(
        printed.contains("Destination filename [in.pcapng]? "),
        "{printed}"
    );
    let printed = sallyport.type_text("\r");
    assert!(printed.contains("over write? [confirm]"), "{printed}");
    sallyport.type_text("n");
    sallyport.wait(Duration::from_millis(100));
    sallyport.type_text("copy /noconfirm disk0:/in.pcapng xmodem:\r");
    let (kept, _) = receive(&mut sallyport);
    assert!(
        kept == file,
        "the file on the disk is the one over the line"
    );
}

#[test]
fn a_capture_that_the_disk_has_no_room_for_leaves_no_file() {
    let disk = hal_sim::disk::SimDisk::new(6_000, 7);
    let mut sallyport = Box::boot_with(disk);
    sallyport.enable();
    sallyport.config(CONFIGURATION);
    sallyport.config(common::KEEP_SEQUENCES);
    let before = sallyport.line("dir");
    sallyport.config("capture in interface inside buffer 1500000 packet-length 65535");
    let frame = segment(INSIDE, (DESK, 41_022), (EDGE, 5061), SYN);
    for _ in 0..20_000 {
        assert!(sallyport.ends[INSIDE].send(&frame));
        sallyport.settle();
    }
    let printed = sallyport.line("copy /noconfirm /pcap capture:in disk0:/in.pcapng");
    assert!(printed.contains("ERROR: "), "{printed}");
    assert_eq!(sallyport.line("dir"), before);
}
