//! Requirement: access lists are in force when they should be, and are shown as on the ASA.
//! Needs: nothing; virtual time.

mod common;

use common::Box;
use std::time::Duration;

const INTERFACES: &str = "configure terminal\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nexit\n";

const HOST: [u8; 4] = [10, 20, 0, 40];
const OWN: [u8; 4] = [10, 20, 0, 1];

fn sum(bytes: &[u8]) -> [u8; 2] {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

/// An echo request of the host to the box.
fn echo_request() -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 32, 0, 0, 0, 0, 64, 1, 0, 0];
    packet.extend(HOST);
    packet.extend(OWN);
    let header = sum(&packet);
    packet[10..12].copy_from_slice(&header);
    let mut message = vec![8, 0, 0, 0, 0, 9, 0, 1, b'p', b'i', b'n', b'g'];
    let message_sum = sum(&message);
    message[2..4].copy_from_slice(&message_sum);
    packet.extend(message);
    let mut frame = vec![0x52, 0x54, 0, 0, 0, 2, 2, 0, 0, 0, 0, 40, 8, 0];
    frame.extend(packet);
    frame
}

fn arp_request() -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 40, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend([2, 0, 0, 0, 0, 40]);
    frame.extend(HOST);
    frame.extend([0; 6]);
    frame.extend(OWN);
    frame
}

/// Whether the box answers an echo request, now.
fn answers(sallyport: &mut Box) -> bool {
    assert!(sallyport.ends[1].send(&arp_request()));
    sallyport.settle();
    drop(sallyport.ends[1].receive_all());
    assert!(sallyport.ends[1].send(&echo_request()));
    sallyport.settle();
    let frames = sallyport.ends[1].receive_all();
    frames.iter().any(|frame| frame.get(34) == Some(&0))
}

/// A box that denies echo while the range `OFFICE` is in force.
fn denying(range: &str) -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(INTERFACES);
    sallyport.config(&format!(
        "time-range OFFICE\n{range}\nexit\n\
         access-list to_box extended deny icmp any any echo time-range OFFICE\n\
         access-list to_box extended permit ip any any\n\
         access-group to_box in interface inside control-plane\nend"
    ));
    sallyport.wait(Duration::from_secs(1));
    sallyport
}

#[test]
fn a_time_range_begins_and_ends_to_the_moment() {
    let mut sallyport = denying("periodic weekdays 12:10 to 12:20");
    let almost = Duration::from_secs(60) - Duration::from_millis(1);
    sallyport.config("clock set 12:09:00 15 jan 2026");
    assert!(answers(&mut sallyport));
    sallyport.wait(almost);
    assert!(answers(&mut sallyport));
    sallyport.wait(Duration::from_millis(1));
    assert!(!answers(&mut sallyport));
    sallyport.config("clock set 12:19:00 15 jan 2026");
    sallyport.wait(almost);
    assert!(!answers(&mut sallyport));
    sallyport.wait(Duration::from_millis(1));
    assert!(answers(&mut sallyport));
}

#[test]
fn setting_the_clock_or_the_zone_judges_the_ranges_anew() {
    let mut sallyport = denying("absolute start 8:00 1 february 2026 end 23:59 1 february 2026");
    assert!(answers(&mut sallyport));
    sallyport.config("clock set 12:00:00 1 feb 2026");
    assert!(!answers(&mut sallyport));
    sallyport.config("clock set 12:00:00 1 mar 2026");
    assert!(answers(&mut sallyport));
    sallyport.config("clock set 23:59:59 1 feb 2026");
    assert!(!answers(&mut sallyport));
    sallyport.wait(Duration::from_secs(1));
    assert!(answers(&mut sallyport));
    // Back behind what was judged.
    sallyport.config("clock set 7:30:00 1 feb 2026");
    assert!(answers(&mut sallyport));
    sallyport.config("configure terminal\nclock timezone CET 1\nend");
    sallyport.wait(Duration::from_secs(1));
    assert!(!answers(&mut sallyport), "it is half past eight");
}

#[test]
fn an_element_out_of_its_time_is_shown_as_inactive() {
    let mut sallyport = denying("periodic Thursday 12:10 to 12:20");
    sallyport.config("clock set 12:15:00 15 jan 2026");
    assert!(!answers(&mut sallyport));
    let printed = sallyport.line("show access-list to_box");
    assert!(
        printed.contains(
            "access-list to_box; 2 elements; name hash: 0x3842e6ae\r\n\
             access-list to_box line 1 extended deny icmp any any echo time-range OFFICE (hitcnt=1) 0x"
        ),
        "{printed}"
    );
    let printed = sallyport.line("show time-range");
    assert!(
        printed.contains(
            "time-range entry: OFFICE (active)\r\n   periodic Thursday 12:10 to 12:20\r\n   \
             used in: IP ACL entry\r\n"
        ),
        "{printed}"
    );
    sallyport.config("clock set 12:25:00 15 jan 2026");
    let printed = sallyport.line("show access-list to_box");
    assert!(
        printed.contains("time-range OFFICE (hitcnt=1) (inactive) 0x"),
        "hits stay: {printed}"
    );
    let printed = sallyport.line("show time-range OFFICE");
    assert!(printed.contains("OFFICE (inactive)\r\n"), "{printed}");
    assert!(
        sallyport
            .line("show time-range NOBODY")
            .contains("ERROR: time-range NOBODY does not exist")
    );
}

