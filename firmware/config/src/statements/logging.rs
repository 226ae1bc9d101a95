//! Logging: which messages go where, and what they look like.

use super::family::Family;
use super::{Change, ip, number, row, small, word};
use crate::mode::GLOBAL;
use crate::model::{
    DEFAULT_LOG_BUFFER_BYTES, DEFAULT_LOG_FACILITY, DEFAULT_LOG_QUEUE, LOG_CLASSES, LOG_HOSTS_MAX,
    LOG_LIST_ITEMS_MAX, LOG_LISTS_MAX, LOG_MESSAGES_MAX, LOG_RATE_LIMITS_MAX, LogDestination,
    LogDeviceId, LogFilter, LogHost, LogListItem, LogMessage, LogRate, LogRateTarget, LogTimestamp,
    LogTransport, LoggingSettings,
};
use crate::refusal::{Notice, Refusal, Thing};
use crate::{names, print};
use alloc::vec::Vec;
use cli::grammar::{Captures, Fragment, No};

/// How bad a message is.
pub(super) const SEVERITY: Fragment = Fragment {
    name: "severity",
    syntax: "{ <severity:0-7> | emergencies | alerts | critical | errors | warnings \
             | notifications | informational | debugging }",
    help: &[
        ("severity", "Severity by number"),
        ("emergencies", "System is unusable (0)"),
        ("alerts", "Immediate action needed (1)"),
        ("critical", "Critical conditions (2)"),
        ("errors", "Error conditions (3)"),
        ("warnings", "Warning conditions (4)"),
        ("notifications", "Normal but significant conditions (5)"),
        ("informational", "Informational messages (6)"),
        ("debugging", "Debugging messages (7)"),
    ],
};

/// What a message is about: the keywords of [`LOG_CLASSES`].
pub(super) const CLASS: Fragment = Fragment {
    name: "class",
    syntax: "{ auth | bridge | ca | config | dap | eigrp | email | ha | ids | ip | np | ospf | rip \
             | rm | session | snmp | ssl | svc | sys | vpdn | vpn | vpnc | vpnlb | webvpn }",
    help: &[
        ("auth", "User authentication"),
        ("bridge", "Transparent firewall"),
        ("ca", "Certificates"),
        ("config", "Command line"),
        ("dap", "Policies for remote users"),
        ("eigrp", "EIGRP routing"),
        ("email", "Mail proxy"),
        ("ha", "Failover"),
        ("ids", "Intrusion detection"),
        ("ip", "IP stack"),
        ("np", "Network processor"),
        ("ospf", "OSPF routing"),
        ("rip", "RIP routing"),
        ("rm", "Resource manager"),
        ("session", "User sessions"),
        ("snmp", "SNMP"),
        ("ssl", "SSL"),
        ("svc", "SSL VPN client"),
        ("sys", "System"),
        ("vpdn", "PPTP and L2TP sessions"),
        ("vpn", "IKE and IPsec"),
        ("vpnc", "VPN client"),
        ("vpnlb", "VPN load balancing"),
        ("webvpn", "Web-based VPN"),
    ],
};

/// Where messages go.
pub(super) const DESTINATION: Fragment = Fragment {
    name: "destination",
    syntax: "{ buffered | console | monitor | trap | history | asdm | mail }",
    help: &[
        ("buffered", "Log to the buffer"),
        ("console", "Log to the console"),
        ("monitor", "Log to terminals"),
        ("trap", "Log to hosts"),
        ("history", "Log to SNMP"),
        ("asdm", "Log to the graphical manager"),
        ("mail", "Log by mail"),
    ],
};

