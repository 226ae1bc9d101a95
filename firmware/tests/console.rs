//! Requirement: the console behaves as an ASA administrator expects. Needs: nothing; virtual time.

mod common;

use std::time::Duration;

use common::Box;

#[test]
fn a_factory_box_greets_and_asks_for_a_first_password() {
    let mut sallyport = Box::boot();
    let greeting = sallyport.terminal.take_text();
    assert!(greeting.contains("Sallyport Version"), "{greeting}");
    assert!(greeting.ends_with("sallyport> "), "{greeting}");
    let printed = sallyport.line("show running-config");
    assert!(
        printed.contains("ERROR: % Invalid input"),
        "user mode does not show it: {printed}"
    );
    let printed = sallyport.type_text("enable\rab\rabcd\rabce\rabcd\rabcd\r");
    assert!(
        printed.contains("The enable password is not set.  Please set it now."),
        "{printed}"
    );
    assert!(printed.contains("3 to 127 characters"), "{printed}");
    assert!(printed.contains("do not match"), "{printed}");
    assert!(
        !printed.contains("abcd"),
        "a password is never echoed: {printed}"
    );
    assert!(printed.ends_with("sallyport# "), "{printed}");
    let printed = sallyport.type_text("disable\renable\rwrong\rabcd\r");
    assert!(printed.contains("Invalid password"), "{printed}");
    assert!(printed.ends_with("sallyport# "), "{printed}");
}

#[test]
fn errors_point_at_the_word_and_change_nothing() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.line("configure terminal");
    let before = sallyport.line("show running-config");
    let printed = sallyport.line("show cdp neighbors");
    let caret = printed
        .lines()
        .find(|line| line.trim() == "^")
        .expect("a caret");
    // Prompt `sallyport(config)# ` is 19 columns, `cdp` the sixth character of the line.
    assert_eq!(caret.len(), 19 + 5 + 1);
    assert!(
        printed.contains("ERROR: % Invalid input detected at '^' marker."),
        "{printed}"
    );
    assert!(
        sallyport
            .line("route")
            .contains("ERROR: % Incomplete command")
    );
    assert!(
        sallyport
            .line("route nowhere 0 0 192.0.2.1")
            .contains("ERROR")
    );
    assert!(sallyport.line("webvpn").contains("ERROR"));
    let after = sallyport.line("show running-config");
    assert_eq!(before, after);
}

#[test]
fn help_and_completion_answer_while_typing() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    let printed = sallyport.type_text("show ?");
    assert!(printed.contains("exec mode commands/options:"), "{printed}");
    assert!(printed.contains("running-config"), "{printed}");
    assert!(printed.ends_with("sallyport# show "), "{printed}");
    let printed = sallyport.type_text("runn\t");
    assert!(printed.ends_with("running-config "), "{printed}");
    let printed = sallyport.type_text("\x15sh ver\r");
    assert!(
        printed.contains("Sallyport Adaptive Security Firmware Software Version"),
        "{printed}"
    );
}

#[test]
fn long_output_stops_at_a_page_and_filters_apply() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.line("terminal pager 10");
    let printed = sallyport.line("show running-config");
    assert!(printed.ends_with("<--- More --->"), "{printed}");
    let printed = sallyport.type_text("q");
    assert!(printed.ends_with("sallyport# "), "{printed}");
    let printed = sallyport.line("show running-config | include hostname");
    assert!(printed.contains("hostname sallyport"), "{printed}");
    assert!(!printed.contains("interface"), "{printed}");
    // As Ansible types it right after it has logged in.
    sallyport.line("no terminal pager");
    let printed = sallyport.line("show running-config");
    assert!(printed.ends_with("sallyport# "), "{printed}");
}