#[test]
fn expanded_elements_have_counters_of_their_own_and_brief_tells_of_those_hit() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(INTERFACES);
    sallyport.config(
        "object-group network HOSTS\nnetwork-object host 10.20.0.39\n\
         network-object host 10.20.0.40\nexit\n\
         object network ONE\nrange 10.20.0.5 10.20.0.7\nexit\n\
         access-list to_box remark who may ask\n\
         access-list to_box extended deny ip object ONE any\n\
         access-list to_box extended permit icmp object-group HOSTS any log\n\
         access-list to_box extended permit tcp any any eq www inactive\n\
         access-group to_box in interface inside control-plane\nend",
    );
    sallyport.config("clock set 12:00:00 15 jan 2026");
    for _ in 0..3 {
        assert!(answers(&mut sallyport));
    }
    let printed = sallyport.line("show access-list to_box");
    let lines: Vec<_> = printed
        .lines()
        .filter(|line| line.contains(" line "))
        .map(|line| line.rsplit_once(" 0x").map_or(line, |(text, _)| text))
        .collect();
    assert_eq!(
        lines,
        [
            "access-list to_box line 1 remark who may ask",
            "access-list to_box line 2 extended deny ip object ONE any (hitcnt=0)",
            "  access-list to_box line 2 extended deny ip range 10.20.0.5 10.20.0.7 any (hitcnt=0)",
            "access-list to_box line 3 extended permit icmp object-group HOSTS any \
             log informational interval 300 (hitcnt=3)",
            "  access-list to_box line 3 extended permit icmp host 10.20.0.39 any \
             log informational interval 300 (hitcnt=0)",
            "  access-list to_box line 3 extended permit icmp host 10.20.0.40 any \
             log informational interval 300 (hitcnt=3)",
            "access-list to_box line 4 extended permit tcp any any eq www inactive (hitcnt=0) (inactive)",
        ]
    );
    let hash = |part: &str| {
        let line = printed.lines().find(|line| line.contains(part));
        let (_, hash) = line
            .and_then(|line| line.rsplit_once("0x"))
            .expect("a hash");
        hash.to_owned()
    };
    let brief = sallyport.line("show access-list to_box brief");
    let rows: Vec<_> = brief
        .lines()
        .filter(|line| line.split(' ').all(|word| word.len() == 8))
        .collect();
    // 2026-01-15T12:00:00Z.
    let expected = format!(
        "{} {} 00000003 {:08x}",
        hash("host 10.20.0.40"),
        hash("line 3 extended permit icmp object-group"),
        common::START
    );
    assert_eq!(rows, [expected], "{brief}");
    sallyport.line("clear access-list to_box counters");
    let printed = sallyport.line("show access-list to_box");
    assert!(!printed.contains("hitcnt=3"), "{printed}");
    // A line put in front moves the others and leaves their numbers alone.
    let before = hash("host 10.20.0.40");
    sallyport
        .config("configure terminal\naccess-list to_box line 1 extended deny gre any any\nend");
    sallyport.wait(Duration::from_secs(1));
    let printed = sallyport.line("show access-list to_box");
    let moved = printed
        .lines()
        .find(|line| line.contains("host 10.20.0.40"));
    let moved = moved.expect("it is still there");
    assert!(
        moved.contains("line 4 ") && moved.ends_with(&before),
        "{printed}"
    );
}

#[test]
fn a_list_that_does_not_fit_denies_what_it_has_not_decided() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(INTERFACES);
    let group = |name: &str, net: u8| {
        let members: String = (0..300u16)
            .map(|host| {
                format!(
                    " network-object host 10.{net}.{}.{}\r",
                    host / 250,
                    host % 250 + 1
                )
            })
            .collect();
        format!("object-group network {name}\r{members}exit\r")
    };
    // 90,000 elements; 64 MB have room for 65,536.
    sallyport.type_text(&group("A", 1));
    sallyport.type_text(&group("B", 2));
    // It is said once, before the prompt that follows.
    let said: String = [
        "access-list to_box extended permit icmp any any unreachable",
        "access-list to_box extended deny ip object-group A object-group B",
        "access-list to_box extended permit ip any any",
        "access-group to_box in interface inside control-plane",
        "end",
        "show clock",
        "show clock",
    ]
    .into_iter()
    .map(|line| sallyport.line(line))
    .collect();
    let warning = "WARNING: access-list to_box has more elements than there is memory for: from \
                   line 2 on it denies everything";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
    assert!(!answers(&mut sallyport));
    let printed = sallyport.line("show access-list to_box");
    assert!(printed.contains(warning), "{printed}");
    assert!(printed.contains("to_box; 1 elements;"), "{printed}");
    sallyport.config(
        "configure terminal\nno access-list to_box extended deny ip object-group A object-group B\nend",
    );
    sallyport.wait(Duration::from_secs(1));
    assert!(answers(&mut sallyport));
    assert!(
        !sallyport
            .line("show access-list to_box")
            .contains("WARNING")
    );
}
