//! Requirement: operators find out what happened on the box, with ASA's numbers and texts, in the
//! form they configured and nowhere they did not ask for. Needs: nothing; virtual time.

mod common;

use std::time::Duration;

use common::{Box, START};

/// A box that logs everything to its buffer, emptied.
fn logging_box(more: &str) -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(&format!(
        "configure terminal\nlogging enable\nlogging buffered debugging\n{more}end"
    ));
    sallyport.line("clear logging buffer");
    sallyport
}

/// The buffered lines whose number is among `numbers`; commands log messages as well.
fn buffered(sallyport: &mut Box, numbers: &[u32]) -> Vec<String> {
    let printed = sallyport.line("show logging");
    let wanted = |line: &&str| {
        numbers
            .iter()
            .any(|number| line.contains(&format!("-{number}: ")))
    };
    printed.lines().filter(wanted).map(String::from).collect()
}

/// Seconds of virtual time since [`START`].
fn secs(sallyport: &Box) -> u64 {
    // The calendar chip tells whole seconds, and the box takes the middle of the one told.
    let micros = hal::time::Monotonic::now(&sallyport.clock).as_micros() + 500_000;
    micros / 1_000_000
}

const USERS: &str = "username ann password annspass privilege 15\nusername bob nopassword\n\
                     username bob password bobspass\naaa authentication serial console LOCAL\n\
                     aaa local authentication attempts max-fail 2\n";

#[test]
fn log_ins_failures_and_lockouts_are_told_without_the_name_of_strangers() {
    let mut sallyport = logging_box(USERS);
    sallyport.type_text("exit\rbob\rwrongpass\rbob\rwrongpass\r");
    sallyport.type_text("ann\rannspass\renable\rcisco123\r");
    sallyport.line("terminal pager 0");
    let numbers = [113006, 502103, 605004, 605005, 611101, 611102, 611103];
    assert_eq!(
        buffered(&mut sallyport, &numbers),
        [
            "%ASA-5-611103: User logged out: Uname: enable_15",
            "%ASA-6-611102: User authentication failed: IP address: 0.0.0.0, Uname: *****",
            "%ASA-6-605004: Login denied from serial to console for user \"*****\"",
            "%ASA-6-113006: User 'bob' locked out on exceeding '2' successive failed \
             authentication attempts",
            "%ASA-6-611102: User authentication failed: IP address: 0.0.0.0, Uname: *****",
            "%ASA-6-605004: Login denied from serial to console for user \"*****\"",
            "%ASA-6-611101: User authentication succeeded: IP address: 0.0.0.0, Uname: ann",
            "%ASA-6-605005: Login permitted from serial to console for user \"ann\"",
            "%ASA-5-502103: User priv level changed: Uname: ann From: 1 To: 15",
        ]
    );
    sallyport.config(
        "clear aaa local user lockout all\nconfigure terminal\nno logging hide username\nend",
    );
    sallyport.type_text("exit\rmallory\rwrongpass\r");
    sallyport.type_text("ann\rannspass\renable\rcisco123\rterminal pager 0\r");
    assert_eq!(
        buffered(&mut sallyport, &[113007]),
        ["%ASA-6-113007: User 'bob' unlocked by 'ann'"]
    );
    assert_eq!(
        buffered(&mut sallyport, &[605004]).last().unwrap(),
        "%ASA-6-605004: Login denied from serial to console for user \"mallory\""
    );
}

#[test]
fn a_wrong_enable_password_is_told() {
    let mut sallyport = logging_box("");
    sallyport.type_text("disable\renable\rwrong1\rwrong2\rwrong3\renable\rcisco123\r");
    assert_eq!(
        buffered(&mut sallyport, &[308001, 502103]),
        [
            "%ASA-5-502103: User priv level changed: Uname: enable_1 From: 15 To: 1",
            "%ASA-3-308001: console enable password incorrect for 3 tries (from console)",
            "%ASA-5-502103: User priv level changed: Uname: enable_15 From: 1 To: 15",
        ]
    );
}

#[test]
fn saving_and_erasing_are_told() {
    let mut sallyport = logging_box("");
    sallyport.line("write memory");
    sallyport.type_text("write erase\r\r");
    assert_eq!(
        buffered(&mut sallyport, &[111001, 111003, 111004]),
        [
            "%ASA-5-111001: Begin configuration: console writing to memory",
            "%ASA-5-111004: console end configuration: OK",
            "%ASA-5-111003: console Erase configuration",
            "%ASA-5-111004: console end configuration: OK",
        ]
    );
}

#[test]
fn saved_settings_hold_from_the_start_of_the_box() {
    let mut sallyport = logging_box("logging device-id hostname\n");
    sallyport.line("write memory");
    let mut sallyport = Box::boot_with(sallyport.disk.clone());
    sallyport.type_text("enable\rcisco123\rterminal pager 0\r");
    assert_eq!(
        buffered(&mut sallyport, &[199002]),
        ["sallyport : %ASA-6-199002: startup completed. Beginning operation."]
    );
}

