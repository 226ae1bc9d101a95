//! What the engine tells of what happens, and that it tells nothing unasked.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;

/// A box that tells everything.
fn listening(policy: Policy) -> Lab {
    let mut lab = Lab::new(policy);
    lab.box_
        .set_event_interest(EventKind::ALL.iter().copied().collect());
    lab
}

fn events(lab: &mut Lab) -> Vec<Event> {
    core::iter::from_fn(|| lab.box_.poll_event()).collect()
}

/// The only event since the last call.
fn event(lab: &mut Lab) -> Event {
    let events = events(lab);
    assert_eq!(events.len(), 1, "{events:?}");
    events[0]
}

fn syn(source: Ipv4Addr, destination: Ipv4Addr, port: u16) -> Segment {
    Segment::new(source, 40_000, destination, port, SYN).seq(1000)
}

#[test]
fn nothing_is_told_unasked() {
    let mut lab = Lab::new(federation());
    lab.connect((INSIDE, DESK, 40_000), (OUTSIDE, EDGE, 443));
    lab.refuse(
        OUTSIDE,
        &syn(GATEWAY, PUBLIC, 5061).frame(OUTSIDE),
        DropReason::AclDrop,
    );
    lab.wait(Duration::from_secs(4000));
    assert_eq!((lab.box_.poll_event(), lab.box_.events_lost()), (None, 0));
}

#[test]
fn a_connection_is_told_with_its_translation_from_first_to_last() {
    let mut lab = listening(federation());
    let seen = lab.connect((INSIDE, DESK, 40_000), (OUTSIDE, EDGE, 443));
    let told = events(&mut lab);
    let [Event::XlateBuilt { xlate }, Event::FlowBuilt { conn }] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((xlate.real, xlate.mapped), ((DESK, 40_000), seen));
    assert_eq!((xlate.real_port, xlate.mapped_port), (INSIDE, OUTSIDE));
    assert_eq!(conn.lower.real, (EDGE, 443));
    assert_eq!(
        (conn.higher.real, conn.higher.mapped),
        ((DESK, 40_000), seen)
    );
    assert_eq!((conn.opened_by_lower, conn.protocol), (false, 6));
    let conn = *conn;

    lab.now += Duration::from_secs(15);
    let reset = Segment::new(EDGE, 443, seen.0, seen.1, RST).seq(5001);
    lab.pass(OUTSIDE, &reset.frame(OUTSIDE), INSIDE);
    let told = events(&mut lab);
    let [
        Event::FlowEnded {
            conn: ended,
            duration,
            bytes,
            end,
        },
        Event::XlateEnded { xlate, .. },
    ] = told.as_slice()
    else {
        panic!("{told:?}");
    };
    assert_eq!((*ended, *end), (conn, FlowEnd::ResetByLower));
    assert_eq!((duration.as_secs(), *bytes), (15, 160));
    assert_eq!(xlate.mapped, seen);
}

#[test]
fn flows_end_for_the_reason_told() {
    let mut lab = listening(federation());
    let client = (INSIDE, NODE, 40_000);
    let end = |lab: &mut Lab| {
        let told = events(lab);
        let end = told.iter().find_map(|event| match event {
            Event::FlowEnded { end, .. } => Some(*end),
            _ => None,
        });
        end.unwrap_or_else(|| panic!("{told:?}"))
    };
    lab.pass(INSIDE, &syn(NODE, SERVER, 80).frame(INSIDE), DMZ);
    lab.wait(Duration::from_secs(31));
    assert_eq!(end(&mut lab), FlowEnd::HandshakeTimeout);

    lab.connect(client, (DMZ, SERVER, 80));
    lab.wait(Duration::from_secs(3601));
    assert_eq!(end(&mut lab), FlowEnd::Idle);

    lab.connect(client, (DMZ, SERVER, 80));
    lab.box_.clear_conns(|_| true, lab.now);
    assert_eq!(end(&mut lab), FlowEnd::Cleared);

    lab.connect(client, (DMZ, SERVER, 80));
    let reset = Segment::new(NODE, 40_000, SERVER, 80, RST).seq(1001);
    lab.pass(INSIDE, &reset.frame(INSIDE), DMZ);
    assert_eq!(end(&mut lab), FlowEnd::ResetByHigher);

    lab.connect(client, (DMZ, SERVER, 80));
    let mut policy = federation();
    policy.interfaces.pop();
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    lab.drain();
    assert_eq!(end(&mut lab), FlowEnd::InterfaceGone);
}

