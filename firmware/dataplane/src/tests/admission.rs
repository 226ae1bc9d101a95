//! Who may open what: levels, access lists, hairpins, limits; and how decisions explain themselves.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;

fn syn(from: Ipv4Addr, to: Ipv4Addr, port: u16, ingress: PortId) -> Vec<u8> {
    Segment::new(from, 3000, to, port, SYN).frame(ingress)
}

/// No translation, no lists: levels alone.
fn levels() -> Policy {
    let mut policy = federation();
    policy.nat.clear();
    policy.inspections.clear();
    policy.interfaces[0].access_in = None;
    policy
}

#[test]
fn levels_permit_downwards_only() {
    let mut lab = Lab::new(levels());
    lab.pass(INSIDE, &syn(DESK, EDGE, 80, INSIDE), OUTSIDE);
    lab.pass(INSIDE, &syn(DESK, SERVER, 80, INSIDE), DMZ);
    lab.pass(DMZ, &syn(SERVER, EDGE, 80, DMZ), OUTSIDE);
    lab.refuse(DMZ, &syn(SERVER, DESK, 80, DMZ), DropReason::AclDrop);
    lab.refuse(
        OUTSIDE,
        &syn(EDGE, SERVER, 80, OUTSIDE),
        DropReason::AclDrop,
    );
}

#[test]
fn equal_levels_and_hairpins_need_their_permission() {
    let mut policy = levels();
    policy.interfaces[2].security_level = 100;
    policy.routes.push(StaticRoute {
        port: INSIDE,
        network: Ipv4Addr::new(198, 51, 100, 128),
        prefix_len: 25,
        gateway: NODE,
        metric: 1,
    });
    let (across, hairpin) = (
        syn(DESK, SERVER, 80, INSIDE),
        syn(DESK, [198, 51, 100, 200].into(), 80, INSIDE),
    );
    let mut lab = Lab::new(policy.clone());
    lab.refuse(INSIDE, &across, DropReason::AclDrop);
    lab.refuse(INSIDE, &hairpin, DropReason::AclDrop);
    policy.same_security_inter = true;
    let mut lab = Lab::new(policy.clone());
    lab.pass(INSIDE, &across, DMZ);
    lab.refuse(INSIDE, &hairpin, DropReason::AclDrop);
    policy.same_security_intra = true;
    let mut lab = Lab::new(policy);
    let seen = lab.pass(INSIDE, &hairpin, INSIDE);
    assert_eq!(seen.source, DESK);
}

#[test]
fn an_access_list_decides_by_real_addresses_and_counts() {
    let mut lab = Lab::new(federation());
    lab.refuse(
        OUTSIDE,
        &syn([198, 51, 100, 99].into(), PUBLIC, 5061, OUTSIDE),
        DropReason::AclDrop,
    );
    assert_eq!(lab.box_.acl_hits(AclId(0), 4), 1);
    // Nothing matches: the implicit deny has no counter of its own.
    lab.refuse(
        OUTSIDE,
        &syn(EDGE, SERVER, 80, OUTSIDE),
        DropReason::AclDrop,
    );
    let hits: Vec<_> = (0..6)
        .map(|index| lab.box_.acl_hits(AclId(0), index))
        .collect();
    assert_eq!(hits, [0, 0, 0, 0, 1, 0]);
    lab.box_.clear_acl_hits(AclId(0));
    assert_eq!(lab.box_.acl_hits(AclId(0), 4), 0);
}

#[test]
fn the_global_list_follows_the_interfaces_and_the_outbound_list_comes_last() {
    let any = AddressRange::ANY;
    let list = |name: &str, elements| AccessList {
        name: name.into(),
        elements,
    };
    let mut policy = levels();
    policy.access_lists = vec![
        list("in", vec![ace(Action::Deny, any, any, tcp_to(23))]),
        list(
            "global",
            vec![
                ace(Action::Permit, any, any, tcp_to(80)),
                ace(Action::Permit, any, any, tcp_to(23)),
            ],
        ),
        list(
            "out",
            vec![
                ace(Action::Deny, any, AddressRange::host(EDGE), Service::Any),
                ace(Action::Permit, any, any, Service::Any),
            ],
        ),
    ];
    policy.interfaces[1].access_in = Some(AclId(0));
    policy.access_global = Some(AclId(1));
    policy.interfaces[0].access_out = Some(AclId(2));
    let mut lab = Lab::new(policy);
    lab.pass(INSIDE, &syn(DESK, SERVER, 80, INSIDE), DMZ);
    lab.refuse(INSIDE, &syn(DESK, SERVER, 23, INSIDE), DropReason::AclDrop);
    lab.refuse(INSIDE, &syn(DESK, SERVER, 443, INSIDE), DropReason::AclDrop);
    lab.refuse(INSIDE, &syn(DESK, EDGE, 80, INSIDE), DropReason::AclDrop);
    lab.pass(
        INSIDE,
        &syn(DESK, [198, 51, 100, 9].into(), 80, INSIDE),
        OUTSIDE,
    );
    // The global list lets even the lowest level in.
    lab.pass(OUTSIDE, &syn(EDGE, SERVER, 80, OUTSIDE), DMZ);
    let hits = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)];
    let hits = hits.map(|(acl, index)| lab.box_.acl_hits(AclId(acl), index));
    assert_eq!(hits, [1, 4, 0, 1, 1]);
}

