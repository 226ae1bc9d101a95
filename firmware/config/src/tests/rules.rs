//! Rules by groups and times: what they expand to, what they print, what they refuse.

use super::{Session, reread};
use crate::model::{
    AddressRange, AddressRange6, Days, IcmpMatch, MatchedAddresses, PortMatch, Prefix6, Service,
    Transport,
};
use core::net::Ipv4Addr;

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

fn addresses(session: &Session, line: &str) -> Vec<MatchedAddresses> {
    let rules: Vec<_> = session.config.access_lists["a"].rules().collect();
    let shown = session.shown("access-list");
    let at = shown
        .iter()
        .position(|shown| shown == line)
        .expect("the line");
    let conditions = session.config.expand(rules[at]).into_iter();
    conditions.map(|condition| condition.addresses).collect()
}

#[test]
fn families_meet_only_themselves() {
    let mut session = Session::with_interfaces();
    session.paste(
        "object network NODE6\nhost 2001:db8::11\nexit\n\
         object-group network BOTH\nnetwork-object host 10.20.0.11\nnetwork-object 2001:db8:2::/64\n\
         network-object object NODE6\nexit",
    );
    let v6 = |text: &str| match text.parse() {
        Ok(address) => AddressRange6::host(address),
        Err(_) => Prefix6::parse(text).expect("a prefix").range(),
    };
    let host = |last| AddressRange::host(Ipv4Addr::new(10, 20, 0, last));
    let of6 = |source, destination| MatchedAddresses::V6 {
        source,
        destination,
    };
    let of4 = |source, destination| MatchedAddresses::V4 {
        source,
        destination,
    };
    let (all4, all6) = (AddressRange::EVERYTHING, AddressRange6::EVERYTHING);
    for (line, expected) in [
        ("ip any any", vec![MatchedAddresses::Everybody]),
        ("ip any6 any", vec![of6(all6, all6)]),
        ("ip any4 any", vec![of4(all4, all4)]),
        ("ip any4 any6", vec![]),
        ("icmp any any", vec![of4(all4, all4)]),
        ("icmp6 any any packet-too-big", vec![of6(all6, all6)]),
        ("icmp6 any4 any", vec![]),
        (
            "tcp host 2001:db8::5 2001:db8:1::/48 eq 5062",
            vec![of6(v6("2001:db8::5"), v6("2001:db8:1::/48"))],
        ),
        ("tcp host 2001:db8::5 host 10.20.0.11", vec![]),
        (
            "udp object-group BOTH any",
            vec![
                of4(host(11), all4),
                of6(v6("2001:db8:2::/64"), all6),
                of6(v6("2001:db8::11"), all6),
            ],
        ),
        (
            "ip object NODE6 object-group BOTH",
            vec![
                of6(v6("2001:db8::11"), v6("2001:db8:2::/64")),
                of6(v6("2001:db8::11"), v6("2001:db8::11")),
            ],
        ),
    ] {
        let line = format!("access-list a extended permit {line}");
        session.line(&line);
        assert_eq!(addresses(&session, &line), expected, "{line}");
    }
    assert_eq!(reread(&session.grammar, &session.config), session.config);
}

#[test]
fn what_is_no_ipv6_address_or_has_host_bits_is_refused() {
    let mut session = Session::with_interfaces();
    session.line("object network X");
    let before = session.config.clone();
    for line in [
        "subnet 2001:db8::1/64",
        "range 2001:db8::9 2001:db8::1",
        "host 2001:db8::g",
        "access-list a extended permit ip host 2001:db8:::1 any",
        "access-list a extended permit ip 2001:db8::1/64 any",
        "access-list a extended permit ip 2001:db8::/129 any",
        "access-list a extended permit icmp6 any any 256",
    ] {
        assert!(session.try_line(line).is_err(), "{line}");
        assert_eq!(session.config, before, "{line}");
    }
}

#[test]
fn ipv6_is_translated_statically_or_not_at_all() {
    let mut session = Session::with_interfaces();
    session.paste(
        "object network R6\nsubnet 2001:db8:1::/64\nexit\nobject network M6\nsubnet 2001:db8:f::/64\nexit\n\
         object network S6\nsubnet 2001:db8:e::/80\nexit\nobject network H4\nhost 10.20.0.77\nexit",
    );
    for line in [
        "nat (inside,outside) source static R6 M6 no-proxy-arp",
        "nat (inside,outside) source static R6 R6 route-lookup",
        "nat (inside,outside) after-auto source static R6 any inactive description later",
    ] {
        session.line(line);
    }
    for line in [
        "nat (inside,outside) source static R6 S6",
        "nat (inside,outside) source static R6 H4",
        "nat (inside,outside) source static H4 R6",
        "nat (inside,outside) source static R6 interface",
        "nat (inside,outside) source static R6 M6 unidirectional",
        "nat (inside,outside) source static R6 M6 dns",
        "nat (inside,outside) source static R6 M6 destination static R6 R6",
        "nat (inside,outside) source dynamic R6 interface",
        "nat (inside,outside) source dynamic R6 pat-pool M6",
        "nat (inside,outside) source dynamic H4 pat-pool M6",
    ] {
        session.refusal(line);
    }
    session.line("object network R6");
    session.line("nat (inside,outside) static 2001:db8:a::");
    for line in [
        "nat (inside,outside) static 203.0.113.9",
        "nat (inside,outside) static interface",
        "nat (inside,outside) static 2001:db8:a:: service tcp 80 80",
        "nat (inside,outside) dynamic 2001:db8:a::1",
        // The rules need an address of its family.
        "host 10.20.0.50",
    ] {
        session.refusal(line);
    }
    assert_eq!(reread(&session.grammar, &session.config), session.config);
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
