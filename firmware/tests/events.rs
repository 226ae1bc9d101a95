//! Requirement: what happens to packets, connections and translations is told with ASA's numbers
//! and texts, word for word. Needs: nothing; virtual time.

mod common;

use std::net::Ipv4Addr;
use std::time::Duration;

use common::Box;
use common::wire::{INSIDE, OUTSIDE, Socket, echo, icmp, ipv4, tcp, udp};
use smoltcp::wire::IpProtocol;

const DESK: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 40);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 11);
const PEER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);
const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const BOX_OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
const BOX_INSIDE: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);

const NETWORKS: &str = "\
    interface gi0/0\nnameif outside\nsecurity-level 0\nip address 203.0.113.2 255.255.255.240\n\
    no shutdown\n\
    interface gi0/1\nnameif inside\nip address 10.20.0.1 255.255.255.0\nno shutdown\n\
    route outside 0.0.0.0 0.0.0.0 203.0.113.1\n\
    object network SERVER\nhost 10.20.0.11\nnat (inside,outside) static 203.0.113.10\n\
    object network DESKS\nsubnet 10.20.0.0 255.255.255.0\nnat (inside,outside) dynamic interface\n";

/// A box between two networks that logs everything to its buffer; `more` are further lines.
fn logging_box(more: &str) -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(&format!(
        "configure terminal\nlogging enable\nlogging buffered debugging\n\
         logging buffer-size 65536\n{NETWORKS}{more}end"
    ));
    sallyport.config(common::KEEP_SEQUENCES);
    sallyport.wait(Duration::from_secs(2));
    sallyport.line("clear logging buffer");
    sallyport
}

/// What was logged since the last call, commands apart.
fn told(sallyport: &mut Box) -> Vec<String> {
    let printed = sallyport.line("show logging");
    sallyport.line("clear logging buffer");
    let is_command = |line: &str| line.contains("%ASA-5-1110") || line.contains("%ASA-7-1110");
    printed
        .lines()
        .filter(|line| line.starts_with("%ASA-") && !is_command(line))
        .map(String::from)
        .collect()
}

/// Sends a packet that nothing may come of but `expected` in the log.
fn refuse(sallyport: &mut Box, end: usize, packet: &[u8], expected: &str) {
    sallyport.exchange(end, packet);
    assert_eq!(told(sallyport), [expected]);
}

/// Opens a TCP connection from inside; returns where the client is seen outside.
fn connect(sallyport: &mut Box, client: Socket, server: Socket) -> Socket {
    let out = sallyport.exchange(INSIDE, &tcp(client, server, "S", 1000, 0));
    assert_eq!((out.len(), out[0].0), (1, OUTSIDE), "{out:?}");
    let seen = source_of(&out[0].1);
    let back = sallyport.exchange(OUTSIDE, &tcp(server, seen, "SA", 5000, 1001));
    assert_eq!(back.len(), 1);
    sallyport.exchange(INSIDE, &tcp(client, server, "A", 1001, 5001));
    seen
}

fn source_of(packet: &[u8]) -> Socket {
    let address = Ipv4Addr::new(packet[12], packet[13], packet[14], packet[15]);
    (address, u16::from_be_bytes([packet[20], packet[21]]))
}

#[test]
fn a_connection_outwards_is_told_from_translation_to_teardown() {
    let mut sallyport = logging_box("");
    let (client, server) = ((DESK, 40_000), (PEER, 443));
    let seen = connect(&mut sallyport, client, server);
    assert_eq!(seen, (BOX_OUTSIDE, 40_000), "a free port is kept");
    assert_eq!(
        told(&mut sallyport),
        [
            "%ASA-6-305011: Built dynamic TCP translation from inside:10.20.0.40/40000 to \
             outside:203.0.113.2/40000",
            "%ASA-6-302013: Built outbound TCP connection 1 for outside:198.51.100.20/443 \
             (198.51.100.20/443) to inside:10.20.0.40/40000 (203.0.113.2/40000)",
        ]
    );
    sallyport.wait(Duration::from_secs(15));
    sallyport.exchange(INSIDE, &tcp(client, server, "FA", 1001, 5001));
    sallyport.exchange(OUTSIDE, &tcp(server, seen, "FA", 5001, 1002));
    sallyport.exchange(INSIDE, &tcp(client, server, "A", 1002, 5002));
    assert_eq!(
        told(&mut sallyport),
        [
            "%ASA-6-302014: Teardown TCP connection 1 for outside:198.51.100.20/443 to \
             inside:10.20.0.40/40000 duration 0:00:15 bytes 240 TCP FINs",
            "%ASA-6-305012: Teardown dynamic TCP translation from inside:10.20.0.40/40000 to \
             outside:203.0.113.2/40000 duration 0:00:15",
        ]
    );
}

