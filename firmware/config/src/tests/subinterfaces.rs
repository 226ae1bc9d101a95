//! Subinterfaces come and go with everything that names them.

use super::Session;
use crate::model::{Config, InterfaceId, SUBINTERFACES_MAX};
use crate::refusal::{Notice, Refusal};
use crate::text::LineError;

fn id(port: u16, number: u32) -> InterfaceId {
    InterfaceId {
        port,
        subinterface: Some(number),
    }
}

#[test]
fn a_subinterface_prints_after_its_port_with_its_vlan_first() {
    let mut session = Session::new();
    session.paste(
        "interface gi0/2\nno shutdown\ninterface gi 0/1.20\nvlan 20\ninterface gi0/1\nno shutdown\n\
         interface GigabitEthernet0/1.4294967295\nnameif dmz\ndescription to nobody\n\
         interface gi0/1.3\nshutdown\nvlan 4094\nmac-address 0200.1234.abcd\nnameif inside\n\
         ip address 192.0.2.1 255.255.255.0\nipv6 enable\n",
    );
    let printed = session.printed();
    let begin = printed.find("interface GigabitEthernet0/1\n").unwrap();
    let end = printed.find("interface GigabitEthernet0/2").unwrap();
    assert_eq!(
        &printed[begin..end],
        "interface GigabitEthernet0/1
 no nameif
 no security-level
 no ip address
!
interface GigabitEthernet0/1.3
 vlan 4094
 mac-address 0200.1234.abcd
 shutdown
 nameif inside
 security-level 100
 ip address 192.0.2.1 255.255.255.0
 ipv6 enable
!
interface GigabitEthernet0/1.20
 vlan 20
 no nameif
 no security-level
 no ip address
!
interface GigabitEthernet0/1.4294967295
 no vlan
 description to nobody
 nameif dmz
 security-level 0
 no ip address
!
"
    );
    // One of them alone, by hardware name or by its own.
    let one = session.shown("interface GigabitEthernet0/1.3");
    assert_eq!(one.len(), 9);
    assert_eq!(session.shown("interface inside"), one);
    assert_eq!(session.shown("interface gi0/1").len(), 5);
}

#[test]
fn the_prompt_and_the_lines_of_a_subinterface_are_its_own() {
    let mut session = Session::new();
    let made = session.line("interface gi0/1.10");
    assert!(made.changed);
    assert_eq!(session.state.mode().prompt(), "config-subif");
    for physical in ["speed 100", "duplex full"] {
        assert!(matches!(
            session.try_line(physical),
            Err(LineError::Parse(_))
        ));
    }
    // Going there again changes nothing; a port has no VLAN.
    assert!(!session.line("interface gi0/1.10").changed);
    session.line("interface gi0/1");
    assert_eq!(session.state.mode().prompt(), "config-if");
    assert!(matches!(
        session.try_line("vlan 10"),
        Err(LineError::Parse(_))
    ));
}

#[test]
fn numbers_and_ports_that_cannot_be_are_refused() {
    let mut session = Session::new();
    for name in ["gi0/1.0", "gi0/1.4294967296", "gi0/1.", "gi0/1.1.1"] {
        let typed = session.try_line(&format!("interface {name}"));
        assert!(matches!(typed, Err(LineError::Parse(_))), "{name}");
    }
    for name in ["gi0/3.1", "gi1/1.1", "Management0/0.1"] {
        let refusal = session.refusal(&format!("interface {name}"));
        assert_eq!(refusal, Refusal::Invalid { offset: 10 }, "{name}");
    }
    session.line("interface gi0/1.1");
    for vlan in ["0", "4095"] {
        assert!(session.try_line(&format!("vlan {vlan}")).is_err());
    }
    for number in 2..=SUBINTERFACES_MAX {
        session.line(&format!("interface gi0/{}.{number}", number % 3));
    }
    let refusal = session.refusal("interface gi0/2.999");
    assert_eq!(
        refusal.to_string(),
        format!("ERROR: There are already {SUBINTERFACES_MAX} subinterfaces")
    );
    // Where one goes, another may come.
    session.line("no interface gi0/1.1");
    session.line("interface gi0/2.999");
}

#[test]
fn a_vlan_is_taken_on_one_port_only() {
    let mut session = Session::new();
    session.paste("interface gi0/1.1\nvlan 10\nvlan 10\ninterface gi0/2.1\nvlan 10\n");
    session.line("interface gi0/1.2");
    assert_eq!(
        session.refusal("vlan 10"),
        Refusal::VlanTaken {
            vlan: 10,
            other: id(1, 1)
        }
    );
    session.paste("interface gi0/1.1\nno vlan\ninterface gi0/1.2\nvlan 10\n");
    assert!(!session.line("vlan 10").changed);
    assert_eq!(session.config.interfaces[&id(1, 1)].vlan, None);
    assert_eq!(session.config.interfaces[&id(1, 2)].vlan, Some(10));
}

#[test]
fn removing_a_subinterface_removes_what_names_it() {
    let mut session = Session::with_interfaces();
    let before = session.config.clone();
    session.paste(
        "interface gi0/2.10\nvlan 10\nnameif dmz\nip address 192.0.2.1 255.255.255.0\nexit\n\
         route dmz 10.9.0.0 255.255.0.0 192.0.2.9\nmtu dmz 1400\nicmp permit any dmz\n\
         object network H\nhost 192.0.2.5\nnat (dmz,outside) static 203.0.113.5\n\
         interface gi0/2.10\n",
    );
    let outcome = session.line("no interface gi0/2.10");
    assert!(outcome.changed);
    assert_eq!(
        outcome.notices,
        [Notice::InterfaceLinesRemoved("dmz".into())]
    );
    assert_eq!(session.state.mode().prompt(), "config");
    session.line("no object network H");
    assert_eq!(session.config, before);
}

#[test]
fn clearing_leaves_the_ports_of_the_hardware() {
    let mut session = Session::new();
    session.paste("interface gi0/1.10\nvlan 10\nnameif dmz\nexit\n");
    assert!(session.line("clear configure interface").changed);
    assert_eq!(session.config, Config::factory(3));
    session.paste("interface gi0/1.10\nvlan 10\nexit\nclear configure all\n");
    assert_eq!(session.config, Config::factory(3));
}

#[test]
fn an_interface_is_enabled_with_its_port_and_its_vlan() {
    let mut session = Session::new();
    session.paste("interface gi0/1.10\nvlan 10\n");
    let is_enabled = |session: &Session| session.config.is_enabled(id(1, 10));
    assert!(!is_enabled(&session), "the port is shut down");
    session.paste("interface gi0/1\nno shutdown\n");
    assert!(is_enabled(&session));
    for line in ["shutdown", "no vlan"] {
        session.line("interface gi0/1.10");
        session.line(line);
        assert!(!is_enabled(&session), "{line}");
        session.paste("no shutdown\nvlan 10\n");
        assert!(is_enabled(&session));
    }
}
