//! Every statement can be taken back.

use super::{Session, reread};

/// Context lines, a statement, and how it is negated. The negation must restore the configuration.
const CASES: &[(&str, &str, &str)] = &[
    ("", "hostname box", "no hostname"),
    ("", "domain-name example.com", "no domain-name"),
    ("", "enable password secret", "no enable password"),
    ("", "no names", "names"),
    ("", "no ftp mode passive", "ftp mode passive"),
    ("", "banner motd Keep out", "no banner motd Keep out"),
    ("banner exec One", "no banner exec", "banner exec One"),
    ("", "clock timezone CET 1", "no clock timezone"),
    (
        "",
        "clock summer-time CEST recurring last Sun Mar 2:00 last Sun Oct 3:00",
        "no clock summer-time",
    ),
    ("", "pager lines 50", "pager 24"),
    ("", "terminal width 120", "no terminal width"),
    (
        "",
        "same-security-traffic permit inter-interface",
        "no same-security-traffic permit inter-interface",
    ),
    (
        "",
        "same-security-traffic permit intra-interface",
        "no same-security-traffic permit intra-interface",
    ),
    ("", "arp timeout 600", "no arp timeout"),
    (
        "",
        "timeout xlate 1:00:00 conn 0:30:00",
        "no timeout xlate 1:00:00 conn 0:30:00",
    ),
    ("", "timeout sip 1:00:00", "no timeout"),
    (
        "",
        "sysopt connection tcpmss 1200",
        "no sysopt connection tcpmss",
    ),
    ("", "console timeout 10", "no console timeout"),
    (
        "",
        "ntp server 192.0.2.1 key 1 prefer",
        "no ntp server 192.0.2.1",
    ),
    ("", "ntp authenticate", "no ntp authenticate"),
    (
        "",
        "ntp authentication-key 1 md5 key",
        "no ntp authentication-key 1",
    ),
    ("", "ntp trusted-key 1", "no ntp trusted-key 1"),
    ("interface gi0/2", "nameif dmz", "no nameif"),
    ("interface gi0/0", "security-level 10", "no security-level"),
    (
        "interface gi0/2",
        "ip address 192.0.2.1 255.255.255.0",
        "no ip address",
    ),
    ("interface gi0/2", "description to ISP", "no description"),
    ("interface gi0/2", "no shutdown", "shutdown"),
    ("interface gi0/2", "speed 100", "no speed"),
    ("interface gi0/2", "duplex full", "no duplex"),
    (
        "interface gi0/2",
        "mac-address 0200.0000.0001",
        "no mac-address",
    ),
    ("", "mtu inside 1400", "no mtu inside"),
    ("", "route outside 0 0 203.0.113.1", "no route outside 0 0"),
    (
        "",
        "icmp permit any echo outside",
        "no icmp permit any echo outside",
    ),
    ("", "object network A", "no object network A"),
    ("object network A", "host 10.20.0.11", "no host 10.20.0.11"),
    (
        "object network A",
        "subnet 10.30.0.0 255.255.0.0",
        "no subnet 10.30.0.0 255.255.0.0",
    ),
    (
        "object network A",
        "range 10.20.0.11 10.20.0.19",
        "no range 10.20.0.11 10.20.0.19",
    ),
    ("object network A", "description a node", "no description"),
    (
        "object network A\nhost 10.20.0.11",
        "nat (inside,outside) static 203.0.113.10",
        "no nat (inside,outside) static 203.0.113.10",
    ),
    (
        "object network A\nhost 10.20.0.11",
        "nat (inside,outside) dynamic interface dns",
        "no nat",
    ),
    ("", "object service S", "no object service S"),
    (
        "object service S",
        "service tcp destination range 1 9",
        "no service",
    ),
    (
        "object service S",
        "service icmp echo",
        "no service icmp echo",
    ),
    ("", "object-group network G", "no object-group network G"),
    ("", "object-group protocol G", "no object-group protocol G"),
    (
        "object-group protocol G",
        "protocol-object esp",
        "no protocol-object 50",
    ),
    (
        "object-group protocol H\nobject-group protocol G",
        "group-object H",
        "no group-object H",
    ),
    (
        "",
        "object-group icmp-type G",
        "no object-group icmp-type G",
    ),
    (
        "object-group icmp-type G",
        "icmp-object echo",
        "no icmp-object 8",
    ),
    (
        "object-group icmp-type G",
        "description types",
        "no description",
    ),
    (
        "object-group service G",
        "service-object tcp-udp source gt 9 destination eq sip",
        "no service-object tcp-udp source gt 9 destination eq sip",
    ),
    ("", "time-range T", "no time-range T"),
    (
        "time-range T",
        "absolute end 8:00 1 January 2027",
        "no absolute",
    ),
    (
        "time-range T",
        "periodic monday friday 8:00 to 9:00",
        "no periodic friday monday 8:00 to 9:00",
    ),
    (
        "access-list a extended permit ip any any",
        "access-group a in interface outside control-plane",
        "no access-group a in interface outside control-plane",
    ),
    (
        "object-group network G",
        "network-object host 10.20.0.11",
        "no network-object host 10.20.0.11",
    ),
    (
        "object-group network G",
        "network-object 10.30.0.0 255.255.0.0",
        "no network-object 10.30.0.0 255.255.0.0",
    ),
    (
        "object-group network H\nobject-group network G",
        "group-object H",
        "no group-object H",
    ),
    (
        "",
        "object-group service P tcp",
        "no object-group service P tcp",
    ),
    (
        "object-group service P tcp-udp",
        "port-object eq sip",
        "no port-object eq sip",
    ),
    (
        "object-group service P",
        "service-object udp destination eq ntp",
        "no service-object udp destination eq ntp",
    ),
    (
        "object service S\nobject-group service P",
        "service-object object S",
        "no service-object object S",
    ),
    (
        "",
        "access-list a remark who",
        "no access-list a remark who",
    ),
    (
        "",
        "access-list a extended deny udp any4 gt 1023 host 10.20.0.11 range 1 9 log 4 interval 60 inactive",
        "no access-list a extended deny udp any4 gt 1023 host 10.20.0.11 range 1 9",
    ),
    (
        "",
        "access-list a extended permit icmp any any unreachable 3",
        "no access-list a extended permit icmp any any 3 3",
    ),
    (
        "access-list a extended permit ip any any",
        "access-group a in interface outside",
        "no access-group a in interface outside",
    ),
    (
        "access-list a extended permit ip any any",
        "access-group a global",
        "no access-group a global",
    ),
    (
        "object network A\nhost 10.20.0.11\nobject network B\nhost 203.0.113.10",
        "nat (inside,outside) source static A B unidirectional description x y",
        "no nat (inside,outside) source static A B unidirectional",
    ),
    (
        "",
        "nat (inside,outside) after-auto source dynamic any interface",
        "no nat (inside,outside) after-auto source dynamic any interface",
    ),
    ("", "crypto ca trustpoint T", "no crypto ca trustpoint T"),
    (
        "crypto ca trustpoint T",
        "enrollment self",
        "no enrollment self",
    ),
    (
        "crypto ca trustpoint T",
        "enrollment url http://192.0.2.9/x",
        "no enrollment url",
    ),
    (
        "crypto ca trustpoint T",
        "enrollment retry count 5",
        "no enrollment retry count",
    ),
    (
        "crypto ca trustpoint T",
        "enrollment retry period 5",
        "no enrollment retry period",
    ),
    ("crypto ca trustpoint T", "fqdn box.example.com", "no fqdn"),
    ("crypto ca trustpoint T", "fqdn none", "no fqdn"),
    (
        "crypto ca trustpoint T",
        "subject-name CN=box, O=Example",
        "no subject-name",
    ),
    ("crypto ca trustpoint T", "keypair K", "no keypair"),
    (
        "crypto ca trustpoint T",
        "ip-address 192.0.2.1",
        "no ip-address",
    ),
    ("crypto ca trustpoint T", "email a@example.com", "no email"),
    (
        "crypto ca trustpoint T",
        "serial-number",
        "no serial-number",
    ),
    (
        "crypto ca trustpoint T",
        "client-types ssl ipsec",
        "no client-types",
    ),
    (
        "crypto ca trustpoint T",
        "validation-usage ssl-server",
        "no validation-usage",
    ),
    (
        "crypto ca trustpoint T",
        "revocation-check crl none",
        "no revocation-check",
    ),
    ("crypto ca trustpoint T", "no ca-check", "ca-check"),
    (
        "crypto ca trustpoint T",
        "id-usage ssl-ipsec",
        "no id-usage ssl-ipsec",
    ),
    (
        "crypto ca trustpoint T",
        "crl configure",
        "no crl configure",
    ),
    (
        "crypto ca trustpoint T\ncrl configure",
        "url 1 http://192.0.2.9/x.crl",
        "no url 1 http://192.0.2.9/x.crl",
    ),
    ("", "tls-proxy P", "no tls-proxy P"),
    (
        "",
        "tls-proxy maximum-session 100",
        "no tls-proxy maximum-session",
    ),
    (
        "crypto ca trustpoint T\ntls-proxy P",
        "server trust-point T",
        "no server trust-point",
    ),
    (
        "crypto ca trustpoint T\ntls-proxy P",
        "client trust-point T",
        "no client trust-point T",
    ),
    (
        "tls-proxy P",
        "no server authenticate-client",
        "server authenticate-client",
    ),
    (
        "tls-proxy P",
        "server cipher-suite aes128-sha1",
        "no server cipher-suite",
    ),
    (
        "tls-proxy P",
        "client cipher-suite ecdhe-rsa-aes128-gcm-sha256 null-sha1",
        "no client cipher-suite",
    ),
    ("", "ssl server-version tlsv1.3", "no ssl server-version"),
    ("", "ssl client-version any", "no ssl client-version"),
    (
        "",
        "ssl cipher tlsv1.2 custom \"ECDHE-RSA-AES128-GCM-SHA256\"",
        "no ssl cipher tlsv1.2",
    ),
    (
        "crypto ca trustpoint T",
        "ssl trust-point T outside",
        "no ssl trust-point T outside",
    ),
    (
        "crypto ca trustpoint T",
        "ssl trust-point T",
        "no ssl trust-point",
    ),
    ("", "class-map match-any C", "no class-map C"),
    ("class-map C", "description calls", "no description"),
    (
        "class-map C",
        "match port tcp eq 5061",
        "no match port tcp eq 5061",
    ),
    (
        "access-list a extended permit ip any any\nclass-map C",
        "match access-list a",
        "no match access-list a",
    ),
    (
        "class-map C",
        "match default-inspection-traffic",
        "no match default-inspection-traffic",
    ),
    ("class-map C", "match any", "no match any"),
    (
        "",
        "policy-map type inspect sip M",
        "no policy-map type inspect sip M",
    ),
    (
        "policy-map type inspect sip M",
        "parameters",
        "no parameters",
    ),
    ("policy-map type inspect sip M\nparameters", "no im", "im"),
    (
        "policy-map type inspect sip M\nparameters",
        "no traffic-non-sip",
        "traffic-non-sip",
    ),
    (
        "policy-map type inspect sip M\nparameters",
        "software-version action mask log",
        "no software-version",
    ),
    (
        "policy-map type inspect dns D\nparameters",
        "message-length maximum client auto",
        "no message-length maximum client auto",
    ),
    ("", "policy-map P", "no policy-map P"),
    ("", "tcp-map M", "no tcp-map M"),
    ("tcp-map M", "exceed-mss drop", "no exceed-mss"),
    ("tcp-map M", "invalid-ack allow", "no invalid-ack"),
    (
        "tcp-map M",
        "no ttl-evasion-protection",
        "ttl-evasion-protection",
    ),
    (
        "tcp-map M",
        "checksum-verification",
        "no checksum-verification",
    ),
    (
        "tcp-map M",
        "tcp-options range 9 40 allow",
        "no tcp-options range 6 255",
    ),
    (
        "tcp-map M",
        "tcp-options timestamp drop",
        "no tcp-options timestamp",
    ),
    ("tcp-map M", "queue-limit 4", "no queue-limit"),
    (
        "policy-map P\nclass class-default",
        "set connection conn-max 5 random-sequence-number disable",
        "no set connection conn-max random-sequence-number",
    ),
    (
        "policy-map P\nclass class-default",
        "set connection timeout idle 1:00:00 reset dcd",
        "no set connection timeout idle dcd",
    ),
    (
        "policy-map P\nclass class-default",
        "set connection decrement-ttl",
        "no set connection decrement-ttl",
    ),
    (
        "policy-map P\nclass class-default",
        "set connection advanced-options tcp-state-bypass",
        "no set connection advanced-options",
    ),
    ("class-map C\npolicy-map P", "class C", "no class C"),
    (
        "policy-map P",
        "class class-default",
        "no class class-default",
    ),
    (
        "class-map C\npolicy-map P\nclass C",
        "inspect icmp error",
        "no inspect icmp error",
    ),
    (
        "class-map C\npolicy-map P\nclass C",
        "inspect h323 ras",
        "no inspect h323 ras",
    ),
    (
        "tls-proxy X\nclass-map C\npolicy-map P\nclass C",
        "inspect sip tls-proxy X",
        "no inspect sip",
    ),
    (
        "policy-map P",
        "service-policy P global",
        "no service-policy P global",
    ),
    (
        "policy-map P",
        "service-policy P interface inside",
        "no service-policy P interface inside",
    ),
    ("", "logging enable", "no logging enable"),
    ("", "no logging hide username", "logging hide username"),
    ("", "logging permit-hostdown", "no logging permit-hostdown"),
    ("", "logging timestamp rfc5424", "no logging timestamp"),
    (
        "",
        "logging buffered debugging",
        "no logging buffered debugging",
    ),
    ("", "logging trap 4", "no logging trap"),
    ("", "logging buffer-size 8192", "no logging buffer-size"),
    ("", "logging facility 16", "no logging facility 16"),
    ("", "logging queue 0", "no logging queue"),
    (
        "",
        "logging device-id ipaddress inside",
        "no logging device-id",
    ),
    (
        "",
        "logging class ca buffered 7",
        "no logging class ca buffered",
    ),
    (
        "",
        "logging list L message 111001-111010",
        "no logging list L",
    ),
    (
        "logging list L level errors",
        "logging list L level debugging class auth",
        "no logging list L level debugging class auth",
    ),
    (
        "",
        "logging message 106023 level errors",
        "no logging message 106023 level",
    ),
    ("", "no logging message 106023", "logging message 106023"),
    (
        "",
        "logging rate-limit 5 10 level debugging",
        "no logging rate-limit 5 10 level debugging",
    ),
    (
        "",
        "logging host inside 10.20.0.9 udp/1514",
        "no logging host inside 10.20.0.9 udp/1514",
    ),
    (
        "",
        "xlate per-session deny tcp any4 any4",
        "no xlate per-session deny tcp any any4",
    ),
    (
        "xlate per-session permit udp any6 any4 eq domain",
        "xlate per-session deny udp 10.20.0.0 255.255.255.0 range 5060 5070 host 203.0.113.20",
        "no xlate per-session deny udp 10.20.0.0 255.255.255.0 range 5060 5070 host 203.0.113.20",
    ),
    (
        "",
        "no threat-detection basic-threat",
        "threat-detection basic-threat",
    ),
    (
        "",
        "threat-detection rate acl-drop rate-interval 600 average-rate 1 burst-rate 2",
        "no threat-detection rate acl-drop rate-interval 600",
    ),
    (
        "",
        "threat-detection statistics access-list",
        "no threat-detection statistics access-list",
    ),
    ("", "fragment size 10 outside", "no fragment size outside"),
    ("", "fragment chain 1", "no fragment chain"),
    (
        "",
        "fragment timeout 30 inside",
        "fragment timeout 5 inside",
    ),
    (
        "",
        "fragment reassembly full outside",
        "fragment reassembly virtual outside",
    ),
    (
        "",
        "fragment reassembly full",
        "no fragment reassembly full",
    ),
    (
        "",
        "ip verify reverse-path interface inside",
        "no ip verify reverse-path interface inside",
    ),
    (
        "",
        "snmp-server location Cellar 2",
        "no snmp-server location",
    ),
    ("", "prompt hostname priority state", "no prompt"),
    (
        "",
        "ssh 10.20.0.0 255.255.255.0 inside",
        "no ssh 10.20.0.0 255.255.255.0 inside",
    ),
    ("", "telnet timeout 5", "no telnet timeout"),
    (
        "",
        "icmp unreachable rate-limit 1 burst-size 1",
        "no icmp unreachable",
    ),
];

