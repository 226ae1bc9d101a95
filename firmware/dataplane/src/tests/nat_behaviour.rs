//! What RFC 4787, 5382 and 5508 ask of a translator and no other test shows; `docs/nat-behaviour.md`
//! lists it all.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;

const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// Hosts inside share the public address; answers of ping come back.
fn shared() -> Policy {
    let mut policy = federation();
    policy.inspect_icmp = true;
    policy
}

fn question(port: u16) -> Vec<u8> {
    ethernet(INSIDE, &udp((DESK, port), (EDGE, 9), b"x"))
}

#[test]
fn an_error_neither_ends_nor_refreshes_what_it_is_about() {
    let mut lab = Lab::new(shared());
    let out = lab.pass(INSIDE, &question(5000), OUTSIDE);
    let ping = lab.pass(INSIDE, &ethernet(INSIDE, &echo(8, DESK, EDGE, 7)), OUTSIDE);
    lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    let syn = Segment::new(PUBLIC, 3000, EDGE, 80, ACK)
        .seq(1001)
        .ack(5001)
        .packet();
    lab.wait(Duration::from_secs(1));
    for sent in [&out.bytes, &ping.bytes, &syn] {
        for kind in [3, 11] {
            let error = icmp_error(ROUTER, PUBLIC, kind, sent, 1000);
            lab.pass(OUTSIDE, &ethernet(OUTSIDE, &error), INSIDE);
        }
    }
    let idle: Vec<_> = lab.box_.conns(lab.now).map(|conn| conn.idle).collect();
    assert_eq!(idle, [Duration::from_secs(1); 3]);
    // Only its own time ends it.
    lab.wait(Duration::from_millis(1100));
    assert_eq!(lab.box_.conn_usage().in_use, 2);
}

#[test]
fn an_error_that_quotes_a_damaged_header_is_dropped() {
    let mut lab = Lab::new(shared());
    let mut out = lab.pass(INSIDE, &question(5000), OUTSIDE);
    // Its transport may be damaged or missing: that is not looked at.
    let end = out.bytes.len() - 1;
    out.bytes[end] ^= 1;
    let error = icmp_error(ROUTER, PUBLIC, 3, &out.bytes, 1000);
    lab.pass(OUTSIDE, &ethernet(OUTSIDE, &error), INSIDE);
    out.bytes[8] ^= 1;
    let error = icmp_error(ROUTER, PUBLIC, 3, &out.bytes, 1000);
    let frame = ethernet(OUTSIDE, &error);
    lab.refuse(OUTSIDE, &frame, DropReason::BadTransportChecksum);
}

#[test]
fn a_quotation_with_options_is_understood() {
    let mut lab = Lab::new(shared());
    let out = lab.pass(INSIDE, &question(5000), OUTSIDE);
    // Router alert, as a router on the way may have seen it.
    let mut quoted = out.bytes[..20].to_vec();
    quoted.extend([0x94, 4, 0, 0]);
    quoted.extend(&out.bytes[20..]);
    quoted[0] = 0x46;
    quoted[10..12].copy_from_slice(&[0, 0]);
    let sum = !plain_sum(&quoted[..24]);
    quoted[10..12].copy_from_slice(&sum.to_be_bytes());
    let error = icmp_error(ROUTER, PUBLIC, 3, &quoted, 1000);
    let seen = lab.pass(OUTSIDE, &ethernet(OUTSIDE, &error), INSIDE);
    assert_eq!(seen.destination, DESK);
    assert_eq!(seen.bytes[28 + 12..28 + 16], DESK.octets());
    assert_eq!(seen.bytes[28 + 24..28 + 26], 5000u16.to_be_bytes());
}

