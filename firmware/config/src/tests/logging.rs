//! Logging: what is kept with a warning, what is refused, and what goes with what it names.

use super::{Session, reread};
use crate::model::{
    LOG_CLASSES, LOG_HOSTS_MAX, LOG_LIST_ITEMS_MAX, LOG_LISTS_MAX, LOG_MESSAGES_MAX,
    LogDestination, LogDeviceId, LogFilter, LogTransport,
};
use crate::refusal::{Notice, Refusal, Thing};

#[test]
fn severities_are_read_by_number_or_beginning_and_printed_by_name() {
    let mut session = Session::new();
    for (typed, printed) in [
        ("7", "debugging"),
        ("INFO", "informational"),
        ("em", "emergencies"),
        ("w", "warnings"),
    ] {
        session.line(&format!("logging buffered {typed}"));
        assert_eq!(
            session.shown("logging"),
            [format!("logging buffered {printed}")]
        );
    }
    assert_eq!(
        session.refusal("logging buffered e"),
        Refusal::Missing(Thing::LogList, "e".into()),
        "two severities begin so"
    );
    assert!(session.try_line("logging trap 8").is_err());
}

#[test]
fn lines_that_nothing_acts_on_say_so() {
    let mut session = Session::with_interfaces();
    for (line, what) in [
        ("logging history 3", "logging history"),
        ("logging asdm 3", "logging asdm"),
        ("logging mail 3", "logging mail"),
        ("logging class ca mail 3", "logging mail"),
        (
            "logging host inside 10.20.0.9 tcp/6514 secure",
            "logging host secure",
        ),
        ("logging flash-bufferwrap", "logging flash-bufferwrap"),
    ] {
        assert_eq!(session.notices(line), [Notice::KeptOnly(what)], "{line}");
    }
    for line in [
        "logging enable",
        "logging console 3",
        "logging buffered 3",
        "logging trap errors",
        "logging host inside 10.20.0.8",
        "logging permit-hostdown",
        "no logging trap",
        "no logging permit-hostdown",
        "no logging host inside 10.20.0.9",
    ] {
        assert_eq!(session.notices(line), [], "{line}");
    }
}

#[test]
fn hosts_are_there_once_with_transport_and_port() {
    let mut session = Session::with_interfaces();
    session.paste(
        "logging host inside 10.20.0.9 17/1514 format emblem\nlogging host inside 10.20.0.8\n\
         logging host inside 10.20.0.9 tcp/1470 secure",
    );
    assert_eq!(
        session.shown("logging"),
        [
            "logging host inside 10.20.0.9 tcp/1470 secure",
            "logging host inside 10.20.0.8",
        ]
    );
    let hosts = &session.config.logging.hosts;
    assert_eq!(
        (hosts[1].transport, hosts[1].port),
        (LogTransport::Udp, 514)
    );
    assert_eq!(
        session.refusal("logging host dmz 192.0.2.9"),
        Refusal::Missing(Thing::Interface, "dmz".into())
    );
    assert_eq!(
        session.refusal("logging host inside 10.20.0.9 udp/514 secure"),
        Refusal::Combination("secure", "udp")
    );
    assert_eq!(
        session.refusal("logging host inside 10.20.0.9 6/514 format emblem"),
        Refusal::Combination("format emblem", "tcp")
    );
    for wrong in ["udp/0", "udp/65536", "sctp/1", "udp"] {
        let line = format!("logging host inside 10.20.0.9 {wrong}");
        assert_eq!(session.refusal(&line), Refusal::Invalid { offset: 30 });
    }
    for last in 10..24 {
        session.line(&format!("logging host inside 10.20.0.{last}"));
    }
    assert_eq!(
        session.refusal("logging host inside 10.20.0.99"),
        Refusal::TooMany("logging hosts", LOG_HOSTS_MAX)
    );
    session.line("logging host inside 10.20.0.8 udp/515");
}

