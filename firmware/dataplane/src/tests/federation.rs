//! The federation guide's traffic through PAT, both ways.

use super::lab::*;
use crate::*;
use core::time::Duration;

#[test]
fn a_foreign_server_reaches_the_published_port_of_the_node() {
    let mut lab = Lab::new(federation());
    lab.connect((OUTSIDE, EDGE, 49_368), (INSIDE, PUBLIC, 5061));
    let conn = lab.conn();
    assert_eq!(
        (conn.lower.real, conn.lower.mapped),
        ((EDGE, 49_368), (EDGE, 49_368))
    );
    assert_eq!(
        (conn.higher.real, conn.higher.mapped),
        ((NODE, 5062), (PUBLIC, 5061))
    );
    assert!(conn.opened_by_lower && !conn.is_intercepted);
    assert_eq!(conn.flags.to_string(), "UB");
    assert_eq!(conn.bytes, 3 * 40);
    let hello = Segment::new(EDGE, 49_368, PUBLIC, 5061, ACK)
        .seq(1001)
        .ack(5001)
        .payload(b"hello");
    let seen = lab.pass(OUTSIDE, &hello.frame(OUTSIDE), INSIDE);
    assert_eq!((seen.from(), seen.to()), ((EDGE, 49_368), (NODE, 5062)));
    assert!(seen.bytes.ends_with(b"hello"));
    assert_eq!(lab.conn().flags.to_string(), "UIB");
    let rule = lab.box_.nat_rules().next().expect("rules");
    assert_eq!(
        (rule.number, rule.translate_hits, rule.untranslate_hits),
        (1, 0, 1)
    );
    assert_eq!(lab.box_.acl_hits(AclId(0), 0), 1);
}

#[test]
fn xmpp_of_two_nodes_shares_one_address_by_port() {
    let mut lab = Lab::new(federation());
    for (port, node) in [(5269, NODE), (15_269, NODE_2)] {
        let syn = Segment::new(EDGE, 33_000, PUBLIC, port, SYN);
        let seen = lab.pass(OUTSIDE, &syn.frame(OUTSIDE), INSIDE);
        assert_eq!((seen.from(), seen.to()), ((EDGE, 33_000), (node, 5269)));
    }
    // What the node opens from that port is seen as it is published.
    let syn = Segment::new(NODE_2, 5269, EDGE, 5269, SYN);
    assert_eq!(
        lab.pass(INSIDE, &syn.frame(INSIDE), OUTSIDE).from(),
        (PUBLIC, 15_269)
    );
}

#[test]
fn hosts_share_the_public_address_and_keep_their_ports_where_they_can() {
    let mut lab = Lab::new(federation());
    assert_eq!(
        lab.connect((INSIDE, DESK, 40_000), (OUTSIDE, EDGE, 443)),
        (PUBLIC, 40_000)
    );
    let conn = lab.conn();
    assert_eq!(conn.flags.to_string(), "Ux");
    assert_eq!(conn.higher.mapped, (PUBLIC, 40_000));
    // The same port of another host must become another one; so must a published port.
    let second = lab.connect((INSIDE, NODE, 40_000), (OUTSIDE, EDGE, 443));
    assert_eq!(second.0, PUBLIC);
    assert!(second.1 != 40_000 && second.1 >= 1024);
    for published in [5061, 5063, 5269, 15_269] {
        let seen = lab.connect((INSIDE, DESK, published), (OUTSIDE, EDGE, 443));
        assert!(![5061, 5063, 5269, 15_269].contains(&seen.1), "{seen:?}");
    }
    let dynamic: Vec<_> = lab
        .box_
        .xlates(lab.now)
        .filter(|xlate| !xlate.is_static)
        .collect();
    assert_eq!(dynamic.len(), 6);
    assert_eq!(lab.box_.xlate_usage().in_use, 6 + 4);
    let pool = lab
        .box_
        .pools()
        .find(|pool| (pool.protocol, pool.first) == (Some(6), 1024));
    assert_eq!(
        pool.map(|pool| (pool.first_address, pool.allocated)),
        Some((PUBLIC, 6))
    );
}

