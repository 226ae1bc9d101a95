//! Which messages go where, and what is counted when they do not.

use super::{UP, at, buffered, logger, settings};
use crate::class::Class;
use crate::hosts::HostOutcome;
use crate::logger::Counts;
use crate::message::field::{
    Direction, Endpoint, Hits, HostPort, IcmpDetail, LoginPath, Protocol, RuleHashes, TcpFlags,
    Verdict,
};
use crate::message::{Id, Message};
use crate::settings::{
    ClassFilter, Destination, DeviceId, DeviceIdSource, Filter, Host, ListItem, MessageSetting,
    RateLimit, RateTarget, Settings, Timestamp, Transport,
};
use crate::severity::Severity;
use core::net::{IpAddr, Ipv4Addr};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::{format, vec};

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 20));
const DESTINATION: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10));

fn outside(port: Option<u16>) -> Endpoint<'static> {
    Endpoint {
        interface: "outside",
        address: SOURCE,
        port,
    }
}

#[test]
fn texts_are_those_of_an_asa() {
    let host_port = |address, port| HostPort { address, port };
    let inside = Endpoint {
        interface: "inside",
        address: Ipv4Addr::new(10, 20, 0, 11).into(),
        port: Some(5062),
    };
    for (message, text) in [
        (
            Message::InboundTcpDenied {
                source: host_port(SOURCE, 4711),
                destination: host_port(DESTINATION, 22),
                flags: TcpFlags(0b10),
                interface: "outside",
            },
            "Inbound TCP connection denied from 198.51.100.20/4711 to 203.0.113.10/22 flags SYN  on \
             interface outside",
        ),
        (
            Message::TcpBuilt {
                direction: Direction::Inbound,
                connection: 7,
                from: outside(Some(41_022)),
                from_mapped: host_port(SOURCE, 41_022),
                to: inside,
                to_mapped: host_port(DESTINATION, 5061),
            },
            "Built inbound TCP connection 7 for outside:198.51.100.20/41022 (198.51.100.20/41022) to \
             inside:10.20.0.11/5062 (203.0.113.10/5061)",
        ),
        (
            Message::AccessDenied {
                protocol: Protocol(1),
                source: outside(None),
                destination: Endpoint {
                    port: None,
                    ..inside
                },
                icmp: IcmpDetail(Some((8, 0))),
                access_group: "outside_in",
                hashes: RuleHashes(0x8ed6_6b60, 0),
            },
            "Deny icmp src outside:198.51.100.20 dst inside:10.20.0.11 (type 8, code 0) by \
             access-group \"outside_in\" [0x8ed66b60, 0x0]",
        ),
        (
            Message::AccessListHit {
                access_list: "A",
                verdict: Verdict::Denied,
                protocol: Protocol(6),
                source: outside(Some(1)),
                destination: inside,
                count: 3,
                hits: Hits::Interval(300),
                hashes: RuleHashes(1, 2),
            },
            "access-list A denied tcp outside/198.51.100.20(1) -> inside/10.20.0.11(5062) hit-cnt 3 \
             300-second interval [0x1, 0x2]",
        ),
        (
            Message::LoginPermitted {
                path: LoginPath::Serial,
                user: "ann",
            },
            "Login permitted from serial to console for user \"ann\"",
        ),
        (
            Message::StartupCompleted,
            "startup completed. Beginning operation.",
        ),
    ] {
        assert_eq!(message.to_string(), text);
    }
}

#[test]
fn a_line_begins_with_time_and_device_as_configured() {
    let name = |source| {
        Some(DeviceId {
            source,
            text: "asa1".into(),
        })
    };
    let text = "%ASA-4-411001: Line protocol on Interface outside, changed state to up";
    for (timestamp, device_id, start) in [
        (Timestamp::Off, None, ""),
        (Timestamp::Classic, None, "Nov 23 2021 04:25:10: "),
        (Timestamp::Rfc5424, None, "2021-11-23T03:25:10Z: "),
        (Timestamp::Off, name(DeviceIdSource::Text), "asa1 : "),
        (
            Timestamp::Classic,
            name(DeviceIdSource::Hostname),
            "Nov 23 2021 04:25:10 asa1 : ",
        ),
    ] {
        let mut logger = logger(Settings {
            timestamp,
            device_id,
            ..settings(Destination::Buffered, Severity::Warnings)
        });
        at(1, |stamp| logger.record(&UP, stamp));
        assert_eq!(buffered(&logger), [format!("{start}{text}")]);
    }
}

#[test]
fn only_what_is_severe_enough_is_logged() {
    let mut logger = logger(settings(Destination::Buffered, Severity::Errors));
    assert!(!logger.wants(Id::LinkUp) && logger.wants(Id::IpSpoof));
    at(1, |stamp| logger.record(&UP, stamp));
    assert_eq!(logger.counts(Destination::Buffered), Counts::default());
    let off = Settings {
        is_enabled: false,
        ..settings(Destination::Buffered, Severity::Debugging)
    };
    at(2, |stamp| logger.configure(off, stamp)).unwrap();
    assert!(!logger.wants(Id::IpSpoof), "logging is off");
}