#[test]
fn a_full_flow_table_refuses_with_its_name_and_recovers() {
    let limits = Limits {
        ports: 3,
        flows: 8,
        ..Limits::default()
    };
    let mut lab = Lab::with_limits(federation(), limits);
    let packet = |port: u16| ethernet(INSIDE, &udp((DESK, 1024 + port), (EDGE, 9), b"x"));
    for port in 0..8 {
        lab.pass(INSIDE, &packet(port), OUTSIDE);
    }
    lab.refuse(INSIDE, &packet(8), DropReason::UnableToCreateFlow);
    lab.pass(INSIDE, &packet(3), OUTSIDE);
    assert_eq!(
        lab.box_.conn_usage(),
        Usage {
            in_use: 8,
            most_used: 8,
            limit: 8
        }
    );
    lab.wait(Duration::from_secs(200));
    lab.pass(INSIDE, &packet(8), OUTSIDE);
}

#[test]
fn an_exhausted_pool_refuses_with_its_name() {
    let mut lab = Lab::with_limits(
        federation(),
        Limits {
            ports: 3,
            flows: 2048,
            ..Limits::default()
        },
    );
    let packet = |host: u8, port| {
        ethernet(
            INSIDE,
            &udp(([192, 0, 2, host].into(), port), (EDGE, 9), b"x"),
        )
    };
    for n in 0..512u16 {
        let (host, port) = ((100 + n / 256) as u8, 512 + n % 256);
        lab.pass(INSIDE, &packet(host, port), OUTSIDE);
    }
    lab.refuse(INSIDE, &packet(102, 600), DropReason::NatPoolExhausted);
    lab.pass(INSIDE, &packet(102, 6000), OUTSIDE);
}

#[test]
fn idle_times_follow_the_state_of_the_connection() {
    let mut lab = Lab::new(federation());
    lab.pass(INSIDE, &syn(DESK, EDGE, 80, INSIDE), OUTSIDE);
    assert_eq!(lab.conn().flags.to_string(), "saAx");
    assert_eq!(lab.conn().timeout, Duration::from_secs(30));
    lab.wait(Duration::from_secs(31));
    assert_eq!(lab.box_.conn_usage().in_use, 0);

    lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    lab.wait(Duration::from_secs(3590));
    let conn = lab.conn();
    assert_eq!(
        (conn.idle, conn.timeout),
        (Duration::from_secs(3590), Duration::from_secs(3600))
    );
    let fin = Segment::new(DESK, 3000, EDGE, 80, FIN | ACK)
        .seq(1001)
        .ack(5001);
    lab.pass(INSIDE, &fin.frame(INSIDE), OUTSIDE);
    assert_eq!(lab.conn().flags.to_string(), "Ufx");
    lab.wait(Duration::from_secs(601));
    assert_eq!(lab.box_.conn_usage().in_use, 0);
}

#[test]
fn a_closed_connection_is_gone_with_its_last_packet() {
    let mut lab = Lab::new(federation());
    let seen = lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    let fin = Segment::new(DESK, 3000, EDGE, 80, FIN | ACK)
        .seq(1001)
        .ack(5001);
    lab.pass(INSIDE, &fin.frame(INSIDE), OUTSIDE);
    let fin = Segment::new(EDGE, 80, seen.0, seen.1, FIN | ACK)
        .seq(5001)
        .ack(1002);
    lab.pass(OUTSIDE, &fin.frame(OUTSIDE), INSIDE);
    assert_eq!(lab.conn().flags.to_string(), "UFRfx");
    let last = Segment::new(DESK, 3000, EDGE, 80, ACK).seq(1002).ack(5002);
    lab.pass(INSIDE, &last.frame(INSIDE), OUTSIDE);
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    assert!(lab.box_.xlates(lab.now).all(|xlate| xlate.is_static));
    lab.refuse(INSIDE, &last.frame(INSIDE), DropReason::TcpNotSyn);
}