#[test]
fn packets_of_either_side_keep_a_mapping_alive() {
    let mut lab = Lab::new(shared());
    lab.pass(INSIDE, &question(5000), OUTSIDE);
    let answer = ethernet(OUTSIDE, &udp((EDGE, 9), (PUBLIC, 5000), b"y"));
    for _ in 0..3 {
        lab.wait(Duration::from_secs(100));
        lab.pass(INSIDE, &question(5000), OUTSIDE);
        lab.wait(Duration::from_secs(100));
        lab.pass(OUTSIDE, &answer, INSIDE);
    }
    // Two minutes without one.
    lab.wait(Duration::from_millis(119_800));
    lab.pass(OUTSIDE, &answer, INSIDE);
    lab.wait(Duration::from_millis(120_100));
    lab.refuse(OUTSIDE, &answer, DropReason::NatNoXlate);
}

#[test]
fn only_who_was_asked_may_answer() {
    let mut lab = Lab::new(shared());
    lab.pass(INSIDE, &question(5000), OUTSIDE);
    for stranger in [(EDGE, 10), (ROUTER, 9)] {
        let packet = ethernet(OUTSIDE, &udp(stranger, (PUBLIC, 5000), b"?"));
        lab.refuse(OUTSIDE, &packet, DropReason::NatNoXlate);
    }
    let packet = ethernet(OUTSIDE, &udp((EDGE, 9), (PUBLIC, 5000), b"!"));
    lab.pass(OUTSIDE, &packet, INSIDE);
}

#[test]
fn timers_can_be_what_the_standards_ask_for() {
    let mut policy = shared();
    policy.timeouts.conn = Duration::from_secs(2 * 3600 + 240);
    policy.timeouts.icmp = Duration::from_secs(60);
    policy.timeouts.udp = Duration::from_secs(300);
    let mut lab = Lab::new(policy);
    lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    lab.pass(INSIDE, &question(5000), OUTSIDE);
    lab.pass(INSIDE, &ethernet(INSIDE, &echo(8, DESK, EDGE, 7)), OUTSIDE);
    for (millis, left) in [
        (59_900, 3),
        (200, 2),
        (239_800, 2),
        (200, 1),
        (7_139_800, 1),
        (200, 0),
    ] {
        lab.wait(Duration::from_millis(millis));
        assert_eq!(lab.box_.conn_usage().in_use, left, "{millis}");
    }
}

#[test]
fn a_ping_and_its_errors_turn_around_inside() {
    let mut rule = dynamic_rule(
        AddressRange::network(NODE, 24),
        PatPool {
            interface: true,
            ..PatPool::default()
        },
    );
    rule.section = NatSection::Manual;
    rule.mapped_interface = Some(INSIDE);
    rule.destination = Some(DestinationNat {
        mapped: MappedAddress::range(AddressRange::host(PUBLIC)),
        real: vec![AddressRange::host(NODE)],
    });
    let mut policy = shared();
    policy.nat.insert(0, rule);
    policy.same_security_intra = true;
    let mut lab = Lab::new(policy);
    let sent = echo(8, DESK, PUBLIC, 7);
    let seen = lab.pass(INSIDE, &ethernet(INSIDE, &sent), INSIDE);
    assert_eq!((seen.from(), seen.destination), ((INSIDE_ADDRESS, 7), NODE));
    let error = icmp_error(NODE, INSIDE_ADDRESS, 3, &seen.bytes, 1000);
    let told = lab.pass(INSIDE, &ethernet(INSIDE, &error), INSIDE);
    assert_eq!((told.source, told.destination), (PUBLIC, DESK));
    assert_eq!(told.bytes[28..], sent);
    let answer = echo(0, NODE, INSIDE_ADDRESS, 7);
    let back = lab.pass(INSIDE, &ethernet(INSIDE, &answer), INSIDE);
    assert_eq!((back.source, back.to()), (PUBLIC, (DESK, 7)));
}

#[test]
fn an_unsolicited_syn_is_not_answered_and_a_simultaneous_open_is_refused() {
    let mut lab = Lab::new(shared());
    let inbound = Segment::new(EDGE, 80, PUBLIC, 3000, SYN)
        .seq(9)
        .frame(OUTSIDE);
    lab.refuse(OUTSIDE, &inbound, DropReason::NatNoXlate);
    lab.wait(Duration::from_secs(7));
    assert_eq!(lab.drain(), []);
    let outbound = Segment::new(DESK, 3000, EDGE, 80, SYN)
        .seq(1000)
        .frame(INSIDE);
    lab.pass(INSIDE, &outbound, OUTSIDE);
    lab.refuse(OUTSIDE, &inbound, DropReason::TcpDualOpen);
}