#[test]
fn ports_put_into_service_and_the_clock_are_told() {
    let mut sallyport = logging_box("");
    sallyport.config(
        "configure terminal\ninterface GigabitEthernet0/1\nnameif inside\n\
         ip address 10.20.0.1 255.255.255.0\nno shutdown\nend",
    );
    sallyport.config("configure terminal\ninterface GigabitEthernet0/1\nshutdown\nend");
    sallyport.line("clock set 10:30:00 1 Feb 2026");
    let lines = buffered(&mut sallyport, &[411003, 411004, 771001]);
    assert_eq!(
        lines[..2],
        [
            "%ASA-4-411003: Configuration status on interface inside changed state to up",
            "%ASA-4-411004: Configuration status on interface inside changed state to down",
        ]
    );
    let [_, _, clock] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let expected = "%ASA-5-771001: CLOCK: System clock set, source: manual, before: 12:00:0";
    assert!(clock.starts_with(expected), "{clock}");
    assert!(
        clock.ends_with(" UTC Thu Jan 15 2026, after: 10:30:00.000 UTC Sun Feb 1 2026"),
        "{clock}"
    );
}

#[test]
fn only_severities_asked_for_are_kept_and_single_messages_go_their_own_way() {
    let mut sallyport = logging_box("logging buffered notifications\n");
    sallyport.line("write memory");
    assert_eq!(buffered(&mut sallyport, &[111001, 111004]).len(), 2);
    sallyport.config(
        "configure terminal\nlogging buffered warnings\nlogging message 111004 level errors\nend\n\
         clear logging buffer",
    );
    sallyport.line("write memory");
    assert_eq!(
        buffered(&mut sallyport, &[111001, 111004]),
        ["%ASA-3-111004: console end configuration: OK"]
    );
    sallyport.config("configure terminal\nno logging message 111004\nend\nclear logging buffer");
    sallyport.line("write memory");
    assert_eq!(buffered(&mut sallyport, &[111001, 111004]), [""; 0]);
    sallyport.config(
        "configure terminal\nlogging list SAVES message 111001\nlogging buffered SAVES\n\
         logging message 111004\nend",
    );
    sallyport.line("write memory");
    assert_eq!(
        buffered(&mut sallyport, &[111001, 111004]),
        ["%ASA-5-111001: Begin configuration: console writing to memory"]
    );
}

#[test]
fn lines_carry_local_time_and_the_name_of_the_box() {
    let mut sallyport = logging_box(
        "clock timezone CET 1\nhostname asa1\nlogging timestamp\nlogging device-id hostname\n",
    );
    sallyport.wait(Duration::from_secs(90));
    sallyport.line("write memory");
    let at = secs(&sallyport);
    let (minutes, seconds) = (at / 60, at % 60);
    assert_eq!(
        buffered(&mut sallyport, &[111001]),
        [format!(
            "Jan 15 2026 13:{minutes:02}:{seconds:02} asa1 : %ASA-5-111001: Begin configuration: \
             console writing to memory"
        )]
    );
    sallyport.config(
        "configure terminal\nlogging timestamp rfc5424\nlogging device-id string box-7\nend\n\
         clear logging buffer",
    );
    sallyport.line("write memory");
    let at = secs(&sallyport);
    let (minutes, seconds) = (at / 60, at % 60);
    assert_eq!(
        buffered(&mut sallyport, &[111001]),
        [format!(
            "2026-01-15T12:{minutes:02}:{seconds:02}Z box-7 : %ASA-5-111001: Begin configuration: \
             console writing to memory"
        )]
    );
    assert_eq!(START % 3600, 0, "the box started on the hour");
}

#[test]
fn the_address_of_an_interface_names_the_box() {
    let mut sallyport = logging_box(
        "interface GigabitEthernet0/1\nnameif inside\nip address 10.20.0.1 255.255.255.0\n\
         logging device-id ipaddress inside\n",
    );
    sallyport.line("write memory");
    assert_eq!(
        buffered(&mut sallyport, &[111004]),
        ["10.20.0.1 : %ASA-5-111004: console end configuration: OK"]
    );
}

#[test]
fn a_cleared_buffer_is_empty_and_logging_can_be_switched_off() {
    let mut sallyport = logging_box("");
    sallyport.line("write memory");
    assert_eq!(buffered(&mut sallyport, &[111001]).len(), 1);
    sallyport.line("clear logging buffer");
    assert_eq!(buffered(&mut sallyport, &[111001]), [""; 0]);
    sallyport.config("configure terminal\nno logging enable\nend");
    sallyport.line("write memory");
    assert_eq!(buffered(&mut sallyport, &[111001]), [""; 0]);
    sallyport.config("configure terminal\nlogging enable\nclear configure logging\nend");
    let printed = sallyport.line("show running-config logging");
    assert!(!printed.contains("logging enable"), "{printed}");
    let printed = sallyport.line("show logging");
    assert!(printed.contains("Syslog logging: disabled"), "{printed}");
}

#[test]
fn nothing_is_printed_on_the_console_unless_asked_for() {
    let mut sallyport = logging_box(USERS);
    let printed = sallyport.line("write memory") + &sallyport.type_text("exit\rmallory\rwrong\r");
    assert!(!printed.contains("%ASA"), "{printed}");
    sallyport.type_text("ann\rannspass\renable\rcisco123\rterminal pager 0\r");
    assert_eq!(buffered(&mut sallyport, &[605004]).len(), 1);
}

#[test]
fn destinations_that_nothing_serves_are_kept_with_a_warning() {
    let mut sallyport = logging_box("");
    sallyport.line("configure terminal");
    for (line, what) in [
        ("logging history errors", "logging history"),
        ("logging asdm errors", "logging asdm"),
        ("logging mail alerts", "logging mail"),
        ("logging ftp-bufferwrap", "logging ftp-bufferwrap"),
    ] {
        let printed = sallyport.line(line);
        let warning = format!("WARNING: {what} is kept in the configuration but has no effect");
        assert!(printed.contains(&warning), "{printed}");
        let printed = sallyport.line("show running-config logging");
        assert!(printed.contains(line), "{printed}");
    }
}
