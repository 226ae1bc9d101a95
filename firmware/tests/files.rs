//! Requirement: files are copied between disk, configurations, terminal and line, and a mistake costs
//! nothing. Needs: nothing; virtual time.

mod common;

use std::time::Duration;

use cli::xmodem::{SendEvent, Sender};
use common::{Box, receive};

fn box_with_file() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config("configure terminal\nhostname before\nend");
    let printed = sallyport.line("copy /noconfirm running-config disk0:/first.cfg");
    assert!(printed.contains("bytes copied in"), "{printed}");
    sallyport
}

/// Sends `bytes` to the box as `sx -k` does, and returns what the box prints after it.
fn send(sallyport: &mut Box, bytes: &[u8]) -> String {
    let now = |sallyport: &Box| hal::time::Monotonic::now(&sallyport.clock);
    let mut sender = Sender::new(bytes.to_vec(), now(sallyport));
    let mut shown = Vec::new();
    let mut rounds = 0..1_000_000;
    loop {
        assert!(rounds.next().is_some(), "the transfer never ends");
        while let Some(frame) = sender.poll_transmit(now(sallyport)).map(<[u8]>::to_vec) {
            sallyport.terminal.push_input(&frame);
        }
        match sender.poll_event() {
            Some(SendEvent::Done { .. }) => {
                for _ in 0..20 {
                    sallyport.wait(Duration::from_millis(100));
                    shown.extend(sallyport.terminal.take_output());
                }
                return String::from_utf8_lossy(&shown).into_owned();
            }
            Some(SendEvent::Failed(failure)) => return format!("sender: {failure}"),
            None => {}
        }
        sallyport.wait(Duration::from_millis(20));
        let answers = sallyport.terminal.take_output();
        shown.extend(&answers);
        for byte in answers {
            sender.handle_byte(byte, now(sallyport));
        }
        if sender.poll_timeout().is_some_and(|at| at <= now(sallyport)) {
            sender.handle_timeout(now(sallyport));
        }
    }
}

#[test]
fn a_configuration_is_kept_as_a_file_and_survives_a_restart() {
    let sallyport = box_with_file();
    let mut again = Box::boot_with(sallyport.disk.clone());
    again.enable();
    let printed = again.line("dir");
    assert!(printed.contains("Directory of disk0:/"), "{printed}");
    assert!(printed.contains("first.cfg"), "{printed}");
    assert!(printed.contains("1 file(s) total size:"), "{printed}");
    let printed = again.line("more disk0:/first.cfg");
    assert!(printed.contains("hostname before"), "{printed}");
    let printed = again.line("copy /noconfirm disk0:/first.cfg running-config");
    assert!(printed.contains("0 refused"), "{printed}");
    assert!(printed.ends_with("before# "), "{printed}");
}

#[test]
fn names_are_asked_for_and_files_not_overwritten_unasked() {
    let mut sallyport = box_with_file();
    let printed = sallyport.line("copy disk0:/first.cfg disk0:");
    assert!(
        printed.ends_with("Source filename [first.cfg]? "),
        "{printed}"
    );
    let printed = sallyport.type_text("\r");
    assert!(
        printed.ends_with("Destination filename [first.cfg]? "),
        "{printed}"
    );
    let printed = sallyport.type_text("second.cfg\r");
    assert!(printed.contains("bytes copied in"), "{printed}");
    let printed = sallyport.type_text("copy running-config disk0:/second.cfg\r\r");
    assert!(
        printed.ends_with("Do you want to over write? [confirm]"),
        "{printed}"
    );
    let printed = sallyport.type_text("n");
    assert!(!printed.contains("copied"), "{printed}");
    let printed = sallyport.line("rename /noconfirm first.cfg third.cfg");
    assert!(!printed.contains("ERROR"), "{printed}");
    let printed = sallyport.type_text("delete disk0:/second.cfg\r\ry");
    assert!(
        printed.contains("Delete filename [second.cfg]? "),
        "{printed}"
    );
    assert!(
        printed.contains("Delete disk0:/second.cfg? [confirm]"),
        "{printed}"
    );
    let printed = sallyport.line("dir");
    assert!(
        !printed.contains("second.cfg") && printed.contains("third.cfg"),
        "{printed}"
    );
    let printed = sallyport.line("more disk0:/second.cfg");
    assert!(printed.contains("ERROR"), "{printed}");
}

