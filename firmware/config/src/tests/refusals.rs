//! What is refused, with which words; a refused command changes nothing.

use super::Session;
use crate::mode::Mode;
use crate::text::LineError;
use cli::grammar::ParseError;

/// Lines that set the scene, the refused line, the answer.
const CASES: &[(&str, &str, &str)] = &[
    (
        "",
        "class-map C\nmatch access-list nowhere",
        "ERROR: Specified ACL (nowhere) either does not exist or its type is not supported by the match command.",
    ),
    (
        "access-list r remark only",
        "class-map C\nmatch access-list r",
        "ERROR: Specified ACL (r) either does not exist or its type is not supported by the match command.",
    ),
    (
        "",
        "access-group nowhere in interface outside",
        "ERROR: access-list <nowhere> does not exist",
    ),
    (
        "access-list r remark only",
        "access-group r global",
        "ERROR: access-list <r> has no rules",
    ),
    (
        "access-list a permit ip any any\naccess-group a global",
        "no access-list a permit ip any any",
        "ERROR: access-list a is being used and cannot be left without rules",
    ),
    (
        "",
        "access-list a extended permit ip 10.20.0.1 255.255.255.0 any",
        "ERROR: IP address,mask <10.20.0.1,255.255.255.0> doesn't pair",
    ),
    (
        "",
        "access-list a extended permit ip 10.20.0.0 255.0.255.0 any",
        "ERROR: 255.0.255.0 is not a network mask",
    ),
    (
        "",
        "access-list a extended permit ip object X any",
        "ERROR: X doesn't match an existing object or object-group",
    ),
    (
        "",
        "access-list a extended permit tcp any any range 9 1",
        "ERROR: The start of the range is above its end",
    ),
    (
        "",
        "access-list a standard permit any",
        "ERROR: An access list that is not extended is not supported",
    ),
    (
        "object network A\nhost 10.20.0.11\naccess-list a extended permit ip object A any",
        "no object network A",
        "ERROR: Removing object (A) not allowed, it is being used by access-list",
    ),
    (
        "object network A\nhost 10.20.0.11\naccess-list a extended permit ip object A any\nobject network A",
        "no host 10.20.0.11",
        "ERROR: A is being used and cannot be left without content",
    ),
    (
        "object network A",
        "object-group network A",
        "ERROR: An object or object-group of another type has the name A",
    ),
    (
        "object network A",
        "fqdn www.example.com",
        "ERROR: An object that holds a domain name is not supported",
    ),
    (
        "object-group network G\nobject-group network H\ngroup-object G\nobject-group network G",
        "group-object H",
        "ERROR: Adding object-group H would make the group contain itself",
    ),
    (
        "",
        "interface gi0/2\nip address 10.20.0.9 255.255.255.128",
        "ERROR: Failed to apply IP address to interface GigabitEthernet0/2, as the network overlaps with interface GigabitEthernet0/1. Two interfaces cannot be in the same subnet.",
    ),
    (
        "",
        "interface gi0/2\nnameif inside",
        "ERROR: Name \"inside\" has been assigned to interface GigabitEthernet0/1",
    ),
    (
        "",
        "interface gi0/2\nip address 192.0.2.255 255.255.255.0",
        "ERROR: 192.0.2.255 is not a valid host address",
    ),
    (
        "interface gi0/2.7\nvlan 10",
        "interface gi0/2.8\nvlan 10",
        "ERROR: VLAN 10 has been assigned to interface GigabitEthernet0/2.7",
    ),
    (
        "",
        "no interface gi0/2",
        "ERROR: Removal of physical interfaces is not permitted",
    ),
    (
        "",
        "no interface gi0/2.10",
        "ERROR: interface GigabitEthernet0/2.10 does not exist",
    ),
    (
        "interface gi0/2.10\nnameif dmz\naccess-list a extended permit ip interface dmz any",
        "no interface gi0/2.10",
        "ERROR: access-list a names the interface; remove those lines first",
    ),
    (
        "interface gi0/2.10\nip address 192.0.2.1 255.255.255.0",
        "interface gi0/1.10\nip address 192.0.2.2 255.255.255.0",
        "ERROR: Failed to apply IP address to interface GigabitEthernet0/1.10, as the network overlaps with interface GigabitEthernet0/2.10. Two interfaces cannot be in the same subnet.",
    ),
    (
        "",
        "route dmz 0 0 203.0.113.1",
        "ERROR: interface dmz does not exist",
    ),
    (
        "",
        "route outside 0 0 203.0.113.2",
        "ERROR: Invalid next hop address 203.0.113.2, it belongs to one of our interfaces",
    ),
    (
        "route outside 0 0 203.0.113.1",
        "route outside 0 0 203.0.113.3",
        "ERROR: Cannot add route entry, conflict with existing routes",
    ),
    (
        "",
        "nat (inside,outside) source static A B",
        "ERROR: A doesn't match an existing object or object-group",
    ),
    (
        "",
        "nat (inside,dmz) source dynamic any interface",
        "ERROR: interface dmz does not exist",
    ),
    (
        "",
        "nat source dynamic any interface",
        "ERROR: Option interface requires a specific mapped interface",
    ),
    (
        "object network A\nhost 10.20.0.11",
        "nat (inside,outside) static 203.0.113.2",
        "ERROR: Address 203.0.113.2 overlaps with outside interface address",
    ),
    (
        "object network A\nhost 10.20.0.11\nnat (inside,outside) static 203.0.113.10\ninterface gi0/0",
        "ip address 203.0.113.10 255.255.255.240",
        "ERROR: Address 203.0.113.10 overlaps with outside interface address",
    ),
    (
        "object network A",
        "nat (inside,outside) static 203.0.113.10",
        "ERROR: A does not contain an address",
    ),
    (
        "object network N\nsubnet 203.0.113.8 255.255.255.248\nobject network A\nhost 10.20.0.11",
        "nat (inside,outside) dynamic N",
        "ERROR: N is a subnet and cannot be used as a dynamic mapped address",
    ),
    (
        "object network A\nhost 10.20.0.11\nobject service S\nservice tcp source neq 1",
        "nat (inside,outside) source static A A service S S",
        "ERROR: object service S needs tcp or udp with exactly one of source and destination, eq or range",
    ),
    (
        "object network A\nhost 10.20.0.11\nobject service S\nservice tcp source eq 1\nobject service U\nservice udp source eq 1",
        "nat (inside,outside) source static A A service S U",
        "ERROR: The two service objects differ in protocol, side or number of ports",
    ),
    (
        "object network P\nrange 203.0.113.20 203.0.113.30\nnat (inside,outside) source dynamic any pat-pool P flat\nobject network A\nhost 10.20.0.11",
        "nat (inside,outside) dynamic pat-pool P flat include-reserve",
        "ERROR: PAT pool P is used by another rule with other options; all rules of a pool need the same",
    ),
    (
        "object network P\nrange 203.0.113.20 203.0.113.30\nobject network A\nhost 10.20.0.11\nnat (inside,outside) dynamic pat-pool P round-robin",
        "nat (inside,outside) after-auto source dynamic any pat-pool P",
        "ERROR: PAT pool P is used by another rule with other options; all rules of a pool need the same",
    ),
    (
        "object network P\nhost 203.0.113.20",
        "nat (inside,outside) source dynamic any pat-pool P extended interface",
        "ERROR: extended and interface cannot be used together",
    ),
    (
        "object network P\nrange 203.0.114.0 203.0.115.0",
        "nat (inside,outside) source dynamic any pat-pool P",
        "ERROR: P has more than 256 addresses to be shared by port",
    ),
    (
        "object network A\nhost 10.20.0.11",
        "nat (inside,outside) static 203.0.113.10 route-lookup",
        "ERROR: Option route-lookup is only allowed for static identity translation",
    ),
    (
        "object network A\nhost 10.20.0.11\nobject network B\nhost 203.0.113.10",
        "nat (inside,outside) source static A B route-lookup",
        "ERROR: Option route-lookup is only allowed for static identity translation",
    ),
    (
        "object network A\nhost 10.20.0.11\nobject network B\nhost 203.0.113.10",
        "nat (inside,outside) source static A B destination static A A dns",
        "ERROR: dns and destination cannot be used together",
    ),
    (
        "object network B\nhost 203.0.113.10\nobject service S\nservice tcp source eq 80",
        "nat (inside,outside) source dynamic any B service S S",
        "ERROR: dynamic and a service by its source port cannot be used together",
    ),
    (
        "",
        "no xlate per-session deny tcp any4 any4",
        "ERROR: The line to be removed does not exist",
    ),
    (
        "",
        "nat (inside) 1 10.20.0.11 255.255.255.255",
        "ERROR: This syntax of nat command has been deprecated. Please use \"object network NAME / nat (real,mapped) dynamic ADDRESS\"",
    ),
    (
        "",
        "global (outside) 1 203.0.113.10",
        "ERROR: This syntax of nat command has been deprecated. Please use \"object network NAME / nat (real,mapped) dynamic ADDRESS\"",
    ),
    (
        "",
        "static (inside,outside) tcp 203.0.113.10 5061 10.20.0.11 5062 netmask 255.255.255.255",
        "ERROR: This syntax of nat command has been deprecated. Please use \"nat (real,mapped) source static REAL MAPPED service REAL MAPPED\"",
    ),
    (
        "tls-proxy P",
        "server trust-point T",
        "ERROR: trustpoint T does not exist",
    ),
    (
        "crypto ca trustpoint T\ntls-proxy P\nclient trust-point T",
        "no crypto ca trustpoint T",
        "ERROR: trustpoint T cannot be removed, it is being used by tls-proxy",
    ),
    (
        "",
        "crypto ca certificate chain T",
        "ERROR: trustpoint T does not exist",
    ),
    (
        "",
        "policy-map P\nclass C",
        "ERROR: class-map C does not exist",
    ),
    (
        "class-map C\nmatch any\ntls-proxy X\npolicy-map P\nclass C",
        "inspect sip tls-proxy X",
        "ERROR: A tls-proxy needs a class-map that matches by access-list or port",
    ),
    (
        "class-map C\npolicy-map P\nclass C",
        "inspect sip M",
        "ERROR: inspect policy-map M does not exist",
    ),
    (
        "tls-proxy X\nclass-map C\npolicy-map P\nclass C\ninspect sip",
        "inspect sip tls-proxy X",
        "ERROR: Inspect configuration of this type exists, first remove that configuration and then add the new configuration",
    ),
    (
        "tls-proxy X\nclass-map C\npolicy-map P\nclass C\ninspect sip tls-proxy X",
        "no tls-proxy X",
        "ERROR: tls-proxy X cannot be removed, it is being used by policy-map",
    ),
    (
        "class-map C\nmatch port tcp eq 5061",
        "match port tcp eq 5062",
        "ERROR: Multiple match commands are not supported except in a match-any class-map",
    ),
    (
        "policy-map P\npolicy-map Q\nservice-policy P global",
        "service-policy Q global",
        "ERROR: Policy map P is already configured as a service policy",
    ),
    (
        "policy-map P\nservice-policy P global",
        "no policy-map P",
        "ERROR: policy-map P cannot be removed, it is being used by service-policy",
    ),
    (
        "",
        "hostname no_underscores",
        "ERROR: no_underscores cannot be used as a name",
    ),
    (
        "",
        "enable password x encrypted",
        "ERROR: The older encrypted form of passwords is not supported",
    ),
    (
        "",
        "enable password $sha512$5000$x$y pbkdf2",
        "ERROR: The password is not of the form $sha512$ITERATIONS$SALT$HASH pbkdf2",
    ),
    (
        "",
        "timeout conn 0:00:10",
        "ERROR: Value must be from 300 to 4294800",
    ),
    (
        "",
        "timeout pat-xlate 0:05:01",
        "ERROR: Value must be from 30 to 300",
    ),
    (
        "policy-map P\nclass class-default",
        "set connection timeout embryonic 0:00:01",
        "ERROR: Value must be from 5 to 4294800",
    ),
    (
        "policy-map P\nclass class-default",
        "set connection advanced-options NONE",
        "ERROR: tcp-map NONE does not exist",
    ),
    (
        "tcp-map M\npolicy-map P\nclass class-default\nset connection advanced-options M",
        "no tcp-map M",
        "ERROR: tcp-map M cannot be removed, it is being used by policy-map",
    ),
    (
        "tcp-map M",
        "tcp-options range 30 29 allow",
        "ERROR: Value must be from 30 to 255",
    ),
    (
        "access-list a permit ip interface outside any\ninterface gi0/0",
        "no nameif",
        "ERROR: access-list a names the interface; remove those lines first",
    ),
];