pub(super) const LOGGING: Family = Family {
    keyword: "logging",
    help: "Logging",
    rows: &[
        row(
            GLOBAL,
            "logging { enable | standby | debug-trace | permit-hostdown | hide username \
             | flash-bufferwrap | ftp-bufferwrap }",
            No::Same,
            &[
                ("logging", "Configure logging"),
                ("enable", "Enable logging"),
                ("standby", "Log on the standby unit"),
                ("debug-trace", "Log debug output"),
                (
                    "permit-hostdown",
                    "Let connections pass when the TCP host is down",
                ),
                ("hide", "Hide fields"),
                ("username", "Names of users who failed to log in"),
                ("flash-bufferwrap", "Write the full buffer to a file"),
                ("ftp-bufferwrap", "Send the full buffer by FTP"),
            ],
            switch,
        )
        .example("logging enable"),
        row(
            GLOBAL,
            "logging timestamp [rfc5424]",
            No::Same,
            &[
                ("timestamp", "Put the time into messages"),
                ("rfc5424", "Time in the form of RFC 5424"),
            ],
            timestamp,
        )
        .example("logging timestamp rfc5424"),
        row(
            GLOBAL,
            "logging $destination { $severity | <list:word> }",
            No::Syntax("logging $destination [<rest:text>]"),
            &[
                ("list", "Name of a list of messages"),
                ("rest", "The rest of the line is not needed"),
            ],
            destination,
        )
        .example("logging buffered debugging"),
        row(
            GLOBAL,
            "logging buffer-size <bytes:4096-1048576>",
            No::Syntax("logging buffer-size [<bytes:4096-1048576>]"),
            &[("buffer-size", "Size of the buffer"), ("bytes", "Bytes")],
            buffer_size,
        )
        .example("logging buffer-size 65536"),
        row(
            GLOBAL,
            "logging facility <facility:16-23>",
            No::Syntax("logging facility [<facility:16-23>]"),
            &[
                ("facility", "Syslog facility"),
                ("<facility>", "Number of the facility, 16 is local0"),
            ],
            facility,
        )
        .example("logging facility 23"),
        row(
            GLOBAL,
            "logging queue <messages:0-8192>",
            No::Syntax("logging queue [<messages:0-8192>]"),
            &[
                ("queue", "Messages waiting for hosts"),
                ("messages", "Messages, 0 for as many as there is room for"),
            ],
            queue,
        )
        .example("logging queue 1024"),
        row(
            GLOBAL,
            "logging device-id { hostname | ipaddress <interface> | string <text:word(16)> \
             | context-name }",
            No::Syntax("logging device-id [<rest:text>]"),
            &[
                ("device-id", "Name of the box in messages"),
                ("hostname", "The host name"),
                ("ipaddress", "The address of an interface"),
                ("interface", "Name of the interface"),
                ("string", "A text"),
                ("text", "The text"),
                ("context-name", "The name of the context"),
                ("rest", "The rest of the line is not needed"),
            ],
            device_id,
        )
        .example("logging device-id hostname"),
        row(
            GLOBAL,
            "logging host <interface> <server:ip> [<transport>] [format emblem] [secure]",
            No::Syntax("logging host <interface> <server:ip> [<rest:text>]"),
            &[
                ("host", "Send messages to a host"),
                ("interface", "Name of the interface"),
                ("server", "Address of the host"),
                ("transport", "tcp/PORT or udp/PORT"),
                ("format", "Form of the messages"),
                ("emblem", "EMBLEM, for hosts reached by UDP"),
                ("secure", "Over TLS, for hosts reached by TCP"),
                ("rest", "The rest of the line is not needed"),
            ],
            host,
        )
        .example("logging host inside 10.20.0.9 udp/1514"),
        row(
            GLOBAL,
            "logging class $class $destination $severity",
            No::Syntax("logging class $class $destination [<rest:text>]"),
            &[
                ("class", "Messages about one matter"),
                ("rest", "The rest of the line is not needed"),
            ],
            class,
        )
        .example("logging class auth console errors"),
        row(
            GLOBAL,
            "logging list <name:word(32)> { level $severity [class $class] | message <numbers> }",
            No::Syntax(
                "logging list <name:word(32)> [{ level $severity [class $class] \
                 | message <numbers> }]",
            ),
            &[
                ("list", "A list of messages"),
                ("name", "Name of the list"),
                ("level", "Messages of a severity and worse"),
                ("class", "Only those about one matter"),
                ("message", "Messages by number"),
                ("numbers", "A number, or the first and the last as N-N"),
            ],
            list,
        )
        .example("logging list LOGINS message 605004-605005"),
        row(
            GLOBAL,
            "logging message <number:100000-999999> [level $severity]",
            No::Syntax("logging message <number:100000-999999> [level [$severity]]"),
            &[
                ("message", "One message"),
                ("number", "Number of the message"),
                ("level", "Change its severity"),
            ],
            message,
        )
        .example("logging message 106023 level errors"),
        row(
            GLOBAL,
            "logging rate-limit <messages:1-2147483647> [<secs:1-2147483647>] \
             { level $severity | message <number:100000-999999> }",
            No::Syntax(
                "logging rate-limit [<messages:1-2147483647> [<secs:1-2147483647>]] \
                 { level $severity | message <number:100000-999999> }",
            ),
            &[
                ("rate-limit", "Hold messages back that come too fast"),
                ("messages", "Messages let through"),
                ("secs", "In so many seconds, 1 unless said"),
                ("level", "All messages of a severity together"),
                ("message", "One message"),
                ("number", "Number of the message"),
            ],
            rate_limit,
        )
        .example("logging rate-limit 10 60 message 106023"),
    ],
    print: print::logging::logging,
    clear: Some(clear),
    ..Family::EMPTY
};

