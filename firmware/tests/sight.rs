//! Requirement: connections, translations, hosts, rates and drops are shown as they are, and showing
//! them never holds up packets. Needs: nothing; virtual time.

mod common;
#[path = "common/frames.rs"]
mod frames;

use std::time::Duration;

use common::Box;
use firmware::Turn;
use frames::{End, arp_request, tcp, udp};

const OUTSIDE: u8 = 0;
const INSIDE: u8 = 1;
const DESK: [u8; 4] = [10, 20, 0, 40];
const OTHER_DESK: [u8; 4] = [10, 20, 0, 41];
const GATEWAY: [u8; 4] = [203, 0, 113, 1];
const SERVER: [u8; 4] = [198, 51, 100, 20];
const PUBLIC: [u8; 4] = [203, 0, 113, 2];

const SYN: u8 = 2;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;

const CONFIGURATION: &str = "configure terminal\nhostname asa1\ninterface gi0/0\n nameif outside\n \
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nexit\nroute outside 0 0 203.0.113.1\n\
     object network lan\n subnet 10.20.0.0 255.255.255.0\n nat (inside,outside) dynamic interface\nend";

/// A box that knows its neighbours.
fn configured() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(CONFIGURATION);
    sallyport.config(common::KEEP_SEQUENCES);
    for (port, host, own) in [
        (INSIDE, DESK, [10, 20, 0, 1]),
        (INSIDE, OTHER_DESK, [10, 20, 0, 1]),
        (OUTSIDE, GATEWAY, PUBLIC),
    ] {
        send(&mut sallyport, port, &arp_request(host, own));
    }
    sallyport
}

fn send(sallyport: &mut Box, port: u8, frame: &[u8]) -> usize {
    for end in &sallyport.ends {
        drop(end.receive_all());
    }
    assert!(sallyport.ends[usize::from(port)].send(frame));
    sallyport.wait(Duration::from_millis(1));
    sallyport
        .ends
        .iter()
        .map(|end| end.receive_all().len())
        .sum()
}

/// What a command printed, without the command, the prompt and carriage returns.
fn ask(sallyport: &mut Box, command: &str) -> String {
    let printed = sallyport.line(command).replace('\r', "");
    let (_, answer) = printed.split_once('\n').expect("the end of the command");
    let end = answer.rfind('\n').map_or(0, |end| end + 1);
    answer[..end].to_string()
}

/// A name is looked up, and a page fetched, by the desk.
fn browse(sallyport: &mut Box) {
    let query = udp(INSIDE, DESK, (DESK, 3000), (SERVER, 53), b"query");
    assert_eq!(send(sallyport, INSIDE, &query), 1);
    let (client, server): (End, End) = ((DESK, 40_000), (SERVER, 443));
    let public = (PUBLIC, 40_000);
    for (port, frame) in [
        (
            INSIDE,
            tcp(INSIDE, DESK, client, server, SYN, [1000, 0], b""),
        ),
        (
            OUTSIDE,
            tcp(OUTSIDE, GATEWAY, server, public, SYN_ACK, [5000, 1001], b""),
        ),
        (
            INSIDE,
            tcp(INSIDE, DESK, client, server, ACK, [1001, 5001], b""),
        ),
        (
            OUTSIDE,
            tcp(
                OUTSIDE,
                GATEWAY,
                server,
                public,
                ACK,
                [5001, 1001],
                b"hello",
            ),
        ),
    ] {
        assert_eq!(send(sallyport, port, &frame), 1);
    }
}

const UDP_LINE: &str =
    "UDP outside 198.51.100.20:53 inside 10.20.0.40:3000, idle 0:00:00, bytes 33, flags -\n";
const TCP_LINE: &str =
    "TCP outside 198.51.100.20:443 inside 10.20.0.40:40000, idle 0:00:00, bytes 165, flags UxI\n";