#[test]
fn a_connection_ends_for_the_reason_that_is_told() {
    let mut sallyport = logging_box("timeout conn 1:0:0 half-closed 0:10:0\n");
    let mut number = 0;
    let mut ends = |what: &dyn Fn(&mut Box, Socket, Socket, Socket), words: &str| {
        number += 1;
        let (client, server) = ((DESK, 40_000), (PEER, 443));
        let seen = connect(&mut sallyport, client, server);
        told(&mut sallyport);
        what(&mut sallyport, client, server, seen);
        let lines = told(&mut sallyport);
        let start = format!("%ASA-6-302014: Teardown TCP connection {number} ");
        let line = lines.iter().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{start}: {lines:?}"));
        assert!(line.ends_with(words), "{line}");
    };
    ends(
        &|sallyport, client, server, _| {
            sallyport.exchange(INSIDE, &tcp(client, server, "R", 1001, 0));
        },
        " bytes 160 TCP Reset-I",
    );
    ends(
        &|sallyport, _, server, seen| {
            sallyport.exchange(OUTSIDE, &tcp(server, seen, "R", 5001, 0));
        },
        " bytes 160 TCP Reset-O",
    );
    ends(
        &|sallyport, _, _, _| sallyport.wait(Duration::from_secs(3601)),
        " duration 1:00:00 bytes 120 Conn-timeout",
    );
    ends(
        &|sallyport, client, server, _| {
            sallyport.exchange(INSIDE, &tcp(client, server, "FA", 1001, 5001));
            sallyport.wait(Duration::from_secs(601));
        },
        " duration 0:10:00 bytes 160 FIN Timeout",
    );
    ends(
        &|sallyport, _, _, _| {
            sallyport.line("clear conn all");
        },
        " duration 0:00:00 bytes 120 Xlate Clear",
    );
}

#[test]
fn an_unanswered_handshake_ends_with_a_syn_timeout() {
    let mut sallyport = logging_box("");
    sallyport.exchange(INSIDE, &tcp((SERVER, 1), (PEER, 2), "S", 1, 0));
    told(&mut sallyport);
    sallyport.wait(Duration::from_secs(31));
    assert_eq!(
        told(&mut sallyport),
        [
            "%ASA-6-302014: Teardown TCP connection 1 for outside:198.51.100.20/2 to \
             inside:10.20.0.11/1 duration 0:00:30 bytes 40 SYN Timeout"
        ]
    );
}

#[test]
fn datagrams_and_echoes_inwards_are_told_with_the_address_dialled() {
    let mut sallyport = logging_box(
        "access-list in extended permit udp any host 10.20.0.11 eq 53\n\
         access-list in extended permit icmp any any\naccess-group in in interface outside\n",
    );
    sallyport.exchange(OUTSIDE, &udp((PEER, 9000), (PUBLIC, 53), b"?"));
    sallyport.exchange(OUTSIDE, &echo(PEER, PUBLIC, 8, 77));
    sallyport.wait(Duration::from_secs(200));
    assert_eq!(
        told(&mut sallyport),
        [
            "%ASA-6-302015: Built inbound UDP connection 1 for outside:198.51.100.20/9000 \
             (198.51.100.20/9000) to inside:10.20.0.11/53 (203.0.113.10/53)",
            "%ASA-6-302020: Built inbound ICMP connection for faddr 198.51.100.20/77 gaddr \
             203.0.113.10/0 laddr 10.20.0.11/0 type 8 code 0",
            "%ASA-6-302021: Teardown ICMP connection for faddr 198.51.100.20/77 gaddr \
             203.0.113.10/0 laddr 10.20.0.11/0 type 8 code 0",
            "%ASA-6-302016: Teardown UDP connection 1 for outside:198.51.100.20/9000 to \
             inside:10.20.0.11/53 duration 0:02:00 bytes 29",
        ]
    );
}

