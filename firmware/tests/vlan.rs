//! Requirement: subinterfaces at the console: VLANs of one port are networks of their own, with
//! everything that is said of an interface by its name. Needs: nothing; virtual time.

mod common;
#[path = "common/frames.rs"]
mod frames;

use common::Box;
use frames::{arp_request, box_mac, tcp, udp};
use std::time::Duration;

const OUTSIDE: usize = 0;
const TRUNK: usize = 1;
const DESK: [u8; 4] = [10, 10, 0, 5];
const SERVER: [u8; 4] = [10, 20, 0, 5];
const WORLD: [u8; 4] = [198, 51, 100, 20];
const ROUTER: [u8; 4] = [203, 0, 113, 1];
const PUBLIC: [u8; 4] = [203, 0, 113, 5];

const CONFIGURATION: &str = "configure terminal\nhostname asa1\n\
    interface gi0/0\nnameif outside\nip address 203.0.113.2 255.255.255.240\nno shutdown\n\
    interface gi0/1\nno shutdown\n\
    interface gi0/1.20\nvlan 20\nnameif dmz\nsecurity-level 50\nip address 10.20.0.1 255.255.255.0\n\
    interface gi0/1.10\nvlan 10\ndescription desks\nnameif inside\nip address 10.10.0.1 255.255.255.0\n\
    exit\nroute outside 0 0 203.0.113.1\nmtu dmz 1400\n\
    object network desk\nhost 10.10.0.5\nnat (inside,outside) static 203.0.113.5\nexit\n\
    access-list in extended permit ip any any\naccess-group in in interface inside\nend";

fn tagged(vlan: u8, frame: &[u8]) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(12);
    [addresses, &[0x81, 0, 0, vlan], rest].concat()
}

/// Sends a frame, and returns what leaves at both ends.
fn send(sallyport: &mut Box, end: usize, frame: &[u8]) -> Vec<(usize, Vec<u8>)> {
    assert!(sallyport.ends[end].send(frame));
    sallyport.wait(Duration::from_millis(20));
    let mut left = Vec::new();
    for end in [OUTSIDE, TRUNK] {
        let frames = sallyport.ends[end].receive_all();
        left.extend(frames.into_iter().map(|frame| (end, frame)));
    }
    left
}

/// Whether the box answers a station in the DMZ.
fn answers(sallyport: &mut Box) -> bool {
    let ask = tagged(20, &arp_request(SERVER, [10, 20, 0, 1]));
    let left = send(sallyport, TRUNK, &ask);
    let is_answer =
        |frame: &[u8]| frame[12..18] == [0x81, 0, 0, 20, 8, 6] && frame[24..26] == [0, 2];
    left.iter()
        .any(|(end, frame)| *end == TRUNK && is_answer(frame))
}

fn configured() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(CONFIGURATION);
    sallyport.wait(Duration::from_secs(2));
    for end in &sallyport.ends {
        drop(end.receive_all());
    }
    for (vlan, host, own) in [(10, DESK, [10, 10, 0, 1]), (20, SERVER, [10, 20, 0, 1])] {
        let answers = send(
            &mut sallyport,
            TRUNK,
            &tagged(vlan, &arp_request(host, own)),
        );
        let is_tagged =
            |frame: &[u8]| frame[12..18] == [0x81, 0, 0, vlan, 8, 6] && frame[6..12] == box_mac(1);
        assert!(
            matches!(answers.as_slice(), [(TRUNK, answer)] if is_tagged(answer)),
            "{answers:?}"
        );
    }
    let answers = send(
        &mut sallyport,
        OUTSIDE,
        &arp_request(ROUTER, [203, 0, 113, 2]),
    );
    assert_eq!(answers.len(), 1, "{answers:?}");
    sallyport
}

fn has_lines(shown: &str, lines: &[&str]) {
    for line in lines {
        assert!(shown.contains(line), "{line:?} in\n{shown}");
    }
}

#[test]
fn a_subinterface_is_configured_in_a_mode_of_its_own() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.line("configure terminal");
    let shown = sallyport.line("interface GigabitEthernet0/1.10");
    assert!(shown.contains("(config-subif)# "), "{shown}");
    let shown = sallyport.line("speed 100");
    assert!(
        shown.contains("% Invalid input detected at '^' marker."),
        "{shown}"
    );
    let shown = sallyport.line("vlan ?");
    assert!(shown.contains("<1-4094>"), "{shown}");
    sallyport.type_text("\x15");
    sallyport.config("vlan 10\ninterface gi0/1.11");
    let shown = sallyport.line("vlan 10");
    assert!(
        shown.contains("ERROR: VLAN 10 has been assigned to interface GigabitEthernet0/1.10"),
        "{shown}"
    );
    let shown = sallyport.line("no interface gi0/1");
    assert!(
        shown.contains("ERROR: Removal of physical interfaces is not permitted"),
        "{shown}"
    );
    sallyport.config("no interface gi0/1.11\nend");
    let shown = sallyport.line("show running-config interface gi0/1.10");
    has_lines(
        &shown,
        &[
            "interface GigabitEthernet0/1.10\r\n vlan 10\r\n no nameif\r\n no security-level\r\n no ip address\r\n",
        ],
    );
    assert!(!sallyport.line("show running-config").contains("0/1.11"));
}