#[test]
fn connections_are_shown_by_every_condition() {
    let mut sallyport = configured();
    browse(&mut sallyport);
    let all = format!("2 in use, 2 most used\n{UDP_LINE}{TCP_LINE}");
    for (conditions, lines) in [
        ("", [UDP_LINE, TCP_LINE].as_slice()),
        ("all", &[UDP_LINE, TCP_LINE]),
        ("protocol tcp", &[TCP_LINE]),
        ("protocol udp", &[UDP_LINE]),
        ("state up", &[TCP_LINE]),
        ("state data_out,data_in", &[TCP_LINE]),
        ("state data_out", &[]),
        ("state tcp_embryonic", &[]),
        ("port 443", &[TCP_LINE]),
        ("port domain-https", &[UDP_LINE, TCP_LINE]),
        ("port 54-442", &[]),
        ("address 203.0.113.2", &[UDP_LINE, TCP_LINE]),
        ("address 10.20.0.41", &[]),
        ("address 10.20.0.1-10.20.0.99 port 3000", &[UDP_LINE]),
        (
            "address 10.20.0.0 netmask 255.255.255.0 protocol tcp",
            &[TCP_LINE],
        ),
        ("address 10.21.0.0 netmask 255.255.255.0", &[]),
    ] {
        let shown = ask(&mut sallyport, format!("show conn {conditions}").trim_end());
        let expected: String = ["2 in use, 2 most used\n"]
            .iter()
            .chain(lines)
            .copied()
            .collect();
        // Typing takes its time.
        let shown = shown.replace("idle 0:00:01", "idle 0:00:00");
        assert_eq!(
            shown.replace("idle 0:00:02", "idle 0:00:00"),
            expected,
            "{conditions}"
        );
    }
    assert_eq!(
        ask(&mut sallyport, "show conn count"),
        "2 in use, 2 most used\n"
    );
    assert!(
        ask(&mut sallyport, "show conn | include TCP")
            .starts_with("TCP outside 198.51.100.20:443 ")
    );
    assert_eq!(
        ask(&mut sallyport, "show conn | count"),
        format!("Number of lines which match: {}\n", all.lines().count())
    );
    for (wrong, complaint) in [
        ("state open", "ERROR: open is no state; there are up, "),
        (
            "address 10.20.0.9-10.20.0.1",
            "ERROR: 10.20.0.9-10.20.0.1 is no address and no range\n",
        ),
        (
            "address 10.20.0.1-10.20.0.9 netmask 255.0.0.0",
            "ERROR: a range of addresses takes no netmask\n",
        ),
        ("port 9-1", "ERROR: 9-1 is no port and no range\n"),
        ("| include (", "ERROR: % Invalid regular expression\n"),
    ] {
        let shown = ask(&mut sallyport, &format!("show conn {wrong}"));
        assert!(shown.starts_with(complaint), "{shown}");
    }
}

#[test]
fn the_longer_forms_tell_translations_times_and_who_began() {
    let mut sallyport = configured();
    browse(&mut sallyport);
    sallyport.wait(Duration::from_secs(70));
    let legend = "2 in use, 2 most used
Flags: A - awaiting inside ACK to SYN, a - awaiting outside ACK to SYN,
       B - initial SYN from outside, F - outside FIN, f - inside FIN,
       I - inbound data, O - outbound data, R - outside acknowledged FIN,
       r - inside acknowledged FIN, S - awaiting inside SYN,
       s - awaiting outside SYN, T - SIP, U - up, x - per session
";
    assert_eq!(
        ask(&mut sallyport, "show conn long protocol tcp"),
        format!(
            "{legend}TCP outside: 198.51.100.20/443 (198.51.100.20/443) inside: 10.20.0.40/40000 \
             (203.0.113.2/40000), flags UxI , idle 1m10s, uptime 1m10s, timeout 1h0m, bytes 165\n  \
             Initiator: 10.20.0.40, Responder: 198.51.100.20\n"
        )
    );
    assert_eq!(
        ask(&mut sallyport, "show conn detail protocol udp"),
        format!(
            "{legend}UDP outside: 198.51.100.20/53 (198.51.100.20/53) inside: 10.20.0.40/3000 \
             (203.0.113.2/3000),\n    flags -, idle 1m10s, uptime 1m10s, timeout 2m0s, bytes 33\n  \
             Initiator: 10.20.0.40, Responder: 198.51.100.20\n"
        )
    );
}

