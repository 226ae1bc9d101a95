mod document;
mod logger;
mod show;

use crate::logger::{Logger, Stamp};
use crate::message::Message;
use crate::settings::{Destination, Filter, Settings, Timestamp};
use crate::severity::Severity;
use core::time::Duration;
use hal::time::Instant;
use std::string::String;
use std::vec::Vec;

/// A moment, in seconds since the start; the date is always the same.
fn at<T>(secs: u64, run: impl FnOnce(&Stamp<'_>) -> T) -> T {
    run(&Stamp {
        now: Instant::ZERO + Duration::from_secs(secs),
        classic: &"Nov 23 2021 04:25:10",
        rfc5424: &"2021-11-23T03:25:10Z",
    })
}

/// Settings with logging on, a timestamp, and `destination` at `severity`.
fn settings(destination: Destination, severity: Severity) -> Settings {
    let mut settings = Settings {
        is_enabled: true,
        timestamp: Timestamp::Classic,
        ..Settings::default()
    };
    settings
        .destinations
        .insert(destination, Filter::Severity(severity));
    settings
}

fn logger(settings: Settings) -> Logger {
    let mut logger = Logger::new();
    at(0, |stamp| logger.configure(settings, stamp)).unwrap();
    logger
}

fn buffered(logger: &Logger) -> Vec<String> {
    logger.buffered().collect()
}

const UP: Message<'static> = Message::LinkUp {
    interface: "outside",
};
