//! Translation in every form: pools, whole addresses, lists, runs of ports, hairpins, DNS.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;

fn public(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, last)
}

fn range(first: Ipv4Addr, last: Ipv4Addr) -> AddressRange {
    AddressRange { first, last }
}

fn host(address: Ipv4Addr) -> AddressRange {
    AddressRange::host(address)
}

fn inside(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

/// Everything may pass, and `nat` translates.
fn open(nat: Vec<NatRule>) -> Policy {
    let mut policy = federation();
    policy.nat = nat;
    policy.inspections.clear();
    policy.inspect_icmp = true;
    policy.interfaces[0].access_in = Some(AclId(0));
    let any = AddressRange::ANY;
    policy.access_lists[0].elements = vec![ace(Action::Permit, any, any, Service::Any)];
    policy
}

fn lab(nat: Vec<NatRule>) -> Lab {
    let mut lab = Lab::new(open(nat));
    for last in 20..30 {
        lab.introduce(INSIDE, inside(last));
    }
    lab
}

fn out(lab: &mut Lab, from: (Ipv4Addr, u16)) -> (Ipv4Addr, u16) {
    let packet = ethernet(INSIDE, &udp(from, (EDGE, 9), b"x"));
    lab.pass(INSIDE, &packet, OUTSIDE).from()
}

fn statically(real: Vec<AddressRange>, mapped: Vec<AddressRange>) -> NatRule {
    NatRule {
        source: SourceNat::Static {
            real,
            mapped: MappedAddress::Ranges(mapped),
        },
        ..static_rule(NODE, PUBLIC, None)
    }
}

fn given(interface: bool) -> NatRule {
    dynamic_rule(
        AddressRange::network(NODE, 24),
        PatPool {
            one_to_one: vec![range(public(12), public(13))],
            interface,
            name: "RANGE".into(),
            ..PatPool::default()
        },
    )
}

#[test]
fn a_host_keeps_a_whole_address_and_is_reachable_by_it() {
    let mut lab = lab(vec![given(true)]);
    assert_eq!(out(&mut lab, (inside(20), 5000)), (public(12), 5000));
    assert_eq!(out(&mut lab, (inside(21), 5000)), (public(13), 5000));
    // The third host shares the interface.
    assert_eq!(out(&mut lab, (inside(22), 5000)), (OUTSIDE_ADDRESS, 5000));
    // Any port, any protocol.
    let esp = ipv4(inside(20), EDGE, 50, &[1, 2, 3, 4]);
    let seen = lab.pass(INSIDE, &ethernet(INSIDE, &esp), OUTSIDE);
    assert_eq!(seen.source, public(12));
    // From outside, while it lasts; a static rule or a list could not know the host.
    let inbound = |to| ethernet(OUTSIDE, &udp((EDGE, 7000), (to, 80), b"?"));
    let seen = lab.pass(OUTSIDE, &inbound(public(12)), INSIDE);
    assert_eq!(seen.to(), (inside(20), 80));
    let back = ethernet(INSIDE, &udp((inside(20), 80), (EDGE, 7000), b"!"));
    assert_eq!(lab.pass(INSIDE, &back, OUTSIDE).from(), (public(12), 80));
    let views: Vec<_> = lab.box_.xlates(lab.now).collect();
    assert_eq!(views.len(), 3);
    assert_eq!(
        (views[0].protocol, views[0].mapped, views[0].timeout),
        (None, host(public(12)), Duration::from_secs(10_800))
    );
    let pool = lab.box_.pools().find(|pool| pool.protocol.is_none());
    assert_eq!(
        pool.map(|pool| (pool.first_address, pool.allocated)),
        Some((public(12), 2))
    );
    // Two minutes after its last flow the address is still the host's, after three hours not.
    lab.wait(Duration::from_secs(130));
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    assert_eq!(out(&mut lab, (inside(20), 1)), (public(12), 1));
    lab.wait(Duration::from_secs(121));
    lab.wait(Duration::from_secs(10_801));
    assert_eq!(lab.box_.xlates(lab.now).count(), 0);
    lab.refuse(OUTSIDE, &inbound(public(12)), DropReason::NatNoXlate);
}

#[test]
fn an_exhausted_pool_is_counted_with_its_rule() {
    let mut lab = lab(vec![given(false)]);
    for last in [20, 21] {
        out(&mut lab, (inside(last), 5000));
    }
    for _ in 0..3 {
        let packet = ethernet(INSIDE, &udp((inside(22), 5000), (EDGE, 9), b"x"));
        lab.refuse(INSIDE, &packet, DropReason::NatPoolExhausted);
    }
    let view = lab.box_.nat_rules().next().expect("a rule");
    assert_eq!((view.translate_hits, view.exhausted), (2, 3));
    // Taken back, they are free for others.
    let cleared = lab
        .box_
        .clear_xlates(|view| view.mapped.contains(public(12)), lab.now);
    assert_eq!((cleared, lab.box_.conn_usage().in_use), (1, 1));
    assert_eq!(out(&mut lab, (inside(22), 5000)), (public(12), 5000));
    lab.box_.clear_nat_hits();
    let view = lab.box_.nat_rules().next().expect("a rule");
    assert_eq!((view.translate_hits, view.exhausted), (0, 0));
}

#[test]
fn of_lists_that_differ_in_length_the_shorter_is_used_over_and_over() {
    // Few to many: the host goes out by the first and is reached by all.
    let mut few = lab(vec![statically(
        vec![host(NODE)],
        vec![range(public(5), public(6)), host(public(8))],
    )]);
    assert_eq!(out(&mut few, (NODE, 7)), (public(5), 7));
    for last in [5, 6, 8] {
        let packet = ethernet(OUTSIDE, &udp((EDGE, 7000), (public(last), 80), b"?"));
        assert_eq!(few.pass(OUTSIDE, &packet, INSIDE).to(), (NODE, 80));
        let back = ethernet(INSIDE, &udp((NODE, 80), (EDGE, 7000), b"!"));
        assert_eq!(few.pass(INSIDE, &back, OUTSIDE).from(), (public(last), 80));
        few.box_.clear_conns(|_| true, few.now);
    }
    // Many to few: who stands first is reached, the others only go out.
    let mut many = lab(vec![statically(
        vec![range(inside(20), inside(22))],
        vec![host(public(5)), host(public(6))],
    )]);
    for (last, seen) in [(20, 5), (21, 6), (22, 5)] {
        assert_eq!(
            out(&mut many, (inside(last), 100 + u16::from(last))).0,
            public(seen)
        );
    }
    let packet = ethernet(OUTSIDE, &udp((EDGE, 7000), (public(5), 80), b"?"));
    assert_eq!(many.pass(OUTSIDE, &packet, INSIDE).to(), (inside(20), 80));
    // Where two would be one to the other side, the second is refused.
    let packet = ethernet(INSIDE, &udp((inside(22), 120), (EDGE, 9), b"x"));
    many.refuse(INSIDE, &packet, DropReason::NatPoolExhausted);
}

#[test]
fn a_run_of_ports_moves_as_a_whole() {
    let mut rule = static_rule(NODE, PUBLIC, Some((5060, 15_060)));
    rule.service = rule.service.map(|service| PortTranslation {
        transport: Transport::Udp,
        more: 10,
        ..service
    });
    let shared = dynamic_rule(
        AddressRange::ANY,
        PatPool {
            addresses: vec![host(PUBLIC)],
            ..PatPool::default()
        },
    );
    let mut lab = lab(vec![rule, shared]);
    assert_eq!(out(&mut lab, (NODE, 5060)), (PUBLIC, 15_060));
    assert_eq!(out(&mut lab, (NODE, 5070)), (PUBLIC, 15_070));
    assert_eq!(out(&mut lab, (NODE, 5071)), (PUBLIC, 5071));
    let packet = ethernet(OUTSIDE, &udp((EDGE, 7000), (PUBLIC, 15_065), b"?"));
    assert_eq!(lab.pass(OUTSIDE, &packet, INSIDE).to(), (NODE, 5065));
    // Nobody else is given a port of the run.
    let (address, port) = out(&mut lab, (DESK, 15_068));
    assert_eq!(address, PUBLIC);
    assert!(!(15_060..=15_070).contains(&port) && port >= 1024);
}

#[test]
fn round_robin_and_extended_pools_serve_as_they_say() {
    let pool = |options| {
        dynamic_rule(
            AddressRange::ANY,
            PatPool {
                addresses: vec![range(public(5), public(7))],
                options,
                name: "POOL".into(),
                ..PatPool::default()
            },
        )
    };
    let mut robin = lab(vec![pool(PoolOptions {
        round_robin: true,
        ..PoolOptions::default()
    })]);
    for (last, seen) in [(20, 5), (21, 6), (22, 7), (23, 5), (21, 6)] {
        assert_eq!(out(&mut robin, (inside(last), 5000)).0, public(seen));
        assert_eq!(out(&mut robin, (inside(last), 5001)).0, public(seen));
    }
    let mut extended = lab(vec![pool(PoolOptions {
        extended: true,
        flat: true,
        ..PoolOptions::default()
    })]);
    let mut to = |last: u8, destination: u8| {
        let to = (Ipv4Addr::new(198, 51, 100, destination), 9);
        let packet = ethernet(INSIDE, &udp((inside(last), 5000), to, b"x"));
        extended.pass(INSIDE, &packet, OUTSIDE).from()
    };
    assert_eq!(to(20, 1), (public(5), 5000));
    assert_eq!(to(21, 2), (public(5), 5000));
    assert_ne!(to(21, 1), (public(5), 5000));
    let views: Vec<_> = extended.box_.xlates(extended.now).collect();
    assert!(views.iter().all(|view| view.is_extended));
    let seen = out(&mut extended, (inside(22), 80));
    assert!(seen.1 >= 1024, "flat pools leave low ports alone: {seen:?}");
}

#[test]
fn a_hairpin_reaches_the_published_host_from_its_own_side() {
    // The node is published to its own network as well, and whoever dials it there is hidden behind
    // the box, so that the answers come back through it.
    let mut rule = NatRule {
        real_interface: Some(INSIDE),
        mapped_interface: Some(INSIDE),
        ..dynamic_rule(
            AddressRange::network(NODE, 24),
            PatPool {
                interface: true,
                ..PatPool::default()
            },
        )
    };
    rule.section = NatSection::Manual;
    rule.destination = Some(DestinationNat {
        mapped: MappedAddress::range(host(PUBLIC)),
        real: vec![host(NODE)],
    });
    let mut policy = open(vec![rule]);
    let call = ethernet(INSIDE, &udp((DESK, 5000), (PUBLIC, 5060), b"?"));
    let mut lab = Lab::new(policy.clone());
    lab.refuse(INSIDE, &call, DropReason::AclDrop);
    policy.same_security_intra = true;
    let mut lab = Lab::new(policy);
    let seen = lab.pass(INSIDE, &call, INSIDE);
    assert_eq!(
        (seen.from(), seen.to()),
        ((INSIDE_ADDRESS, 5000), (NODE, 5060))
    );
    let answer = ethernet(INSIDE, &udp((NODE, 5060), (INSIDE_ADDRESS, 5000), b"!"));
    let seen = lab.pass(INSIDE, &answer, INSIDE);
    assert_eq!((seen.from(), seen.to()), ((PUBLIC, 5060), (DESK, 5000)));
}

#[test]
fn unidirectional_and_inactive_rules_do_what_they_say() {
    let mut rule = static_rule(NODE, public(5), None);
    rule.unidirectional = true;
    let mut lab = lab(vec![rule.clone()]);
    assert_eq!(out(&mut lab, (NODE, 7)), (public(5), 7));
    let inbound = ethernet(OUTSIDE, &udp((EDGE, 1), (public(5), 80), b"?"));
    lab.reject(OUTSIDE, &inbound, DropReason::AclDrop);
    assert_eq!(lab.box_.proxied(OUTSIDE), [host(public(5))]);
    rule.inactive = true;
    let mut lab = Lab::new(open(vec![rule]));
    assert_eq!(out(&mut lab, (NODE, 7)), (NODE, 7));
    assert_eq!(lab.box_.proxied(OUTSIDE), []);
    assert_eq!(lab.box_.xlates(lab.now).count(), 0);
}

#[test]
fn a_binding_ends_with_its_flow_or_stays_as_the_lines_say() {
    let shared = dynamic_rule(
        AddressRange::ANY,
        PatPool {
            addresses: vec![host(PUBLIC)],
            ..PatPool::default()
        },
    );
    let mut policy = open(vec![shared]);
    let line = |action, source, source_port| PerSessionRule {
        action,
        transport: Transport::Udp,
        source: host(source),
        source_port,
        destination: AddressRange::ANY,
        destination_port: PortMatch::ANY,
    };
    policy.per_session = vec![
        line(Action::Permit, DESK, PortMatch::eq(5060)),
        line(Action::Deny, DESK, PortMatch::ANY),
        // The first line that fits decides.
        line(Action::Permit, DESK, PortMatch::ANY),
    ];
    let mut lab = Lab::new(policy);
    let dns = ethernet(INSIDE, &udp((DESK, 7000), (EDGE, 53), b"x"));
    out(&mut lab, (DESK, 5060));
    lab.pass(INSIDE, &dns, OUTSIDE);
    lab.wait(Duration::from_secs(121));
    let left: Vec<_> = lab
        .box_
        .xlates(lab.now)
        .map(|view| view.real_service)
        .collect();
    assert_eq!(left, [Some(7000)]);
    lab.wait(Duration::from_secs(31));
    assert_eq!(lab.box_.xlates(lab.now).count(), 0);
}

/// An answer for `host.example` with two addresses.
fn answer(first: Ipv4Addr, second: Ipv4Addr) -> Vec<u8> {
    let mut message = b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\0".to_vec();
    // The name's length puts what follows at odd offsets.
    message.extend(b"\x04host\x08examples\0\0\x01\0\x01");
    for address in [first, second] {
        message.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04");
        message.extend(address.octets());
    }
    message
}

#[test]
fn addresses_in_dns_answers_are_those_the_reader_knows() {
    let mut rule = static_rule(NODE, public(5), None);
    rule.dns = true;
    let mut policy = open(vec![rule]);
    let server = [198, 51, 100, 53].into();
    let ask = ethernet(
        INSIDE,
        &udp((DESK, 5353), (server, 53), &answer(EDGE, EDGE)[..30]),
    );
    let reply = |message: &[u8]| ethernet(OUTSIDE, &udp((server, 53), (DESK, 5353), message));
    // Without inspection nothing is changed.
    let mut lab = Lab::new(policy.clone());
    lab.pass(INSIDE, &ask, OUTSIDE);
    let seen = lab.pass(OUTSIDE, &reply(&answer(public(5), EDGE)), INSIDE);
    assert!(seen.bytes.ends_with(&answer(public(5), EDGE)));

    policy.dns = DnsInspection {
        classes: vec![(None, AclId(0))],
        length_max: Some(512),
    };
    let mut lab = Lab::new(policy);
    let question = {
        let mut message = answer(EDGE, EDGE)[..31].to_vec();
        message[2] = 1;
        message[7] = 0;
        message
    };
    let ask = ethernet(INSIDE, &udp((DESK, 5353), (server, 53), &question));
    lab.pass(INSIDE, &ask, OUTSIDE);
    let seen = lab.pass(OUTSIDE, &reply(&answer(public(5), EDGE)), INSIDE);
    assert!(seen.bytes.ends_with(&answer(NODE, EDGE)));
    // Without a checksum there is none to put right.
    let mut bare = reply(&answer(public(5), public(5)));
    bare[40..42].copy_from_slice(&[0, 0]);
    let seen = lab.pass(OUTSIDE, &bare, INSIDE);
    assert!(seen.bytes.ends_with(&answer(NODE, NODE)));
    assert_eq!(seen.bytes[26..28], [0, 0]);
    // The other way: a name server inside, asked from outside.
    let ask = ethernet(OUTSIDE, &udp((EDGE, 5353), (DESK, 53), &question));
    lab.pass(OUTSIDE, &ask, INSIDE);
    let reply_out = ethernet(INSIDE, &udp((DESK, 53), (EDGE, 5353), &answer(NODE, DESK)));
    let seen = lab.pass(INSIDE, &reply_out, OUTSIDE);
    assert!(seen.bytes.ends_with(&answer(public(5), DESK)));
    // What breaks the format, or is too long, does not pass.
    let cut = answer(public(5), EDGE);
    lab.refuse(
        OUTSIDE,
        &reply(&cut[..cut.len() - 1]),
        DropReason::DnsInvalid,
    );
    let mut long = cut;
    long.resize(513, 0);
    lab.refuse(OUTSIDE, &reply(&long), DropReason::DnsTooLong);
}
