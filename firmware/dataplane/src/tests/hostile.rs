//! What a stateful firewall drops whatever its rules say, each by its name; and what the operator
//! adds: reverse path checks and `shun`.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;

/// A policy that lets everything through that rules can let through.
fn open() -> Policy {
    let mut policy = federation();
    policy.access_lists[0].elements = vec![ace(
        Action::Permit,
        AddressRange::ANY,
        AddressRange::ANY,
        Service::Any,
    )];
    policy
}

/// A UDP packet from outside to a host behind the box.
fn packet(source: [u8; 4], destination: Ipv4Addr) -> Vec<u8> {
    udp((source.into(), 4000), (destination, 5000), b"hostile")
}

/// The same with IPv4 options.
fn with_options(options: &[u8]) -> Vec<u8> {
    let plain = packet(EDGE.octets(), SERVER);
    let mut made = plain[..20].to_vec();
    made.extend(options);
    made[0] = 0x45 + options.len() as u8 / 4;
    let total = (plain.len() + options.len()) as u16;
    made[2..4].copy_from_slice(&total.to_be_bytes());
    made[10..12].fill(0);
    let sum = !plain_sum(&made);
    made[10..12].copy_from_slice(&sum.to_be_bytes());
    made.extend(&plain[20..]);
    made
}