#[test]
fn what_an_access_list_denies_is_told_with_the_rule_that_show_access_list_shows() {
    let mut sallyport = logging_box(
        "object-group service PORTS tcp\nport-object eq 23\nport-object eq 25\n\
         access-list in extended deny tcp any host 10.20.0.11 object-group PORTS\n\
         access-list in extended deny icmp any any\n\
         access-list in extended deny tcp any any eq 80 log disable\n\
         access-group in in interface outside\n",
    );
    let shown = sallyport.line("show access-list in");
    let hash_of = |start: &str| {
        let line = shown.lines().find(|line| line.contains(start));
        let line = line.unwrap_or_else(|| panic!("{start}: {shown}"));
        let hash = line.rsplit(' ').next().expect("a last word");
        let hash = u32::from_str_radix(hash.trim_start_matches("0x"), 16).expect("a hash");
        format!("{hash:#x}")
    };
    let line = hash_of("access-list in line 1 extended deny tcp any host 10.20.0.11 object-group");
    let element = hash_of("  access-list in line 1 extended deny tcp any host 10.20.0.11 eq 25");
    told(&mut sallyport);
    refuse(
        &mut sallyport,
        OUTSIDE,
        &tcp((PEER, 9000), (PUBLIC, 25), "S", 1, 0),
        &format!(
            "%ASA-4-106023: Deny tcp src outside:198.51.100.20/9000 dst inside:10.20.0.11/25 by \
             access-group \"in\" [{line}, {element}]"
        ),
    );
    let line = hash_of("access-list in line 2 ");
    refuse(
        &mut sallyport,
        OUTSIDE,
        &echo(PEER, PUBLIC, 8, 1),
        &format!(
            "%ASA-4-106023: Deny icmp src outside:198.51.100.20 dst inside:10.20.0.11 (type 8, \
             code 0) by access-group \"in\" [{line}, 0x0]"
        ),
    );
    refuse(
        &mut sallyport,
        OUTSIDE,
        &ipv4(PEER, PUBLIC, IpProtocol::from(47), &[0; 8]),
        "%ASA-4-106023: Deny protocol 47 src outside:198.51.100.20 dst inside:10.20.0.11 by \
         access-group \"in\" [0x0, 0x0]",
    );
    sallyport.exchange(OUTSIDE, &tcp((PEER, 9000), (PUBLIC, 80), "S", 1, 0));
    assert_eq!(told(&mut sallyport), [""; 0], "the rule says not to log");
}

#[test]
fn what_security_levels_and_state_refuse_is_told() {
    let mut sallyport = logging_box("");
    for (packet, expected) in [
        (
            tcp((PEER, 9000), (PUBLIC, 80), "S", 1, 0),
            "%ASA-2-106001: Inbound TCP connection denied from 198.51.100.20/9000 to \
             10.20.0.11/80 flags SYN  on interface outside",
        ),
        (
            udp((PEER, 9000), (PUBLIC, 53), b"?"),
            "%ASA-2-106006: Deny inbound UDP from 198.51.100.20/9000 to 10.20.0.11/53 on \
             interface outside",
        ),
        (
            ipv4(PEER, PUBLIC, IpProtocol::from(50), &[0; 8]),
            "%ASA-3-106010: Deny inbound protocol 50 src outside:198.51.100.20 dst \
             inside:10.20.0.11",
        ),
        (
            echo(PEER, PUBLIC, 8, 1),
            "%ASA-3-106014: Deny inbound icmp src outside:198.51.100.20 dst inside:10.20.0.11 \
             (type 8, code 0)",
        ),
        (
            tcp((PEER, 443), (PUBLIC, 9), "PA", 1, 1),
            "%ASA-6-106015: Deny TCP (no connection) from 198.51.100.20/443 to 203.0.113.10/9 \
             flags PSH ACK  on interface outside",
        ),
        (
            tcp((Ipv4Addr::LOCALHOST, 1), (PUBLIC, 9), "S", 1, 1),
            "%ASA-2-106016: Deny IP spoof from (127.0.0.1) to 203.0.113.10 on interface outside",
        ),
        (
            tcp((PUBLIC, 9), (PUBLIC, 9), "S", 1, 1),
            "%ASA-2-106017: Deny IP due to Land Attack from 203.0.113.10 to 203.0.113.10",
        ),
        (
            echo(PEER, PUBLIC, 0, 1),
            "%ASA-4-313004: Denied ICMP type=0, from laddr 198.51.100.20 on interface outside to \
             203.0.113.10: no matching session",
        ),
        (
            icmp(
                PEER,
                PUBLIC,
                (3, 3),
                &[&[0; 4], udp((PUBLIC, 7), (PEER, 53), b"").as_slice()].concat(),
            ),
            "%ASA-4-313005: No matching connection for ICMP error message: icmp src \
             outside:198.51.100.20 dst outside:203.0.113.10 (type 3, code 3) on outside \
             interface. Original IP payload: udp src 203.0.113.10/7 dst 198.51.100.20/53.",
        ),
    ] {
        refuse(&mut sallyport, OUTSIDE, &packet, expected);
    }
}

