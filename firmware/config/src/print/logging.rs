//! Logging as text.

use super::Page;
use crate::model::{
    Config, DEFAULT_LOG_BUFFER_BYTES, DEFAULT_LOG_FACILITY, DEFAULT_LOG_QUEUE,
    DEFAULT_LOG_UDP_PORT, LogDestination, LogDeviceId, LogFilter, LogHost, LogListItem,
    LogRateTarget, LogTimestamp, LogTransport, LoggingSettings,
};
use crate::names;
use alloc::format;
use alloc::string::String;

pub(crate) fn logging(page: &mut Page<'_>, config: &Config) {
    let logging = &config.logging;
    page.switch(0, "logging enable", logging.is_enabled, false);
    match logging.timestamp {
        LogTimestamp::Off => page.unless_default(true, "no logging timestamp"),
        LogTimestamp::Classic => page.line("logging timestamp"),
        LogTimestamp::Rfc5424 => page.line("logging timestamp rfc5424"),
    }
    page.switch(0, "logging standby", logging.on_standby, false);
    for (name, items) in &logging.lists {
        for item in items {
            page.line(format!("logging list {name} {}", list_item(item)));
        }
    }
    page.unless_default(
        logging.buffer_bytes == DEFAULT_LOG_BUFFER_BYTES,
        format!("logging buffer-size {}", logging.buffer_bytes),
    );
    for destination in LogDestination::ALL {
        let keyword = destination.keyword();
        match logging.destinations.get(&destination) {
            None => page.unless_default(true, format!("no logging {keyword}")),
            Some(LogFilter::List(name)) => page.line(format!("logging {keyword} {name}")),
            Some(LogFilter::Severity(severity)) => {
                page.line(format!("logging {keyword} {}", names::level(*severity)));
            }
        }
    }
    page.unless_default(
        logging.facility == DEFAULT_LOG_FACILITY,
        format!("logging facility {}", logging.facility),
    );
    page.unless_default(
        logging.queue == DEFAULT_LOG_QUEUE,
        format!("logging queue {}", logging.queue),
    );
    match &logging.device_id {
        None => page.unless_default(true, "no logging device-id"),
        Some(LogDeviceId::Hostname) => page.line("logging device-id hostname"),
        Some(LogDeviceId::Context) => page.line("logging device-id context-name"),
        Some(LogDeviceId::Address(name)) => {
            page.line(format!("logging device-id ipaddress {name}"));
        }
        Some(LogDeviceId::Text(text)) => page.line(format!("logging device-id string {text}")),
    }
    for server in &logging.hosts {
        page.line(host(server));
    }
    for (words, is_on, default) in [
        ("debug-trace", logging.debug_trace, false),
        ("flash-bufferwrap", logging.flash_bufferwrap, false),
        ("ftp-bufferwrap", logging.ftp_bufferwrap, false),
        ("permit-hostdown", logging.permits_host_down, false),
        ("hide username", logging.hides_usernames, true),
    ] {
        page.switch(0, &format!("logging {words}"), is_on, default);
    }
    particulars(page, logging);
}

/// What holds for some messages only.
fn particulars(page: &mut Page<'_>, logging: &LoggingSettings) {
    for ((class, destination), severity) in &logging.classes {
        page.line(format!(
            "logging class {class} {} {}",
            destination.keyword(),
            names::level(*severity)
        ));
    }
    for (number, setting) in &logging.messages {
        if let Some(severity) = setting.severity {
            let level = names::level(severity);
            page.line(format!("logging message {number} level {level}"));
        }
        if setting.is_disabled {
            page.line(format!("no logging message {number}"));
        }
    }
    for (target, rate) in &logging.rate_limits {
        let target = match target {
            LogRateTarget::Level(severity) => format!("level {}", names::level(*severity)),
            LogRateTarget::Message(number) => format!("message {number}"),
        };
        let (messages, secs) = (rate.messages, rate.period_secs);
        page.line(format!("logging rate-limit {messages} {secs} {target}"));
    }
}

fn list_item(item: &LogListItem) -> String {
    match item {
        LogListItem::Level { severity, class } => {
            let level = names::level(*severity);
            match class {
                Some(class) => format!("level {level} class {class}"),
                None => format!("level {level}"),
            }
        }
        LogListItem::Messages { first, last } if first == last => format!("message {first}"),
        LogListItem::Messages { first, last } => format!("message {first}-{last}"),
    }
}

fn host(host: &LogHost) -> String {
    let mut line = format!("logging host {} {}", host.interface, host.address);
    if (host.transport, host.port) != (LogTransport::Udp, DEFAULT_LOG_UDP_PORT) {
        line.push_str(&format!(" {}/{}", host.transport.keyword(), host.port));
    }
    if host.is_emblem {
        line.push_str(" format emblem");
    }
    if host.is_secure {
        line.push_str(" secure");
    }
    line
}