#[test]
fn what_is_shown_of_a_subinterface_is_its_own() {
    let mut sallyport = configured();
    let packet = udp(1, DESK, (DESK, 5000), (SERVER, 53), b"question");
    let left = send(&mut sallyport, TRUNK, &tagged(10, &packet));
    let [(TRUNK, passed)] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert_eq!(passed[12..16], [0x81, 0, 0, 20]);

    let shown = sallyport.line("show interface gi0/1.20");
    has_lines(
        &shown,
        &[
            "Interface GigabitEthernet0/1.20 \"dmz\", is up, line protocol is up\r\n  \
           Hardware is simulated, BW 1000 Mbps, DLY 10 usec\r\n\
           \tVLAN identifier 20\r\n\
           \tMAC address 5254.0000.0002, MTU 1400\r\n\
           \tIP address 10.20.0.1, subnet mask 255.255.255.0\r\n  \
           Traffic Statistics for \"dmz\":\r\n\
           \t1 packets input, 42 bytes\r\n\
           \t3 packets output, 180 bytes\r\n\
           \t0 packets dropped\r\n",
        ],
    );
    assert!(!shown.contains("minute"), "{shown}");
    let shown = sallyport.line("show interface inside");
    has_lines(
        &shown,
        &[
            "Interface GigabitEthernet0/1.10 \"inside\", is up, line protocol is up",
            "\tVLAN identifier 10\r\n\tDescription: desks\r\n",
            "\t2 packets input, 92 bytes\r\n",
        ],
    );
    let shown = sallyport.line("show interface gi0/1");
    has_lines(
        &shown,
        &[
            "Interface GigabitEthernet0/1 \"\", is up, line protocol is up",
            "\tAvailable but not configured via nameif",
        ],
    );
    let shown = sallyport.line("show interface ip brief");
    has_lines(
        &shown,
        &[
            "GigabitEthernet0/1         unassigned      YES unset  up                    up\r\n",
            "GigabitEthernet0/1.10      10.10.0.1       YES manual up                    up\r\n",
            "GigabitEthernet0/1.20      10.20.0.1       YES manual up                    up\r\n",
        ],
    );
    let shown = sallyport.line("show nameif");
    has_lines(
        &shown,
        &["GigabitEthernet0/1.20    dmz                       50\r\n"],
    );
    let shown = sallyport.line("show ip address");
    has_lines(
        &shown,
        &[
            "GigabitEthernet0/1.10    inside                 10.10.0.1       255.255.255.0   manual\r\n",
        ],
    );
    has_lines(&sallyport.line("show vlan"), &["\r\n10, 20\r\n"]);
    has_lines(
        &sallyport.line("show arp"),
        &[
            "inside 10.10.0.5 0200.0a0a.0005",
            "dmz 10.20.0.5 0200.0a14.0005",
        ],
    );
    has_lines(
        &sallyport.line("show route"),
        &["C        10.20.0.0 255.255.255.0 is directly connected, dmz"],
    );
    has_lines(
        &sallyport.line("show conn"),
        &["UDP dmz 10.20.0.5:53 inside 10.10.0.5:5000"],
    );
    has_lines(&sallyport.line("show traffic"), &["dmz:\r\n\treceived"]);

    sallyport.line("clear interface dmz");
    let shown = sallyport.line("show interface dmz");
    has_lines(&shown, &["\t0 packets input, 0 bytes\r\n"]);
    let shown = sallyport.line("show interface inside");
    has_lines(&shown, &["\t2 packets input, 92 bytes\r\n"]);
    let shown = sallyport.line("clear interface gi0/1.7");
    has_lines(&shown, &["ERROR: there is no such interface"]);
}

