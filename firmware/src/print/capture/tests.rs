//! Frames made byte by byte, against the lines that must come of them.

use super::*;
use alloc::string::String;
use alloc::vec::Vec;
use dataplane::{DropReason, PortId};
use hal::time::Instant;

/// 2026-01-15T09:12:01.204410Z.
const UNIX_MICROS: u64 = 1_768_468_321_204_410;

const NODE: [u8; 4] = [10, 20, 0, 11];
const EDGE: [u8; 4] = [198, 51, 100, 20];

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::from([0, 0x50, 0x56, 0xaa, 0, 2, 0, 0x50, 0x56, 0xaa, 0, 1]);
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

/// An IPv4 packet from `NODE` to `EDGE`; `flags` is the word with the fragment offset.
fn ipv4(protocol: u8, flags: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::from([0x45, 0x10]);
    packet.extend((20 + payload.len() as u16).to_be_bytes());
    packet.extend(4711u16.to_be_bytes());
    packet.extend(flags.to_be_bytes());
    packet.extend([64, protocol, 0, 0]);
    packet.extend(NODE);
    packet.extend(EDGE);
    packet.extend(payload);
    packet
}

fn tcp(flags: u8, acknowledgment: u32, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(41_022u16.to_be_bytes());
    segment.extend(5061u16.to_be_bytes());
    segment.extend(1_804_289_383u32.to_be_bytes());
    segment.extend(acknowledgment.to_be_bytes());
    segment.extend([(5 + options.len() as u8 / 4) << 4, flags]);
    segment.extend(29_200u16.to_be_bytes());
    segment.extend([0, 0, 0, 7]);
    segment.extend(options);
    segment.extend(payload);
    segment
}

/// What a SYN of a usual stack carries.
const SYN_OPTIONS: [u8; 20] = [
    2, 4, 0x05, 0xb4, 1, 1, 8, 10, 0, 0, 0xc7, 0x4c, 0, 0, 0, 0, 1, 3, 3, 7,
];

fn print(bytes: &[u8], point: CapturePoint, style: Style) -> String {
    let seen = CapturedFrame {
        number: 0,
        at: Instant::ZERO,
        port: Some(PortId(1)),
        point,
        frame_len: bytes.len() as u32,
    };
    let moment = Moment {
        rules: &ZoneRules::default(),
        unix_micros: UNIX_MICROS,
    };
    let mut out = String::new();
    frame(&mut out, 1, &moment, "inside", &seen, bytes, style);
    out
}

/// The line of a frame, behind number and time.
fn line(bytes: &[u8]) -> String {
    let text = print(bytes, CapturePoint::Received, Style::default());
    let line = text.strip_suffix('\n').expect("a line");
    let rest = line.strip_prefix("   1: 09:12:01.204410       ");
    String::from(rest.expect("number and time"))
}

#[test]
fn a_segment_shows_flags_numbers_window_and_options() {
    for (segment, expected) in [
        (
            tcp(0x02, 0, &SYN_OPTIONS, b""),
            "S 1804289383:1804289383(0) win 29200 \
             <mss 1460,nop,nop,timestamp 51020 0,nop,wscale 7>",
        ),
        (
            tcp(0x12, 1000, &[4, 2, 0, 0], b""),
            "S 1804289383:1804289383(0) ack 1000 win 29200 <sackOK,eol>",
        ),
        (tcp(0x10, 1000, &[], b""), ". ack 1000 win 29200"),
        (
            tcp(0x18, 1000, &[], b"INVITE"),
            "P 1804289383:1804289389(6) ack 1000 win 29200",
        ),
        (
            tcp(0x11, 1000, &[], b""),
            "F 1804289383:1804289383(0) ack 1000 win 29200",
        ),
        (
            tcp(0x04, 0, &[], b""),
            "R 1804289383:1804289383(0) win 29200",
        ),
        (
            tcp(0x30, 9, &[5, 10, 0, 0, 0, 1, 0, 0, 0, 9, 254, 2], b""),
            "U ack 9 win 29200 urg 7 <sack 1 {1:9},opt-254>",
        ),
        (
            tcp(0x10, 1, &[254, 4, 0xca, 0xfe], b""),
            ". ack 1 win 29200 <opt-254:cafe>",
        ),
        (
            tcp(0x10, 1, &[2, 9, 0, 0], b""),
            ". ack 1 win 29200 <[bad opt]>",
        ),
        (
            tcp(0x10, 1, &[1, 8, 0, 0], b""),
            ". ack 1 win 29200 <nop,[bad opt]>",
        ),
    ] {
        let expected = alloc::format!("10.20.0.11.41022 > 198.51.100.20.5061: {expected}");
        assert_eq!(
            line(&ethernet(0x0800, &ipv4(6, 0x4000, &segment))),
            expected
        );
    }
}