#[test]
fn refusals_say_why_and_change_nothing() {
    for (scene, lines, answer) in CASES {
        let mut session = Session::with_interfaces();
        session.paste(scene);
        let (before, last) = lines.rsplit_once('\n').unwrap_or(("", lines));
        session.paste(before);
        assert_eq!(session.refusal(last).to_string(), *answer, "{last}");
    }
}

#[test]
fn unknown_commands_are_no_commands() {
    let mut session = Session::with_interfaces();
    let before = session.config.clone();
    for line in [
        "failover",
        "router ospf 1",
        "access-list a extended permit ip any",
        "nat (inside,outside) 1 source static",
        "ip address 192.0.2.1 255.255.255.0",
        "mtu inside 20",
        "object network",
    ] {
        assert!(
            matches!(session.try_line(line), Err(LineError::Parse(_))),
            "{line}"
        );
    }
    assert_eq!(session.config, before);
    let error = session.try_line("mtu inside 20").unwrap_err();
    assert_eq!(error, LineError::Parse(ParseError::Invalid { offset: 11 }));
}

#[test]
fn a_global_command_leaves_the_sub_mode_and_a_refused_one_does_not() {
    let mut session = Session::with_interfaces();
    session.line("interface gi0/0");
    assert_eq!(session.state.mode().prompt(), "config-if");
    session.refusal("route dmz 0 0 203.0.113.1");
    assert_eq!(
        *session.state.mode(),
        Mode::Interface(crate::model::InterfaceId::port(0))
    );
    session.line("route outside 0 0 203.0.113.1");
    assert_eq!(*session.state.mode(), Mode::Global);
    session.paste("class-map C\npolicy-map P\nclass C\ninspect icmp\n");
    assert_eq!(session.state.mode().prompt(), "config-pmap-c");
    session.line("class class-default");
    assert_eq!(session.state.mode().prompt(), "config-pmap-c");
    session.line("exit");
    assert_eq!(session.state.mode().prompt(), "config-pmap");
    session.line("exit");
    assert!(session.line("exit").left);
}