#[test]
fn what_cannot_be_routed_or_translated_is_told() {
    let mut sallyport = logging_box("");
    refuse(
        &mut sallyport,
        INSIDE,
        &ipv4(DESK, PEER, IpProtocol::from(50), &[0; 8]),
        "%ASA-3-305006: portmap translation creation failed for protocol 50 src \
         inside:10.20.0.40 dst outside:198.51.100.20",
    );
    sallyport.config(
        "configure terminal\nno route outside 0.0.0.0 0.0.0.0 203.0.113.1\n\
         access-list all extended permit ip any any\naccess-group all in interface outside\nend",
    );
    sallyport.wait(Duration::from_secs(1));
    told(&mut sallyport);
    refuse(
        &mut sallyport,
        INSIDE,
        &tcp((DESK, 1), (PEER, 2), "S", 1, 0),
        "%ASA-6-110002: Failed to locate egress interface for TCP from inside:10.20.0.40/1 to \
         198.51.100.20/2",
    );
    // The real address of a published server, dialled from outside.
    refuse(
        &mut sallyport,
        OUTSIDE,
        &tcp((Ipv4Addr::new(203, 0, 113, 5), 1), (SERVER, 2), "S", 1, 0),
        "%ASA-5-305013: Asymmetric NAT rules matched for forward and reverse flows; Connection \
         tcp src outside:203.0.113.5/1 dst inside:10.20.0.11/2 denied due to NAT reverse path \
         failure",
    );
}

#[test]
fn a_pool_without_a_free_port_is_told() {
    // Of the ports below 512, the box keeps none; 511 hosts take them all.
    let mut sallyport = logging_box("no logging buffered\nlogging buffered errors\n");
    for last in 0..=511_u16 {
        let host = Ipv4Addr::new(10, 20, 0, 100 + (last % 100) as u8);
        let packet = udp((host, 1 + last / 100), (PEER, 53), b"?");
        sallyport.exchange(INSIDE, &packet);
    }
    assert_eq!(
        told(&mut sallyport),
        [
            "%ASA-3-202010: PAT pool exhausted for outside, port range 1-511. Unable to create \
             UDP connection from inside:10.20.0.111/6 to outside:198.51.100.20/53"
        ]
    );
}

#[test]
fn requests_to_the_box_are_told() {
    let mut sallyport = logging_box("icmp deny any outside\n");
    for (end, packet, expected) in [
        (
            OUTSIDE,
            echo(PEER, BOX_OUTSIDE, 8, 1),
            "%ASA-3-313001: Denied ICMP type=8, code=0 from 198.51.100.20 on interface outside",
        ),
        (
            INSIDE,
            udp((DESK, 161), (BOX_INSIDE, 161), b"?"),
            "%ASA-7-710005: UDP request discarded from 10.20.0.40/161 to inside:10.20.0.1/161",
        ),
        (
            INSIDE,
            udp((DESK, 137), (Ipv4Addr::new(10, 20, 0, 255), 137), b"?"),
            "%ASA-7-710005: UDP request discarded from 10.20.0.40/137 to inside:10.20.0.255/137",
        ),
        (
            INSIDE,
            tcp((DESK, 9), (BOX_INSIDE, 23), "S", 1, 0),
            "%ASA-7-710005: TCP request discarded from 10.20.0.40/9 to inside:10.20.0.1/23",
        ),
        (
            INSIDE,
            ipv4(DESK, BOX_INSIDE, IpProtocol::from(89), &[0; 8]),
            "%ASA-7-710006: protocol 89 request discarded from 10.20.0.40 to inside:10.20.0.1",
        ),
    ] {
        refuse(&mut sallyport, end, &packet, expected);
    }
}

