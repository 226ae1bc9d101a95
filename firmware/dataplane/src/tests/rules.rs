//! Access lists in force: flows that stand while rules change, packets for the box, long lists.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;

fn any_to_any(action: Action, service: Service) -> Ace {
    ace(action, AddressRange::ANY, AddressRange::ANY, service)
}

/// The inside may do what `elements` say; nothing is translated.
fn inside_may(elements: Vec<Ace>) -> Policy {
    let mut policy = federation();
    policy.nat.clear();
    policy.inspections.clear();
    policy.access_lists.push(AccessList {
        name: "inside_in".into(),
        elements,
    });
    policy.interfaces[1].access_in = Some(AclId(2));
    policy
}

#[test]
fn changed_rules_leave_standing_flows_alone_until_they_are_cleared() {
    let permitted = inside_may(vec![any_to_any(Action::Permit, tcp_to(80))]);
    let denied = inside_may(vec![any_to_any(Action::Deny, tcp_to(80))]);
    let mut lab = Lab::new(permitted);
    lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    lab.box_.set_policy(denied, &mut lab.pool, lab.now);

    let request = Segment::new(DESK, 3000, EDGE, 80, ACK)
        .seq(1001)
        .ack(5001)
        .payload(b"GET /");
    lab.pass(INSIDE, &request.frame(INSIDE), OUTSIDE);
    let answer = Segment::new(EDGE, 80, DESK, 3000, ACK)
        .seq(5001)
        .ack(1006)
        .payload(b"200");
    lab.pass(OUTSIDE, &answer.frame(OUTSIDE), INSIDE);
    // A new connection is judged by the new rules.
    let syn = Segment::new(DESK, 3001, EDGE, 80, SYN).frame(INSIDE);
    lab.refuse(INSIDE, &syn, DropReason::AclDrop);

    assert_eq!(lab.box_.clear_conns(|_| true, lab.now), 1);
    let more = Segment::new(DESK, 3000, EDGE, 80, ACK).seq(1006).ack(5004);
    lab.refuse(INSIDE, &more.frame(INSIDE), DropReason::TcpNotSyn);
    let again = Segment::new(DESK, 3000, EDGE, 80, SYN).frame(INSIDE);
    lab.refuse(INSIDE, &again, DropReason::AclDrop);
}

#[test]
fn an_element_out_of_its_time_does_not_match_and_keeps_its_hits() {
    let mut elements = vec![
        any_to_any(Action::Deny, tcp_to(80)),
        any_to_any(Action::Permit, Service::Any),
    ];
    let syn = |port| Segment::new(DESK, port, EDGE, 80, SYN).frame(INSIDE);
    let mut lab = Lab::new(inside_may(elements.clone()));
    lab.refuse(INSIDE, &syn(3000), DropReason::AclDrop);
    elements[0].is_active = false;
    let policy = inside_may(elements.clone());
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    lab.pass(INSIDE, &syn(3000), OUTSIDE);
    elements[0].is_active = true;
    let policy = inside_may(elements);
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    lab.refuse(INSIDE, &syn(3001), DropReason::AclDrop);
    let hits = [0, 1].map(|index| lab.box_.acl_hits(AclId(2), index));
    assert_eq!(hits, [2, 1]);
}

/// Packets for the inside address are judged by `elements`.
fn box_takes(elements: Vec<Ace>) -> Policy {
    let mut policy = federation();
    policy.local_services = vec![LocalService {
        transport: Transport::Udp,
        first: 161,
        last: 161,
    }];
    policy.access_lists.push(AccessList {
        name: "to_the_box".into(),
        elements,
    });
    policy.interfaces[1].access_control = Some(AclId(2));
    policy
}

