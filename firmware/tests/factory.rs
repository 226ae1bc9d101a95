//! Requirement: a box out of the factory can be set up by answering questions, a pasted configuration
//! loses no line to them, and lost passwords can be removed at the console without giving away what
//! the keys protect. Needs: nothing; virtual time.

mod common;

use std::time::Duration;

use common::Box;
use hal_sim::disk::SimDisk;

fn new_box() -> (Box, String) {
    let sallyport = Box::boot_with(SimDisk::new(32_768, 7));
    let printed = sallyport.terminal.take_text();
    (sallyport, printed)
}

/// A box with passwords, a user, a key pair and a time server's key, saved.
fn closed_box(more: &str) -> SimDisk {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(
        "configure terminal\nhostname edge\nusername ann password annspass privilege 15\n\
         aaa authentication serial console LOCAL\nntp authentication-key 1 md5 sharedsecret\n\
         ntp authenticate\nntp trusted-key 1\nntp server 192.0.2.123 key 1",
    );
    for line in more.lines() {
        sallyport.line(line);
    }
    let printed = sallyport.line("crypto key generate ecdsa label signing-pair");
    assert!(!printed.contains("ERROR"), "{printed}");
    sallyport.line("end");
    let printed = sallyport.line("write memory");
    assert!(printed.contains("[OK]"), "{printed}");
    sallyport.disk
}

/// The bytes of the whole disk.
fn everything(disk: &SimDisk) -> Vec<u8> {
    disk.medium().concat()
}

fn holds(disk: &SimDisk, needle: &[u8]) -> bool {
    everything(disk)
        .windows(needle.len())
        .any(|window| window == needle)
}

#[test]
fn a_new_box_offers_questions_and_the_answers_are_saved() {
    let (mut sallyport, printed) = new_box();
    assert!(
        printed.ends_with("Pre-configure Sallyport now through interactive prompts [yes]? "),
        "{printed}"
    );
    let printed = sallyport.line("");
    assert!(printed.ends_with("Host name [sallyport]: "), "{printed}");
    // Refused answers are asked for again, in the words of the configuration.
    let printed = sallyport.line("two words");
    assert!(printed.contains("ERROR"), "{printed}");
    assert!(printed.ends_with("Host name [sallyport]: "), "{printed}");
    sallyport.line("edge1");
    let printed = sallyport.line("example.com");
    assert!(printed.ends_with("Enable password: "), "{printed}");
    let printed = sallyport.line("no");
    assert!(printed.contains("3 to 127"), "{printed}");
    sallyport.line("cisco123");
    let printed = sallyport.line("cisco123");
    assert!(!printed.contains("cisco123"), "{printed}");
    assert!(
        printed.ends_with("Allow password recovery [yes]? "),
        "{printed}"
    );
    let printed = sallyport.line("no");
    assert!(
        printed.ends_with("Clock (UTC):\r\n  Year [2026]: "),
        "{printed}"
    );
    sallyport.line("2027");
    sallyport.line("Feb");
    sallyport.line("30");
    let printed = sallyport.line("12:00:00");
    assert!(
        printed.contains("ERROR: there is no such date and time"),
        "{printed}"
    );
    for answer in ["2027", "Feb", "28", "12:00:00"] {
        sallyport.line(answer);
    }
    sallyport.line("");
    sallyport.line("10.1.1.300");
    let printed = sallyport.line("");
    assert!(printed.contains("ERROR"), "{printed}");
    sallyport.line("");
    sallyport.line("10.1.1.1");
    let printed = sallyport.line("255.255.255.0");
    for told in [
        "Host name: edge1",
        "Domain name: example.com",
        "Enable password: <new password>",
        "Allow password recovery: no",
        "Clock (UTC): 12:00:00 Feb 28 2027",
        "Inside interface: GigabitEthernet0/1",
        "Inside IP address: 10.1.1.1",
        "Use this configuration and save to flash [yes]? ",
    ] {
        assert!(printed.contains(told), "{told} in {printed}");
    }
    let printed = sallyport.line("");
    assert!(printed.contains("[OK]"), "{printed}");
    assert!(printed.ends_with("edge1> "), "{printed}");

    let mut again = Box::boot_with(sallyport.disk);
    assert!(again.terminal.take_text().ends_with("edge1> "));
    let printed = again.type_text("enable\rcisco123\rterminal pager 0\rshow running-config\r");
    for line in [
        "interface GigabitEthernet0/1\r\n nameif inside\r\n security-level 100\r\n ip address 10.1.1.1",
        "domain-name example.com",
        "no service password-recovery",
    ] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
}

