//! Tags that say nothing good, and what a policy, a cable, a full queue and a capture do to VLANs.

use super::*;

/// A box whose trunk has an address of its own beside the VLANs.
fn native() -> Lab {
    let mut policy = tagged_policy();
    policy.interfaces.push(Interface {
        port: TRUNK,
        name: "native".into(),
        security_level: 70,
        mac: port_mac(TRUNK),
        address: Ipv4Addr::new(10, 9, 9, 1),
        prefix_len: 24,
        ..policy.interfaces[1].clone()
    });
    let mut lab = start(policy, 2, 2);
    drain(&mut lab, &[OUTSIDE, TRUNK], Offloads::ALL);
    lab
}

#[test]
fn frames_whose_tag_says_nothing_good_end_in_counters_of_their_own() {
    let mut lab = native();
    let request = arp(1, NODE, INSIDE_OWN);
    let mut refuse = |frame: &[u8], reason| {
        let before = lab.box_.frame_drops(reason);
        let frame = lab.buffer(frame);
        give(&mut lab, TRUNK, frame);
        assert_eq!(drain(&mut lab, &[OUTSIDE, TRUNK], Offloads::ALL), []);
        assert_eq!(
            lab.box_.frame_drops(reason),
            before + 1,
            "{:?}",
            lab.drops()
        );
    };
    let two = with_tag(&with_tag(&request, &INSIDE_TAG), &INSIDE_TAG);
    refuse(&two, DropReason::VlanDoubleTag);
    let service = with_tag(&with_tag(&request, &[0x88, 0xa8, 0, 10]), &INSIDE_TAG);
    refuse(&service, DropReason::VlanDoubleTag);
    for vlan in [1, 11, 30, 4094, 4095] {
        let [high, low] = u16::to_be_bytes(vlan);
        let unknown = with_tag(&request, &[0x81, 0, high, low]);
        refuse(&unknown, DropReason::VlanUnknown);
    }
    let whole = with_tag(&request, &INSIDE_TAG);
    for len in 14..18 {
        refuse(&whole[..len], DropReason::VlanRunt);
    }
    // An outer service tag is a protocol that nobody here speaks.
    refuse(&with_tag(&request, &[0x88, 0xa8, 0, 10]), DropReason::L2Acl);
    // Behind a good tag the frame itself is judged.
    refuse(&whole[..18], DropReason::L2Acl);
    let ip = with_tag(
        &frame(INSIDE, NODE, &echo(8, NODE, INSIDE_OWN, 1)),
        &INSIDE_TAG,
    );
    refuse(&ip[..30], DropReason::InvalidIpLength);
    // A frame of one VLAN is not for the address of another.
    let mut wrong = ip;
    wrong[..6].copy_from_slice(&port_mac(DMZ).0);
    refuse(&wrong, DropReason::L2Acl);
}

#[test]
fn a_tag_that_tells_a_priority_only_leaves_the_frame_with_the_physical_port() {
    let mut lab = native();
    let (own, host) = (Ipv4Addr::new(10, 9, 9, 1), Ipv4Addr::new(10, 9, 9, 9));
    for request in [
        arp(1, host, own),
        with_tag(&arp(1, host, own), &[0x81, 0, 0xa0, 0]),
    ] {
        let request = lab.buffer(&request);
        give(&mut lab, TRUNK, request);
        let sent = drain(&mut lab, &[OUTSIDE, TRUNK], Offloads::ALL);
        let [(TRUNK, _, answer)] = sent.as_slice() else {
            panic!("{sent:?}");
        };
        assert_eq!(answer[12..14], [8, 6]);
    }
    assert_eq!(lab.box_.port_counters(TRUNK).packets_in, 2);
    assert_eq!(lab.box_.port_counters(INSIDE).packets_in, 0);
}

#[test]
fn the_link_of_the_physical_port_is_that_of_its_vlans() {
    let mut lab = start(tagged_policy(), 2, 2);
    let request = with_tag(&arp(1, SERVER, DMZ_OWN), &DMZ_TAG);
    let routes = lab.box_.routes().count();
    lab.box_.set_link(TRUNK, false, &mut lab.pool);
    drain(&mut lab, &[OUTSIDE, TRUNK], Offloads::ALL);
    assert!(lab.box_.routes().count() < routes);
    let frame = lab.buffer(&request);
    give(&mut lab, TRUNK, frame);
    assert_eq!(lab.box_.frame_drops(DropReason::InterfaceDown), 1);
    // A new policy does not bring it up.
    lab.box_.set_policy(tagged_policy(), &mut lab.pool, lab.now);
    let frame = lab.buffer(&request);
    give(&mut lab, TRUNK, frame);
    assert_eq!(lab.box_.frame_drops(DropReason::InterfaceDown), 2);
    lab.box_.set_link(TRUNK, true, &mut lab.pool);
    let announced = drain(&mut lab, &[OUTSIDE, TRUNK], Offloads::ALL);
    let tags: Vec<_> = announced.iter().map(|(_, _, frame)| frame[15]).collect();
    assert_eq!(tags, [10, 20]);
    assert_eq!(lab.box_.routes().count(), routes);
}