#[test]
fn lines_follow_the_name_of_their_interface_and_go_with_it() {
    let mut session = Session::with_interfaces();
    session.paste(
        "logging device-id ipaddress inside\nlogging host inside 10.20.0.9\n\
         interface gi0/1\nnameif lan\nexit",
    );
    let logging = &session.config.logging;
    assert_eq!(logging.device_id, Some(LogDeviceId::Address("lan".into())));
    assert_eq!(logging.hosts[0].interface, "lan");
    assert_eq!(reread(&session.grammar, &session.config), session.config);
    session.line("interface gi0/1");
    let notices = session.notices("no nameif");
    assert_eq!(notices, [Notice::InterfaceLinesRemoved("lan".into())]);
    let logging = &session.config.logging;
    assert_eq!((&logging.device_id, logging.hosts.len()), (&None, 0));
}

#[test]
fn a_list_in_use_stays_and_none_is_named_like_a_severity() {
    let mut session = Session::new();
    session.paste(
        "logging list L level 3 class ssl\nlogging list L message 111001-111010\n\
         logging list L message 199002\nlogging buffered L",
    );
    assert_eq!(
        session.shown("logging"),
        [
            "logging list L level errors class ssl",
            "logging list L message 111001-111010",
            "logging list L message 199002",
            "logging buffered L",
        ]
    );
    let destinations = &session.config.logging.destinations;
    let filter = destinations.get(&LogDestination::Buffered);
    assert_eq!(filter, Some(&LogFilter::List("L".into())));
    let in_use = Refusal::InUse {
        thing: Thing::LogList,
        name: "L".into(),
        by: "logging",
    };
    assert_eq!(session.refusal("no logging list L"), in_use);
    session.paste("no logging list L level 3 class ssl\nno logging list L message 199002");
    assert_eq!(
        session.refusal("no logging list L message 111001-111010"),
        in_use
    );
    session.paste("no logging buffered\nno logging list L message 111001-111010");
    assert!(session.config.logging.lists.is_empty());
    for name in ["d", "Errors", "e", "5", "12"] {
        assert_eq!(
            session.refusal(&format!("logging list {name} level 3")),
            Refusal::BadName(name.into())
        );
    }
    assert_eq!(
        session.refusal("logging list L message 111010-111001"),
        Refusal::BadRange
    );
    assert_eq!(
        session.refusal("logging list L message 99-111001"),
        Refusal::Invalid { offset: 23 }
    );
}

#[test]
fn every_table_is_bounded() {
    let mut session = Session::new();
    for index in 0..LOG_LISTS_MAX {
        session.line(&format!("logging list L{index} level 3"));
    }
    for index in 1..LOG_LIST_ITEMS_MAX {
        session.line(&format!("logging list L0 message {}", 100_000 + index));
    }
    for index in 0..LOG_MESSAGES_MAX {
        session.line(&format!("no logging message {}", 100_000 + index));
    }
    for (line, refusal) in [
        (
            "logging list M level 3",
            Refusal::TooMany("logging lists", LOG_LISTS_MAX),
        ),
        (
            "logging list L0 level 5",
            Refusal::TooMany("lines in the list", LOG_LIST_ITEMS_MAX),
        ),
        (
            "no logging message 999999",
            Refusal::TooMany("messages with a setting", LOG_MESSAGES_MAX),
        ),
    ] {
        assert_eq!(session.refusal(line), refusal);
    }
    session
        .paste("logging list L0 level 3\nlogging message 100000 level 3\nlogging message 100001");
}

#[test]
fn one_message_can_be_silent_and_of_another_severity() {
    let mut session = Session::new();
    session.paste("logging message 106023 level 3\nno logging message 106023");
    let both = [
        "logging message 106023 level errors",
        "no logging message 106023",
    ];
    assert_eq!(session.shown("logging"), both);
    assert_eq!(reread(&session.grammar, &session.config), session.config);
    session.paste("logging message 106023\nno logging message 106023 level 3");
    assert!(session.config.logging.messages.is_empty());
}

#[test]
fn every_class_is_a_word_of_the_statement() {
    let mut session = Session::new();
    for class in LOG_CLASSES {
        session.line(&format!("logging class {class} buffered 3"));
    }
    assert_eq!(session.config.logging.classes.len(), LOG_CLASSES.len());
}