#[test]
fn a_segment_cut_short_shows_what_there_is() {
    let whole = ethernet(
        0x0800,
        &ipv4(6, 0, &tcp(0x18, 1000, &SYN_OPTIONS, &[7; 100])),
    );
    for (kept, expected) in [
        (13, "[|ether] length 13"),
        (14, "[|ip] length 0"),
        (33, "[|ip] length 19"),
        (34, "10.20.0.11 > 198.51.100.20: [|tcp]"),
        (53, "10.20.0.11 > 198.51.100.20: [|tcp]"),
        (
            54,
            "10.20.0.11.41022 > 198.51.100.20.5061: P 1804289383:1804289483(100) ack 1000 \
             win 29200 <[|tcp]>",
        ),
        (
            60,
            "10.20.0.11.41022 > 198.51.100.20.5061: P 1804289383:1804289483(100) ack 1000 \
             win 29200 <mss 1460,nop,nop,[|tcp]>",
        ),
        (
            61,
            "10.20.0.11.41022 > 198.51.100.20.5061: P 1804289383:1804289483(100) ack 1000 \
             win 29200 <mss 1460,nop,nop,[|tcp]>",
        ),
        (
            75,
            "10.20.0.11.41022 > 198.51.100.20.5061: P 1804289383:1804289483(100) ack 1000 \
             win 29200 <mss 1460,nop,nop,timestamp 51020 0,nop,wscale 7>",
        ),
    ] {
        assert_eq!(line(&whole[..kept]), expected, "{kept}");
    }
}

#[test]
fn datagrams_and_other_protocols_show_their_lengths() {
    let mut datagram = Vec::from([0x13, 0xc4, 0x13, 0xc5, 0, 66, 0, 0]);
    datagram.extend([b'x'; 58]);
    // The frame is padded behind the packet.
    let padded = [ipv4(89, 0, &[0; 12]).as_slice(), &[0; 14]].concat();
    for (packet, expected) in [
        (
            ipv4(17, 0, &datagram),
            "10.20.0.11.5060 > 198.51.100.20.5061:  udp 58",
        ),
        (ipv4(17, 0, b"ab"), "10.20.0.11 > 198.51.100.20: [|udp]"),
        (
            padded,
            "10.20.0.11 > 198.51.100.20:  ip-proto-89, length 12",
        ),
        (
            ipv4(17, 0x2000, &datagram),
            "10.20.0.11.5060 > 198.51.100.20.5061:  udp 58 (frag 4711:66@0+)",
        ),
        (
            ipv4(17, 0x0009, &datagram),
            "10.20.0.11 > 198.51.100.20: (frag 4711:66@72)",
        ),
    ] {
        assert_eq!(line(&ethernet(0x0800, &packet)), expected);
    }
}