#[test]
fn flows_end_with_their_vlan_and_no_others() {
    let mut twins = Twins::new();
    let syn = |server| {
        Segment::new(DESK, 40_000, server, 443, SYN)
            .seq(1000)
            .packet()
    };
    twins.pass(INSIDE, &frame(INSIDE, DESK, &syn(SERVER)), DMZ);
    twins.pass(INSIDE, &frame(INSIDE, DESK, &syn(EDGE)), OUTSIDE);
    let lab = &mut twins.tagged;
    assert_eq!(lab.box_.conns(lab.now).count(), 2);
    lab.box_.set_policy(tagged_policy(), &mut lab.pool, lab.now);
    assert_eq!(lab.box_.conns(lab.now).count(), 2);
    // Another VLAN at the same logical port: other stations.
    let mut changed = tagged_policy();
    changed.vlans[1].vlan = 21;
    lab.box_.set_policy(changed, &mut lab.pool, lab.now);
    let left: Vec<_> = lab
        .box_
        .conns(lab.now)
        .map(|conn| conn.lower.port)
        .collect();
    assert_eq!(left, [OUTSIDE]);
    assert!(lab.box_.neighbors(lab.now).all(|known| known.port != DMZ));
    drain(lab, &[OUTSIDE, TRUNK], Offloads::ALL);
    let frame = lab.buffer(&with_tag(&arp(1, SERVER, DMZ_OWN), &DMZ_TAG));
    give(lab, TRUNK, frame);
    assert_eq!(lab.box_.frame_drops(DropReason::VlanUnknown), 1);
    // Without its VLAN a logical port is closed.
    let mut without = tagged_policy();
    without.vlans.clear();
    lab.box_.set_policy(without, &mut lab.pool, lab.now);
    assert_eq!(lab.box_.conns(lab.now).count(), 0);
    drain(lab, &[OUTSIDE, TRUNK], Offloads::ALL);
}

#[test]
fn all_vlans_of_a_port_share_its_queue() {
    let mut lab = start(tagged_policy(), 2, 2);
    drain(&mut lab, &[OUTSIDE, TRUNK], Offloads::ALL);
    for port in [INSIDE, DMZ] {
        lab.box_.clear_port_counters(port);
    }
    let limit = u64::from(lab.box_.limits().transmit_queue);
    for number in 0..limit + 10 {
        let (tag, host, own) = if number % 2 == 0 {
            (INSIDE_TAG, NODE, INSIDE_OWN)
        } else {
            (DMZ_TAG, SERVER, DMZ_OWN)
        };
        let request = lab.buffer(&with_tag(&arp(1, host, own), &tag));
        give(&mut lab, TRUNK, request);
    }
    let counters = |port| lab.box_.port_counters(port);
    assert_eq!(
        counters(INSIDE).packets_out + counters(DMZ).packets_out,
        limit
    );
    assert_eq!(counters(INSIDE).transmit_overflow, 5);
    assert_eq!(lab.box_.frame_drops(DropReason::DispatchQueueLimit), 10);
    assert_eq!(drain(&mut lab, &[TRUNK], Offloads::ALL).len() as u64, limit);
}

#[test]
fn captures_hold_the_tag() {
    let mut lab = start(tagged_policy(), 2, 2);
    drain(&mut lab, &[OUTSIDE, TRUNK], Offloads::ALL);
    let of = |kind, ethertype, ports: &[PortId]| CaptureSettings {
        kind,
        ethertype,
        ports: ports.to_vec(),
        ..CaptureSettings::default()
    };
    for (name, settings) in [
        ("tagged", of(CaptureKind::RawData, Some(0x8100), &[INSIDE])),
        ("arp", of(CaptureKind::RawData, Some(0x0806), &[INSIDE])),
        ("ip", of(CaptureKind::RawData, None, &[INSIDE])),
        (
            "other",
            of(CaptureKind::RawData, Some(0x8100), &[TRUNK, DMZ]),
        ),
        ("drops", of(CaptureKind::AspDrop(None), None, &[INSIDE])),
    ] {
        lab.box_
            .add_capture(name, 64 << 10, settings)
            .expect("there is room");
    }
    let request = with_tag(&arp(1, NODE, INSIDE_OWN), &[0x81, 0, 0x60, 10]);
    let refused = with_tag(
        &frame(INSIDE, NODE, &ipv4(INSIDE_OWN, NODE, 17, &[0; 8])),
        &INSIDE_TAG,
    );
    for frame in [&request, &refused] {
        let frame = lab.buffer(frame);
        give(&mut lab, TRUNK, frame);
    }
    let answer = drain(&mut lab, &[TRUNK], Offloads::ALL).remove(0).2;
    let held = |name| {
        let capture = lab.box_.capture(name).expect("a capture");
        let (mut cursor, mut bytes) = (capture.cursor(), Vec::new());
        core::iter::from_fn(|| {
            let frame = capture.read(&mut cursor, &mut bytes)?;
            assert_eq!(frame.frame_len as usize, bytes.len());
            assert_eq!(frame.port, Some(INSIDE));
            Some(bytes.clone())
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(
        held("tagged"),
        [request.clone(), refused.clone(), answer.clone()]
    );
    assert_eq!(held("arp"), [request, answer]);
    assert_eq!(held("ip"), core::slice::from_ref(&refused));
    assert_eq!(held("other"), Vec::<Vec<u8>>::new());
    assert_eq!(held("drops"), [refused]);
}
