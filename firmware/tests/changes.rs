//! Requirement: a change can be prepared aside, put in force at once, tried for some minutes, and
//! rehearsed; a power cut takes an unconfirmed one back. Needs: nothing; virtual time.

mod common;

use std::time::Duration;

use common::Box;

fn box_with_name() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config("configure terminal\nhostname before\nend");
    let printed = sallyport.line("write memory");
    assert!(printed.contains("[OK]"), "{printed}");
    sallyport
}

fn host_name(sallyport: &mut Box) -> String {
    let printed = sallyport.line("show running-config hostname");
    let line = printed
        .lines()
        .find_map(|line| line.strip_prefix("hostname "));
    line.expect(&printed).trim().to_owned()
}

#[test]
fn a_session_changes_nothing_until_it_is_committed() {
    let mut sallyport = box_with_name();
    let printed = sallyport.line("configure session work");
    assert!(printed.ends_with("before(config-s)# "), "{printed}");
    sallyport.config("hostname after\nobject network node");
    let printed = sallyport.line("host 10.20.0.11");
    assert!(
        printed.ends_with("before(config-s-network-object)# "),
        "{printed}"
    );
    assert_eq!(host_name(&mut sallyport), "before");
    let printed = sallyport.line("show configuration session");
    assert!(
        printed.contains("config-session work\r\n hostname after\r\n object network node"),
        "{printed}"
    );
    let printed = sallyport.line("show configuration diff session work");
    for line in [
        "-hostname before",
        "+hostname after",
        "+object network node",
        "+ host 10.20.0.11",
    ] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
    let printed = sallyport.line("commit");
    assert!(printed.contains("INFO: in force"), "{printed}");
    assert!(printed.ends_with("after# "), "{printed}");
    assert!(
        !sallyport
            .line("show configuration session")
            .contains("work")
    );
}

#[test]
fn an_aborted_session_is_forgotten_and_a_left_one_is_kept() {
    let mut sallyport = box_with_name();
    sallyport.config("configure session\nhostname after\nexit");
    assert!(
        sallyport
            .line("show configuration session")
            .contains("config-session console")
    );
    let printed = sallyport.line("configure session");
    assert!(printed.ends_with("(config-s)# "), "{printed}");
    let printed = sallyport.line("abort");
    assert!(printed.ends_with("before# "), "{printed}");
    assert!(
        !sallyport
            .line("show configuration session")
            .contains("config-session")
    );
    assert!(sallyport.line("commit").contains("ERROR: nothing waits"));
}

#[test]
fn a_commit_does_not_undo_what_was_changed_meanwhile() {
    let mut sallyport = box_with_name();
    sallyport.config("configure session a\nobject network node\n host 10.20.0.11\nend");
    sallyport.config("configure terminal\ndomain-name example.com\nend");
    sallyport.config("configure session a");
    assert!(sallyport.line("commit").contains("INFO: in force"));
    let printed = sallyport.line("show running-config");
    assert!(printed.contains("domain-name example.com"), "{printed}");
    assert!(printed.contains("object network node"), "{printed}");
    // A line that does not fit any more is named, and nothing changes.
    sallyport.config("configure session b\nno object network node\nhostname never\nend");
    sallyport.config("configure terminal\nno object network node\nend");
    let printed = sallyport.type_text("configure session b\rcommit\r");
    assert!(
        printed.contains("*** line 1, \"no object network node\""),
        "{printed}"
    );
    assert!(printed.contains("ERROR: nothing was changed"), "{printed}");
    assert_eq!(host_name(&mut sallyport), "before");
}

#[test]
fn an_unconfirmed_commit_is_taken_back_in_time_and_not_earlier() {
    let mut sallyport = box_with_name();
    sallyport.config("configure session\nhostname after");
    let printed = sallyport.line("commit confirmed 5");
    assert!(printed.contains("taken back in 5 minute(s)"), "{printed}");
    assert!(printed.ends_with("after# "), "{printed}");
    let printed = sallyport.line("write memory");
    assert!(printed.contains("ERROR: a commit waits"), "{printed}");
    assert!(printed.contains("[FAILED]"), "{printed}");
    sallyport.wait(Duration::from_secs(299));
    assert_eq!(host_name(&mut sallyport), "after");
    sallyport.wait(Duration::from_secs(2));
    assert_eq!(
        sallyport.terminal.take_text(),
        "",
        "nothing comes out by itself"
    );
    let printed = sallyport.line("");
    assert!(
        printed.contains("was not confirmed within 5 minute(s)"),
        "{printed}"
    );
    assert_eq!(host_name(&mut sallyport), "before");
    assert!(sallyport.line("write memory").contains("[OK]"));
}