#[test]
fn the_control_plane_list_is_asked_before_echo_and_services() {
    let echoes = Service::Icmp {
        kind: Some(8),
        code: None,
    };
    let from_desk = |service| {
        let (desk, own) = (AddressRange::host(DESK), AddressRange::host(INSIDE_ADDRESS));
        ace(Action::Deny, desk, own, service)
    };
    let policy = box_takes(vec![
        from_desk(echoes),
        from_desk(Service::Protocol(PROTOCOL_UDP)),
    ]);
    let mut lab = Lab::new(policy);
    let ping = |from| ethernet(INSIDE, &echo(8, from, INSIDE_ADDRESS, 9));
    let poll = |from: Ipv4Addr| ethernet(INSIDE, &udp((from, 4000), (INSIDE_ADDRESS, 161), b"?"));
    lab.refuse(INSIDE, &ping(DESK), DropReason::AclDrop);
    lab.refuse(INSIDE, &poll(DESK), DropReason::AclDrop);
    // There is no implicit deny: the others are served as without the list.
    let answer = lab.pass(INSIDE, &ping(NODE), INSIDE);
    assert_eq!((answer.source, answer.destination), (INSIDE_ADDRESS, NODE));
    let handed_up = lab.box_.verdicts().local;
    assert_eq!(lab.send(INSIDE, &poll(NODE)), []);
    assert_eq!(lab.box_.verdicts().local, handed_up + 1);
    // An answer to a ping of the box is no echo request.
    let pong = ethernet(
        INSIDE,
        &echo(0, DESK, INSIDE_ADDRESS, *LOCAL_ECHO_IDENTIFIERS.start()),
    );
    assert_eq!(lab.send(INSIDE, &pong), []);
    assert_eq!(lab.box_.verdicts().local, handed_up + 2);
    let hits = [0, 1].map(|index| lab.box_.acl_hits(AclId(2), index));
    assert_eq!(hits, [1, 1]);
    // What passes through is none of its business.
    lab.pass(INSIDE, &ethernet(INSIDE, &echo(8, DESK, EDGE, 9)), OUTSIDE);
    let (steps, verdict) = lab.box_.explain(INSIDE, &echo(8, DESK, INSIDE_ADDRESS, 9));
    assert_eq!(
        steps,
        [
            Step::FlowLookup(None),
            Step::ToTheBox,
            Step::Access(
                AclId(2),
                AccessPlace::ToTheBox(INSIDE),
                Some(0),
                Action::Deny
            )
        ]
    );
    assert_eq!(verdict, Err(DropReason::AclDrop));
}

#[test]
fn a_permit_for_the_control_plane_shields_from_a_later_deny() {
    let permit = ace(
        Action::Permit,
        AddressRange::host(NODE),
        AddressRange::ANY,
        Service::Any,
    );
    let policy = box_takes(vec![permit, any_to_any(Action::Deny, Service::Any)]);
    let mut lab = Lab::new(policy);
    let ping = |from| ethernet(INSIDE, &echo(8, from, INSIDE_ADDRESS, 9));
    lab.pass(INSIDE, &ping(NODE), INSIDE);
    lab.refuse(INSIDE, &ping(DESK), DropReason::AclDrop);
}

#[test]
fn a_long_list_is_compiled_and_decides_for_packets() {
    let mut elements: Vec<Ace> = (0..2_000u16)
        .map(|port| any_to_any(Action::Deny, tcp_to(port + 100)))
        .collect();
    elements.push(any_to_any(Action::Permit, Service::Any));
    let mut lab = Lab::new(inside_may(elements));
    assert!(matches!(
        lab.box_.access_form(AclId(2)),
        AccessForm::Compiled { .. }
    ));
    let syn = |port| Segment::new(DESK, 3000, EDGE, port, SYN).frame(INSIDE);
    lab.refuse(INSIDE, &syn(1_500), DropReason::AclDrop);
    lab.pass(INSIDE, &syn(80), OUTSIDE);
    let hits = [1_399, 1_400, 2_000].map(|index| lab.box_.acl_hits(AclId(2), index));
    assert_eq!(hits, [0, 1, 1]);
}