#[test]
fn connections_are_cleared_by_condition() {
    let mut sallyport = configured();
    browse(&mut sallyport);
    for (command, count) in [
        ("clear conn address 10.20.0.41", 0),
        ("clear conn port https protocol udp", 0),
        ("clear conn port https protocol tcp", 1),
        ("clear conn", 1),
        ("clear conn all", 0),
    ] {
        assert_eq!(
            ask(&mut sallyport, command),
            format!("{count} connection(s) deleted.\n"),
            "{command}"
        );
    }
    assert_eq!(ask(&mut sallyport, "show conn"), "0 in use, 2 most used\n");
}

#[test]
fn packets_pass_while_a_long_list_is_shown() {
    let mut sallyport = configured();
    for port in 1..=1500 {
        let frame = udp(INSIDE, DESK, (DESK, 2000 + port), (SERVER, 9), b"");
        assert_eq!(send(&mut sallyport, INSIDE, &frame), 1);
    }
    sallyport.wait(Duration::from_millis(100));
    sallyport.terminal.push_input(b"show conn\r");
    let mut shown = String::new();
    while !shown.contains("UDP") {
        assert_eq!(sallyport.appliance.turn(), Turn::Busy);
        shown += &sallyport.terminal.take_text();
    }
    let frame = udp(INSIDE, DESK, (DESK, 2001), (SERVER, 9), b"");
    assert!(sallyport.ends[usize::from(INSIDE)].send(&frame));
    for _ in 0..4 {
        assert_eq!(sallyport.appliance.turn(), Turn::Busy);
    }
    shown += &sallyport.terminal.take_text();
    assert_eq!(sallyport.ends[usize::from(OUTSIDE)].receive_all().len(), 1);
    let before = shown.matches("UDP").count();
    assert!(before < 1500, "the list was not made in one piece");
    sallyport.settle();
    shown += &sallyport.terminal.take_text();
    assert_eq!(shown.matches("UDP").count(), 1500);
    assert!(shown.ends_with("asa1# "), "nothing is left unsaid");
    // Ctrl-C ends it between two pieces.
    let broken_off = sallyport.type_text("show conn\r\u{3}");
    let count = broken_off.matches("UDP").count();
    assert!((1..1500).contains(&count), "{count}");
    assert!(broken_off.ends_with("asa1# "));
    // A full page waits, `q` ends it, and translations are as many.
    sallyport.line("terminal pager 5");
    let page = sallyport.line("show conn");
    assert!(page.ends_with("<--- More --->"), "{page}");
    assert!(sallyport.type_text("q").ends_with("asa1# "));
    assert!(ask(&mut sallyport, "show xlate | count UDP").contains("1500"));
}