#[test]
fn icmp_says_what_it_is_about() {
    let about = |payload: &[u8]| ipv4(17, 0, payload);
    let error = |kind: u8, code: u8, mtu: u16, quoted: &[u8]| {
        let mut message = Vec::from([kind, code, 0, 0, 0, 0]);
        message.extend(mtu.to_be_bytes());
        message.extend(quoted);
        message
    };
    let quoted = about(&[0, 99, 0, 53, 0, 8, 0, 0]);
    for (message, expected) in [
        (Vec::from([8, 0, 0, 0]), "echo request"),
        (Vec::from([0, 0, 0, 0]), "echo reply"),
        (Vec::from([8]), "[|icmp]"),
        (error(3, 0, 0, &quoted), "net 198.51.100.20 unreachable"),
        (error(3, 1, 0, &quoted), "host 198.51.100.20 unreachable"),
        (
            error(3, 2, 0, &quoted),
            "198.51.100.20 protocol 17 unreachable",
        ),
        (
            error(3, 3, 0, &quoted),
            "198.51.100.20 udp port 53 unreachable",
        ),
        (
            error(3, 3, 0, &quoted[..22]),
            "198.51.100.20 udp port unreachable",
        ),
        (
            error(3, 4, 1400, &quoted),
            "198.51.100.20 unreachable - need to frag (mtu 1400)",
        ),
        (
            error(3, 13, 0, &quoted),
            "host 198.51.100.20 unreachable - admin prohibited filter",
        ),
        (error(3, 1, 0, &quoted[..10]), "unreachable code-#1"),
        (error(5, 1, 0, &[]), "redirect to 0.0.0.0"),
        (error(11, 0, 0, &quoted), "time exceeded in-transit"),
        (error(11, 1, 0, &quoted), "ip reassembly time exceeded"),
        (error(12, 0, 0, &quoted), "parameter problem - octet 0"),
        (error(42, 3, 0, &[]), "type-#42 code-#3"),
    ] {
        let frame = ethernet(0x0800, &ipv4(1, 0, &message));
        let expected = alloc::format!("10.20.0.11 > 198.51.100.20: icmp: {expected}");
        assert_eq!(line(&frame), expected);
    }
}

#[test]
fn icmp_of_ipv6_says_what_it_is_about() {
    for (message, expected) in [
        (&[128, 0, 0, 0][..], "echo request"),
        (&[2, 0, 0, 0, 0, 0, 5, 0], "packet too big (mtu 1280)"),
        (&[2, 0, 0, 0], "packet too big"),
        (
            &[
                135, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
            ],
            "neighbor solicitation, who has fe80::9",
        ),
        (&[136, 0, 0, 0], "neighbor advertisement"),
        (&[200, 0], "type-#200"),
        (&[], "[|icmp6]"),
    ] {
        let mut packet = Vec::from([0x60, 0, 0, 0, 0, message.len() as u8, 58, 255]);
        packet.extend([0; 31]);
        packet.push(1);
        packet.extend(message);
        let expected = alloc::format!(":: > ::1: icmp6: {expected}");
        assert_eq!(line(&ethernet(0x86dd, &packet)), expected);
    }
}

#[test]
fn arp_ipv6_and_the_rest_have_lines_of_their_own() {
    let arp = |operation: u8| {
        let mut message = Vec::from([0, 1, 8, 0, 6, 4, 0, operation]);
        message.extend([0, 0x50, 0x56, 0xaa, 0, 1]);
        message.extend(NODE);
        message.extend([0; 6]);
        message.extend([10, 20, 0, 1]);
        message
    };
    let mut ipv6 = Vec::from([0x60, 0, 0, 0, 0, 20, 6, 64]);
    ipv6.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    ipv6.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    ipv6.extend(tcp(0x02, 0, &[], b""));
    for (frame, expected) in [
        (
            ethernet(0x0806, &arp(1)),
            "arp who-has 10.20.0.1 tell 10.20.0.11",
        ),
        (
            ethernet(0x0806, &arp(2)),
            "arp reply 10.20.0.11 is-at 0050.56aa.0001",
        ),
        (ethernet(0x0806, &arp(9)), "arp-#9"),
        (ethernet(0x0806, &arp(1)[..27]), "[|arp]"),
        (
            ethernet(0x86dd, &ipv6),
            "2001:db8::1.41022 > 2001:db8::2.5061: S 1804289383:1804289383(0) win 29200",
        ),
        (ethernet(0x88cc, &[0; 46]), "ethertype 0x88cc, length 46"),
        (ethernet(0x0800, &[0x60; 19]), "[|ip] length 19"),
    ] {
        assert_eq!(line(&frame), expected);
    }
}