#[test]
fn udp_keeps_one_mapping_for_all_destinations_and_30_s_longer() {
    let mut lab = Lab::new(federation());
    let to = |host: u8, port| udp((DESK, 5060), ([198, 51, 100, host].into(), port), b"x");
    for host in [1, 2, 3] {
        let seen = lab.pass(INSIDE, &ethernet(INSIDE, &to(host, 5060)), OUTSIDE);
        assert_eq!(seen.from(), (PUBLIC, 5060));
    }
    lab.wait(Duration::from_millis(119_900));
    assert_eq!(lab.box_.conn_usage().in_use, 3);
    lab.wait(Duration::from_millis(200));
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    let in_use = |lab: &Lab| {
        lab.box_
            .xlates(lab.now)
            .filter(|xlate| !xlate.is_static)
            .count()
    };
    assert_eq!(in_use(&lab), 1);
    lab.wait(Duration::from_secs(31));
    assert_eq!(in_use(&lab), 0);
    // DNS is per session: its port is free at once.
    lab.pass(INSIDE, &ethernet(INSIDE, &to(53, 53)), OUTSIDE);
    lab.wait(Duration::from_secs(121));
    assert_eq!(in_use(&lab), 0);
}

#[test]
fn nobody_opens_a_connection_to_a_shared_address() {
    let mut lab = Lab::new(federation());
    lab.connect((INSIDE, DESK, 40_000), (OUTSIDE, EDGE, 443));
    for (port, source) in [(22, EDGE), (40_000, EDGE), (40_000, GATEWAY)] {
        let syn = Segment::new(source, 1111, PUBLIC, port, SYN);
        lab.refuse(OUTSIDE, &syn.frame(OUTSIDE), DropReason::NatNoXlate);
    }
}

#[test]
fn the_real_address_is_not_reachable_past_its_translation() {
    let mut policy = federation();
    let mut lab = Lab::new(policy.clone());
    let syn = Segment::new(EDGE, 1111, NODE, 5062, SYN);
    lab.refuse(OUTSIDE, &syn.frame(OUTSIDE), DropReason::NatRpfFailed);
    // Without the rule's answer direction there is nothing asymmetric.
    policy.nat.clear();
    let mut lab = Lab::new(policy);
    assert_eq!(
        lab.pass(OUTSIDE, &syn.frame(OUTSIDE), INSIDE).to(),
        (NODE, 5062)
    );
}

#[test]
fn ping_passes_by_its_identifier_and_its_answer_needs_a_rule() {
    let mut policy = federation();
    let request = ethernet(INSIDE, &echo(8, DESK, EDGE, 777));
    let answer = ethernet(OUTSIDE, &echo(0, EDGE, PUBLIC, 777));
    let mut lab = Lab::new(policy.clone());
    let seen = lab.pass(INSIDE, &request, OUTSIDE);
    assert_eq!((seen.from(), seen.to()), ((PUBLIC, 777), (EDGE, 0)));
    lab.refuse(OUTSIDE, &answer, DropReason::AclDrop);
    policy.inspect_icmp = true;
    let mut lab = Lab::new(policy);
    lab.pass(INSIDE, &request, OUTSIDE);
    let seen = lab.pass(OUTSIDE, &answer, INSIDE);
    assert_eq!((seen.from(), seen.to()), ((EDGE, 0), (DESK, 777)));
    // A second host with the same identifier gets another.
    let seen = lab.pass(
        INSIDE,
        &ethernet(INSIDE, &echo(8, NODE, EDGE, 777)),
        OUTSIDE,
    );
    assert_ne!(seen.source_port, 777);
    lab.wait(Duration::from_millis(2100));
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    lab.refuse(OUTSIDE, &answer, DropReason::NatNoXlate);
}

#[test]
fn a_static_host_rule_maps_every_port_and_protocol() {
    let mut policy = federation();
    let other = [203, 0, 113, 12].into();
    policy.nat = vec![static_rule(NODE, other, None)];
    policy.interfaces[0].access_in = None;
    policy.access_global = Some(AclId(1));
    policy.access_lists[1].elements = vec![ace(
        Action::Permit,
        AddressRange::ANY,
        AddressRange::ANY,
        Service::Any,
    )];
    policy.inspections.clear();
    policy.inspect_icmp = true;
    let mut lab = Lab::new(policy);
    let seen = lab.pass(
        OUTSIDE,
        &ethernet(OUTSIDE, &udp((EDGE, 9), (other, 77), b"?")),
        INSIDE,
    );
    assert_eq!(seen.to(), (NODE, 77));
    let seen = lab.pass(
        OUTSIDE,
        &ethernet(OUTSIDE, &echo(8, EDGE, other, 5)),
        INSIDE,
    );
    assert_eq!(seen.destination, NODE);
    let esp = ipv4(NODE, EDGE, 50, &[1, 2, 3, 4]);
    assert_eq!(
        lab.pass(INSIDE, &ethernet(INSIDE, &esp), OUTSIDE).source,
        other
    );
}

