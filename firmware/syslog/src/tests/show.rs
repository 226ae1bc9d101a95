//! The layouts of `show logging`.

use super::{UP, at, logger, settings};
use crate::hosts::HostOutcome;
use crate::settings::{Destination, Filter, Host, MessageSetting, Settings, Timestamp, Transport};
use crate::severity::Severity;
use crate::show;
use core::net::Ipv4Addr;
use std::string::String;

const LOGGING: &str = "\
Syslog logging: enabled
    Facility: 20
    Timestamp logging: enabled
    Hide Username logging: disabled
    Standby logging: disabled
    Debug-trace logging: disabled
    Console logging: disabled
    Monitor logging: disabled
    Buffer logging: level notifications, 1 messages logged
    Trap logging: level informational, facility 20, 1 messages logged
        Logging to inside 10.20.0.9, UDP TX:1 errors: 0  dropped: 0
    Global TCP syslog stats::
        NOT_PUTABLE: 0, ALL_CHANNEL_DOWN: 0
        CHANNEL_FLAP_CNT: 0, SYSLOG_PKT_LOSS: 0
        PARTIAL_REWRITE_CNT: 0
    Permit-hostdown logging: disabled
    History logging: disabled
    Device ID: disabled
    Mail logging: disabled
    ASDM logging: disabled
Nov 23 2021 04:25:10: %ASA-4-411001: Line protocol on Interface outside, changed state to up
";

#[test]
fn show_logging_has_the_layout_of_an_asa() {
    let mut busy = Settings {
        hides_usernames: false,
        ..settings(Destination::Buffered, Severity::Notifications)
    };
    busy.destinations
        .insert(Destination::Trap, Filter::Severity(Severity::Informational));
    busy.hosts.push(Host {
        interface: "inside".into(),
        address: Ipv4Addr::new(10, 20, 0, 9),
        transport: Transport::Udp,
        port: 514,
        is_emblem: false,
        is_secure: false,
    });
    let mut logger = logger(busy);
    at(1, |stamp| logger.record(&UP, stamp));
    let index = logger.poll_host().unwrap().index;
    logger.host_sent(index, HostOutcome::Sent);
    let mut out = String::new();
    show::logging(&mut out, &logger);
    assert_eq!(out, LOGGING);
}

#[test]
fn the_factory_shows_everything_disabled() {
    let logger = logger(Settings {
        timestamp: Timestamp::Off,
        ..Settings::default()
    });
    let mut out = String::new();
    show::setting(&mut out, &logger);
    assert!(out.starts_with("Syslog logging: disabled\n"), "{out}");
    assert!(out.contains("    Hide Username logging: enabled\n"));
    assert_eq!(out.matches("disabled").count(), 13, "{out}");
    let mut out = String::new();
    show::queue(&mut out, &logger);
    assert!(out.contains("limit : 512 msg(s)\n"), "{out}");
}

#[test]
fn messages_show_their_levels() {
    let mut changed = settings(Destination::Buffered, Severity::Debugging);
    for (number, is_disabled, severity) in [
        (106_023, false, Some(Severity::Errors)),
        (302_013, true, None),
        (999_999, false, Some(Severity::Alerts)),
    ] {
        let setting = MessageSetting {
            is_disabled,
            severity,
        };
        changed.messages.insert(number, setting);
    }
    let mut out = String::new();
    show::messages(&mut out, &changed, None);
    assert_eq!(
        out,
        "syslog 106023: default-level warnings, current-level errors (enabled)\n\
         syslog 302013: default-level informational (disabled)\n\
         syslog 999999: not emitted by this device, current-level alerts (enabled)\n"
    );
    let mut out = String::new();
    show::messages(&mut out, &changed, Some(411_001));
    assert_eq!(out, "syslog 411001: default-level warnings (enabled)\n");
    let mut out = String::new();
    show::all_messages(&mut out, &changed);
    assert_eq!(out.lines().count(), crate::Message::ROWS.len());
}
