//! ICMP errors across translation, and those of the box itself.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;

const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// The packet that an ICMP error in `seen` quotes, whole or cut.
fn quoted(seen: &Packet) -> Packet {
    Packet::parse_header(&seen.bytes[28..])
}

#[test]
fn an_error_from_outside_reaches_the_real_host_about_the_packet_it_sent() {
    let mut lab = Lab::new(federation());
    for len in [28, 1000] {
        let sent = udp((DESK, 5000), (EDGE, 9), b"question");
        let out = lab.pass(INSIDE, &ethernet(INSIDE, &sent), OUTSIDE);
        assert_eq!(out.from(), (PUBLIC, 5000));
        let error = icmp_error(ROUTER, PUBLIC, 11, &out.bytes, len);
        let seen = lab.pass(OUTSIDE, &ethernet(OUTSIDE, &error), INSIDE);
        assert_eq!((seen.source, seen.destination), (ROUTER, DESK));
        if len == 28 {
            assert_eq!(quoted(&seen).from(), (DESK, 5000));
        } else {
            // The whole packet is quoted: it must be what the host sent, checksums and all.
            assert_eq!(seen.bytes[28..], sent);
        }
    }
}

#[test]
fn an_error_from_inside_hides_the_real_host() {
    let mut lab = Lab::new(federation());
    let sent = Segment::new(EDGE, 49_368, PUBLIC, 5061, SYN)
        .seq(7)
        .packet();
    let seen = lab.pass(OUTSIDE, &ethernet(OUTSIDE, &sent), INSIDE);
    assert_eq!(seen.to(), (NODE, 5062));
    // From the node itself, and from a router before it: both are seen as the public address.
    for reporter in [NODE, DESK] {
        let error = icmp_error(reporter, EDGE, 3, &seen.bytes, 1000);
        let out = lab.pass(INSIDE, &ethernet(INSIDE, &error), OUTSIDE);
        assert_eq!((out.source, out.destination), (PUBLIC, EDGE));
        assert_eq!(out.bytes[28..], sent);
    }
}

#[test]
fn an_error_about_a_ping_carries_the_hosts_own_identifier() {
    let mut lab = Lab::new(federation());
    lab.pass(INSIDE, &ethernet(INSIDE, &echo(8, NODE, EDGE, 5)), OUTSIDE);
    let sent = echo(8, DESK, EDGE, 5);
    let out = lab.pass(INSIDE, &ethernet(INSIDE, &sent), OUTSIDE);
    assert_ne!(out.source_port, 5);
    let error = icmp_error(ROUTER, PUBLIC, 11, &out.bytes, 1000);
    let seen = lab.pass(OUTSIDE, &ethernet(OUTSIDE, &error), INSIDE);
    assert_eq!(seen.destination, DESK);
    assert_eq!(seen.bytes[28..], sent);
}

#[test]
fn an_error_about_nothing_we_know_is_dropped() {
    let mut lab = Lab::new(federation());
    let sent = udp((PUBLIC, 5000), (EDGE, 9), b"x");
    let unknown = icmp_error(ROUTER, PUBLIC, 3, &sent, 28);
    lab.refuse(
        OUTSIDE,
        &ethernet(OUTSIDE, &unknown),
        DropReason::IcmpErrorNoConn,
    );
    let out = lab.pass(
        INSIDE,
        &ethernet(INSIDE, &udp((DESK, 5000), (EDGE, 9), b"x")),
        OUTSIDE,
    );
    // About a known flow, but sent to somebody else.
    let astray = icmp_error(ROUTER, OUTSIDE_ADDRESS, 3, &out.bytes, 28);
    lab.refuse(
        OUTSIDE,
        &ethernet(OUTSIDE, &astray),
        DropReason::IcmpErrorNoConn,
    );
    let cut = icmp_error(ROUTER, PUBLIC, 3, &out.bytes, 27);
    lab.refuse(
        OUTSIDE,
        &ethernet(OUTSIDE, &cut),
        DropReason::IcmpErrorNoConn,
    );
    let mut damaged = ethernet(OUTSIDE, &icmp_error(ROUTER, PUBLIC, 3, &out.bytes, 28));
    damaged[14 + 20 + 5] ^= 1;
    lab.refuse(OUTSIDE, &damaged, DropReason::BadTransportChecksum);
}

