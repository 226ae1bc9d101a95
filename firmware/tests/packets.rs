//! Requirement: no frame before policy; bad frames are counted and the box stays up.
//! Needs: nothing; virtual time.

mod common;

use common::Box;
use std::time::Duration;

const INTERFACES: &str = "configure terminal\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nend";

/// An ARP request of 10.20.0.40 for 10.20.0.1.
fn arp_request() -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 40, 8, 6]);
    frame.extend([0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend([2, 0, 0, 0, 0, 40, 10, 20, 0, 40]);
    frame.extend([0, 0, 0, 0, 0, 0, 10, 20, 0, 1]);
    frame
}

/// Whether `frame` is an ARP reply from 10.20.0.1.
fn is_arp_reply(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[8, 6])
        && frame.get(20..22) == Some(&[0, 2])
        && frame.get(28..32) == Some(&[10, 20, 0, 1])
}

#[test]
fn a_box_without_policy_neither_listens_nor_speaks() {
    let mut sallyport = Box::boot();
    for _ in 0..10 {
        assert!(sallyport.ends[1].send(&arp_request()));
    }
    sallyport.wait(Duration::from_secs(5));
    assert!(
        sallyport
            .ends
            .iter()
            .all(|end| end.receive_all().is_empty())
    );
    sallyport.enable();
    sallyport.config(INTERFACES);
    assert!(sallyport.ends[1].send(&arp_request()));
    sallyport.wait(Duration::from_secs(1));
    let answers = sallyport.ends[1].receive_all();
    assert!(
        answers.iter().any(|frame| is_arp_reply(frame)),
        "{answers:?}"
    );
}

#[test]
fn a_port_that_is_shut_down_falls_silent_at_once() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(INTERFACES);
    sallyport.config("configure terminal\ninterface gi0/1\n shutdown\nend");
    drop(sallyport.ends[1].receive_all());
    assert!(sallyport.ends[1].send(&arp_request()));
    sallyport.wait(Duration::from_secs(1));
    assert!(sallyport.ends[1].receive_all().is_empty());
    assert!(
        sallyport
            .line("show interface ip brief")
            .contains("administratively down")
    );
}

#[test]
fn malformed_frames_end_in_named_counters_and_the_box_goes_on() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(INTERFACES);
    let mac = [0x52, 0x54, 0, 0, 0, 2];
    let ethernet = |kind: [u8; 2]| -> Vec<u8> {
        mac.into_iter()
            .chain([2, 0, 0, 0, 0, 40])
            .chain(kind)
            .collect()
    };
    let mut bad_checksum = ethernet([8, 0]);
    bad_checksum.extend([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0xde, 0xad]);
    bad_checksum.extend([10, 20, 0, 40, 10, 20, 0, 1, 0, 7, 0, 7, 0, 8, 0, 0]);
    let mut short = ethernet([8, 0]);
    short.extend([0x45, 0, 0, 200]);
    for frame in [bad_checksum, short, ethernet([0x86, 0xdd]), vec![1, 2, 3]] {
        assert!(sallyport.ends[1].send(&frame));
    }
    sallyport.wait(Duration::from_secs(1));
    let drops = sallyport.line("show asp drop frame");
    assert!(drops.contains("(invalid-ip-header)"), "{drops}");
    assert!(drops.contains("(invalid-encap)"), "{drops}");
    assert!(sallyport.ends[1].send(&arp_request()));
    sallyport.wait(Duration::from_secs(1));
    assert!(
        sallyport.ends[1]
            .receive_all()
            .iter()
            .any(|frame| is_arp_reply(frame))
    );
}

#[test]
fn a_saved_configuration_with_a_flipped_byte_falls_back_to_the_older_one() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config("configure terminal\nhostname older\nend");
    assert!(sallyport.line("write memory").contains("[OK]"));
    sallyport.config("configure terminal\nhostname newer\nend");
    assert!(sallyport.line("write memory").contains("[OK]"));
    // The bytes of the newer text, wherever they are on the disk.
    let medium = sallyport.disk.medium();
    let (sector, offset) = medium
        .iter()
        .enumerate()
        .find_map(|(sector, bytes)| {
            let at = bytes
                .windows(14)
                .position(|text| text == b"hostname newer")?;
            Some((sector, at))
        })
        .expect("the text is on the disk");
    sallyport.disk.flip(sector as u64, offset, 0x20);
    let again = Box::boot_with(sallyport.disk.clone());
    let greeting = again.terminal.take_text();
    assert!(
        greeting.contains("loaded configuration generation 1"),
        "{greeting}"
    );
    assert!(
        greeting.contains("the other slot was not used"),
        "{greeting}"
    );
    assert!(greeting.ends_with("older> "), "{greeting}");
}
