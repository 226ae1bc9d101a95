//! Requirement: the box tells of itself in ASA's layouts. Needs: nothing; virtual time.

mod common;

use common::Box;

const CONFIGURATION: &str = "configure terminal\nhostname asa1\ninterface gi0/0\n nameif outside\n \
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nexit\nobject network node\n host 10.20.0.11\n\
     object-group network servers\n description all of them\n network-object object node\n \
     network-object 10.20.1.0 255.255.255.0\nexit\n\
     access-list outside_in extended permit icmp any object-group servers\n\
     access-group outside_in in interface outside\nntp authentication-key 1 md5 topsecret\nend";

fn configured() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(CONFIGURATION);
    sallyport
}

#[test]
fn version_names_who_changed_the_configuration_and_what_was_loaded() {
    let mut sallyport = configured();
    let printed = sallyport.line("show version");
    assert!(
        printed.contains("Config file at boot was \"factory default\""),
        "{printed}"
    );
    assert!(
        printed.contains("Configuration last modified by enable_15 at "),
        "{printed}"
    );
    assert!(
        printed.contains("Serial Number: SP525400000001"),
        "{printed}"
    );
    sallyport.line("write memory");
    let mut again = Box::boot_with(sallyport.disk.clone());
    let printed = again.line("show version");
    assert!(
        printed.contains(
            "Config file at boot was \"startup-config\" (loaded configuration generation 1)"
        ),
        "{printed}"
    );
}

#[test]
fn inventory_lists_box_ports_and_disk() {
    let mut sallyport = configured();
    let printed = sallyport.line("show inventory");
    for part in [
        "Chassis",
        "GigabitEthernet0/0",
        "GigabitEthernet0/1",
        "disk0",
    ] {
        assert!(printed.contains(&format!("Name: \"{part}\"")), "{printed}");
    }
    assert!(printed.contains("disk of 16 MB"), "{printed}");
    assert!(sallyport.line("show failover").contains("Failover Off\r\n"));
}

#[test]
fn memory_detail_shows_every_table_with_its_use() {
    let mut sallyport = configured();
    let printed = sallyport.line("show memory");
    assert!(!printed.contains("Claimed at boot"), "{printed}");
    let printed = sallyport.line("show memory detail");
    for row in [
        "Total memory:",
        "Packet buffers",
        "Flow",
        "TLS",
        "Control heap, free",
    ] {
        assert!(printed.contains(row), "{row} in {printed}");
    }
}

#[test]
fn tech_support_is_made_of_the_commands_themselves_and_hides_secrets() {
    let mut sallyport = configured();
    let printed = sallyport.line("show tech-support");
    for heading in [
        "show version",
        "show memory detail",
        "show asp drop",
        "show running-config",
    ] {
        assert!(printed.contains(&format!("------------------ {heading} ------------------")));
    }
    assert!(printed.contains("hostname asa1"));
    assert!(!printed.contains("topsecret"), "secrets are hidden");
    let printed = sallyport.line("show tech-support no-config");
    assert!(!printed.contains("hostname asa1"), "{printed}");
}

#[test]
fn group_members_are_shown_with_their_hits() {
    let mut sallyport = configured();
    let printed = sallyport.line("show object-group network id servers");
    assert!(
        printed.contains("object-group network servers\r\n  description: all of them\r\n"),
        "{printed}"
    );
    assert!(
        printed.contains(" network-object object node (hitcnt=0)\r\n"),
        "{printed}"
    );
    assert!(
        sallyport
            .line("show object-group id nobody")
            .contains("ERROR: object-group nobody does not exist")
    );
}

#[test]
fn help_explains_a_command_from_its_declaration() {
    let mut sallyport = configured();
    let printed = sallyport.line("help copy");
    for part in [
        "USAGE:",
        "copy [/noconfirm]",
        "DESCRIPTION:",
        "SYNTAX:",
        "<source>",
        "EXAMPLE:",
    ] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    assert!(
        sallyport.line("help route").contains("no route"),
        "statements too"
    );
    assert!(
        sallyport
            .line("help nonsense")
            .contains("ERROR: there is no command nonsense")
    );
}