#[test]
fn detail_adds_what_the_link_and_the_packet_say() {
    let frame = ethernet(0x0800, &ipv4(6, 0x4000, &tcp(0x10, 1, &[], b"")));
    let style = Style {
        detail: true,
        ..Style::default()
    };
    assert_eq!(
        print(&frame, CapturePoint::Sent, style),
        "   1: 09:12:01.204410 0050.56aa.0001 0050.56aa.0002 0x0800 Length: 54 inside sent\n      \
         10.20.0.11.41022 > 198.51.100.20.5061: . ack 1 win 29200 (DF) [tos 0x10] (ttl 64, id 4711)\n"
    );
}

#[test]
fn a_dropped_frame_names_its_reason() {
    let frame = ethernet(0x0800, &ipv4(6, 0x4000, &tcp(0x02, 0, &[], b"")));
    assert_eq!(
        print(
            &frame,
            CapturePoint::Dropped(DropReason::AclDrop),
            Style::default()
        ),
        "   1: 09:12:01.204410       10.20.0.11.41022 > 198.51.100.20.5061: \
         S 1804289383:1804289383(0) win 29200 \
         Drop-reason: (acl-drop) Flow is denied by configured rule\n"
    );
}

#[test]
fn dump_shows_sixteen_bytes_a_line() {
    let frame = ethernet(0x88cc, b"SIP/2.0 200 OK\r\n\x7f");
    let style = Style {
        dump: true,
        ..Style::default()
    };
    assert_eq!(
        print(&frame, CapturePoint::Received, style),
        "   1: 09:12:01.204410       ethertype 0x88cc, length 17\n\
         0x0000   0050 56aa 0002 0050 56aa 0001 88cc 5349   .PV....PV.....SI\n\
         0x0010   502f 322e 3020 3230 3020 4f4b 0d0a 7f     P/2.0 200 OK...\n"
    );
}

#[test]
fn decode_shows_every_header() {
    let call = b"INVITE sip:bob@example.com SIP/2.0\r\nVia: x";
    let frame = ethernet(0x0800, &ipv4(6, 0x4000, &tcp(0x18, 1, &SYN_OPTIONS, call)));
    let style = Style {
        decode: true,
        ..Style::default()
    };
    let text = print(&frame, CapturePoint::Received, style);
    let (_, headers) = text.split_once('\n').expect("lines");
    assert_eq!(
        headers,
        "      Ethernet: 0050.56aa.0001 > 0050.56aa.0002, type 0x0800 (IPv4), 116 bytes, 116 kept\n      \
         IPv4: 10.20.0.11 > 198.51.100.20, protocol 6, header 20, total 102, ttl 64, tos 0x10, id 4711, DF\n      \
         TCP: 41022 > 5061, seq 1804289383, ack 1, flags P (0x18), window 29200, urgent 7, header 40\n      \
         TCP options: mss 1460,nop,nop,timestamp 51020 0,nop,wscale 7\n      \
         Payload: 42 bytes: INVITE sip:bob@example.com SIP/2.0\n"
    );
}

#[test]
fn no_cut_and_no_changed_byte_is_too_much() {
    let frame = ethernet(0x0800, &ipv4(6, 0, &tcp(0x18, 1, &SYN_OPTIONS, b"data")));
    let style = Style {
        detail: true,
        decode: true,
        dump: true,
    };
    for len in 0..=frame.len() {
        for at in 0..len {
            for value in [0, 0x7f, 0xff] {
                let mut changed = frame[..len].to_vec();
                changed[at] = value;
                let text = print(&changed, CapturePoint::Received, style);
                assert!(text.ends_with('\n') && text.is_ascii());
            }
        }
    }
}

mod settings {
    use super::super::settings::capture;
    use alloc::string::String;
    use core::net::Ipv4Addr;
    use dataplane::{
        AddressRange, AddressRange6, CaptureAddresses, CaptureKind, CaptureMatch, CaptureSettings,
        DataPlane, DropReason, Limits, PortId, PortMatch,
    };

