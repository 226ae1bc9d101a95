//! What `show logging` and its kin print.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write;

use crate::logger::Logger;
use crate::message::{Message, Row};
use crate::settings::{
    Destination, DeviceIdSource, Filter, MessageSetting, Settings, Timestamp, Transport,
};

/// `show logging setting`: what goes where, and how much went.
pub fn setting(out: &mut String, logger: &Logger) {
    let settings = logger.settings();
    let timestamp = match settings.timestamp {
        Timestamp::Off => "disabled",
        Timestamp::Classic => "enabled",
        Timestamp::Rfc5424 => "enabled (rfc5424)",
    };
    let _ = writeln!(out, "Syslog logging: {}", word(settings.is_enabled));
    for (name, value) in [
        ("Facility", settings.facility.to_string().as_str()),
        ("Timestamp logging", timestamp),
        ("Hide Username logging", word(settings.hides_usernames)),
        ("Standby logging", word(settings.on_standby)),
        ("Debug-trace logging", word(settings.debug_trace)),
        (
            "Console logging",
            &destination(logger, Destination::Console),
        ),
        (
            "Monitor logging",
            &destination(logger, Destination::Monitor),
        ),
        (
            "Buffer logging",
            &destination(logger, Destination::Buffered),
        ),
        ("Trap logging", &destination(logger, Destination::Trap)),
    ] {
        let _ = writeln!(out, "    {name}: {value}");
    }
    hosts(out, logger);
    for (name, value) in [
        ("Permit-hostdown logging", word(settings.permits_host_down)),
        (
            "History logging",
            &destination(logger, Destination::History),
        ),
        ("Device ID", &device_id(settings)),
        ("Mail logging", &destination(logger, Destination::Mail)),
        ("ASDM logging", &destination(logger, Destination::Asdm)),
    ] {
        let _ = writeln!(out, "    {name}: {value}");
    }
    if logger.rate_limited() > 0 {
        let _ = writeln!(
            out,
            "    Rate-limit: {} messages suppressed",
            logger.rate_limited()
        );
    }
    if logger.untold() > 0 {
        let _ = writeln!(out, "    Packet engine: {} events lost", logger.untold());
    }
    if logger.cut() > 0 {
        let _ = writeln!(out, "    Line length: {} messages cut", logger.cut());
    }
}

/// `show logging`: the settings and the buffered messages.
pub fn logging(out: &mut String, logger: &Logger) {
    setting(out, logger);
    for line in logger.buffered() {
        let _ = writeln!(out, "{line}");
    }
}

/// `show logging queue`: the queue to the syslog servers.
pub fn queue(out: &mut String, logger: &Logger) {
    let (waiting, most, refused) = logger.queue();
    let _ = write!(
        out,
        "\n        Logging Queue length limit : {} msg(s)\n        \
         {refused} msg(s) discarded due to queue overflow\n        \
         0 msg(s) discarded due to memory allocation failure\n        \
         Current {waiting} msg on queue, {most} msgs most on queue\n",
        match logger.settings().queue_len {
            0 => "Unlimited".to_string(),
            limit => limit.to_string(),
        }
    );
}

/// `show logging message`: the messages that `logging message` has changed; with `only` that one.
pub fn messages(out: &mut String, settings: &Settings, only: Option<u32>) {
    match only {
        Some(number) => message(out, settings, number),
        None => {
            for number in settings.messages.keys() {
                message(out, settings, *number);
            }
        }
    }
}

/// `show logging message all`: every message the box can emit.
pub fn all_messages(out: &mut String, settings: &Settings) {
    let mut numbers: alloc::vec::Vec<u32> = Message::ROWS.iter().map(|row| row.number).collect();
    numbers.sort_unstable();
    for number in numbers {
        message(out, settings, number);
    }
}