#[test]
fn renaming_an_interface_renames_it_everywhere() {
    let mut session = Session::new();
    session.paste(include_str!("federation.txt"));
    session.paste("access-list a extended permit ip interface outside any\ninterface gi0/0\n");
    session.line("nameif internet");
    assert!(
        !session.printed().contains("outside "),
        "{}",
        session.printed()
    );
    assert!(
        session
            .printed()
            .contains("access-group outside_in in interface internet")
    );
    assert_eq!(
        super::reread(&session.grammar, &session.config),
        session.config
    );
}

#[test]
fn a_name_taken_away_takes_its_lines_along() {
    let mut session = Session::new();
    session.paste(include_str!("federation.txt"));
    session.line("interface gi0/0");
    assert_eq!(session.notices("no nameif").len(), 1);
    assert_eq!(session.config.routes.len(), 1);
    assert!(session.config.nat_before.is_empty() && session.config.access_groups.is_empty());
    assert_eq!(
        super::reread(&session.grammar, &session.config),
        session.config
    );
}

#[test]
fn certificates_are_entered_in_hexadecimal() {
    let mut session = Session::new();
    session.paste(
        "crypto ca trustpoint T\ncrypto ca certificate chain T\n certificate ca 0A1b\n    30030201\n    \
         05\n  quit\n certificate 02\n 3003 020106\nquit\n",
    );
    let trustpoint = &session.config.trustpoints["T"];
    let ca = trustpoint.ca_certificate.as_ref().unwrap();
    assert_eq!(
        (ca.serial.as_str(), ca.der.as_slice()),
        ("0a1b", &[0x30, 3, 2, 1, 5][..])
    );
    assert!(session.printed().contains(
        "crypto ca certificate chain T\n certificate ca 0a1b\n    30030201 05\n  quit\n certificate 02\n"
    ));
    assert_eq!(
        super::reread(&session.grammar, &session.config),
        session.config
    );
    session.line("crypto ca certificate chain T");
    session.line("no certificate ca a1b");
    assert!(
        session.config.trustpoints["T"]
            .identity_certificate
            .is_none()
    );
}