#[test]
fn hosts_are_shown_with_what_they_hold() {
    let mut sallyport = configured();
    browse(&mut sallyport);
    let syn = tcp(
        INSIDE,
        OTHER_DESK,
        (OTHER_DESK, 5000),
        (SERVER, 80),
        SYN,
        [1, 0],
        b"",
    );
    assert_eq!(send(&mut sallyport, INSIDE, &syn), 1);
    let brief = ask(&mut sallyport, "show local-host connection");
    assert!(
        brief.starts_with(
            "Interface outside:
local host: <198.51.100.20>,
    TCP flow count = 2
    TCP embryonic count to host = 1
    UDP flow count = 1
    Other flow count = 0

  Conn:
    UDP outside 198.51.100.20:53 inside 10.20.0.40:3000, idle 0:00:00, bytes 33, flags -
    TCP outside 198.51.100.20:443 inside 10.20.0.40:40000, "
        ),
        "{brief}"
    );
    assert_eq!(
        ask(&mut sallyport, "show local-host 10.20.0.41"),
        "Interface inside:
local host: <10.20.0.41>,
    TCP flow count = 1
    TCP embryonic count to host = 0
    UDP flow count = 0
    Other flow count = 0

  Xlate:
    TCP PAT from inside:10.20.0.41/5000 to outside:203.0.113.2/5000 flags ri idle 0:00:00 timeout 0:00:00

  Conn:
    TCP outside 198.51.100.20:80 inside 10.20.0.41:5000, idle 0:00:00, bytes 40, flags saAx\n"
    );
    let xlates = ask(&mut sallyport, "show local-host 10.20.0.40 xlate");
    assert!(
        xlates.contains("Xlate:") && !xlates.contains("Conn:"),
        "{xlates}"
    );
    let detail = ask(&mut sallyport, "show local-host 10.20.0.40 detail");
    assert!(detail.contains("      Initiator: 10.20.0.40,"), "{detail}");
    sallyport.line("clear local-host 10.20.0.40");
    assert_eq!(ask(&mut sallyport, "show local-host 10.20.0.40"), "");
    assert_eq!(
        ask(&mut sallyport, "show conn count"),
        "1 in use, 3 most used\n"
    );
}

#[test]
fn more_hosts_than_one_pass_collects_are_shown_once_each_in_order() {
    let mut sallyport = configured();
    for number in (0..150).rev() {
        let host = [10, 20, 0, 100 + number];
        let frame = udp(INSIDE, host, (host, 3000), (SERVER, 9), b"");
        assert_eq!(send(&mut sallyport, INSIDE, &frame), 1);
    }
    let shown = ask(&mut sallyport, "show local-host | include local host");
    let hosts: Vec<&str> = shown.lines().collect();
    let mut expected = vec!["local host: <198.51.100.20>,".to_string()];
    expected.extend((0..150).map(|number| format!("local host: <10.20.0.{}>,", 100 + number)));
    assert_eq!(hosts, expected);
}

#[test]
fn rates_follow_the_traffic_and_outlive_the_clearing_of_counters() {
    let mut sallyport = configured();
    // Ten datagrams of 47 bytes a second.
    for _ in 0..700 {
        let frame = udp(INSIDE, DESK, (DESK, 3000), (SERVER, 9), b"query");
        send(&mut sallyport, INSIDE, &frame);
        sallyport.wait(Duration::from_millis(99));
    }
    let shown = ask(&mut sallyport, "show traffic");
    let inside = shown.split("inside:\n").nth(1).expect("the inside");
    for line in [
        "      1 minute input rate 10 pkts/sec,  470 bytes/sec\n",
        "      1 minute output rate 0 pkts/sec,  0 bytes/sec\n",
        "      1 minute drop rate, 0 pkts/sec\n",
    ] {
        assert!(inside.contains(line), "{line} in {inside}");
    }
    sallyport.line("clear traffic");
    sallyport.line("clear interface");
    for command in ["show traffic", "show interface inside"] {
        let shown = ask(&mut sallyport, command);
        assert!(
            shown.contains("1 minute input rate 9 pkts/sec")
                || shown.contains("1 minute input rate 10 pkts/sec"),
            "{command}: {shown}"
        );
    }
    assert!(
        ask(&mut sallyport, "show traffic").contains(
            "inside:\n\treceived (in 0.400 secs):\n\t\t0 packets\t0 bytes\n\t\t0 pkts/sec\t0 bytes/sec\n"
        ),
    );
    assert!(ask(&mut sallyport, "show interface inside").contains("\t0 packets input, 0 bytes\n"));
    sallyport.wait(Duration::from_secs(70));
    assert!(ask(&mut sallyport, "show traffic").contains("1 minute input rate 0 pkts/sec"));
}