#[test]
fn packets_that_no_rule_may_permit_are_dropped_by_name() {
    use DropReason::{
        FragmentInvalid, FragmentOverlap, FragmentTiny, InvalidIpOption, L2Acl,
        NoMulticastInterface, SlowpathSecurity,
    };
    let good = udp((EDGE, 4000), (SERVER, 5000), &[7; 100]);
    let piece = super::fragments::piece;
    let overlap = piece(&good, 8, &[0; 16], true, 3);
    let cases: Vec<(&str, Vec<u8>, DropReason)> = vec![
        (
            "from the limited broadcast",
            packet([255; 4], SERVER),
            SlowpathSecurity,
        ),
        (
            "from the broadcast of a network",
            packet([203, 0, 113, 15], SERVER),
            SlowpathSecurity,
        ),
        (
            "from the address of a network",
            packet([192, 0, 2, 0], SERVER),
            SlowpathSecurity,
        ),
        (
            "from a group",
            packet([224, 0, 0, 5], SERVER),
            SlowpathSecurity,
        ),
        (
            "from a group, last",
            packet([239, 255, 255, 255], SERVER),
            SlowpathSecurity,
        ),
        (
            "from the link only",
            packet([169, 254, 7, 7], SERVER),
            SlowpathSecurity,
        ),
        (
            "to the link only",
            packet([198, 51, 100, 20], Ipv4Addr::new(169, 254, 7, 7)),
            SlowpathSecurity,
        ),
        (
            "from loopback",
            packet([127, 0, 0, 1], SERVER),
            SlowpathSecurity,
        ),
        ("from nobody", packet([0; 4], SERVER), SlowpathSecurity),
        ("from 0/8", packet([0, 1, 2, 3], SERVER), SlowpathSecurity),
        (
            "from 240/4",
            packet([240, 0, 0, 1], SERVER),
            SlowpathSecurity,
        ),
        (
            "to 0/8",
            packet(EDGE.octets(), Ipv4Addr::new(0, 1, 2, 3)),
            SlowpathSecurity,
        ),
        (
            "to 240/4",
            packet(EDGE.octets(), Ipv4Addr::new(250, 1, 2, 3)),
            SlowpathSecurity,
        ),
        (
            "to loopback",
            packet(EDGE.octets(), Ipv4Addr::LOCALHOST),
            SlowpathSecurity,
        ),
        (
            "to the limited broadcast",
            packet(EDGE.octets(), Ipv4Addr::BROADCAST),
            NoMulticastInterface,
        ),
        (
            "to a group",
            packet(EDGE.octets(), Ipv4Addr::new(224, 0, 0, 251)),
            NoMulticastInterface,
        ),
        (
            "to the broadcast of a network behind",
            packet(EDGE.octets(), Ipv4Addr::new(192, 0, 2, 255)),
            SlowpathSecurity,
        ),
        (
            "from our own address here",
            packet(OUTSIDE_ADDRESS.octets(), SERVER),
            SlowpathSecurity,
        ),
        (
            "from our own address there",
            packet(INSIDE_ADDRESS.octets(), SERVER),
            SlowpathSecurity,
        ),
        ("land", packet(SERVER.octets(), SERVER), SlowpathSecurity),
        (
            "land against the box",
            packet(OUTSIDE_ADDRESS.octets(), OUTSIDE_ADDRESS),
            SlowpathSecurity,
        ),
        (
            "loose source route",
            with_options(&[131, 7, 4, 192, 0, 2, 1, 0]),
            InvalidIpOption,
        ),
        (
            "strict source route",
            with_options(&[137, 7, 4, 192, 0, 2, 1, 0]),
            InvalidIpOption,
        ),
        (
            "record route",
            with_options(&[7, 7, 4, 0, 0, 0, 0, 0]),
            InvalidIpOption,
        ),
        (
            "timestamp",
            with_options(&[68, 8, 5, 0, 0, 0, 0, 0]),
            InvalidIpOption,
        ),
        (
            "option beyond the header",
            with_options(&[148, 12, 0, 0]),
            InvalidIpOption,
        ),
        (
            "fragment, empty",
            piece(&good, 64, &[], true, 3),
            FragmentInvalid,
        ),
        (
            "fragment of 9 bytes",
            piece(&good, 64, &[0; 9], true, 3),
            FragmentInvalid,
        ),
        (
            "fragment beyond the end",
            piece(&good, 65_528, &[0; 16], false, 3),
            FragmentInvalid,
        ),
        (
            "fragment over TCP flags",
            piece(
                &Segment::new(EDGE, 1, SERVER, 2, SYN).packet(),
                8,
                &[0; 16],
                true,
                3,
            ),
            FragmentTiny,
        ),
        (
            "first fragment of 8 bytes of TCP",
            piece(
                &Segment::new(EDGE, 1, SERVER, 2, SYN).packet(),
                0,
                &[0; 8],
                true,
                3,
            ),
            FragmentTiny,
        ),
        (
            "fragment from loopback",
            piece(&packet([127, 0, 0, 1], SERVER), 0, &[0; 8], true, 3),
            SlowpathSecurity,
        ),
    ];
    let mut lab = Lab::new(open());
    lab.pass(OUTSIDE, &ethernet(OUTSIDE, &good), DMZ);
    let with_router_alert = ethernet(OUTSIDE, &with_options(&[148, 4, 0, 0]));
    assert_eq!(lab.send(OUTSIDE, &with_router_alert).len(), 1);
    for (name, packet, reason) in cases {
        println!("{name}");
        lab.refuse(OUTSIDE, &ethernet(OUTSIDE, &packet), reason);
    }
    let mut in_broadcast = ethernet(OUTSIDE, &good);
    in_broadcast[..6].fill(0xff);
    lab.refuse(OUTSIDE, &in_broadcast, L2Acl);
    lab.send(
        OUTSIDE,
        &ethernet(OUTSIDE, &piece(&good, 0, &good[20..36], true, 3)),
    );
    lab.send(OUTSIDE, &ethernet(OUTSIDE, &overlap));
    assert_eq!(lab.box_.frame_drops(FragmentOverlap), 2);
}