#[test]
fn a_bad_certificate_is_refused_and_the_session_goes_on() {
    for block in ["30030201xx", "300302", "3003020105 00\nquit", "quit"] {
        let mut session = Session::new();
        session.paste("crypto ca trustpoint T\ncrypto ca certificate chain T\ncertificate 01\n");
        let before = session.config.clone();
        let mut refused = false;
        for line in block.lines().chain(["quit"]) {
            if session.state.is_collecting() {
                refused |= session.try_line(line).is_err();
            }
        }
        assert!(refused && !session.state.is_collecting(), "{block}");
        assert_eq!(session.config, before);
        session.line("hostname alive");
    }
}

#[test]
fn lines_are_inserted_where_asked_and_duplicates_named() {
    let mut session = Session::new();
    session.paste(
        "access-list a extended permit ip host 192.0.2.1 any\n\
         access-list a extended deny ip any any\n\
         access-list a line 2 extended permit ip host 192.0.2.2 any log\n\
         access-list a line 1 remark top\n",
    );
    let outcome = session.line("access-list a permit ip host 192.0.2.1 any");
    assert!(!outcome.changed);
    assert_eq!(
        outcome.notices[0].to_string(),
        "WARNING: <a> found duplicate element"
    );
    session.line("access-list a permit ip host 192.0.2.2 any inactive");
    let lines: Vec<_> = session
        .printed()
        .lines()
        .filter(|l| l.starts_with("access-list"))
        .map(String::from)
        .collect();
    assert_eq!(
        lines,
        [
            "access-list a remark top",
            "access-list a extended permit ip host 192.0.2.1 any",
            "access-list a extended permit ip host 192.0.2.2 any inactive",
            "access-list a extended deny ip any any",
        ]
    );
}

#[test]
fn groups_expand_and_the_kind_of_group_decides_its_place() {
    let mut session = Session::new();
    session.paste(
        "object-group network N\nnetwork-object host 192.0.2.1\nnetwork-object host 192.0.2.2\n\
         object-group service P tcp\nport-object eq 5061\nport-object range 1 9\n\
         access-list a extended permit tcp any object-group N object-group P\n\
         access-list a extended permit tcp any object-group P object-group N\n",
    );
    let config = &session.config;
    let rules: Vec<_> = config.access_lists["a"].rules().collect();
    assert_eq!(rules.len(), 2);
    for rule in rules {
        assert_eq!(config.expand(rule).len(), 4);
    }
    assert_eq!(super::reread(&session.grammar, config), *config);
}