#[test]
fn a_protocol_without_ports_cannot_share_an_address() {
    let mut lab = Lab::new(federation());
    let esp = ipv4(DESK, EDGE, 50, &[1, 2, 3, 4]);
    lab.refuse(
        INSIDE,
        &ethernet(INSIDE, &esp),
        DropReason::NatUntranslatable,
    );
}

#[test]
fn twice_nat_rewrites_both_ends() {
    let mut policy = federation();
    let fake = [192, 0, 2, 200].into();
    let mut rule = static_rule(DESK, [203, 0, 113, 5].into(), None);
    rule.destination = Some(DestinationNat {
        mapped: MappedAddress::range(AddressRange::host(fake)),
        real: vec![AddressRange::host(EDGE)],
    });
    rule.destination_service = Some(PortTranslation {
        transport: Transport::Tcp,
        real: 443,
        mapped: 8443,
        more: 0,
    });
    policy.nat.insert(0, rule);
    let mut lab = Lab::new(policy);
    let syn = Segment::new(DESK, 1500, fake, 8443, SYN);
    let seen = lab.pass(INSIDE, &syn.frame(INSIDE), OUTSIDE);
    assert_eq!(
        (seen.from(), seen.to()),
        (([203, 0, 113, 5].into(), 1500), (EDGE, 443))
    );
    let syn_ack = Segment::new(EDGE, 443, [203, 0, 113, 5].into(), 1500, SYN | ACK).ack(1);
    let back = lab.pass(OUTSIDE, &syn_ack.frame(OUTSIDE), INSIDE);
    assert_eq!((back.from(), back.to()), ((fake, 8443), (DESK, 1500)));
    // Towards anybody else the rule does not apply.
    let syn = Segment::new(DESK, 1501, EDGE, 80, SYN);
    assert_eq!(lab.pass(INSIDE, &syn.frame(INSIDE), OUTSIDE).source, PUBLIC);
}

#[test]
fn interface_pat_leaves_the_boxs_own_ports_alone() {
    let mut policy = federation();
    policy.nat = vec![dynamic_rule(
        AddressRange::ANY,
        PatPool {
            addresses: vec![],
            interface: true,
            ..PatPool::default()
        },
    )];
    policy.local_services = vec![LocalService {
        transport: Transport::Udp,
        first: 123,
        last: 123,
    }];
    let mut lab = Lab::new(policy);
    let seen = lab.pass(
        INSIDE,
        &ethernet(INSIDE, &udp((DESK, 124), (EDGE, 9), b"")),
        OUTSIDE,
    );
    assert_eq!(seen.from(), (OUTSIDE_ADDRESS, 124));
    let seen = lab.pass(
        INSIDE,
        &ethernet(INSIDE, &udp((DESK, 123), (EDGE, 123), b"")),
        OUTSIDE,
    );
    assert_eq!(seen.source, OUTSIDE_ADDRESS);
    assert!(seen.source_port != 123 && seen.source_port < 512);
    let identifier = *LOCAL_ECHO_IDENTIFIERS.start();
    let seen = lab.pass(
        INSIDE,
        &ethernet(INSIDE, &echo(8, DESK, EDGE, identifier)),
        OUTSIDE,
    );
    assert!(!LOCAL_ECHO_IDENTIFIERS.contains(&seen.source_port));
    // The answer to our own ping is ours.
    let ours = ethernet(OUTSIDE, &echo(0, EDGE, OUTSIDE_ADDRESS, identifier));
    assert_eq!(lab.send(OUTSIDE, &ours), []);
    let local = lab.box_.poll_local().expect("handed up");
    assert_eq!((local.port, local.packet.bytes()), (OUTSIDE, &ours[14..]));
    lab.pool.free(local.packet);
}