#[test]
fn a_confirmed_commit_stays() {
    let mut sallyport = box_with_name();
    sallyport.config("configure session\nhostname after\ncommit confirmed 5");
    assert!(sallyport.line("commit").contains("INFO: confirmed"));
    sallyport.wait(Duration::from_secs(600));
    assert_eq!(host_name(&mut sallyport), "after");
    assert!(sallyport.line("write memory").contains("[OK]"));
    let again = Box::boot_with(sallyport.disk.clone());
    assert!(again.terminal.take_text().ends_with("after> "));
}

#[test]
fn an_unconfirmed_commit_can_be_taken_back_by_hand() {
    let mut sallyport = box_with_name();
    sallyport.config("configure session\nhostname after\ncommit confirmed 5");
    assert!(sallyport.line("abort").contains("has been taken back"));
    assert_eq!(host_name(&mut sallyport), "before");
    sallyport.wait(Duration::from_secs(600));
    assert_eq!(host_name(&mut sallyport), "before");
}

#[test]
fn a_power_cut_takes_an_unconfirmed_commit_back() {
    let mut sallyport = box_with_name();
    sallyport.config("configure session\nhostname after\ncommit confirmed 5");
    assert_eq!(host_name(&mut sallyport), "after");
    let again = Box::boot_with(sallyport.disk.clone());
    assert!(again.terminal.take_text().ends_with("before> "));
}

#[test]
fn startup_and_running_configuration_are_compared() {
    let mut sallyport = box_with_name();
    let printed = sallyport.line("show configuration diff");
    assert_eq!(printed, "show configuration diff\r\nbefore# ");
    sallyport
        .config("configure terminal\nhostname after\nntp authentication-key 1 md5 topsecret\nend");
    let printed = sallyport.line("show configuration diff");
    assert!(
        printed.contains("-hostname before\r\n+hostname after"),
        "{printed}"
    );
    assert!(
        printed.contains("+ntp authentication-key 1 md5 *****"),
        "{printed}"
    );
    assert!(!printed.contains("topsecret"), "{printed}");
}

#[test]
fn a_rehearsal_tells_of_every_line_and_changes_nothing() {
    let mut sallyport = box_with_name();
    let before = sallyport.line("show running-config");
    let printed = sallyport.type_text(
        "dry-run\rhostname after\rnames\rsnmp-server location here\racess-list x permit\r\
         route nowhere 0 0 192.0.2.1\rshow version\r.\r",
    );
    let verdicts: Vec<_> = printed
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let number: usize = words.next()?.parse().ok()?;
            Some((number, words.next()?))
        })
        .collect();
    for expected in [
        (1, "applied"),
        (3, "unsupported"),
        (4, "refused"),
        (5, "refused"),
        (6, "unsupported"),
    ] {
        assert!(verdicts.contains(&expected), "{expected:?} in {printed}");
    }
    assert!(
        printed.contains("at \"acess-list\": ERROR: % Invalid input"),
        "{printed}"
    );
    assert!(printed.contains("has no effect"), "{printed}");
    assert!(printed.contains("6 statements:"), "{printed}");
    assert_eq!(sallyport.line("show running-config"), before);
}

#[test]
fn a_whole_configuration_is_replaced_or_left_alone() {
    let mut sallyport = box_with_name();
    sallyport.config("configure terminal\nhostname after\ndomain-name example.com\nend");
    let printed = sallyport.line("configure replace startup-config");
    assert!(printed.contains("-domain-name example.com"), "{printed}");
    assert!(
        printed.ends_with("Replace the running configuration? [confirm]"),
        "{printed}"
    );
    let printed = sallyport.type_text("n");
    assert!(printed.ends_with("after# "), "{printed}");
    let printed = sallyport.line("configure replace startup-config noconfirm");
    assert!(printed.contains("INFO: in force"), "{printed}");
    assert_eq!(host_name(&mut sallyport), "before");
    let printed = sallyport.line("configure replace startup-config");
    assert!(printed.contains("INFO: nothing differs"), "{printed}");
    let printed =
        sallyport.type_text("configure replace terminal: noconfirm\rhostname x\rbogus line\r\x1a");
    assert!(printed.contains("*** line 2, \"bogus line\""), "{printed}");
    assert!(printed.contains("nothing was changed"), "{printed}");
    assert_eq!(host_name(&mut sallyport), "before");
    let printed = sallyport.type_text(
        "configure replace terminal: noconfirm force confirmed 3\rhostname x\rbogus line\r\x1a",
    );
    assert!(printed.contains("INFO: in force; taken back"), "{printed}");
    assert!(printed.ends_with("x# "), "{printed}");
    sallyport.wait(Duration::from_secs(181));
    assert_eq!(host_name(&mut sallyport), "before");
}

#[test]
fn keys_are_not_made_inside_a_session() {
    let mut sallyport = box_with_name();
    sallyport.config("configure session");
    let printed = sallyport.line("crypto key generate ecdsa label x");
    assert!(
        printed.contains("ERROR: keys and certificates are not part"),
        "{printed}"
    );
}