#[test]
fn the_running_configuration_is_shown_by_section_and_with_defaults() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.line("terminal pager 0");
    sallyport.line("configure terminal");
    for line in [
        "object network Z",
        "host 10.20.0.12",
        "object network A",
        "host 10.20.0.11",
        "end",
    ] {
        sallyport.line(line);
    }
    let printed = sallyport.line("show run object");
    let (first, second) = (printed.find("network Z"), printed.find("network A"));
    assert!(first < second && first.is_some(), "{printed}");
    let printed = sallyport.line("show running-config object network id A | include host");
    assert!(printed.contains("\r\n host 10.20.0.11\r\n"), "{printed}");
    assert!(!printed.contains("10.20.0.12"), "{printed}");
    let printed = sallyport.line("show run all terminal");
    assert!(printed.contains("\r\nterminal width 80\r\n"), "{printed}");
    let printed = sallyport.line("show run acc");
    assert!(printed.contains("ERROR: % Ambiguous command"), "{printed}");
    let printed = sallyport.type_text("show running-config obj?");
    assert!(printed.contains("object  "), "{printed}");
    assert!(printed.contains("object-group"), "{printed}");
}

#[test]
fn displays_have_the_words_that_parsers_look_for() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(
        "configure terminal\ninterface gi0/0\n nameif outside\n no shutdown\n\
         object-group network two\n network-object host 10.20.0.1\n network-object host 10.20.0.2\n\
         access-list a extended permit tcp any object-group two eq https log\n\
         access-list a extended permit udp any any log errors\nend",
    );
    let printed = sallyport.line("show access-list a");
    let logged = " log informational interval 300 (hitcnt=0) 0x";
    assert_eq!(printed.matches(logged).count(), 3, "{printed}");
    assert!(printed.contains(" log errors interval 300 ("), "{printed}");
    let printed = sallyport.line("show running-config access-list a");
    assert!(printed.contains(" eq https log\r\n"), "{printed}");
    let plain = sallyport.line("show interface");
    assert!(!plain.contains("Control Point"), "{plain}");
    for command in ["show interface detail", "show interface outside detail"] {
        let printed = sallyport.line(command);
        assert!(printed.contains("Interface state is active"), "{printed}");
    }
    // A client whose line was refused begins anew from where it was left.
    sallyport.line("configure terminal");
    sallyport.line("interface gi0/0");
    let printed = sallyport.line("configure terminal");
    assert!(printed.ends_with("sallyport(config)# "), "{printed}");
    sallyport.line("end");
    let printed = sallyport.line("show xlate");
    assert!(printed.contains("r - portmap, s - static"), "{printed}");
}

#[test]
fn what_is_written_is_there_after_a_restart_keys_included() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(
        "configure terminal\nhostname asa1\ncrypto key generate ecdsa label kept\n\
         interface gi0/0\n nameif outside\n ip address 203.0.113.2 255.255.255.240\n no shutdown\nend",
    );
    let printed = sallyport.line("write memory");
    assert!(printed.contains("[OK]"), "{printed}");
    let printed = sallyport.type_text("reload\r\r");
    assert!(printed.contains("Proceed with reload?"), "{printed}");
    sallyport.wait(Duration::from_millis(10));
    assert_eq!(sallyport.power.requests().resets, 1);
    let mut again = Box::boot_with(sallyport.disk.clone());
    let greeting = again.terminal.take_text();
    assert!(
        greeting.contains("loaded configuration generation 1"),
        "{greeting}"
    );
    assert!(greeting.ends_with("asa1> "), "{greeting}");
    let printed = again.type_text("enable\rcisco123\r");
    assert!(printed.ends_with("asa1# "), "{printed}");
    assert!(
        again
            .line("show crypto key mypubkey ecdsa")
            .contains("Key name: kept")
    );
    assert!(
        again
            .line("show interface ip brief")
            .contains("203.0.113.2     YES CONFIG up")
    );
    let text = again.line("show running-config");
    assert!(!text.contains("PRIVATE"), "keys are never printed");
}

#[test]
fn an_erased_box_is_a_factory_box() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.line("write memory");
    let printed = sallyport.type_text("write erase\r\r");
    assert!(printed.contains("[OK]"), "{printed}");
    let mut again = Box::boot_with(sallyport.disk.clone());
    assert!(
        again
            .line("enable")
            .contains("The enable password is not set.")
    );
}

