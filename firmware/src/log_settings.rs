//! The configured `logging` lines as the logger takes them.

use alloc::string::String;
use core::net::Ipv4Addr;

use config::Config;
use config::model::{
    LogDestination, LogDeviceId, LogFilter, LogHost, LogListItem, LogRateTarget, LogTimestamp,
    LogTransport,
};
use syslog::settings::{
    ClassFilter, Destination, DeviceId, DeviceIdSource, Filter, Host, ListItem, MessageSetting,
    RateLimit, RateTarget, Settings, Timestamp, Transport,
};
use syslog::{Class, Severity};

/// What `logging device-id context-name` writes: the box has one context, and this is what an ASA
/// with one calls it.
const CONTEXT: &str = "single_vf";

/// The settings that `config` asks for.
pub(crate) fn of(config: &Config) -> Settings {
    let logging = &config.logging;
    Settings {
        is_enabled: logging.is_enabled,
        timestamp: match logging.timestamp {
            LogTimestamp::Off => Timestamp::Off,
            LogTimestamp::Classic => Timestamp::Classic,
            LogTimestamp::Rfc5424 => Timestamp::Rfc5424,
        },
        device_id: logging.device_id.as_ref().map(|id| device_id(config, id)),
        hides_usernames: logging.hides_usernames,
        on_standby: logging.on_standby,
        debug_trace: logging.debug_trace,
        permits_host_down: logging.permits_host_down,
        buffer_bytes: usize::try_from(logging.buffer_bytes).unwrap_or(usize::MAX),
        facility: logging.facility,
        queue_len: logging.queue,
        destinations: logging
            .destinations
            .iter()
            .map(|(to, filter)| {
                let filter = match filter {
                    LogFilter::Severity(number) => Filter::Severity(severity(*number)),
                    LogFilter::List(name) => Filter::List(name.clone()),
                };
                (destination(*to), filter)
            })
            .collect(),
        classes: logging
            .classes
            .iter()
            .filter_map(|((class, to), number)| {
                Some(ClassFilter {
                    class: Class::from_keyword(class)?,
                    destination: destination(*to),
                    severity: severity(*number),
                })
            })
            .collect(),
        lists: logging
            .lists
            .iter()
            .map(|(name, items)| (name.clone(), items.iter().map(list_item).collect()))
            .collect(),
        messages: logging
            .messages
            .iter()
            .map(|(number, setting)| {
                let setting = MessageSetting {
                    is_disabled: setting.is_disabled,
                    severity: setting.severity.map(severity),
                };
                (*number, setting)
            })
            .collect(),
        rate_limits: logging
            .rate_limits
            .iter()
            .map(|(target, rate)| RateLimit {
                messages: rate.messages,
                period_secs: rate.period_secs,
                target: match target {
                    LogRateTarget::Level(number) => RateTarget::Level(severity(*number)),
                    LogRateTarget::Message(number) => RateTarget::Message(*number),
                },
            })
            .collect(),
        // What is to go over TLS does not go in the clear.
        hosts: logging
            .hosts
            .iter()
            .filter(|host| !host.is_secure)
            .map(host)
            .collect(),
    }
}

fn device_id(config: &Config, id: &LogDeviceId) -> DeviceId {
    let (source, text) = match id {
        LogDeviceId::Hostname => (DeviceIdSource::Hostname, config.hostname.clone()),
        LogDeviceId::Text(text) => (DeviceIdSource::Text, text.clone()),
        LogDeviceId::Context => (DeviceIdSource::Context, String::from(CONTEXT)),
        LogDeviceId::Address(nameif) => {
            let interface = config.interface_named(nameif);
            let address = interface.and_then(|(_, interface)| interface.address);
            let address = address.map_or(Ipv4Addr::UNSPECIFIED, |subnet| subnet.address());
            let source = DeviceIdSource::Address(nameif.clone());
            (source, alloc::format!("{address}"))
        }
    };
    DeviceId { source, text }
}

/// The severity of a configured number, which the grammar keeps to 0 to 7.
fn severity(number: u8) -> Severity {
    Severity::from_number(number).unwrap_or(Severity::Debugging)
}

const fn destination(destination: LogDestination) -> Destination {
    match destination {
        LogDestination::Console => Destination::Console,
        LogDestination::Monitor => Destination::Monitor,
        LogDestination::Buffered => Destination::Buffered,
        LogDestination::Trap => Destination::Trap,
        LogDestination::History => Destination::History,
        LogDestination::Asdm => Destination::Asdm,
        LogDestination::Mail => Destination::Mail,
    }
}

fn list_item(item: &LogListItem) -> ListItem {
    match item {
        LogListItem::Level {
            severity: number,
            class,
        } => ListItem::Level {
            severity: severity(*number),
            class: class.and_then(Class::from_keyword),
        },
        LogListItem::Messages { first, last } => ListItem::Messages {
            first: *first,
            last: *last,
        },
    }
}

fn host(host: &LogHost) -> Host {
    Host {
        interface: host.interface.clone(),
        address: host.address,
        transport: match host.transport {
            LogTransport::Tcp => Transport::Tcp,
            LogTransport::Udp => Transport::Udp,
        },
        port: host.port,
        is_emblem: host.is_emblem,
        is_secure: host.is_secure,
    }
}

#[cfg(test)]
mod tests {
    use config::model::LOG_CLASSES;

    use super::*;

    #[test]
    fn a_box_nobody_configured_logs_with_the_settings_of_a_new_logger() {
        assert_eq!(of(&Config::factory(2)), Settings::default());
    }

    #[test]
    fn configuration_and_logger_know_the_same_classes_and_severities() {
        let known: alloc::vec::Vec<_> = Class::ALL.iter().map(|class| class.keyword).collect();
        assert_eq!(known, LOG_CLASSES);
        for number in 0..=7 {
            assert_eq!(severity(number).number(), number);
            let keyword = severity(number).keyword();
            assert_eq!(config::names::parse_level(keyword), Some(number));
        }
    }
}