#[test]
fn perfmon_tells_what_is_opened_in_a_second() {
    let mut sallyport = configured();
    sallyport.wait(Duration::from_secs(5));
    for number in 0..100u16 {
        let frame = udp(INSIDE, DESK, (DESK, 3000 + number), (SERVER, 9), b"");
        send(&mut sallyport, INSIDE, &frame);
    }
    sallyport.wait(Duration::from_secs(5));
    let shown = ask(&mut sallyport, "show perfmon");
    assert!(shown.contains("PERFMON STATS:                     Current      Average\n"));
    for (what, current) in [
        ("Xlates", 20),
        ("Connections", 20),
        ("TCP Conns", 0),
        ("UDP Conns", 20),
    ] {
        let line = shown
            .lines()
            .find(|line| line.starts_with(what))
            .expect(what);
        assert_eq!(
            line.get(33..41).map(str::trim),
            Some(format!("{current}/s").as_str()),
            "{shown}"
        );
        assert_ne!(line.get(41..54).map(str::trim), None, "{shown}");
    }
}

#[test]
fn drops_are_shown_by_name_and_cleared_by_somebody() {
    let mut sallyport = configured();
    sallyport.config("configure terminal\nusername ann password annspass1 privilege 15\nend");
    let stray = tcp(
        OUTSIDE,
        GATEWAY,
        (SERVER, 443),
        (PUBLIC, 1),
        ACK,
        [1, 1],
        b"",
    );
    send(&mut sallyport, OUTSIDE, &stray);
    let denied = tcp(OUTSIDE, GATEWAY, (SERVER, 443), (DESK, 1), SYN, [1, 1], b"");
    send(&mut sallyport, OUTSIDE, &denied);
    let frames = ask(&mut sallyport, "show asp drop frame");
    assert_eq!(
        ask(&mut sallyport, "show asp drop frame acl-drop"),
        "Frame drop:
  Flow is denied by configured rule (acl-drop)                                 1

Last clearing: Never\n",
        "{frames}"
    );
    assert!(
        ask(&mut sallyport, "show asp drop flow nat-rpf-failed").contains(
            "  NAT reverse path failed (nat-rpf-failed)                                     0\n"
        )
    );
    assert_eq!(
        ask(&mut sallyport, "show asp drop frame nonsense"),
        "ERROR: there is no drop reason nonsense\n"
    );
    sallyport.line("clear asp drop frame");
    let shown = ask(&mut sallyport, "show asp drop");
    let (frames, flows) = shown.split_once("Flow drop:").expect("both halves");
    assert!(
        !frames.contains("acl-drop") && frames.contains("by enable_15\n"),
        "{shown}"
    );
    assert!(flows.contains("Last clearing: Never\n"), "{shown}");
    sallyport.config("configure terminal\naaa authentication serial console LOCAL\nend");
    sallyport.line("exit");
    sallyport.type_text("\r");
    sallyport.type_text("ann\rannspass1\renable\rcisco123\r");
    sallyport.line("clear asp drop flow");
    let shown = ask(&mut sallyport, "show asp drop flow");
    assert!(
        shown.starts_with("Flow drop:\n\nLast clearing: 12:00:")
            && shown.ends_with(" 2026 by ann\n"),
        "{shown}"
    );
}

#[test]
fn addresses_are_shown_with_how_they_came() {
    let mut sallyport = configured();
    let lines =
        "Interface                Name                   IP address      Subnet mask     Method 
GigabitEthernet0/0       outside                203.0.113.2     255.255.255.240 manual
GigabitEthernet0/1       inside                 10.20.0.1       255.255.255.0   manual\n";
    assert_eq!(
        ask(&mut sallyport, "show ip address"),
        format!("System IP Addresses:\n{lines}Current IP Addresses:\n{lines}")
    );
}