#[test]
fn rules_translation_and_the_tracer_know_a_subinterface_by_its_name() {
    let mut sallyport = configured();
    let syn = tcp(1, DESK, (DESK, 40_000), (WORLD, 443), 2, [1, 0], b"");
    let left = send(&mut sallyport, TRUNK, &tagged(10, &syn));
    let [(OUTSIDE, passed)] = left.as_slice() else {
        panic!("{left:?}: {}", sallyport.line("show asp drop"));
    };
    assert_eq!(passed[12..14], [8, 0]);
    assert_eq!(passed[26..30], PUBLIC);
    // Sequence numbers are chosen anew.
    let sequence: [u8; 4] = passed[38..42].try_into().expect("four bytes");
    let next = u32::from_be_bytes(sequence).wrapping_add(1);
    let numbers = [9, next];
    let answer = tcp(
        0,
        ROUTER,
        (WORLD, 443),
        (PUBLIC, 40_000),
        0x12,
        numbers,
        b"",
    );
    let left = send(&mut sallyport, OUTSIDE, &answer);
    let [(TRUNK, passed)] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert_eq!(passed[12..18], [0x81, 0, 0, 10, 8, 0]);
    assert_eq!(passed[34..38], DESK);
    has_lines(
        &sallyport.line("show xlate"),
        &["NAT from inside:10.10.0.5 to outside:203.0.113.5"],
    );
    let shown = sallyport.line("packet-tracer input dmz tcp 10.20.0.5 1000 10.10.0.5 22");
    has_lines(
        &shown,
        &[
            "input-interface: dmz",
            "output-interface: inside",
            "Drop-reason: (acl-drop)",
        ],
    );
    let shown = sallyport.line("packet-tracer input inside tcp 10.10.0.5 1000 10.20.0.5 22");
    has_lines(
        &shown,
        &[
            "output-interface: dmz",
            "output-line-status: up",
            "Action: allow",
        ],
    );
    has_lines(&sallyport.line("show access-list in"), &["(hitcnt="]);
}

#[test]
fn captures_print_and_export_the_tag() {
    let mut sallyport = configured();
    sallyport.config("capture c interface inside\ncapture d type asp-drop all\n");
    let packet = udp(1, DESK, (DESK, 5000), (SERVER, 53), b"question");
    send(&mut sallyport, TRUNK, &tagged(10, &packet));
    send(&mut sallyport, TRUNK, &tagged(30, &packet));
    let shown = sallyport.line("show capture c");
    has_lines(
        &shown,
        &["802.1Q vlan#10 P0 10.10.0.5.5000 > 10.20.0.5.53:  udp 8"],
    );
    let shown = sallyport.line("show capture d detail");
    has_lines(
        &shown,
        &[
            "0x8100 Length: 54",
            "802.1Q vlan#30 P0",
            "Drop-reason: (vlan-unknown)",
        ],
    );
    let shown = sallyport.line("show asp drop");
    has_lines(&shown, &["(vlan-unknown)"]);
    let shown = sallyport.line("show capture c dump");
    has_lines(&shown, &["8100 000a", "0800 4500"]);
}

#[test]
fn the_port_takes_its_subinterfaces_down_and_they_go_with_their_lines() {
    let mut sallyport = configured();
    sallyport.config("configure terminal\ninterface gi0/1\nshutdown\nend");
    sallyport.wait(Duration::from_secs(1));
    let shown = sallyport.line("show interface ip brief");
    has_lines(
        &shown,
        &[
            "GigabitEthernet0/1         unassigned      YES unset  administratively down down",
            "GigabitEthernet0/1.20      10.20.0.1       YES manual down                  down",
        ],
    );
    assert!(!sallyport.line("show route").contains("dmz"));
    sallyport.config("configure terminal\ninterface gi0/1\nno shutdown\nend");
    sallyport.wait(Duration::from_secs(2));
    assert!(sallyport.line("show route").contains("dmz"));
    assert!(answers(&mut sallyport));

    // Its own switch, then its VLAN.
    for (off, on) in [("shutdown", "no shutdown"), ("no vlan", "vlan 20")] {
        sallyport.config(&format!(
            "configure terminal\ninterface gi0/1.20\n{off}\nend"
        ));
        sallyport.wait(Duration::from_secs(1));
        assert!(!answers(&mut sallyport), "{off}");
        sallyport.config(&format!(
            "configure terminal\ninterface gi0/1.20\n{on}\nend"
        ));
        sallyport.wait(Duration::from_secs(1));
        assert!(answers(&mut sallyport), "{on}");
    }

    // What was saved is there again after a restart, with the same addresses.
    sallyport.line("write memory");
    let mut again = Box::boot_with(sallyport.disk.clone());
    again.wait(Duration::from_secs(2));
    assert!(answers(&mut again));
    again.type_text("enable\rcisco123\rterminal pager 0\r");
    has_lines(
        &again.line("show interface ip brief"),
        &["GigabitEthernet0/1.20      10.20.0.1       YES CONFIG up                    up"],
    );

    // A connection within the other VLAN stays while this one goes.
    let syn = tcp(1, DESK, (DESK, 40_000), (WORLD, 443), 2, [1, 0], b"");
    send(&mut sallyport, TRUNK, &tagged(10, &syn));
    sallyport.config("configure terminal\nno interface gi0/1.20\nend");
    sallyport.wait(Duration::from_secs(1));
    let shown = sallyport.line("show conn");
    assert!(shown.contains("198.51.100.20:443"), "{shown}");
    assert!(!sallyport.line("show running-config").contains("dmz"));
    assert!(!answers(&mut sallyport));
    has_lines(&sallyport.line("show asp drop"), &["(vlan-unknown)"]);
}