#[test]
fn every_connection_has_a_number_of_its_own() {
    let mut lab = listening(federation());
    let mut numbers = Vec::new();
    for _ in 0..3 {
        lab.pass(INSIDE, &syn(NODE, SERVER, 80).frame(INSIDE), DMZ);
        lab.box_.clear_conns(|_| true, lab.now);
        for told in events(&mut lab) {
            if let Event::FlowBuilt { conn } = told {
                numbers.push(conn.flow.number());
            }
        }
    }
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn a_refused_first_packet_is_told_with_what_refused_it() {
    let mut policy = federation();
    policy.access_lists[0].elements.pop();
    let mut lab = listening(policy);
    let refused = |lab: &mut Lab, port, packet: &[u8], reason| {
        lab.reject(port, &ethernet(port, packet), reason);
        event(lab)
    };
    let denied = refused(
        &mut lab,
        OUTSIDE,
        &syn(GATEWAY, PUBLIC, 5061).packet(),
        DropReason::AclDrop,
    );
    let Event::AccessDenied {
        acl,
        element: None,
        packet,
    } = denied
    else {
        panic!("{denied:?}");
    };
    assert_eq!(
        (acl, packet.ingress, packet.egress),
        (AclId(0), OUTSIDE, Some(INSIDE))
    );
    assert_eq!(packet.tuple.destination, PUBLIC);
    assert_eq!(packet.real_destination, (NODE, 5062));

    let upwards = refused(
        &mut lab,
        DMZ,
        &syn(SERVER, NODE, 80).packet(),
        DropReason::AclDrop,
    );
    let Event::LevelDenied { packet } = upwards else {
        panic!("{upwards:?}");
    };
    assert_eq!((packet.protocol, packet.tcp_flags), (6, SYN));

    let stray = Segment::new(EDGE, 443, NODE, 40_000, ACK).packet();
    let told = refused(&mut lab, OUTSIDE, &stray, DropReason::TcpNotSyn);
    assert!(matches!(told, Event::NoConnection { packet } if packet.tcp_flags == ACK));

    let loopback = Ipv4Addr::LOCALHOST;
    let forged = syn(loopback, NODE, 80).packet();
    let told = refused(&mut lab, OUTSIDE, &forged, DropReason::SlowpathSecurity);
    assert!(matches!(told, Event::Spoofed { packet } if packet.tuple.source == loopback));

    let unasked = echo(0, EDGE, NODE, 7);
    let told = refused(&mut lab, OUTSIDE, &unasked, DropReason::IcmpReplyUnasked);
    assert!(matches!(told, Event::IcmpNoSession { packet } if packet.icmp == Some((0, 0))));

    let error = icmp_error(EDGE, NODE, 3, &udp((NODE, 9), (EDGE, 53), b"x"), 100);
    let told = refused(&mut lab, OUTSIDE, &error, DropReason::IcmpErrorNoConn);
    let Event::IcmpErrorNoConnection {
        about_protocol: 17,
        about,
        packet,
    } = told
    else {
        panic!("{told:?}");
    };
    assert_eq!((about.source_port, about.destination_port), (9, 53));
    assert_eq!((packet.egress, packet.icmp), (Some(INSIDE), Some((3, 0))));
}

#[test]
fn a_packet_without_a_route_and_a_protocol_without_ports_are_told() {
    let mut policy = federation();
    policy.routes.clear();
    let mut lab = listening(policy);
    let nowhere = syn(DESK, EDGE, 80).frame(INSIDE);
    lab.reject(INSIDE, &nowhere, DropReason::NoRoute);
    let told = event(&mut lab);
    assert!(matches!(told, Event::NoRoute { packet } if packet.egress.is_none()));

    let mut lab = listening(federation());
    let esp = ethernet(INSIDE, &ipv4(DESK, EDGE, 50, &[0; 20]));
    lab.reject(INSIDE, &esp, DropReason::NatUntranslatable);
    let told = event(&mut lab);
    assert!(matches!(told, Event::TranslationFailed { packet } if packet.protocol == 50));
}

#[test]
fn requests_to_the_box_are_told_with_what_became_of_them() {
    let mut policy = federation();
    policy.local_services = alloc::vec![LocalService {
        transport: Transport::Tcp,
        first: 22,
        last: 22,
    }];
    policy.icmp = alloc::vec![IcmpRule {
        port: INSIDE,
        action: Action::Deny,
        source: AddressRange::ANY,
        kind: None,
    }];
    let mut lab = listening(policy);
    let mut verdict = |packet: &[u8]| {
        lab.send(INSIDE, &ethernet(INSIDE, packet));
        while let Some(local) = lab.box_.poll_local() {
            lab.pool.free(local.packet);
        }
        event(&mut lab)
    };
    let is =
        |told, expected| matches!(told, Event::BoxAccess { verdict, .. } if verdict == expected);
    assert!(is(
        verdict(&syn(DESK, INSIDE_ADDRESS, 22).packet()),
        BoxVerdict::Permitted
    ));
    assert!(is(
        verdict(&udp((DESK, 1), (INSIDE_ADDRESS, 161), b"?")),
        BoxVerdict::Discarded
    ));
    let broadcast = Ipv4Addr::new(192, 0, 2, 255);
    assert!(is(
        verdict(&udp((DESK, 137), (broadcast, 137), b"?")),
        BoxVerdict::Discarded
    ));
    assert!(matches!(
        verdict(&echo(8, DESK, INSIDE_ADDRESS, 1)),
        Event::IcmpToBoxDenied { packet } if packet.icmp == Some((8, 0))
    ));
}

#[test]
fn a_full_flow_table_is_told_once_a_second() {
    let limits = Limits {
        ports: 3,
        flows: 1,
        ..Limits::default()
    };
    let mut lab = Lab::with_limits(federation(), limits);
    lab.box_
        .set_event_interest([EventKind::FlowTableFull].into_iter().collect());
    lab.pass(INSIDE, &syn(NODE, SERVER, 80).frame(INSIDE), DMZ);
    for port in 81..90 {
        let one_more = syn(NODE, SERVER, port).frame(INSIDE);
        lab.refuse(INSIDE, &one_more, DropReason::UnableToCreateFlow);
    }
    assert_eq!(event(&mut lab), Event::FlowTableFull { limit: 1 });
    lab.now += Duration::from_secs(2);
    let one_more = syn(NODE, SERVER, 90).frame(INSIDE);
    lab.refuse(INSIDE, &one_more, DropReason::UnableToCreateFlow);
    assert_eq!(event(&mut lab), Event::FlowTableFull { limit: 1 });
}

#[test]
fn an_element_told_to_be_quiet_is_not_told() {
    let mut policy = federation();
    policy.nat.clear();
    let last = policy.access_lists[0].elements.len() - 1;
    let knock = syn(EDGE, NODE, 1).frame(OUTSIDE);
    for (log, is_told) in [(AceLog::Default, true), (AceLog::Disabled, false)] {
        policy.access_lists[0].elements[last].log = log;
        let mut lab = listening(policy.clone());
        lab.reject(OUTSIDE, &knock, DropReason::AclDrop);
        let told = events(&mut lab);
        let is_denied = |event: &Event| {
            matches!(
                event,
                Event::AccessDenied {
                    element: Some(4),
                    ..
                }
            )
        };
        assert_eq!(told.iter().any(is_denied), is_told, "{told:?}");
        assert_eq!(told.len(), usize::from(is_told), "{told:?}");
    }
}

/// A box whose list from outside logs the hits of its last element, once a minute.
fn counting(action: Action) -> (Lab, impl Fn(u16) -> Vec<u8>) {
    let mut policy = federation();
    policy.nat.clear();
    let last = policy.access_lists[0].elements.len() - 1;
    let element = &mut policy.access_lists[0].elements[last];
    element.action = action;
    element.service = Service::Protocol(PROTOCOL_UDP);
    element.log = AceLog::Flows {
        level: 4,
        interval_secs: 60,
    };
    let mut lab = Lab::new(policy);
    lab.box_.set_event_interest(
        [EventKind::AccessLogged, EventKind::DenyFlowsFull]
            .into_iter()
            .collect(),
    );
    let packet = |port| ethernet(OUTSIDE, &udp((EDGE, port), (NODE, 53), b"?"));
    (lab, packet)
}

fn logged(event: Event) -> (u32, Option<u16>) {
    let Event::AccessLogged {
        acl: AclId(0),
        element: 4,
        hits,
        interval_secs,
        ..
    } = event
    else {
        panic!("{event:?}");
    };
    (hits, interval_secs)
}

#[test]
fn a_rule_with_the_log_option_tells_the_first_hit_and_then_the_count_of_an_interval() {
    let (mut lab, packet) = counting(Action::Deny);
    for _ in 0..21 {
        lab.refuse(OUTSIDE, &packet(9000), DropReason::AclDrop);
    }
    assert_eq!(logged(event(&mut lab)), (1, None));
    assert_eq!(lab.box_.access_log_usage(), (1, 1));
    lab.wait(Duration::from_secs(61));
    assert_eq!(logged(event(&mut lab)), (21, Some(60)));
    lab.refuse(OUTSIDE, &packet(9000), DropReason::AclDrop);
    lab.wait(Duration::from_secs(61));
    assert_eq!(logged(event(&mut lab)), (1, Some(60)));
    lab.wait(Duration::from_secs(61));
    assert_eq!(events(&mut lab), []);
    assert_eq!(
        lab.box_.access_log_usage(),
        (0, 0),
        "silent for an interval"
    );
    lab.refuse(OUTSIDE, &packet(9000), DropReason::AclDrop);
    assert_eq!(logged(event(&mut lab)), (1, None));
}

#[test]
fn permitted_flows_are_logged_by_connection() {
    let (mut lab, packet) = counting(Action::Permit);
    for _ in 0..5 {
        lab.pass(OUTSIDE, &packet(9000), INSIDE);
    }
    assert_eq!(
        logged(event(&mut lab)),
        (1, None),
        "one connection, one hit"
    );
    lab.box_.clear_conns(|_| true, lab.now);
    lab.pass(OUTSIDE, &packet(9000), INSIDE);
    lab.wait(Duration::from_secs(61));
    assert_eq!(logged(event(&mut lab)), (2, Some(60)));
    assert_eq!(lab.box_.access_log_usage(), (1, 0));
}

#[test]
fn too_many_refused_flows_are_told_to_be_too_many() {
    let (mut lab, packet) = counting(Action::Deny);
    let mut told = Vec::new();
    for port in 0..5000 {
        lab.refuse(OUTSIDE, &packet(port), DropReason::AclDrop);
        told.extend(events(&mut lab));
    }
    assert_eq!(lab.box_.access_log_usage(), (4096, 4096));
    assert_eq!(told.len(), 4097);
    assert_eq!(told.last(), Some(&Event::DenyFlowsFull { limit: 4096 }));
    lab.wait(Duration::from_secs(61));
    assert_eq!(lab.box_.access_log_usage(), (0, 0));
    lab.refuse(OUTSIDE, &packet(1), DropReason::AclDrop);
    assert_eq!(logged(event(&mut lab)), (1, None), "there is room again");
}

#[test]
fn hits_that_were_not_told_are_told_before_other_lists_come() {
    let (mut lab, packet) = counting(Action::Deny);
    for _ in 0..3 {
        lab.refuse(OUTSIDE, &packet(9000), DropReason::AclDrop);
    }
    assert_eq!(logged(event(&mut lab)), (1, None));
    lab.box_.end_access_log();
    assert_eq!(logged(event(&mut lab)), (3, Some(60)));
    assert_eq!(lab.box_.access_log_usage(), (0, 0));
}