fn message(out: &mut String, settings: &Settings, number: u32) {
    let setting = settings.messages.get(&number).copied();
    let MessageSetting {
        is_disabled,
        severity,
    } = setting.unwrap_or_default();
    let current = severity.map_or_else(String::new, |severity| {
        format!(", current-level {}", severity.keyword())
    });
    let state = if is_disabled { "disabled" } else { "enabled" };
    let _ = match row(number) {
        Some(row) => writeln!(
            out,
            "syslog {number}: default-level {}{current} ({state})",
            row.severity.keyword()
        ),
        None => writeln!(
            out,
            "syslog {number}: not emitted by this device{current} ({state})"
        ),
    };
}

fn row(number: u32) -> Option<&'static Row> {
    Message::ROWS.iter().find(|row| row.number == number)
}

const fn word(is_on: bool) -> &'static str {
    if is_on { "enabled" } else { "disabled" }
}

/// `disabled`, or `level notifications, 10003 messages logged`. What was lost stands behind that,
/// where there is nothing on an ASA.
fn destination(logger: &Logger, destination: Destination) -> String {
    let settings = logger.settings();
    let classes = settings
        .classes
        .iter()
        .filter(|filter| filter.destination == destination)
        .map(|filter| format!(" {}", filter.class.keyword))
        .collect::<String>();
    let what = match settings.destinations.get(&destination) {
        Some(Filter::Severity(severity)) => format!("level {}", severity.keyword()),
        Some(Filter::List(name)) => format!("list {name}"),
        None if classes.is_empty() => return "disabled".into(),
        None => String::new(),
    };
    let comma = if what.is_empty() { "" } else { ", " };
    let classes = match classes.as_str() {
        "" => String::new(),
        names => format!("{comma}class{names}"),
    };
    let facility = match destination {
        Destination::Trap => format!(", facility {}", settings.facility),
        _ => String::new(),
    };
    let counts = logger.counts(destination);
    let lost = match (destination, counts.dropped) {
        (_, 0) => String::new(),
        (Destination::Buffered, lost) => format!(", {lost} overwritten"),
        (_, lost) => format!(", {lost} dropped"),
    };
    format!(
        "{what}{classes}{facility}, {} messages logged{lost}",
        counts.logged
    )
}

fn hosts(out: &mut String, logger: &Logger) {
    let settings = logger.settings();
    let rows = settings.hosts.iter().zip(logger.host_counts());
    for (index, (host, counts)) in rows.enumerate() {
        let port = match (host.transport, host.port) {
            (Transport::Udp, 514) => "UDP".to_string(),
            (Transport::Udp, port) => format!("udp/{port}"),
            (Transport::Tcp, port) => format!("tcp/{port}"),
        };
        if let Some(since) = logger.host_down_since(index) {
            let _ = writeln!(
                out,
                "        Logging to {} {} {port} Not connected since {since}  dropped: {}",
                host.interface, host.address, counts.dropped
            );
            continue;
        }
        let _ = writeln!(
            out,
            "        Logging to {} {}, {port} TX:{} errors: {}  dropped: {}",
            host.interface, host.address, counts.sent, counts.errors, counts.dropped
        );
    }
    if !settings.hosts.is_empty() {
        let tcp = logger.tcp();
        let lost = tcp.not_putable + tcp.channel_down;
        let _ = writeln!(
            out,
            "    Global TCP syslog stats::\n        NOT_PUTABLE: {}, ALL_CHANNEL_DOWN: {}\n        \
             CHANNEL_FLAP_CNT: {}, SYSLOG_PKT_LOSS: {lost}\n        PARTIAL_REWRITE_CNT: 0",
            tcp.not_putable, tcp.channel_down, tcp.flaps
        );
    }
}

fn device_id(settings: &Settings) -> String {
    let Some(id) = &settings.device_id else {
        return "disabled".into();
    };
    match &id.source {
        DeviceIdSource::Hostname => format!("hostname \"{}\"", id.text),
        DeviceIdSource::Text => format!("string \"{}\"", id.text),
        DeviceIdSource::Address(interface) => {
            format!("'{interface}' interface IP address \"{}\"", id.text)
        }
        DeviceIdSource::Context => format!("context name \"{}\"", id.text),
    }
}