fn clear(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let logging = &mut change.config.logging;
    change.outcome.set(logging, LoggingSettings::default());
    Ok(())
}

fn switch(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let is_on = !captures.negated();
    let logging = &mut change.config.logging;
    let switches = [
        ("enable", &mut logging.is_enabled, None),
        ("standby", &mut logging.on_standby, Some("logging standby")),
        (
            "debug-trace",
            &mut logging.debug_trace,
            Some("logging debug-trace"),
        ),
        ("permit-hostdown", &mut logging.permits_host_down, None),
        ("username", &mut logging.hides_usernames, None),
        (
            "flash-bufferwrap",
            &mut logging.flash_bufferwrap,
            Some("logging flash-bufferwrap"),
        ),
        (
            "ftp-bufferwrap",
            &mut logging.ftp_bufferwrap,
            Some("logging ftp-bufferwrap"),
        ),
    ];
    let chosen = switches
        .into_iter()
        .find(|(keyword, ..)| captures.has(keyword));
    let (_, slot, inactive) = chosen.ok_or(Refusal::Invalid { offset: 0 })?;
    change.outcome.set(slot, is_on);
    if let Some(what) = inactive.filter(|_| is_on) {
        change.notice(Notice::KeptOnly(what));
    }
    Ok(())
}

fn timestamp(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let timestamp = match (captures.negated(), captures.has("rfc5424")) {
        (true, _) => LogTimestamp::Off,
        (false, true) => LogTimestamp::Rfc5424,
        (false, false) => LogTimestamp::Classic,
    };
    let slot = &mut change.config.logging.timestamp;
    change.outcome.set(slot, timestamp);
    Ok(())
}

fn destination(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let destination = chosen_destination(captures)?;
    let logging = &mut change.config.logging;
    if captures.negated() {
        let removed = logging.destinations.remove(&destination);
        change.outcome.changed |= removed.is_some();
        return Ok(());
    }
    let filter = match (severity(captures), captures.word("list")) {
        (Some(severity), _) => LogFilter::Severity(severity),
        (None, Some(name)) if logging.lists.contains_key(name) => LogFilter::List(name.into()),
        (None, Some(name)) => return Err(Refusal::Missing(Thing::LogList, name.into())),
        (None, None) => return Err(Refusal::Invalid { offset: 0 }),
    };
    let before = logging.destinations.insert(destination, filter.clone());
    change.outcome.changed |= before != Some(filter);
    warn_if_inactive(change, destination);
    Ok(())
}

/// Says so if messages for `destination` go nowhere.
fn warn_if_inactive(change: &mut Change<'_>, destination: LogDestination) {
    let what = match destination {
        LogDestination::Console | LogDestination::Buffered | LogDestination::Trap => return,
        LogDestination::Monitor => "logging monitor",
        LogDestination::History => "logging history",
        LogDestination::Asdm => "logging asdm",
        LogDestination::Mail => "logging mail",
    };
    change.notice(Notice::KeptOnly(what));
}

fn buffer_size(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let bytes = match captures.negated() {
        true => DEFAULT_LOG_BUFFER_BYTES,
        false => number(captures, "bytes")?,
    };
    let slot = &mut change.config.logging.buffer_bytes;
    change.outcome.set(slot, bytes);
    Ok(())
}

fn facility(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let facility = match captures.negated() {
        true => DEFAULT_LOG_FACILITY,
        false => small(captures, "facility")?,
    };
    let slot = &mut change.config.logging.facility;
    change.outcome.set(slot, facility);
    Ok(())
}