#[test]
fn an_error_sent_back_by_the_host_itself_refreshes_nothing() {
    let mut lab = Lab::new(shared());
    lab.pass(INSIDE, &question(5000), OUTSIDE);
    let answer = ethernet(OUTSIDE, &udp((EDGE, 9), (PUBLIC, 5000), b"y"));
    let seen = lab.pass(OUTSIDE, &answer, INSIDE);
    lab.wait(Duration::from_secs(60));
    let error = icmp_error(DESK, EDGE, 3, &seen.bytes, 1000);
    lab.pass(INSIDE, &ethernet(INSIDE, &error), OUTSIDE);
    let idle: Vec<_> = lab.box_.conns(lab.now).map(|conn| conn.idle).collect();
    assert_eq!(idle, [Duration::from_secs(60)]);
    lab.wait(Duration::from_millis(60_100));
    assert_eq!(lab.box_.conn_usage().in_use, 0);
}

#[test]
fn parity_is_kept_with_the_port_and_not_looked_at_otherwise() {
    let mut lab = Lab::new(shared());
    let (mut even, mut odd) = (0, 0);
    for host in 50..90 {
        let host = Ipv4Addr::new(192, 0, 2, host);
        let frame = ethernet(INSIDE, &udp((host, 5000), (EDGE, 9), b"x"));
        match lab.pass(INSIDE, &frame, OUTSIDE).source_port {
            5000 => assert_eq!(host.octets()[3], 50, "only the first one can have it"),
            port if port % 2 == 0 => even += 1,
            _ => odd += 1,
        }
    }
    assert!(even > 0 && odd > 0, "{even} even, {odd} odd");
    assert_eq!(even + odd, 39);
}

#[test]
fn addresses_within_messages_are_left_alone() {
    let mut lab = Lab::new(shared());
    let sip = b"INVITE sip:bob@example.net SIP/2.0\r\nContact: <sip:192.0.2.40:5060>\r\n\r\n";
    let frame = ethernet(INSIDE, &udp((DESK, 5060), (EDGE, 5060), sip));
    let seen = lab.pass(INSIDE, &frame, OUTSIDE);
    assert_eq!(seen.source, PUBLIC);
    assert_eq!(seen.bytes[28..], sip[..]);
    lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 21));
    let ftp = b"PORT 192,0,2,40,19,136\r\n";
    let command = Segment::new(DESK, 3000, EDGE, 21, ACK)
        .seq(1001)
        .ack(5001)
        .payload(ftp);
    let seen = lab.pass(INSIDE, &command.frame(INSIDE), OUTSIDE);
    assert_eq!(seen.source, PUBLIC);
    assert_eq!(seen.bytes[40..], ftp[..]);
    // Nor is a way opened for what they speak of.
    for inbound in [
        udp((EDGE, 7078), (PUBLIC, 5060), b"?"),
        Segment::new(EDGE, 20, PUBLIC, 5000, SYN).packet(),
    ] {
        let frame = ethernet(OUTSIDE, &inbound);
        lab.refuse(OUTSIDE, &frame, DropReason::NatNoXlate);
    }
}

#[test]
fn the_identification_of_a_whole_packet_is_the_hosts() {
    let mut lab = Lab::new(shared());
    for identification in [0u16, 1, 0xbeef] {
        let mut packet = udp((DESK, 5000), (EDGE, 9), b"x");
        packet[4..6].copy_from_slice(&identification.to_be_bytes());
        packet[10..12].copy_from_slice(&[0, 0]);
        let sum = !plain_sum(&packet[..20]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        let seen = lab.pass(INSIDE, &ethernet(INSIDE, &packet), OUTSIDE);
        assert_eq!(seen.bytes[4..6], identification.to_be_bytes());
    }
}
