//! The law: whatever was accepted prints, and the print reads back to the same configuration.

use super::{Session, reread, reread_from};
use crate::print::Extent;
use crate::statements::family::FAMILIES;
use proptest::prelude::*;

/// Random lines over a small world of names, so that many refer to each other and many clash.
fn line() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["A", "B", "C", "int", "any1", "x", "P", "Q", "I"]);
    let nameif = || prop::sample::select(vec!["inside", "outside", "dmz"]);
    let host = || {
        (0u8..4, 1u8..30).prop_map(|(net, host)| {
            let net = ["10.20.0", "203.0.113", "192.0.2", "198.51.100"][usize::from(net)];
            format!("{net}.{host}")
        })
    };
    let port = || {
        prop_oneof![
            Just("sip".to_string()),
            (1u16..9000).prop_map(|p| p.to_string())
        ]
    };
    let ports = move || {
        prop_oneof![
            port().prop_map(|p| format!(" eq {p}")),
            port().prop_map(|p| format!(" gt {p}")),
            (1u16..99, 99u16..999).prop_map(|(a, b)| format!(" range {a} {b}")),
            name().prop_map(|n| format!(" object-group {n}")),
            Just(String::new()),
        ]
    };
    let address = move || {
        prop_oneof![
            Just("any".to_string()),
            Just("any4".to_string()),
            Just("any6".to_string()),
            (1u8..9).prop_map(|n| format!("host 2001:db8::{n}")),
            Just("::/0".to_string()),
            (1u8..9).prop_map(|n| format!("2001:db8:{n}::/48")),
            host().prop_map(|h| format!("host {h}")),
            Just("10.20.0.0 255.255.255.0".to_string()),
            name().prop_map(|n| format!("object {n}")),
            name().prop_map(|n| format!("object-group {n}")),
            nameif().prop_map(|n| format!("interface {n}")),
        ]
    };
    let rule = (address(), ports(), address(), ports())
        .prop_map(|(a, p, b, q)| format!("permit tcp {a}{p} {b}{q}"));
    let rule = prop_oneof![
        3 => rule,
        1 => (address(), address()).prop_map(|(a, b)| format!("deny ip {a} {b} log 5")),
        1 => (address(), address()).prop_map(|(a, b)| format!("permit icmp {a} {b} echo log interval 60")),
        1 => (name(), address(), address()).prop_map(|(s, a, b)| format!("permit object {s} {a} {b} inactive")),
        1 => (name(), address(), address()).prop_map(|(s, a, b)| format!("permit object-group {s} {a} {b} log")),
        1 => (address(), address()).prop_map(|(a, b)| format!("permit gre {a} {b} log disable")),
        1 => (name(), address(), ports(), address(), ports()).prop_map(|(s, a, p, b, q)| format!("permit object-group {s} {a}{p} {b}{q}")),
        1 => (address(), address(), name()).prop_map(|(a, b, t)| format!("deny icmp {a} {b} object-group {t}")),
        1 => (address(), address(), name()).prop_map(|(a, b, t)| format!("permit ip {a} {b} log time-range {t} inactive")),
    ];
    let pair = move || (nameif(), nameif()).prop_map(|(a, b)| format!("({a},{b})"));
    let no = || prop_oneof![5 => Just(""), 1 => Just("no ")];
    let simple = prop::sample::select(vec![
        "banner motd  two  blanks",
        "username ann nopassword",
        "username bob password secret1 privilege 15",
        "username bob privilege 5",
        "username bob attributes",
        "service-type nas-prompt",
        "no service-type",
        "no username ann",
        "aaa authentication serial console LOCAL",
        "aaa authentication enable console LOCAL",
        "no aaa authentication enable console LOCAL",
        "aaa local authentication attempts max-fail 4",
        "aaa authentication login-history duration 7",
        "no aaa authentication login-history",
        "enable password helpdesk level 5",
        "clock timezone NST -3 30",
        "clock summer-time X recurring",
        "clock summer-time X date 28 Mar 2027 2:00 Oct 31 2027 3:00 30",
        "clock summer-time X recurring 2 Mon April 2:30 last Fri Sep 4:00",
        "no pager",
        "pager lines 7",
        "names",
        "no names",
        "timeout conn 2:00:00 udp 0:10:00",
        "timeout igp stale-route 0:01:30",
        "logging enable",
        "no logging enable",
        "logging trap 5",
        "logging timestamp rfc5424",
        "no logging timestamp",
        "no logging hide username",
        "logging console e",
        "logging console errors",
        "no logging console",
        "logging list EVENTS level alerts class ca",
        "logging list EVENTS message 111001-111010",
        "no logging list EVENTS",
        "no logging list EVENTS message 111001-111010",
        "logging list deb level 3",
        "logging monitor EVENTS",
        "logging buffered debug",
        "logging device-id ipaddress dmz",
        "logging device-id ipaddress inside",
        "logging device-id string box-7",
        "logging host dmz 192.0.2.9 17/1514 format emblem",
        "logging host inside 10.20.0.9 tcp/6514 secure",
        "logging host inside 10.20.0.9",
        "no logging host inside 10.20.0.9",
        "logging host inside 10.20.0.8 tcp/70000",
        "logging class ssl mail 3",
        "no logging class ssl mail",
        "no logging message 106023",
        "logging message 106023 level 3",
        "logging message 106023",
        "no logging message 106023 level",
        "logging rate-limit 3 10 level debugging",
        "logging rate-limit 3 message 111009",
        "no logging rate-limit level debugging",
        "logging buffer-size 8192",
        "logging queue 0",
        "logging ftp-bufferwrap",
        "prompt hostname",
        "ntp server 192.0.2.7 key 3 source inside",
        "ntp authentication-key 3 cmac k!y",
        "enable password open!sesame",
        "ssl server-version tlsv1.3",
        "ssl cipher default fips",
        "exit",
        "same-security-traffic permit intra-interface",
        "hostname asa7",
        "domain-name example.com",
        "no ftp mode passive",
        "ntp trusted-key 3",
        "ntp authenticate",
        "sysopt connection tcpmss 0",
        "sysopt noproxyarp inside",
        "no sysopt noproxyarp inside",
        "arp timeout 60",
        "console timeout 7",
        "terminal width 100",
        "no terminal width",
        "no banner motd",
        "no timeout",
        "tcp-map A",
        "tcp-map B",
        "no tcp-map A",
        "checksum-verification",
        "exceed-mss drop",
        "no exceed-mss",
        "invalid-ack allow",
        "urgent-flag allow",
        "reserved-bits clear",
        "tcp-options range 6 40 allow",
        "tcp-options range 15 22 drop",
        "no tcp-options range 10 30",
        "tcp-options md5 allow",
        "tcp-options timestamp clear",
        "no tcp-options timestamp",
        "queue-limit 3",
        "no ttl-evasion-protection",
        "policy-map P",
        "class class-default",
        "set connection conn-max 100 per-client-max 5",
        "set connection embryonic-conn-max 0 random-sequence-number disable",
        "no set connection conn-max per-client-max",
        "no set connection random-sequence-number",
        "set connection timeout idle 2:00:00 reset",
        "set connection timeout embryonic 0:00:10 half-closed 0:05:00 idle 0:00:00",
        "set connection timeout dcd",
        "set connection timeout dcd 0:00:30 9",
        "no set connection timeout idle dcd",
        "set connection decrement-ttl",
        "no set connection decrement-ttl",
        "set connection advanced-options A",
        "set connection advanced-options B",
        "set connection advanced-options tcp-state-bypass",
        "no set connection advanced-options",
        "crypto ca trustpool policy",
        "mac-address auto",
        "icmp unreachable rate-limit 2 burst-size 1",
        "tls-proxy maximum-session 12",
        "icmp deny 10.20.0.0 255.255.255.0 redirect inside",
    ]);
    let cleared: Vec<_> = FAMILIES.iter().map(|family| family.keyword).collect();
    prop_oneof![
        2 => simple.prop_map(String::from),
        1 => prop::sample::select(cleared).prop_map(|keyword| format!("clear configure {keyword}")),
        1 => (0u8..4).prop_map(|n| format!("interface GigabitEthernet0/{n}")),
        2 => (no(), 0u8..4, prop::sample::select(vec![1u32, 10, 20, u32::MAX]))
            .prop_map(|(no, n, sub)| format!("{no}interface GigabitEthernet0/{n}.{sub}")),
        2 => (no(), prop::sample::select(vec![1u16, 10, 20, 4094])).prop_map(|(no, id)| format!("{no}vlan {id}")),
        1 => (no(), nameif()).prop_map(|(no, n)| format!("{no}nameif {n}")),
        1 => (no(), host()).prop_map(|(no, h)| format!("{no}ip address {h} 255.255.255.224")),
        1 => prop::sample::select(vec!["shutdown", "no shutdown", "security-level 50", "speed 100",
            "duplex half", "mac-address 0200.1234.abcd", "description a ! b", "mtu inside 1400"]).prop_map(String::from),
        1 => (no(), nameif(), host()).prop_map(|(no, n, h)| format!("{no}route {n} 10.30.0.0 255.255.0.0 {h} 3")),
        2 => (no(), name()).prop_map(|(no, n)| format!("{no}object network {n}")),
        2 => (no(), host()).prop_map(|(no, h)| format!("{no}host {h}")),
        1 => Just("subnet 192.0.2.0 255.255.255.0".to_string()),
        1 => (no(), 1u8..5).prop_map(|(no, n)| format!("{no}host 2001:db8::{n}")),
        1 => prop::sample::select(vec!["subnet 2001:db8:5::/48", "range 2001:db8::1 2001:db8::9", "network-object host 2001:db8::7",
            "no network-object host 2001:db8::7", "network-object 2001:db8:7::/64", "service icmp6 echo-reply",
            "service-object icmp6 packet-too-big", "nat (inside,outside) static 2001:db8:f::1"]).prop_map(String::from),
        1 => Just("range 203.0.113.5 203.0.113.9".to_string()),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}object service {n}")),
        1 => (ports(), ports()).prop_map(|(p, q)| format!("service udp source{p} destination{q}")),
        1 => port().prop_map(|p| format!("service tcp source eq {p}")),
        1 => Just("service 47".to_string()),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}object-group network {n}")),
        1 => (no(), name(), prop::sample::select(vec!["", " tcp", " tcp-udp"])).prop_map(|(no, n, t)| format!("{no}object-group service {n}{t}")),
        2 => (no(), name()).prop_map(|(no, n)| format!("{no}group-object {n}")),
        1 => (no(), prop::sample::select(vec!["protocol", "icmp-type"]), name()).prop_map(|(no, k, n)| format!("{no}object-group {k} {n}")),
        1 => (no(), prop::sample::select(vec!["protocol-object 50", "protocol-object tcp", "icmp-object echo",
            "icmp-object 77", "description of numbers", "absolute start 8:00 1 Jan 2027", "absolute end 8:00 1 Jan 2026",
            "periodic daily 0:00 to 23:59", "periodic mon wed 8:00 to 9:00", "periodic sat 8:00 to sun 7:00",
            "service-object tcp-udp source range 1 9 destination neq sip"]))
            .prop_map(|(no, l)| format!("{no}{l}")),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}time-range {n}")),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}network-object object {n}")),
        1 => (no(), host()).prop_map(|(no, n)| format!("{no}network-object host {n}")),
        1 => (no(), port()).prop_map(|(no, p)| format!("{no}port-object eq {p}")),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}service-object object {n}")),
        1 => port().prop_map(|p| format!("service-object tcp destination eq {p}")),
        4 => (no(), name(), rule).prop_map(|(no, n, r)| format!("{no}access-list {n} extended {r}")),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}access-list {n} line 1 remark one | two")),
        1 => (no(), name(), nameif()).prop_map(|(no, n, i)| format!("{no}access-group {n} in interface {i}")),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}access-group {n} global")),
        1 => (no(), name(), nameif()).prop_map(|(no, n, i)| format!("{no}access-group {n} in interface {i} control-plane")),
        2 => (pair(), host()).prop_map(|(p, h)| format!("nat {p} static {h} service tcp 80 8080")),
        1 => (pair(), name()).prop_map(|(p, n)| format!("nat {p} dynamic {n} interface dns")),
        1 => (pair(), name()).prop_map(|(p, n)| format!("nat {p} dynamic pat-pool {n} flat include-reserve round-robin")),
        1 => name().prop_map(|n| format!("nat static {n} no-proxy-arp route-lookup")),
        1 => (pair(), name()).prop_map(|(p, n)| format!("nat {p} dynamic pat-pool {n} extended")),
        1 => (no(), pair(), name(), name()).prop_map(|(no, p, a, b)| format!("{no}nat {p} source dynamic {a} pat-pool {b} interface round-robin")),
        1 => (no(), pair(), name()).prop_map(|(no, p, n)| format!("{no}nat {p} 2 source static {n} {n} no-proxy-arp route-lookup")),
        2 => (no(), prop::sample::select(vec!["permit", "deny"]), prop::sample::select(vec!["any", "any4", "any6", "host 10.20.0.11", "10.20.0.0 255.255.255.0", "0 0"]), port())
            .prop_map(|(no, a, s, p)| format!("{no}xlate per-session {a} udp {s} gt {p} any4 eq {p}")),
        2 => (no(), pair(), name(), name()).prop_map(|(no, p, a, b)| format!("{no}nat {p} source static {a} {b} unidirectional")),
        1 => (no(), pair(), name(), name(), name()).prop_map(|(no, p, a, b, s)| format!("{no}nat {p} 1 source static {a} interface destination static {b} {b} service {s} {s} description x  y")),
        1 => (no(), pair(), name(), name()).prop_map(|(no, p, a, b)| format!("{no}nat {p} after-auto source dynamic {a} {b} inactive")),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}crypto ca trustpoint {n}")),
        1 => prop::sample::select(vec!["fqdn none", "subject-name CN=a b, O=c", "revocation-check ocsp crl none",
            "enrollment retry count 3", "crl configure", "policy both", "no ca-check", "client-types ssl",
            "validation-usage ssl-server ssl-client", "keypair k", "serial-number", "ocsp disable-nonce"]).prop_map(String::from),
        1 => name().prop_map(|n| format!("crypto ca certificate chain {n}")),
        1 => (0u32..9).prop_map(|n| format!("certificate ca 0{n}")),
        1 => Just("certificate 0f".to_string()),
        2 => Just("3003020105".to_string()),
        2 => Just("quit".to_string()),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}tls-proxy {n}")),
        1 => name().prop_map(|n| format!("server trust-point {n}")),
        1 => name().prop_map(|n| format!("client trust-point {n}")),
        1 => Just("client cipher-suite null-sha1 tls13-aes128-gcm-sha256".to_string()),
        1 => Just("no server authenticate-client".to_string()),
        2 => (no(), prop::sample::select(vec!["", "match-any "]), name()).prop_map(|(no, m, n)| format!("{no}class-map {m}{n}")),
        2 => (no(), name()).prop_map(|(no, n)| format!("{no}match access-list {n}")),
        1 => port().prop_map(|p| format!("match port tcp eq {p}")),
        1 => Just("match default-inspection-traffic".to_string()),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}policy-map {n}")),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}policy-map type inspect sip {n}")),
        1 => prop::sample::select(vec!["parameters", "no im", "no traffic-non-sip", "ip-address-privacy",
            "state-checking action drop log", "rtp-conformance"]).prop_map(String::from),
        2 => (no(), name()).prop_map(|(no, n)| format!("{no}class {n}")),
        2 => (no(), name(), name()).prop_map(|(no, m, p)| format!("{no}inspect sip {m} tls-proxy {p}")),
        1 => Just("inspect dns".to_string()),
        1 => (no(), name()).prop_map(|(no, n)| format!("{no}service-policy {n} global")),
        1 => (no(), name(), nameif()).prop_map(|(no, n, i)| format!("{no}service-policy {n} interface {i}")),
        1 => (name(), nameif()).prop_map(|(n, i)| format!("ssl trust-point {n} {i}")),
    ]
}