fn queue(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let messages = match captures.negated() {
        true => DEFAULT_LOG_QUEUE,
        false => small(captures, "messages")?,
    };
    let slot = &mut change.config.logging.queue;
    change.outcome.set(slot, messages);
    Ok(())
}

fn device_id(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let id = if captures.negated() {
        None
    } else if captures.has("hostname") {
        Some(LogDeviceId::Hostname)
    } else if captures.has("context-name") {
        Some(LogDeviceId::Context)
    } else if captures.has("ipaddress") {
        let nameif = word(captures, "interface")?;
        change.require_interface(nameif)?;
        Some(LogDeviceId::Address(nameif.into()))
    } else {
        Some(LogDeviceId::Text(word(captures, "text")?.into()))
    };
    let slot = &mut change.config.logging.device_id;
    change.outcome.set(slot, id);
    Ok(())
}

fn host(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let interface = word(captures, "interface")?;
    let address = ip(captures, "server")?;
    let at = change
        .config
        .logging
        .hosts
        .iter()
        .position(|host| host.interface == interface && host.address == address);
    if captures.negated() {
        let hosts = &mut change.config.logging.hosts;
        return change.outcome.removed(at.map(|at| hosts.remove(at)));
    }
    change.require_interface(interface)?;
    let (transport, port) = match captures.word("transport") {
        Some(typed) => transport(typed).ok_or_else(|| super::invalid(captures, "transport"))?,
        None => (LogTransport::Udp, LogTransport::Udp.default_port()),
    };
    let is_secure = captures.has("secure");
    let host = LogHost {
        interface: interface.into(),
        address,
        transport,
        port,
        is_emblem: captures.has("emblem"),
        is_secure,
    };
    match host.transport {
        LogTransport::Tcp if host.is_emblem => {
            return Err(Refusal::Combination("format emblem", "tcp"));
        }
        LogTransport::Udp if host.is_secure => return Err(Refusal::Combination("secure", "udp")),
        LogTransport::Tcp | LogTransport::Udp => {}
    }
    let hosts = &mut change.config.logging.hosts;
    if at.is_none() && hosts.len() >= LOG_HOSTS_MAX {
        return Err(Refusal::TooMany("logging hosts", LOG_HOSTS_MAX));
    }
    match at.and_then(|at| hosts.get_mut(at)) {
        Some(known) => change.outcome.set(known, host),
        None => {
            hosts.push(host);
            change.outcome.changed = true;
        }
    }
    if is_secure {
        change.notice(Notice::KeptOnly("logging host secure"));
    }
    Ok(())
}

/// Reads `tcp/1470` or `udp/514`; the protocol may be its number, as an ASA prints it.
fn transport(typed: &str) -> Option<(LogTransport, u16)> {
    let (protocol, port) = typed.split_once('/')?;
    let transport = match protocol.to_ascii_lowercase().as_str() {
        "tcp" | "6" => LogTransport::Tcp,
        "udp" | "17" => LogTransport::Udp,
        _ => return None,
    };
    let port = u16::try_from(names::parse_decimal(port)?).ok()?;
    (port > 0).then_some((transport, port))
}

fn class(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let destination = chosen_destination(captures)?;
    let class = chosen_class(captures).ok_or(Refusal::Invalid { offset: 0 })?;
    let classes = &mut change.config.logging.classes;
    if captures.negated() {
        return change
            .outcome
            .removed(classes.remove(&(class, destination)));
    }
    let severity = severity(captures).ok_or(Refusal::Invalid { offset: 0 })?;
    let before = classes.insert((class, destination), severity);
    change.outcome.changed |= before != Some(severity);
    warn_if_inactive(change, destination);
    Ok(())
}