#[test]
fn a_flood_is_held_back_by_the_configured_rate_and_counted() {
    let mut sallyport = logging_box("logging rate-limit 3 10 message 106001\n");
    for port in 0..20 {
        sallyport.exchange(OUTSIDE, &tcp((PEER, 9000 + port), (PUBLIC, 80), "S", 1, 0));
    }
    sallyport.wait(Duration::from_secs(11));
    let lines = told(&mut sallyport);
    let denied = lines.iter().filter(|line| line.contains("-106001: "));
    assert_eq!(denied.count(), 3, "{lines:?}");
    assert!(
        lines.contains(
            &"%ASA-4-199701: 17 messages of 106001 suppressed by logging rate-limit 3 10".into()
        ),
        "{lines:?}"
    );
    let shown = sallyport.line("show logging setting");
    assert!(
        shown.contains("Rate-limit: 17 messages suppressed"),
        "{shown}"
    );
}

#[test]
fn lists_and_levels_choose_what_is_told() {
    let mut sallyport = logging_box("logging list ENDS message 302014\nlogging buffered ENDS\n");
    connect(&mut sallyport, (DESK, 40_000), (PEER, 443));
    sallyport.line("clear conn all");
    let lines = told(&mut sallyport);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("%ASA-6-302014: "), "{lines:?}");
    sallyport.config(
        "configure terminal\nlogging buffered informational\nno logging message 302014\n\
         logging message 302013 level debugging\nend",
    );
    sallyport.wait(Duration::from_secs(1));
    told(&mut sallyport);
    connect(&mut sallyport, (DESK, 40_000), (PEER, 443));
    sallyport.line("clear conn all");
    let lines = told(&mut sallyport);
    let numbers: Vec<&str> = lines.iter().map(|line| &line[..13]).collect();
    assert_eq!(numbers, ["%ASA-6-305011", "%ASA-6-305012"]);
}

#[test]
fn more_ends_at_once_than_can_be_told_are_counted() {
    let mut sallyport = logging_box("");
    for port in 0..1100 {
        let packet = tcp((DESK, 20_000 + port), (PEER, 443), "S", 1, 0);
        sallyport.exchange(INSIDE, &packet);
    }
    told(&mut sallyport);
    // In one step, unlike `clear conn`, which lets the ring be read between its steps.
    sallyport.line("clear xlate");
    let lines = told(&mut sallyport);
    let ends = lines.iter().filter(|line| line.contains(" Teardown "));
    assert!(ends.count() > 0, "the ring was told");
    let last = lines.last().expect("lines");
    assert_eq!(
        last,
        "%ASA-4-199703: 152 events of the packet engine not logged, too many at once"
    );
    let shown = sallyport.line("show logging setting");
    assert!(shown.contains("Packet engine: 152 events lost"), "{shown}");
}

#[test]
fn a_rule_with_the_log_option_tells_at_its_own_level() {
    let mut sallyport = logging_box(
        "access-list in extended permit udp any host 10.20.0.11 eq 53 log interval 60\n\
         access-list in extended deny icmp any any log errors interval 60\n\
         access-group in in interface outside\nlogging buffered informational\n\
         no logging message 302015\nno logging message 302016\n",
    );
    let shown = sallyport.line("show access-list in");
    let hash = |number: u32| {
        let start = format!("access-list in line {number} ");
        let line = shown.lines().find(|line| line.starts_with(&start));
        let word = line
            .and_then(|line| line.rsplit(' ').next())
            .expect("a hash");
        let hash = u32::from_str_radix(word.trim_start_matches("0x"), 16).expect("a hash");
        format!("[{hash:#x}, 0x0]")
    };
    let (permit, deny) = (hash(1), hash(2));
    told(&mut sallyport);
    sallyport.exchange(OUTSIDE, &udp((PEER, 9000), (PUBLIC, 53), b"?"));
    for _ in 0..3 {
        sallyport.exchange(OUTSIDE, &echo(PEER, PUBLIC, 8, 1));
    }
    let hit = "access-list in denied icmp outside/198.51.100.20(8) -> inside/10.20.0.11(0) hit-cnt";
    assert_eq!(
        told(&mut sallyport),
        [
            format!(
                "%ASA-6-106100: access-list in permitted udp outside/198.51.100.20(9000) -> \
                 inside/10.20.0.11(53) hit-cnt 1 first hit {permit}"
            ),
            format!("%ASA-3-106100: {hit} 1 first hit {deny}"),
        ]
    );
    let shown = sallyport.line("show access-list");
    assert!(
        shown.contains("cached ACL log flows: total 2, denied 1 "),
        "{shown}"
    );
    told(&mut sallyport);
    sallyport.wait(Duration::from_secs(61));
    assert_eq!(
        told(&mut sallyport),
        [format!("%ASA-3-106100: {hit} 3 60-second interval {deny}")]
    );
}