#[test]
fn every_statement_is_undone_by_its_negation() {
    for (context, statement, negation) in CASES {
        let mut session = Session::with_interfaces();
        session.paste(context);
        let before = session.config.clone();
        let state = session.state.clone();
        session.line(statement);
        assert_ne!(session.config, before, "{statement} did nothing");
        assert_eq!(
            reread(&session.grammar, &session.config),
            session.config,
            "{statement}"
        );
        session.state = state;
        session.line(negation);
        assert_eq!(session.config, before, "{statement} / {negation}");
        assert_eq!(
            reread(&session.grammar, &session.config),
            session.config,
            "{negation}"
        );
    }
}

#[test]
fn absent_settings_of_pasted_configurations_are_negated_silently() {
    let mut session = Session::with_interfaces();
    let before = session.config.clone();
    for line in [
        "no snmp-server location",
        "no snmp-server contact",
        "no asdm history enable",
        "no arp permit-nonconnected",
        "no call-home reporting anonymous",
        "no mac-address auto",
        "no threat-detection statistics tcp-intercept",
    ] {
        let outcome = session.line(line);
        assert!(outcome.notices.is_empty() && !outcome.changed, "{line}");
    }
    assert_eq!(session.config, before);
}

#[test]
fn clearing_everything_gives_the_factory_settings() {
    let mut session = Session::with_interfaces();
    session.paste(include_str!("federation.txt"));
    session.line("clear configure all");
    assert_eq!(session.config, Session::new().config);
}