#[test]
fn the_box_reports_what_it_cannot_forward_at_its_rate() {
    let policy = federation();
    let settings = ConnectionSettings {
        decrement_ttl: true,
        ..unlimited()
    };
    let mut policy = with_class(policy, Some(settings), None);
    policy.interfaces[0].mtu = 600;
    let mut lab = Lab::new(policy);
    let mut packet = udp((DESK, 5000), (EDGE, 9), b"x");
    packet[8] = 1;
    packet[10..12].copy_from_slice(&[0, 0]);
    let sum = !plain_sum(&packet[..20]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    let seen = lab.pass(INSIDE, &ethernet(INSIDE, &packet), INSIDE);
    assert_eq!(
        (seen.source, seen.destination, seen.bytes[20]),
        (INSIDE_ADDRESS, DESK, 11)
    );
    assert_eq!(seen.bytes[28..], packet);
    assert_eq!(lab.box_.frame_drops(DropReason::TtlExceeded), 1);
    lab.refuse(INSIDE, &ethernet(INSIDE, &packet), DropReason::TtlExceeded);
    lab.wait(Duration::from_secs(1));

    let mut large = udp((DESK, 5000), (EDGE, 9), &[7; 700]);
    large[6] = 0x40;
    large[10..12].copy_from_slice(&[0, 0]);
    let sum = !plain_sum(&large[..20]);
    large[10..12].copy_from_slice(&sum.to_be_bytes());
    let seen = lab.pass(INSIDE, &ethernet(INSIDE, &large), INSIDE);
    assert_eq!((seen.bytes[20], seen.bytes[21]), (3, 4));
    assert_eq!(seen.bytes[26..28], 600u16.to_be_bytes());
    assert_eq!(lab.box_.frame_drops(DropReason::MtuExceeded), 1);
    // A good packet loses one hop.
    let seen = lab.pass(
        INSIDE,
        &ethernet(INSIDE, &udp((DESK, 5000), (EDGE, 9), b"x")),
        OUTSIDE,
    );
    assert_eq!(seen.bytes[8], 63);
}

#[test]
fn the_nearest_interface_answers_echo_and_no_other() {
    let mut lab = Lab::new(federation());
    let request = echo(8, DESK, INSIDE_ADDRESS, 9);
    let seen = lab.pass(INSIDE, &ethernet(INSIDE, &request), INSIDE);
    assert_eq!((seen.from(), seen.to()), ((INSIDE_ADDRESS, 0), (DESK, 9)));
    assert_eq!(seen.bytes[28..], request[28..]);
    let far = ethernet(INSIDE, &echo(8, DESK, OUTSIDE_ADDRESS, 9));
    lab.refuse(INSIDE, &far, DropReason::SlowpathSecurity);
    let mut damaged = ethernet(INSIDE, &request);
    damaged[14 + 28] ^= 1;
    lab.refuse(INSIDE, &damaged, DropReason::BadTransportChecksum);
    let rule = |action, source| IcmpRule {
        port: INSIDE,
        action,
        source,
        kind: Some(8),
    };
    let mut policy = federation();
    policy.icmp = vec![rule(Action::Permit, AddressRange::host(NODE))];
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    lab.refuse(INSIDE, &ethernet(INSIDE, &request), DropReason::AclDrop);
    lab.pass(
        INSIDE,
        &ethernet(INSIDE, &echo(8, NODE, INSIDE_ADDRESS, 9)),
        INSIDE,
    );
}