#[test]
fn a_message_can_be_silenced_or_get_another_severity() {
    let mut changed = settings(Destination::Buffered, Severity::Errors);
    let setting = |is_disabled, severity| MessageSetting {
        is_disabled,
        severity,
    };
    changed.messages = BTreeMap::from([
        (411_001, setting(false, Some(Severity::Critical))),
        (106_016, setting(true, None)),
    ]);
    let mut logger = logger(changed);
    assert!(!logger.wants(Id::IpSpoof));
    at(1, |stamp| logger.record(&UP, stamp));
    assert!(buffered(&logger)[0].contains("%ASA-2-411001: "));
    // The severity of an access rule comes before the message's own, not before the operator's.
    at(1, |stamp| {
        logger.record_as(
            &Message::NotShown { count: 1 },
            Severity::Informational,
            stamp,
        );
        logger.record_as(&Message::NotShown { count: 2 }, Severity::Alerts, stamp);
        logger.record_as(&UP, Severity::Debugging, stamp);
    });
    assert_eq!(buffered(&logger).len(), 3);
    assert!(buffered(&logger)[1].contains("%ASA-1-199702: 2"));
}

#[test]
fn classes_and_lists_choose_messages() {
    let mut chosen = settings(Destination::Buffered, Severity::Alerts);
    chosen.classes.push(ClassFilter {
        class: Class::from_keyword("sys").unwrap(),
        destination: Destination::Buffered,
        severity: Severity::Warnings,
    });
    chosen
        .destinations
        .insert(Destination::Console, Filter::List("mine".into()));
    chosen.lists.insert(
        "mine".into(),
        vec![
            ListItem::Level {
                severity: Severity::Notifications,
                class: Class::from_keyword("config"),
            },
            ListItem::Messages {
                first: 611_101,
                last: 611_103,
            },
        ],
    );
    let wants = |destination, number, severity| chosen.wants(destination, number, severity);
    let (buffer, console) = (Destination::Buffered, Destination::Console);
    assert!(wants(buffer, 411_001, Severity::Warnings), "by class");
    assert!(!wants(buffer, 106_016, Severity::Critical), "by level");
    assert!(wants(console, 111_008, Severity::Notifications));
    assert!(!wants(console, 111_009, Severity::Debugging));
    assert!(wants(console, 611_103, Severity::Debugging));
    assert!(!wants(console, 611_104, Severity::Alerts));
}

#[test]
fn the_buffer_keeps_the_newest_lines_and_counts_the_others() {
    let mut logger = logger(settings(Destination::Buffered, Severity::Debugging));
    let commands: std::vec::Vec<String> = (0..200).map(|n| format!("show {n}")).collect();
    for command in &commands {
        at(1, |stamp| {
            logger.record(
                &Message::QueryExecuted {
                    user: "ann",
                    command,
                },
                stamp,
            );
        });
    }
    let lines = buffered(&logger);
    let counts = logger.counts(Destination::Buffered);
    assert_eq!(counts.logged, 200);
    assert_eq!(counts.dropped + lines.len() as u64, 200);
    assert!(lines.last().unwrap().ends_with("cmd: show 199"));
    assert!(lines.iter().map(|line| line.len() + 2).sum::<usize>() <= 4096);
    logger.clear_buffer();
    assert!(buffered(&logger).is_empty());
}

#[test]
fn a_terminal_that_cannot_keep_up_is_told_what_it_missed() {
    let mut logger = logger(settings(Destination::Console, Severity::Warnings));
    let mut recorded = 0;
    while logger.counts(Destination::Console).dropped < 3 {
        at(1, |stamp| logger.record(&UP, stamp));
        recorded += 1;
    }
    let mut shown = 0;
    assert_eq!(logger.poll_timeout(), None, "nobody has read a line yet");
    while logger.poll_console().is_some() {
        shown += 1;
    }
    assert_eq!(shown + 3, recorded);
    assert!(logger.poll_timeout().is_some());
    at(2, |stamp| logger.handle_timeout(stamp));
    let told = logger.poll_console().unwrap();
    assert!(
        told.contains("%ASA-4-199702: 3 messages not shown"),
        "{told}"
    );
    assert_eq!((logger.poll_console(), logger.poll_timeout()), (None, None));
}