    #[test]
    fn a_capture_is_printed_as_it_is_typed() {
        let mut dataplane = DataPlane::new(Limits::default(), [1; 16]);
        let host = CaptureAddresses::V4(AddressRange::host(Ipv4Addr::new(198, 51, 100, 20)));
        let network = CaptureAddresses::V4(AddressRange::network(Ipv4Addr::new(10, 20, 0, 0), 16));
        let wanted = |protocol, source_ports, destination_ports| CaptureMatch {
            protocol,
            source: network,
            source_ports,
            destination: host,
            destination_ports,
        };
        let neq = PortMatch {
            is_negated: true,
            ..PortMatch::eq(53)
        };
        let settings = CaptureSettings {
            ports: [PortId(1)].into(),
            matches: [
                wanted(Some(6), PortMatch::range(1024, 65_535), PortMatch::eq(5061)),
                wanted(Some(17), PortMatch::range(0, 99), neq),
                wanted(Some(17), PortMatch::range(5, 9), PortMatch::ANY),
                CaptureMatch {
                    source: CaptureAddresses::Any,
                    ..wanted(None, PortMatch::ANY, PortMatch::ANY)
                },
                CaptureMatch {
                    source: CaptureAddresses::V4(AddressRange::ANY),
                    destination: CaptureAddresses::V6(AddressRange6::ANY),
                    ..wanted(None, PortMatch::ANY, PortMatch::ANY)
                },
            ]
            .into(),
            access_list: Some("web".into()),
            ethertype: Some(0x0800),
            packet_len: 64,
            headers_only: true,
            is_circular: true,
            ..CaptureSettings::default()
        };
        let drops = CaptureSettings {
            kind: CaptureKind::AspDrop(Some(DropReason::AclDrop)),
            ..CaptureSettings::default()
        };
        dataplane.add_capture("in", 2000, settings).expect("room");
        dataplane.add_capture("d", 524_288, drops).expect("room");
        dataplane.stop_capture("d", true).expect("it is there");
        let mut out = String::new();
        for each in dataplane.captures() {
            capture(&mut out, dataplane.policy(), each);
        }
        assert_eq!(
            out,
            "capture in type raw-data access-list web ethernet-type ip buffer 2000 packet-length 64 \
             circular-buffer headers-only interface port-1 [Capturing - 0 bytes]\n  \
             match tcp 10.20.0.0 255.255.0.0 gt 1023 host 198.51.100.20 eq 5061\n  \
             match udp 10.20.0.0 255.255.0.0 lt 100 host 198.51.100.20 neq 53\n  \
             match udp 10.20.0.0 255.255.0.0 range 5 9 host 198.51.100.20\n  \
             match ip any host 198.51.100.20\n  \
             match ip any4 any6\n\
             capture d type asp-drop acl-drop [Stopped - 0 bytes]\n"
        );
    }
}

#[test]
fn a_vlan_tag_stands_before_what_it_is_of() {
    let tagged = |control: u16, ethertype: u16, payload: &[u8]| {
        let mut rest = Vec::from(control.to_be_bytes());
        rest.extend(ethertype.to_be_bytes());
        rest.extend(payload);
        ethernet(0x8100, &rest)
    };
    let packet = ipv4(17, 0, &[0x13, 0x88, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4]);
    let plain = line(&ethernet(0x0800, &packet));
    let with_tag = tagged(0xa00a, 0x0800, &packet);
    assert_eq!(line(&with_tag), alloc::format!("802.1Q vlan#10 P5 {plain}"));
    assert_eq!(
        line(&tagged(0x1fff, 0x88cc, &[1, 2])),
        "802.1Q vlan#4095 P0 ethertype 0x88cc, length 2"
    );
    // Cut short within the tag.
    assert_eq!(
        line(with_tag.get(..17).expect("a tag")),
        "[|ether] length 17"
    );
    let style = Style {
        decode: true,
        detail: true,
        ..Style::default()
    };
    let decoded = print(&with_tag, CapturePoint::Received, style);
    for part in [
        "0x8100 Length: 50 inside received\n      802.1Q vlan#10 P5 10.20.0.11.5000",
        "type 0x8100 (802.1Q), 50 bytes, 50 kept\n      802.1Q vlan#10 P5, type 0x0800 (IPv4)\n      IPv4:",
    ] {
        assert!(decoded.contains(part), "{part} in\n{decoded}");
    }
}