#[test]
fn leaving_the_questions_changes_nothing_and_setup_asks_again() {
    let (mut sallyport, _) = new_box();
    sallyport.line("yes");
    sallyport.line("edge1");
    let printed = sallyport.type_text("\u{3}");
    assert!(printed.contains("nothing was changed"), "{printed}");
    assert!(printed.ends_with("sallyport> "), "{printed}");
    sallyport.enable();
    sallyport.line("setup");
    sallyport.line("edge2");
    let printed = sallyport.line("");
    assert!(
        printed.ends_with("Enable password [<use current password>]: "),
        "{printed}"
    );
    for _ in 0..7 {
        sallyport.line("");
    }
    sallyport.line("192.0.2.1");
    sallyport.line("");
    let printed = sallyport.line("no");
    assert!(printed.ends_with("sallyport# "), "{printed}");
    assert!(!sallyport.line("show running-config").contains("edge2"));
}

#[test]
fn a_configuration_pasted_at_the_offer_is_taken_whole() {
    let (mut sallyport, _) = new_box();
    let printed = sallyport
        .type_text("enable\rcisco123\rcisco123\rconfigure terminal\rhostname pasted\rend\r");
    assert!(printed.ends_with("pasted# "), "{printed}");
    assert!(!printed.contains("ERROR"), "{printed}");
}

#[test]
fn a_box_with_a_configuration_or_without_a_disk_that_works_asks_nothing() {
    let disk = closed_box("");
    let again = Box::boot_with(disk);
    let printed = again.terminal.take_text();
    assert!(printed.ends_with("Username: "), "{printed}");
    // Something is there and cannot be read: no time to ask for a name.
    let mut medium = closed_box("").medium();
    for byte in medium.iter_mut().flatten() {
        *byte ^= 1;
    }
    let broken = SimDisk::with_contents(medium, 7);
    let again = Box::boot_with(broken);
    assert!(again.terminal.take_text().ends_with("sallyport> "));
}

#[test]
fn a_break_removes_passwords_and_erases_the_keys() {
    let disk = closed_box("");
    assert!(holds(&disk, b"sharedsecret") && holds(&disk, b"signing-pair"));
    let mut again = Box::boot_with(disk);
    let greeting = again.terminal.take_text();
    assert!(
        greeting.contains("A break on this line within 30 seconds"),
        "{greeting}"
    );
    again.terminal.send_break();
    again.settle();
    let printed = again.terminal.take_text();
    assert!(printed.contains("Password recovery"), "{printed}");
    let printed = again.line("yes");
    assert!(printed.contains("1 key pair(s) erased"), "{printed}");
    assert!(printed.ends_with("edge> "), "{printed}");
    assert!(
        again
            .line("enable")
            .contains("The enable password is not set")
    );
    again.line("cisco999");
    again.line("cisco999");
    let printed = again.line("show crypto key mypubkey ecdsa");
    assert!(!printed.contains("signing-pair"), "{printed}");

    // And over a restart: neither slot of the configuration holds a secret any more.
    assert!(!holds(&again.disk, b"sharedsecret") && !holds(&again.disk, b"signing-pair"));
    let third = Box::boot_with(again.disk.clone());
    let printed = third.terminal.take_text();
    assert!(printed.ends_with("edge> "), "{printed}");
}

#[test]
fn a_refusal_of_the_recovery_leaves_everything_as_it_was() {
    let mut again = Box::boot_with(closed_box(""));
    again.terminal.send_break();
    again.settle();
    let printed = again.line("no");
    assert!(printed.contains("nothing was changed"), "{printed}");
    assert!(printed.ends_with("Username: "), "{printed}");
}

#[test]
fn a_late_break_is_nothing() {
    let mut again = Box::boot_with(closed_box(""));
    let _ = again.terminal.take_text();
    again.wait(Duration::from_secs(31));
    again.terminal.send_break();
    again.wait(Duration::from_secs(1));
    assert_eq!(again.terminal.take_text(), "");
}

#[test]
fn without_recovery_a_break_can_only_erase_everything() {
    let disk =
        closed_box("no service password-recovery\ncopy running-config disk0:/golden.cfg\n\n");
    assert!(holds(&disk, b"hostname edge"));
    let mut again = Box::boot_with(disk);
    again.terminal.send_break();
    again.settle();
    let printed = again.terminal.take_text();
    assert!(
        printed.contains("Password recovery is disabled"),
        "{printed}"
    );
    again.line("yes");
    again.wait(Duration::from_secs(1));
    assert_eq!(again.power.requests().resets, 1, "it restarts");
    assert!(!holds(&again.disk, b"hostname edge"));
    assert!(!holds(&again.disk, b"sharedsecret"));
    let third = Box::boot_with(again.disk.clone());
    assert!(
        third
            .terminal
            .take_text()
            .ends_with("interactive prompts [yes]? ")
    );
}