#[test]
fn a_rate_limit_holds_messages_back_and_says_how_many() {
    let mut limited = settings(Destination::Buffered, Severity::Debugging);
    limited.rate_limits.push(RateLimit {
        messages: 2,
        period_secs: 10,
        target: RateTarget::Message(411_001),
    });
    let mut logger = logger(limited);
    for secs in [0, 1, 2, 3] {
        at(secs, |stamp| logger.record(&UP, stamp));
    }
    assert_eq!((buffered(&logger).len(), logger.rate_limited()), (2, 2));
    let due = logger.poll_timeout().unwrap();
    assert_eq!(due.as_micros(), 10_000_000);
    at(10, |stamp| logger.handle_timeout(stamp));
    let lines = buffered(&logger);
    assert!(
        lines[2]
            .ends_with("%ASA-4-199701: 2 messages of 411001 suppressed by logging rate-limit 2 10"),
        "{lines:?}"
    );
    at(11, |stamp| logger.record(&UP, stamp));
    assert_eq!((buffered(&logger).len(), logger.poll_timeout()), (4, None));
    // What a limit has held back is said when it is taken away.
    for secs in [12, 13] {
        at(secs, |stamp| logger.record(&UP, stamp));
    }
    let free = settings(Destination::Buffered, Severity::Debugging);
    at(14, |stamp| logger.configure(free, stamp)).unwrap();
    assert!(buffered(&logger)[5].contains("199701: 1 messages"));
}

#[test]
fn servers_get_datagrams_of_their_form_and_losses_are_counted() {
    let host = |last, is_emblem, transport| Host {
        interface: "inside".into(),
        address: Ipv4Addr::new(10, 20, 0, last),
        transport,
        port: 514,
        is_emblem,
        is_secure: false,
    };
    let hosts = vec![
        host(9, false, Transport::Udp),
        host(10, true, Transport::Udp),
        host(11, false, Transport::Tcp),
    ];
    let mut logger = logger(Settings {
        hosts,
        queue_len: 1,
        device_id: Some(DeviceId {
            source: DeviceIdSource::Hostname,
            text: "asa1".into(),
        }),
        ..settings(Destination::Trap, Severity::Warnings)
    });
    at(1, |stamp| logger.record(&UP, stamp));
    at(1, |stamp| logger.record(&UP, stamp));
    let text = "411001: Line protocol on Interface outside, changed state to up";
    for (index, expected) in [
        format!("<164>Nov 23 2021 04:25:10 asa1 : %ASA-4-{text}"),
        format!("<164>:Nov 23 2021 04:25:10: %ASA-sys-4-{text}"),
        format!("<164>Nov 23 2021 04:25:10 asa1 : %ASA-4-{text}\n"),
    ]
    .into_iter()
    .enumerate()
    {
        let datagram = logger.poll_host().unwrap();
        assert_eq!(datagram.index, index);
        assert_eq!(String::from_utf8(datagram.bytes).unwrap(), expected);
        let outcome = match index {
            1 => HostOutcome::Failed,
            _ => HostOutcome::Sent,
        };
        logger.host_sent(index, outcome);
    }
    assert_eq!(logger.poll_host(), None);
    assert_eq!(logger.queue(), (0, 1, 1));
    let counts = logger.host_counts();
    assert_eq!(
        (counts[0].sent, counts[0].errors, counts[0].dropped),
        (1, 0, 1)
    );
    assert_eq!(
        (counts[1].sent, counts[1].errors, counts[1].dropped),
        (0, 1, 1)
    );
}

#[test]
fn names_that_were_not_proven_are_hidden_unless_asked_for() {
    let denied = Message::LoginDenied {
        path: LoginPath::Serial,
        user: "hunter2",
    };
    let mut open = settings(Destination::Buffered, Severity::Debugging);
    let mut logger = logger(open.clone());
    at(1, |stamp| logger.record(&denied, stamp));
    open.hides_usernames = false;
    at(1, |stamp| logger.configure(open, stamp)).unwrap();
    at(1, |stamp| logger.record(&denied, stamp));
    let lines = buffered(&logger);
    assert!(lines[0].ends_with("for user \"*****\"") && lines[1].ends_with("\"hunter2\""));
}

#[test]
fn severities_are_read_by_number_and_by_what_is_unique_of_a_name() {
    assert_eq!(Severity::parse("7"), Some(Severity::Debugging));
    assert_eq!(Severity::parse("Not"), Some(Severity::Notifications));
    for text in ["", "8", "e", "+1", "warningss", "300"] {
        assert_eq!(Severity::parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_line_is_one_bounded_line_whatever_is_in_it(command in "\\PC{0,30}[\\x00-\\x1f]{0,3}.{0,1500}") {
        let mut logger = logger(settings(Destination::Buffered, Severity::Debugging));
        at(1, |stamp| logger.record(&Message::QueryExecuted { user: "a", command: &command }, stamp));
        let lines = buffered(&logger);
        prop_assert_eq!(lines.len(), 1);
        prop_assert!(lines[0].len() <= 1024 && !lines[0].chars().any(char::is_control));
        let fits = command.len() < 900;
        prop_assert!(!fits || logger.cut() == 0);
        prop_assert_eq!(logger.cut() > 0, lines[0].len() > 1000 && lines[0].ends_with("..."));
    }
}
