//! Rules by groups and times: what they expand to, what they print, what they refuse.

use super::{Session, reread};
use crate::model::{AddressRange, Days, IcmpMatch, PortMatch, Service, Transport};

fn services(session: &Session, list: &str) -> Vec<Vec<Service>> {
    let rules = session.config.access_lists[list].rules();
    let expanded = rules.map(|rule| {
        let conditions = session.config.expand(rule).into_iter();
        conditions.map(|condition| condition.service).collect()
    });
    expanded.collect()
}

fn port(transport: Transport, port: u16) -> Service {
    Service::Ports {
        transport,
        source: None,
        destination: Some(PortMatch::Equal(port)),
    }
}

const GROUPS: &str = "\
object-group protocol TCPUDP
 protocol-object udp
 protocol-object tcp
object-group protocol VPN
 description tunnels
 protocol-object esp
 group-object TCPUDP
object-group icmp-type PINGS
 icmp-object echo
 icmp-object echo-reply
object-group icmp-type ALL
 icmp-object unreachable
 group-object PINGS
object-group service MIXED
 service-object tcp-udp destination eq sip
 service-object icmp echo
 service-object gre
object-group service PORTS tcp-udp
 port-object eq domain
";

#[test]
fn groups_of_protocols_and_types_expand_in_the_order_of_their_members() {
    let mut session = Session::with_interfaces();
    session.paste(GROUPS);
    session.paste(
        "access-list a extended permit object-group VPN any any\n\
         access-list a extended permit object-group VPN any any eq sip\n\
         access-list a extended permit object-group TCPUDP any any object-group PORTS\n\
         access-list a extended permit icmp any any object-group ALL\n\
         access-list a extended permit object-group MIXED any any\n",
    );
    let all = |transport| Service::Ports {
        transport,
        source: None,
        destination: None,
    };
    let (tcp, udp) = (Transport::Tcp, Transport::Udp);
    let echo = |kind| Service::Icmp(Some(IcmpMatch { kind, code: None }));
    assert_eq!(
        services(&session, "a"),
        [
            vec![Service::Protocol(50), all(udp), all(tcp)],
            // What has no ports cannot have this one.
            vec![port(udp, 5060), port(tcp, 5060)],
            vec![port(udp, 53), port(tcp, 53)],
            vec![echo(3), echo(8), echo(0)],
            vec![
                port(tcp, 5060),
                port(udp, 5060),
                echo(8),
                Service::Protocol(47)
            ],
        ]
    );
    assert_eq!(
        session.shown("access-list"),
        [
            "access-list a extended permit object-group VPN any any",
            "access-list a extended permit object-group VPN any any eq sip",
            "access-list a extended permit object-group TCPUDP any any object-group PORTS",
            "access-list a extended permit icmp any any object-group ALL",
            "access-list a extended permit object-group MIXED any any",
        ]
    );
    assert_eq!(reread(&session.grammar, &session.config), session.config);
    session.refusal("no object-group protocol VPN");
    session.refusal("no object-group protocol TCPUDP");
    session.refusal("no object-group icmp-type PINGS");
    session.paste("no access-list a extended permit icmp any any object-group ALL");
    session.paste("no object-group icmp-type ALL\nno object-group icmp-type PINGS");
    assert!(session.config.icmp_groups.is_empty());
}

#[test]
fn all_of_ip_in_a_group_stands_for_both_transports_where_ports_are_asked_for() {
    let mut session = Session::with_interfaces();
    session.paste(
        "object-group protocol P\nprotocol-object ip\n\
         access-list a extended permit object-group P any any\n\
         access-list a extended permit object-group P any any eq 53\n",
    );
    assert_eq!(
        services(&session, "a"),
        [
            vec![Service::Protocol(0)],
            vec![port(Transport::Tcp, 53), port(Transport::Udp, 53)],
        ]
    );
}

#[test]
fn any6_is_no_address_here_and_prints_as_typed() {
    let mut session = Session::with_interfaces();
    let line = "access-list a extended permit ip any6 any";
    session.line(line);
    assert_eq!(session.shown("access-list"), [line]);
    let config = &session.config;
    let rule = config.access_lists["a"].rules().next().unwrap();
    assert_eq!(config.expand(rule), []);
    assert_eq!(
        config.addresses_matched(&rule.destination),
        [AddressRange::EVERYTHING]
    );
}