#[test]
fn auto_rules_are_tried_static_first_then_the_narrower_then_the_lower() {
    let mut policy = Policy {
        interfaces: federation().interfaces,
        ..Policy::default()
    };
    let pool = PatPool {
        addresses: vec![],
        interface: true,
        ..PatPool::default()
    };
    let auto = |rule: NatRule, object: &str| NatRule {
        section: NatSection::Auto,
        object: object.into(),
        ..rule
    };
    policy.nat = vec![
        NatRule {
            section: NatSection::AfterAuto,
            ..static_rule(NODE, PUBLIC, None)
        },
        auto(dynamic_rule(AddressRange::ANY, pool.clone()), "any"),
        auto(
            dynamic_rule(AddressRange::network(NODE, 24), pool.clone()),
            "b",
        ),
        auto(dynamic_rule(AddressRange::network(NODE, 24), pool), "a"),
        auto(static_rule(NODE_2, PUBLIC, None), "second"),
        auto(static_rule(NODE, PUBLIC, None), "first"),
        static_rule(DESK, PUBLIC, None),
    ];
    let lab = Lab::new(policy);
    let order: Vec<_> = lab
        .box_
        .nat_rules()
        .map(|view| (view.rule.section, view.number, view.rule.object.as_str()))
        .collect();
    assert_eq!(
        order,
        [
            (NatSection::Manual, 1, ""),
            (NatSection::Auto, 1, "first"),
            (NatSection::Auto, 2, "second"),
            (NatSection::Auto, 3, "a"),
            (NatSection::Auto, 4, "b"),
            (NatSection::Auto, 5, "any"),
            (NatSection::AfterAuto, 1, ""),
        ]
    );
}

#[test]
fn sip_headers_follow_the_static_rules() {
    let lab = Lab::new(federation());
    let map = |address, port| {
        lab.box_
            .translate_endpoint(INSIDE, OUTSIDE, Transport::Tcp, address, port)
    };
    let unmap = |address, port| {
        lab.box_
            .untranslate_endpoint(INSIDE, OUTSIDE, Transport::Tcp, address, port)
    };
    assert_eq!(map(NODE, Some(5062)), Some((PUBLIC, Some(5061))));
    assert_eq!(map(NODE_2, Some(5269)), Some((PUBLIC, Some(15_269))));
    assert_eq!(map(NODE, Some(80)), None);
    assert_eq!(map(NODE, None), Some((PUBLIC, None)));
    assert_eq!(map(DESK, None), None);
    assert_eq!(unmap(PUBLIC, Some(5061)), Some((NODE, Some(5062))));
    assert_eq!(unmap(PUBLIC, Some(15_269)), Some((NODE_2, Some(5269))));
    assert_eq!(unmap(PUBLIC, Some(9)), None);
    assert_eq!(
        lab.box_
            .translate_endpoint(INSIDE, DMZ, Transport::Tcp, NODE, Some(5062)),
        None
    );
    assert_eq!(
        lab.box_
            .translate_endpoint(INSIDE, OUTSIDE, Transport::Udp, NODE, Some(5062)),
        None
    );
}

#[test]
fn hit_counters_of_unchanged_rules_survive_a_new_policy() {
    let mut lab = Lab::new(federation());
    lab.connect((OUTSIDE, EDGE, 49_368), (INSIDE, PUBLIC, 5061));
    let mut policy = federation();
    policy.nat.remove(4);
    policy.access_lists[0].elements.remove(1);
    policy
        .nat
        .insert(1, static_rule(DESK, PUBLIC, Some((80, 80))));
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    let hits: Vec<_> = lab
        .box_
        .nat_rules()
        .map(|view| view.untranslate_hits)
        .collect();
    assert_eq!(hits, [0, 1, 0, 0, 0]);
    assert_eq!(lab.box_.acl_hits(AclId(0), 0), 1);
    // The flow goes on.
    let data = Segment::new(EDGE, 49_368, PUBLIC, 5061, ACK)
        .seq(1001)
        .ack(5001)
        .payload(b"x");
    lab.pass(OUTSIDE, &data.frame(OUTSIDE), INSIDE);
}