#[test]
fn the_mss_is_lowered_and_nothing_else() {
    let mut lab = Lab::new(federation());
    for (options, expected) in [
        (vec![2, 4, 5, 180], Some(1380u16)),
        (vec![1, 2, 4, 5, 180, 1, 1, 1], Some(1380)),
        (vec![2, 4, 2, 24], Some(536)),
        (vec![1, 1, 1, 1], None),
    ] {
        let mut segment = Segment::new(DESK, 3000, EDGE, 80, SYN);
        segment.options = options;
        let seen = lab.pass(INSIDE, &segment.frame(INSIDE), OUTSIDE);
        let options = &seen.bytes[40..];
        let at = options.iter().position(|&byte| byte == 2);
        assert_eq!(
            at.map(|at| u16::from_be_bytes([options[at + 2], options[at + 3]])),
            expected
        );
        lab.box_.clear_conns(|_| true, lab.now);
    }
}

#[test]
fn a_decision_explains_itself_and_changes_nothing() {
    let lab = Lab::new(federation());
    let call = Segment::new(EDGE, 49_368, PUBLIC, 5063, SYN).packet();
    let (steps, verdict) = lab.box_.explain(OUTSIDE, &call);
    assert_eq!(verdict, Ok(()));
    let unnat = Step::UnNat {
        rule: 1,
        dialled: (PUBLIC, 5063),
        real: (NODE, 5061),
        divert: Some(INSIDE),
    };
    let first = FlowId::from_bits(1 << 32);
    assert_eq!(
        steps,
        [
            Step::FlowLookup(None),
            unnat,
            Step::Route(INSIDE, NODE),
            Step::Access(AclId(0), AccessPlace::In(OUTSIDE), Some(3), Action::Permit),
            Step::Inspect(ProxyId(7)),
            Step::ReversePath(Some(1), true),
            Step::FlowCreation(first),
        ]
    );
    let out = Segment::new(DESK, 3000, EDGE, 80, SYN).packet();
    let (steps, verdict) = lab.box_.explain(INSIDE, &out);
    assert_eq!(verdict, Ok(()));
    assert_eq!(
        steps,
        [
            Step::FlowLookup(None),
            Step::Route(OUTSIDE, GATEWAY),
            Step::SecurityLevel(100, 0, Action::Permit),
            Step::SourceRule(4),
            Step::ReversePath(None, true),
            Step::PerSession(true),
            Step::Nat {
                rule: 4,
                real: (DESK, 3000),
                mapped: Some((PUBLIC, 3000)),
                is_dynamic: true,
            },
            Step::FlowCreation(first),
            Step::Adjacency(OUTSIDE, GATEWAY, Some(station(GATEWAY))),
        ]
    );
    let denied = Segment::new(GATEWAY, 3000, PUBLIC, 5061, SYN).packet();
    assert_eq!(
        lab.box_.explain(OUTSIDE, &denied).1,
        Err(DropReason::AclDrop)
    );
    assert_eq!(
        (lab.box_.conn_usage().in_use, lab.box_.acl_hits(AclId(0), 3)),
        (0, 0)
    );
}

#[test]
fn a_port_without_policy_forwards_nothing() {
    let mut lab = Lab::new(federation());
    lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    let mut policy = federation();
    policy.interfaces.remove(0);
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    assert_eq!(lab.box_.flow_drops(DropReason::FlowBeingFreed), 1);
    lab.refuse(
        OUTSIDE,
        &syn(EDGE, PUBLIC, 5061, OUTSIDE),
        DropReason::InterfaceDown,
    );
    lab.reject(INSIDE, &syn(DESK, EDGE, 80, INSIDE), DropReason::NoRoute);
    lab.box_
        .set_policy(Policy::default(), &mut lab.pool, lab.now);
    lab.refuse(
        INSIDE,
        &syn(DESK, EDGE, 80, INSIDE),
        DropReason::InterfaceDown,
    );
    let counters = lab.box_.port_counters(INSIDE);
    assert_eq!(counters.dropped, 2);
}