#[test]
fn reverse_path_checks_the_ports_they_are_configured_at() {
    let mut policy = open();
    let mut lab = Lab::new(policy.clone());
    // Without: from outside with an address of the inside passes the access list.
    let forged = ethernet(OUTSIDE, &packet([192, 0, 2, 77], SERVER));
    lab.pass(OUTSIDE, &forged, DMZ);
    policy.reverse_path = vec![OUTSIDE, INSIDE];
    let mut lab = Lab::new(policy);
    lab.refuse(OUTSIDE, &forged, DropReason::RpfViolated);
    lab.pass(
        OUTSIDE,
        &ethernet(OUTSIDE, &packet(EDGE.octets(), SERVER)),
        DMZ,
    );
    // Inside, an address of the default route.
    let forged = ethernet(INSIDE, &packet(EDGE.octets(), SERVER));
    lab.refuse(INSIDE, &forged, DropReason::RpfViolated);
    lab.refuse(INSIDE, &forged, DropReason::RpfViolated);
    // And to the box itself.
    lab.refuse(
        INSIDE,
        &ethernet(INSIDE, &echo(8, EDGE, INSIDE_ADDRESS, 1)),
        DropReason::RpfViolated,
    );
    let drops = |lab: &Lab| [OUTSIDE, INSIDE, DMZ].map(|port| lab.box_.reverse_path_drops(port));
    assert_eq!(drops(&lab), [1, 3, 0]);
    lab.box_.clear_reverse_path_drops();
    assert_eq!(drops(&lab), [0; 3]);
    assert_eq!(lab.box_.frame_drops(DropReason::RpfViolated), 4);
}

#[test]
fn a_shunned_source_is_cut_off_from_the_next_packet_on() {
    let shun = |source| Shun {
        source,
        destination: Ipv4Addr::UNSPECIFIED,
        source_port: 0,
        destination_port: 0,
        protocol: 0,
    };
    let mut lab = Lab::new(open());
    let from_edge = ethernet(OUTSIDE, &packet(EDGE.octets(), SERVER));
    lab.pass(OUTSIDE, &from_edge, DMZ);
    lab.pass(
        INSIDE,
        &ethernet(INSIDE, &udp((DESK, 9), (EDGE, 9), b"x")),
        OUTSIDE,
    );
    lab.pass(
        INSIDE,
        &ethernet(INSIDE, &udp((DESK, 9), (SERVER, 9), b"x")),
        DMZ,
    );
    assert_eq!(
        lab.box_.shun(shun(EDGE), lab.now),
        Some(2),
        "connections of it, either way"
    );
    assert_eq!(lab.box_.flow_drops(DropReason::Shunned), 2);
    assert_eq!(lab.conn().lower.real.0, SERVER);
    lab.refuse(OUTSIDE, &from_edge, DropReason::Shunned);
    lab.refuse(
        OUTSIDE,
        &ethernet(OUTSIDE, &echo(8, EDGE, OUTSIDE_ADDRESS, 1)),
        DropReason::Shunned,
    );
    let pieces = super::fragments::cut(&udp((EDGE, 9), (SERVER, 9), &[0; 2000]), 1480, 1);
    lab.refuse(OUTSIDE, &ethernet(OUTSIDE, &pieces[0]), DropReason::Shunned);
    lab.pass(
        OUTSIDE,
        &ethernet(OUTSIDE, &packet([198, 51, 100, 21], SERVER)),
        DMZ,
    );
    assert_eq!(lab.box_.shuns().len(), 1);
    assert_eq!(lab.box_.shuns()[0].hits, 3);
    // Named again it is the same entry.
    lab.now += Duration::from_secs(1);
    assert_eq!(lab.box_.shun(shun(EDGE), lab.now), Some(0));
    assert_eq!((lab.box_.shuns().len(), lab.box_.shuns()[0].hits), (1, 3));
    assert!(lab.box_.unshun(EDGE) && !lab.box_.unshun(EDGE));
    lab.pass(OUTSIDE, &from_edge, DMZ);

    let address = |n: usize| Ipv4Addr::from_bits(0x0a00_0000 + n as u32);
    for n in 0..SHUNS_MAX {
        assert_eq!(lab.box_.shun(shun(address(n)), lab.now), Some(0));
    }
    assert_eq!(lab.box_.shun(shun(EDGE), lab.now), None, "the list is full");
    assert_eq!(
        lab.box_.shun(shun(address(5)), lab.now),
        Some(0),
        "but it is on it"
    );
    let addresses: Vec<_> = lab
        .box_
        .shuns()
        .iter()
        .map(|entry| entry.shun.source)
        .collect();
    assert!(addresses.is_sorted());
    lab.box_.clear_shuns();
    assert_eq!(lab.box_.shuns(), []);
}