#[test]
fn a_section_in_use_is_cleared_after_what_uses_it() {
    let mut session = Session::with_interfaces();
    session.paste(include_str!("federation.txt"));
    for section in [
        "object",
        "access-list",
        "class-map",
        "tls-proxy",
        "policy-map",
    ] {
        session.refusal(&format!("clear configure {section}"));
    }
    for section in [
        "service-policy",
        "policy-map",
        "class-map",
        "tls-proxy",
        "access-group",
        "access-list",
        "nat",
        "object",
        "object-group",
        "route",
        "ssl",
        "ntp",
        "timeout",
        "banner",
        "icmp",
        "logging",
    ] {
        session.line(&format!("clear configure {section}"));
    }
    assert!(session.config.network_objects.is_empty() && session.config.policy_maps.is_empty());
}

#[test]
fn clearing_a_section_leaves_it_as_at_the_factory_and_the_others_alone() {
    use crate::statements::family::FAMILIES;
    // Clearing these takes lines of other sections along, as their `no` forms do.
    let taking_along = ["interface", "object"];
    let mut cleared = 0;
    for family in FAMILIES {
        let keyword = family.keyword;
        let mut session = Session::with_interfaces();
        session.paste(include_str!("federation.txt"));
        let before = session.config.clone();
        let Ok(outcome) = session.try_line(&format!("clear configure {keyword}")) else {
            assert_eq!(session.config, before, "{keyword} refused");
            continue;
        };
        cleared += 1;
        assert_eq!(outcome.changed, session.config != before, "{keyword}");
        let factory = Session::new();
        for other in FAMILIES.iter().map(|other| other.keyword) {
            if other == keyword && keyword != "mtu" {
                assert_eq!(session.shown(other), factory.shown(other), "{keyword}");
            } else if !taking_along.contains(&keyword) && other != keyword {
                let after = session.shown(other);
                let mut earlier = Session::new();
                earlier.config = before.clone();
                assert_eq!(after, earlier.shown(other), "{keyword} changed {other}");
            }
        }
    }
    assert!(cleared > 30, "{cleared} sections cleared");
}
