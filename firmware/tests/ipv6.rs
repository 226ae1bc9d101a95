//! Requirement: IPv6 at the console: addresses are taken up, neighbours learnt, lists of `any` decide.
//! Needs: nothing; virtual time.

mod common;

use common::Box;
use std::net::Ipv6Addr;
use std::time::Duration;

const OUTSIDE: usize = 0;
const INSIDE: usize = 1;
const DESK: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 0x40);
const BOX_INSIDE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1);
const PEER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x20);
const BOX_OUTSIDE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 2);

const CONFIGURATION: &str = "configure terminal\n\
    interface gi0/0\nnameif outside\nipv6 address 2001:db8:0:1::2/64\nno shutdown\n\
    interface gi0/1\nnameif inside\nipv6 address 2001:db8:0:2::1/64\nno shutdown\nend";

fn sum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// A frame to the box at `end`; the checksum at `sum_at` of the payload is filled in.
fn frame(
    end: usize,
    (source, destination): (Ipv6Addr, Ipv6Addr),
    (protocol, hop_limit): (u8, u8),
    payload: &[u8],
    sum_at: usize,
) -> Vec<u8> {
    let mut covered = [source.octets(), destination.octets()].concat();
    covered.extend((payload.len() as u32).to_be_bytes());
    covered.extend([0, 0, 0, protocol]);
    covered.extend(payload);
    let check = !sum(&covered);
    let mut payload = payload.to_vec();
    payload[sum_at..sum_at + 2].copy_from_slice(&check.to_be_bytes());
    let mut frame = if destination.is_multicast() {
        let [.., a, b, c, d] = destination.octets();
        vec![0x33, 0x33, a, b, c, d]
    } else {
        vec![0x52, 0x54, 0, 0, 0, end as u8 + 1]
    };
    frame.extend([2, 0, 0, 0, 0, end as u8, 0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend((payload.len() as u16).to_be_bytes());
    frame.extend([protocol, hop_limit]);
    frame.extend([source.octets(), destination.octets()].concat());
    frame.extend(payload);
    frame
}

/// A station asks for the box's address, and is known from then on.
fn introduce(sallyport: &mut Box, end: usize, station: Ipv6Addr, own: Ipv6Addr) {
    let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
    message.extend(own.octets());
    message.extend([1, 1, 2, 0, 0, 0, 0, end as u8]);
    let group = Ipv6Addr::from_bits(
        0xff02_0000_0000_0000_0000_0001_ff00_0000 | (own.to_bits() & 0xff_ffff),
    );
    let asked = frame(end, (station, group), (58, 255), &message, 2);
    assert!(sallyport.ends[end].send(&asked));
    sallyport.wait(Duration::from_millis(50));
    let answers = sallyport.ends[end].receive_all();
    let answer = answers.iter().find(|frame| frame.get(54) == Some(&136));
    assert!(answer.is_some(), "{answers:?}");
}

fn datagram(end: usize, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
    let payload = [0x13, 0xc4, 0x13, 0xc4, 0, 12, 0, 0, b'p', b'i', b'n', b'g'];
    frame(end, (source, destination), (17, 64), &payload, 6)
}

/// Whether a datagram sent at `end` leaves at the other end.
fn passes(sallyport: &mut Box, end: usize, source: Ipv6Addr, destination: Ipv6Addr) -> bool {
    assert!(sallyport.ends[end].send(&datagram(end, source, destination)));
    sallyport.wait(Duration::from_millis(50));
    let left = sallyport.ends[1 - end].receive_all();
    left.iter().any(|frame| frame.get(20) == Some(&17))
}

fn configured() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(CONFIGURATION);
    sallyport.wait(Duration::from_secs(3));
    for end in &sallyport.ends {
        drop(end.receive_all());
    }
    introduce(&mut sallyport, OUTSIDE, PEER, BOX_OUTSIDE);
    introduce(&mut sallyport, INSIDE, DESK, BOX_INSIDE);
    sallyport
}

#[test]
fn ports_without_ipv4_speak_ipv6_and_show_it() {
    let mut sallyport = configured();
    let shown = sallyport.line("show ipv6 interface outside");
    for line in [
        "outside is up, line protocol is up",
        "  IPv6 is enabled, link-local address is fe80::5054:ff:fe00:1\r",
        "    2001:db8:0:1::2, subnet is 2001:db8:0:1::/64\r",
        "  ND DAD is enabled, number of DAD attempts: 1",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let shown = sallyport.line("show ipv6 neighbor");
    assert!(shown.contains("2001:db8:0:2::40"), "{shown}");
    assert!(shown.contains("0200.0000.0001  REACH inside"), "{shown}");
    let shown = sallyport.line("show ipv6 route");
    assert!(shown.contains("C   2001:db8:0:1::/64 [0/0]"), "{shown}");
    assert!(passes(&mut sallyport, INSIDE, DESK, PEER));
    assert!(passes(&mut sallyport, OUTSIDE, PEER, DESK), "the answer");
    let shown = sallyport.line("show conn");
    assert!(shown.contains("outside [2001:db8:0:1::20]:5060"), "{shown}");
}

#[test]
fn levels_decide_and_lists_of_any_where_they_are_bound() {
    let mut sallyport = configured();
    assert!(!passes(&mut sallyport, OUTSIDE, PEER, DESK), "upwards");
    sallyport.config(
        "configure terminal\naccess-list in extended permit udp any4 any4\n\
         access-group in in interface outside\nend",
    );
    assert!(!passes(&mut sallyport, OUTSIDE, PEER, DESK), "IPv4 only");
    sallyport.config("configure terminal\naccess-list in extended permit udp any any eq sip\nend");
    assert!(passes(&mut sallyport, OUTSIDE, PEER, DESK));
    let shown = sallyport.line("show access-list in");
    assert!(shown.contains("any any eq sip (hitcnt=1)"), "{shown}");
}

/// A datagram to `port` sent at `end`; what leaves at the other end, by its addresses.
fn leaves(
    sallyport: &mut Box,
    end: usize,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    port: u16,
) -> Option<(Ipv6Addr, Ipv6Addr)> {
    let [high, low] = port.to_be_bytes();
    let payload = [0x13, 0xc4, high, low, 0, 12, 0, 0, b'p', b'i', b'n', b'g'];
    let sent = frame(end, (source, destination), (17, 64), &payload, 6);
    assert!(sallyport.ends[end].send(&sent));
    sallyport.wait(Duration::from_millis(50));
    let left = sallyport.ends[1 - end].receive_all();
    let left = left.iter().find(|frame| frame.get(20) == Some(&17))?;
    let address = |at: usize| {
        let octets: [u8; 16] = left[at..at + 16].try_into().expect("sixteen");
        Ipv6Addr::from(octets)
    };
    Some((address(22), address(38)))
}

#[test]
fn lists_with_ipv6_addresses_decide_and_count() {
    let mut sallyport = configured();
    sallyport.config(
        "configure terminal\nobject network PEER6\nhost 2001:db8:0:1::20\nexit\n\
         object-group network DESKS\nnetwork-object 2001:db8:0:2::/64\nnetwork-object host 10.20.0.40\nexit\n\
         access-list OUT6 extended deny udp object PEER6 object-group DESKS eq 7001\n\
         access-list OUT6 extended permit udp host 2001:db8:0:1::20 2001:db8:0:2::/64 range 7000 7009 log\n\
         access-list OUT6 extended permit icmp6 any6 any6 echo\n\
         access-group OUT6 in interface outside\nend",
    );
    let mut passes = |port| leaves(&mut sallyport, OUTSIDE, PEER, DESK, port).is_some();
    assert!(!passes(7001));
    assert!(passes(7002));
    assert!(!passes(7010), "the end of a list denies");
    let shown = sallyport.line("show access-list OUT6");
    for line in [
        "access-list OUT6; 3 elements",
        "line 1 extended deny udp object PEER6 object-group DESKS eq 7001 (hitcnt=1)",
        "  access-list OUT6 line 1 extended deny udp host 2001:db8:0:1::20 2001:db8:0:2::/64 eq 7001 (hitcnt=1)",
        "line 2 extended permit udp host 2001:db8:0:1::20 2001:db8:0:2::/64 range 7000 7009 log informational interval 300 (hitcnt=1)",
        "line 3 extended permit icmp6 any6 any6 echo (hitcnt=0)",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let shown = sallyport.line("show object-group id DESKS");
    assert!(
        shown.contains("network-object 2001:db8:0:2::/64 (hitcnt=1)"),
        "{shown}"
    );
}

#[test]
fn a_long_list_about_ipv6_is_compiled_and_decides_the_same() {
    let mut sallyport = configured();
    let mut lines = String::from("configure terminal\n");
    for port in 0..200 {
        let action = if port % 3 == 0 { "permit" } else { "deny" };
        lines += &format!(
            "access-list LONG extended {action} udp 2001:db8:0:1::/64 host 2001:db8:0:2::40 eq {}\n",
            8000 + port
        );
    }
    lines += "access-group LONG in interface outside\nend";
    sallyport.config(&lines);
    for port in [8000, 8001, 8002, 8003, 8198, 8199, 8200] {
        let is_permitted = port < 8200 && (port - 8000) % 3 == 0;
        let left = leaves(&mut sallyport, OUTSIDE, PEER, DESK, port);
        assert_eq!(left.is_some(), is_permitted, "{port}");
    }
}

#[test]
fn static_translation_of_ipv6_is_configured_counted_and_shown() {
    const PUBLIC: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x99);
    let mut sallyport = configured();
    sallyport.config(
        "configure terminal\nobject network DESK6\nhost 2001:db8:0:2::40\n\
         nat (inside,outside) static 2001:db8:0:1::99\nexit\n\
         access-list IN extended permit udp any object DESK6\n\
         access-group IN in interface outside\nend",
    );
    // Neighbours outside find the mapped address at the box.
    introduce(&mut sallyport, OUTSIDE, PEER, PUBLIC);
    let out = leaves(&mut sallyport, INSIDE, DESK, PEER, 7000);
    assert_eq!(out, Some((PUBLIC, PEER)));
    let back = leaves(&mut sallyport, OUTSIDE, PEER, PUBLIC, 7001);
    assert_eq!(back, Some((PEER, DESK)));
    let shown = sallyport.line("show nat detail");
    for line in [
        "Auto NAT Policies (Section 2)",
        "1 (inside) to (outside) source static DESK6 2001:db8:0:1::99",
        "    translate_hits = 1, untranslate_hits = 1",
        "    Source - Origin: 2001:db8:0:2::40/128, Translated: 2001:db8:0:1::99/128",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let shown = sallyport.line("show xlate");
    assert!(
        shown.contains("1 in use")
            && shown.contains(
                "NAT from inside:2001:db8:0:2::40 to outside:2001:db8:0:1::99\r\n    flags s idle "
            ),
        "{shown}"
    );
    let shown = sallyport.line("show running-config nat");
    assert!(
        shown.contains(" nat (inside,outside) static 2001:db8:0:1::99"),
        "{shown}"
    );
}

/// A SYN to `port` sent at `end`; whether it leaves at the other end.
fn syn_leaves(sallyport: &mut Box, source: Ipv6Addr, destination: Ipv6Addr, port: u16) -> bool {
    let [high, low] = port.to_be_bytes();
    let segment = [
        0x13, 0xc4, high, low, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0,
    ];
    let sent = frame(INSIDE, (source, destination), (6, 64), &segment, 16);
    assert!(sallyport.ends[INSIDE].send(&sent));
    sallyport.wait(Duration::from_millis(50));
    let left = sallyport.ends[OUTSIDE].receive_all();
    left.iter().any(|frame| frame.get(20) == Some(&6))
}

#[test]
fn connections_of_ipv6_are_told_with_their_addresses() {
    let mut sallyport = configured();
    sallyport.config(
        "configure terminal\naccess-list OUT extended deny udp any6 host 2001:db8:0:2::40 eq 9 log\n\
         access-list OUT extended deny udp any6 host 2001:db8:0:2::40 eq 10\n\
         access-group OUT in interface outside\n\
         logging enable\nlogging buffered debugging\nend",
    );
    assert!(syn_leaves(&mut sallyport, DESK, PEER, 5061));
    assert!(leaves(&mut sallyport, OUTSIDE, PEER, DESK, 9).is_none());
    assert!(leaves(&mut sallyport, OUTSIDE, PEER, DESK, 10).is_none());
    let spoofed = Ipv6Addr::LOCALHOST;
    assert!(leaves(&mut sallyport, OUTSIDE, spoofed, DESK, 11).is_none());
    sallyport.line("clear conn all");
    let shown = sallyport.line("show logging");
    for told in [
        "%ASA-6-302013: Built outbound TCP connection",
        "for outside:2001:db8:0:1::20/5061 (2001:db8:0:1::20/5061) to \
         inside:2001:db8:0:2::40/5060 (2001:db8:0:2::40/5060)",
        "%ASA-6-302014: Teardown TCP connection",
        "for outside:2001:db8:0:1::20/5061 to inside:2001:db8:0:2::40/5060 duration",
        "%ASA-6-106100: access-list OUT denied udp outside/2001:db8:0:1::20(5060) -> \
         inside/2001:db8:0:2::40(9) hit-cnt 1 first hit",
        "%ASA-4-106023: Deny udp src outside:2001:db8:0:1::20/5060 dst inside:2001:db8:0:2::40/10 \
         by access-group \"OUT\"",
        "%ASA-2-106016: Deny IP spoof from (::1) to 2001:db8:0:2::40 on interface outside",
    ] {
        assert!(shown.contains(told), "{told} in {shown}");
    }
}

#[test]
fn limits_and_classes_count_connections_of_ipv6() {
    let mut sallyport = configured();
    sallyport.config(
        "configure terminal\naccess-list SIX extended permit tcp host 2001:db8:0:2::40 any6 eq 5061\n\
         class-map six\nmatch access-list SIX\npolicy-map P\nclass six\nset connection conn-max 1\n\
         class class-default\nset connection per-client-max 2\n\
         service-policy P interface inside\nend",
    );
    assert!(syn_leaves(&mut sallyport, DESK, PEER, 5061));
    // From another port of its own, so that it is another connection.
    let other: Ipv6Addr = "2001:db8:0:1::21".parse().expect("an address");
    introduce(&mut sallyport, OUTSIDE, other, BOX_OUTSIDE);
    assert!(
        !syn_leaves(&mut sallyport, DESK, other, 5061),
        "one is the most"
    );
    for (port, passes) in [(80, true), (81, true), (82, false)] {
        assert_eq!(
            syn_leaves(&mut sallyport, DESK, PEER, port),
            passes,
            "{port}"
        );
    }
    let shown = sallyport.line("show service-policy");
    assert!(shown.contains("current conns 1"), "{shown}");
    let shown = sallyport.line("show asp drop");
    assert!(shown.contains("conn-limit"), "{shown}");
}