#[test]
fn an_upload_over_the_line_shows_its_hashes_and_arrives_whole() {
    let mut sallyport = box_with_file();
    let content: Vec<u8> = (0..70_001_u32)
        .map(|index| (index * 7 + index / 251) as u8 | 0x20)
        .collect();
    let printed = sallyport.line("copy /noconfirm xmodem: disk0:/image.bin");
    assert!(printed.contains("Send the file by XMODEM now"), "{printed}");
    let printed = send(&mut sallyport, &content);
    assert!(
        printed.contains("70001 bytes received to disk0:/image.bin"),
        "{printed}"
    );
    let hash = printed
        .lines()
        .find_map(|line| line.strip_prefix("SHA-256 "))
        .expect("a hash");
    let printed = sallyport.line("verify disk0:/image.bin");
    assert!(
        printed.contains("disk0:/image.bin: 70001 bytes"),
        "{printed}"
    );
    assert!(printed.contains(hash.trim()), "{printed}");
    sallyport.line("copy /noconfirm disk0:/image.bin xmodem:");
    let (bytes, printed) = receive(&mut sallyport);
    assert_eq!(bytes, content);
    assert!(printed.contains("70001 bytes sent"), "{printed}");
}

#[test]
fn an_upload_given_up_leaves_no_file() {
    let mut sallyport = box_with_file();
    sallyport.line("copy /noconfirm xmodem: disk0:/image.bin");
    sallyport.wait(Duration::from_secs(1));
    sallyport.terminal.push_input(b"\x03");
    let mut printed = String::new();
    for _ in 0..20 {
        sallyport.wait(Duration::from_secs(1));
        printed += &sallyport.terminal.take_text();
    }
    assert!(printed.contains("ERROR:"), "{printed}");
    assert!(printed.ends_with("before# "), "{printed}");
    let printed = sallyport.line("dir");
    assert!(!printed.contains("image.bin"), "{printed}");
}

#[test]
fn a_configuration_over_the_line_is_merged_with_its_mistakes_named() {
    let mut sallyport = box_with_file();
    sallyport.line("copy /noconfirm xmodem: running-config");
    let printed = send(
        &mut sallyport,
        b"domain-name example.com\nbogus line\nhostname after\n",
    );
    assert!(printed.contains("*** line 2, \"bogus line\""), "{printed}");
    assert!(
        printed.contains("at \"bogus\": ERROR: % Invalid input"),
        "{printed}"
    );
    assert!(
        printed.contains("3 statements: 2 applied, 0 no-op, 0 unsupported, 1 refused"),
        "{printed}"
    );
    assert!(printed.ends_with("after# "), "{printed}");
    sallyport.line("copy /noconfirm xmodem: running-config stop-on-error");
    let printed = send(&mut sallyport, b"hostname never\nbogus line\n");
    assert!(
        printed.contains("ERROR: 1 line(s) are refused, nothing was changed"),
        "{printed}"
    );
    assert!(printed.ends_with("after# "), "{printed}");
}

#[test]
fn a_file_becomes_the_startup_configuration_only_if_every_line_is_taken() {
    let mut sallyport = box_with_file();
    sallyport.config("configure terminal\nhostname after\nend");
    let printed = sallyport.line("copy /noconfirm disk0:/first.cfg startup-config");
    assert!(printed.contains("[OK]"), "{printed}");
    let printed = sallyport.line("show configuration diff");
    assert!(
        printed.contains("-hostname before\r\n+hostname after"),
        "{printed}"
    );
    let printed = sallyport
        .type_text("copy /noconfirm terminal: startup-config\rhostname x\rbogus line\r.\r");
    assert!(
        printed.contains("1 line(s) are refused, nothing was saved"),
        "{printed}"
    );
    let again = Box::boot_with(sallyport.disk.clone());
    assert!(again.terminal.take_text().ends_with("before> "));
}

#[test]
fn secrets_are_shown_where_an_administrator_asks_for_them_only() {
    let mut sallyport = box_with_file();
    sallyport.config("configure terminal\nntp authentication-key 1 md5 topsecret\nend");
    assert!(!sallyport.line("show running-config").contains("topsecret"));
    assert!(
        sallyport
            .line("more system:running-config")
            .contains("topsecret")
    );
}

#[test]
fn places_that_do_not_exist_are_refused_with_what_does() {
    let mut sallyport = box_with_file();
    let printed = sallyport.line("copy tftp://192.0.2.1/x running-config");
    assert!(
        printed.contains("ERROR: tftp: is not available; files come and go by xmodem:"),
        "{printed}"
    );
    let printed = sallyport.line("dir disk9:");
    assert!(printed.contains("ERROR"), "{printed}");
    let printed = sallyport.line("copy running-config running-config");
    assert!(
        printed.contains("ERROR: source and destination are the same"),
        "{printed}"
    );
}

#[test]
fn a_certificate_is_read_from_a_file() {
    let mut sallyport = box_with_file();
    sallyport.config("configure terminal\ncrypto ca trustpoint tp\nenrollment terminal\nend");
    sallyport.type_text("copy /noconfirm terminal: disk0:/ca.pem\rno certificate\r.\r");
    let printed =
        sallyport.type_text("configure terminal\rcrypto ca authenticate tp from disk0:/ca.pem\r");
    assert!(
        printed.contains("ERROR") || printed.contains('%'),
        "{printed}"
    );
    assert!(!printed.contains("Enter the base 64"), "{printed}");
}