#[test]
fn a_group_is_refused_where_its_kind_has_no_business() {
    for (line, said) in [
        (
            "access-list a extended permit object-group MIXED any any eq 80",
            "ERROR: object-group MIXED is of a type that cannot be used here",
        ),
        (
            "access-list a extended permit object-group PINGS any any",
            "ERROR: PINGS doesn't match an existing object or object-group",
        ),
        (
            "access-list a extended permit icmp any any object-group VPN",
            "ERROR: VPN doesn't match an existing object or object-group",
        ),
        (
            "access-list a extended permit ip any any time-range NEVER",
            "ERROR: time-range NEVER does not exist",
        ),
        (
            "object-group icmp-type VPN",
            "ERROR: An object or object-group of another type has the name VPN",
        ),
        (
            "object-group protocol TCPUDP\ngroup-object VPN",
            "ERROR: Adding object-group VPN would make the group contain itself",
        ),
        (
            "object-group protocol TCPUDP\ngroup-object PINGS",
            "ERROR: PINGS doesn't match an existing object or object-group",
        ),
    ] {
        let mut session = Session::with_interfaces();
        session.paste(GROUPS);
        let (before, last) = line.rsplit_once('\n').unwrap_or(("", line));
        session.paste(before);
        let config = session.config.clone();
        assert_eq!(session.refusal(last).to_string(), said, "{line}");
        assert_eq!(session.config, config, "{line}");
    }
}

#[test]
fn a_group_stands_after_the_groups_it_holds() {
    let mut session = Session::with_interfaces();
    session.paste(
        "object-group protocol OUTER\nobject-group protocol INNER\nprotocol-object ah\n\
         object-group protocol OUTER\ngroup-object INNER\n",
    );
    assert_eq!(reread(&session.grammar, &session.config), session.config);
    assert_eq!(
        session.shown("object-group protocol"),
        [
            "object-group protocol INNER",
            " protocol-object ah",
            "object-group protocol OUTER",
            " group-object INNER",
        ]
    );
}

#[test]
fn time_ranges_print_as_typed_and_are_kept_while_used() {
    let mut session = Session::with_interfaces();
    session.paste(
        "time-range T\nabsolute start 8:00 1 jan 2027 end 23:59 31 December 2028\n\
         periodic wednesday Monday 7:05 to 16:30\nperiodic weekend 0:00 to 23:59\n\
         periodic Friday 18:00 to Monday 6:00\nperiodic mon tue wed thu fri 1:00 to 2:00\n",
    );
    session.line("access-list a extended permit ip any any log time-range T inactive");
    let shown = [
        "time-range T",
        " absolute start 08:00 01 January 2027 end 23:59 31 December 2028",
        " periodic Monday Wednesday 7:05 to 16:30",
        " periodic weekend 0:00 to 23:59",
        " periodic Friday 18:00 to Monday 6:00",
        " periodic weekdays 1:00 to 2:00",
    ];
    assert_eq!(session.shown("time-range"), shown);
    assert_eq!(
        session.shown("access-list"),
        ["access-list a extended permit ip any any log time-range T inactive"]
    );
    assert_eq!(reread(&session.grammar, &session.config), session.config);
    assert_eq!(
        session.config.time_ranges["T"].periods[3].days,
        Days::WEEKDAYS
    );
    assert_eq!(
        session.refusal("no time-range T").to_string(),
        session.refusal("clear configure time-range").to_string()
    );
    // The same rule at another time is the same rule, changed.
    assert!(
        session
            .line("access-list a extended permit ip any any")
            .changed
    );
    assert_eq!(
        session.shown("access-list"),
        ["access-list a extended permit ip any any"]
    );
    session.line("no time-range T");
    assert!(session.config.time_ranges.is_empty());
}

#[test]
fn times_that_make_no_sense_are_refused() {
    for line in [
        "absolute",
        "absolute start 8:00 31 April 2027",
        "absolute start 8:00 29 February 2027",
        "absolute start 24:00 1 April 2027",
        "absolute start 8:00 1 April 2027 end 8:00 1 April 2027",
        "absolute end 8:00 1 Aprile 2027",
        "periodic daily 8:00 to 8:00",
        "periodic weekdays 22:00 to 6:00",
        "periodic weekdays 22:00 to Monday 6:00",
        "periodic Monday 8:00 to Monday 8:00",
        "periodic daily 8:00:30 to 9:00",
        "periodic 8:00 to 9:00",
        "no absolute",
        "no periodic daily 8:00 to 9:00",
    ] {
        let mut session = Session::with_interfaces();
        session.line("time-range T");
        let before = session.config.clone();
        assert!(session.try_line(line).is_err(), "{line}");
        assert_eq!(session.config, before, "{line}");
    }
}

#[test]
fn one_interface_has_a_list_for_what_passes_and_one_for_the_box() {
    let mut session = Session::with_interfaces();
    session.paste(
        "access-list a extended permit ip any any\naccess-list b extended deny icmp any any\n\
         access-group a in interface outside\n\
         access-group b in interface outside control-plane\n",
    );
    let shown = [
        "access-group a in interface outside",
        "access-group b in interface outside control-plane",
    ];
    assert_eq!(session.shown("access-group"), shown);
    assert_eq!(reread(&session.grammar, &session.config), session.config);
    session.refusal("no access-group a in interface outside control-plane");
    session.paste("interface gi0/0\nnameif wan");
    assert_eq!(
        session.shown("access-group")[1],
        "access-group b in interface wan control-plane"
    );
    session.line("no access-group b in interface wan control-plane");
    assert_eq!(session.shown("access-group").len(), 1);
}