/// Where a session may begin: with this, most of the random lines find what they refer to.
const SCENE: &str = "\
interface GigabitEthernet0/2
 nameif dmz
 ip address 192.0.2.1 255.255.255.0
object network A
 host 10.20.0.11
object network int
 range 203.0.113.5 203.0.113.9
object service C
 service tcp source eq 5062
object-group network B
 network-object host 203.0.113.10
object-group network x
 group-object B
object-group service any1 tcp
 port-object eq sip
object-group protocol P
 protocol-object tcp
object-group protocol Q
 group-object P
object-group icmp-type I
 icmp-object echo
time-range A
 periodic weekdays 8:00 to 18:00
time-range B
access-list A extended permit tcp any object-group B eq sip
access-list A extended permit object-group P any any eq sip
access-list A extended permit icmp any any object-group I
access-list A extended permit ip any any time-range A
access-list int extended permit ip any any
crypto ca trustpoint A
crypto ca trustpoint int
tls-proxy A
 server trust-point A
tls-proxy x
class-map match-any A
 match access-list A
class-map B
 match port tcp eq 5061
policy-map type inspect sip C
 parameters
policy-map A
 class A
  inspect sip C tls-proxy A
 class B
policy-map B
 class A
service-policy A global
";

/// Mode-entering lines that a random line may follow.
const ENTERING: [&str; 25] = [
    "interface gi0/2.10",
    "interface gi0/1.20",
    "",
    "",
    "",
    "",
    "interface gi0/2",
    "object network A",
    "object network int",
    "object network new",
    "object service C",
    "object-group network B",
    "object-group network x",
    "object-group service any1",
    "object-group protocol P",
    "object-group protocol Q",
    "object-group icmp-type I",
    "time-range A",
    "time-range B",
    "crypto ca trustpoint A",
    "crypto ca certificate chain A",
    "tls-proxy A",
    "class-map A",
    "policy-map A\nclass B",
    "policy-map type inspect sip C\nparameters",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_prints_and_reads_back(
        scene in 0u8..4,
        steps in prop::collection::vec((0..ENTERING.len(), line()), 1..200),
    ) {
        let mut session = if scene == 0 { Session::new() } else { Session::with_interfaces() };
        if scene > 1 {
            session.paste(SCENE);
        }
        let mut accepted = 0;
        let lines = steps.iter().flat_map(|(at, line)| ENTERING[*at].lines().chain([line.as_str()]));
        for line in lines {
            let before = session.config.clone();
            match session.try_line(line) {
                Ok(outcome) => {
                    accepted += 1;
                    let changed = session.config != before;
                    prop_assert_eq!(outcome.changed, changed, "{}", line);
                }
                Err(_) => prop_assert_eq!(&session.config, &before, "refused {} changed something", line),
            }
        }
        prop_assume!(accepted > 0);
        prop_assert_eq!(reread(&session.grammar, &session.config), session.config.clone());
        prop_assert_eq!(reread_from(&session.grammar, &session.config, Extent::All), session.config);
    }

    #[test]
    fn no_line_panics(line in "\\PC{0,80}", prefix in prop::sample::select(vec!["", "access-list ", "nat ", "object ", "timeout ", "certificate "])) {
        let mut session = Session::with_interfaces();
        let _ = session.try_line(&format!("{prefix}{line}"));
        let _ = session.try_line(&line);
    }
}