#[test]
fn a_paste_of_five_thousand_lines_arrives_whole() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.line("configure terminal");
    let mut paste = String::new();
    for index in 0..5000_u32 {
        let (high, low) = (index / 250, index % 250 + 1);
        paste +=
            &format!("access-list big extended permit tcp any host 10.20.{high}.{low} eq 5269\r");
    }
    let printed = sallyport.type_text(&paste);
    let complaint = printed
        .find("ERROR")
        .map(|at| &printed[at.saturating_sub(400)..at + 80]);
    assert_eq!(complaint, None);
    let printed = sallyport.line("show access-list big");
    assert!(
        printed.contains("access-list big; 5000 elements"),
        "{}",
        &printed[..200]
    );
}

#[test]
fn a_reload_with_unsaved_changes_offers_to_save_them() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config("configure terminal\nhostname asa1\nend");
    let printed = sallyport.type_text("reload\r");
    assert!(
        printed.contains("System config has been modified. Save? [Y]es/[N]o:"),
        "{printed}"
    );
    let printed = sallyport.type_text("y\r");
    assert!(printed.contains("[OK]"), "{printed}");
    assert!(
        printed.ends_with("Proceed with reload? [confirm]"),
        "{printed}"
    );
    let printed = sallyport.type_text("n");
    assert!(printed.ends_with("asa1# "), "{printed}");
    assert_eq!(sallyport.power.requests().resets, 0);
}

#[test]
fn an_error_in_a_paste_says_which_line_it_was() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.line("configure terminal");
    sallyport.wait(Duration::from_secs(1));
    let printed = sallyport.type_text(
        "hostname asa1\rnames\raccess-list x extended permitt tcp any any\rroute nowhere 0 0 192.0.2.1\r\
         domain-name example.com\r",
    );
    assert!(
        printed.contains("INFO: that was line 3 of the paste, at \"permitt\""),
        "{printed}"
    );
    assert!(
        printed.contains("INFO: that was line 4 of the paste"),
        "{printed}"
    );
    let shown = sallyport.line("show running-config domain-name");
    assert!(
        shown.contains("domain-name example.com"),
        "the rest was taken: {shown}"
    );
    let printed = sallyport.line("access-list x extended permitt tcp any any");
    assert!(
        !printed.contains("of the paste"),
        "a single line is no paste: {printed}"
    );
}

#[test]
fn a_command_that_a_guide_has_wrapped_is_put_together() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.line("configure terminal");
    sallyport.wait(Duration::from_secs(1));
    let printed = sallyport.type_text(
        "hostname asa1\raccess-list x extended permit tcp host 198.51.100.20 host\r10.20.0.11 eq 5061\r\
         domain-name\rnames\r",
    );
    let shown = sallyport.line("show running-config access-list");
    assert!(
        shown.contains(
            "access-list x extended permit tcp host 198.51.100.20 host 10.20.0.11 eq 5061"
        ),
        "{shown}"
    );
    assert!(
        printed.contains(
            "ERROR: % Incomplete command\r\nINFO: that was line 4 of the paste, at \"domain-name\""
        ),
        "{printed}"
    );
}

#[test]
fn the_prompt_shows_what_it_is_told_to() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config("configure terminal\nhostname asa1\ndomain-name example.com");
    let printed = sallyport.line("prompt hostname domain context");
    assert!(printed.ends_with("asa1/example.com(config)# "), "{printed}");
    let printed = sallyport.line("prompt context");
    assert!(printed.ends_with("asa1(config)# "), "{printed}");
    let printed = sallyport.line("no prompt");
    assert!(printed.ends_with("asa1(config)# "), "{printed}");
}

#[test]
fn a_command_known_by_name_only_is_told_from_a_mistake() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.line("configure terminal");
    let printed = sallyport.line("router ospf 1");
    assert!(
        printed.contains("INFO: Dynamic routing is not supported"),
        "{printed}"
    );
    let printed = sallyport.line("routers ospf 1");
    assert!(!printed.contains("is not supported"), "{printed}");
}