fn list(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    let item = list_item(captures)?;
    let logging = &mut change.config.logging;
    if captures.negated() {
        let is_used = logging.destination_of_list(name).is_some();
        let items = logging
            .lists
            .get_mut(name)
            .ok_or(Refusal::NothingToRemove)?;
        let at = match &item {
            Some(item) => Some(
                items
                    .iter()
                    .position(|known| known == item)
                    .ok_or(Refusal::NothingToRemove)?,
            ),
            None => None,
        };
        match at.filter(|_| items.len() > 1) {
            Some(at) => drop(items.remove(at)),
            None if is_used => {
                return Err(Refusal::InUse {
                    thing: Thing::LogList,
                    name: name.into(),
                    by: "logging",
                });
            }
            None => drop(logging.lists.remove(name)),
        }
        change.outcome.changed = true;
        return Ok(());
    }
    let item = item.ok_or(Refusal::Invalid { offset: 0 })?;
    // `logging buffered NAME` must not mean a severity.
    if names::parse_decimal(name).is_some()
        || (0..=7).any(|level| names::starts_with(names::level(level), name))
    {
        return Err(Refusal::BadName(name.into()));
    }
    let is_full = logging.lists.len() >= LOG_LISTS_MAX;
    match logging.lists.get_mut(name) {
        Some(items) if items.contains(&item) => return Ok(()),
        Some(items) if items.len() >= LOG_LIST_ITEMS_MAX => {
            return Err(Refusal::TooMany("lines in the list", LOG_LIST_ITEMS_MAX));
        }
        Some(items) => items.push(item),
        None if is_full => return Err(Refusal::TooMany("logging lists", LOG_LISTS_MAX)),
        None => {
            logging.lists.insert(name.into(), Vec::from([item]));
        }
    }
    change.outcome.changed = true;
    Ok(())
}

/// The line of a list that was typed; none in `no logging list NAME`.
fn list_item(captures: &Captures<'_>) -> Result<Option<LogListItem>, Refusal> {
    if let Some(severity) = severity(captures) {
        let class = chosen_class(captures);
        return Ok(Some(LogListItem::Level { severity, class }));
    }
    let Some(numbers) = captures.word("numbers") else {
        return Ok(None);
    };
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let read = |text| names::parse_decimal(text).filter(|number| MESSAGES.contains(number));
    let bounds = read(first).zip(read(last));
    let (first, last) = bounds.ok_or_else(|| super::invalid(captures, "numbers"))?;
    if first > last {
        return Err(Refusal::BadRange);
    }
    Ok(Some(LogListItem::Messages { first, last }))
}

/// Numbers that a message can have.
const MESSAGES: core::ops::RangeInclusive<u32> = 100_000..=999_999;

fn message(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let number = number(captures, "number")?;
    let messages = &mut change.config.logging.messages;
    let before = messages.get(&number).copied();
    let mut setting = before.unwrap_or_default();
    match (captures.negated(), captures.has("level")) {
        (true, true) => setting.severity = None,
        (true, false) => setting.is_disabled = true,
        (false, true) => setting.severity = severity(captures),
        (false, false) => setting.is_disabled = false,
    }
    if before.unwrap_or_default() == setting {
        return Ok(());
    }
    if setting == LogMessage::default() {
        messages.remove(&number);
    } else if before.is_none() && messages.len() >= LOG_MESSAGES_MAX {
        return Err(Refusal::TooMany(
            "messages with a setting",
            LOG_MESSAGES_MAX,
        ));
    } else {
        messages.insert(number, setting);
    }
    change.outcome.changed = true;
    Ok(())
}

fn rate_limit(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let target = match severity(captures) {
        Some(severity) => LogRateTarget::Level(severity),
        None => LogRateTarget::Message(number(captures, "number")?),
    };
    let limits = &mut change.config.logging.rate_limits;
    if captures.negated() {
        return change.outcome.removed(limits.remove(&target));
    }
    let rate = LogRate {
        messages: number(captures, "messages")?,
        period_secs: captures.number("secs").unwrap_or(1),
    };
    if !limits.contains_key(&target) && limits.len() >= LOG_RATE_LIMITS_MAX {
        return Err(Refusal::TooMany("rate limits", LOG_RATE_LIMITS_MAX));
    }
    let before = limits.insert(target, rate);
    change.outcome.changed |= before != Some(rate);
    Ok(())
}

/// The severity of a line, by number or by name.
fn severity(captures: &Captures<'_>) -> Option<u8> {
    match captures.number("severity") {
        Some(number) => u8::try_from(number).ok(),
        None => (0..=7).find(|level| captures.has(names::level(*level))),
    }
}

fn chosen_destination(captures: &Captures<'_>) -> Result<LogDestination, Refusal> {
    LogDestination::ALL
        .into_iter()
        .find(|destination| captures.has(destination.keyword()))
        .ok_or(Refusal::Invalid { offset: 0 })
}

fn chosen_class(captures: &Captures<'_>) -> Option<&'static str> {
    LOG_CLASSES.into_iter().find(|class| captures.has(class))
}
