//! Settings of the box itself.

use super::{Change, Handler, invalid, number, row, small, typed_password, word};
use crate::mode::GLOBAL;
use crate::model::{
    BannerKind, DEFAULT_ARP_TIMEOUT_SECS, DEFAULT_PAGER_LINES, DEFAULT_TCP_MSS,
    DEFAULT_TERMINAL_WIDTH, DatedMoment, FACTORY_HOSTNAME, NtpAlgorithm, NtpKey, NtpServer,
    SummerRule, SummerTime, TIMER_MAX_SECS, TimeZone, Timer, Week, YearlyMoment,
};
use crate::names;
use crate::refusal::{Notice, Refusal};
use cli::grammar::{Captures, Fragment, No, Row, Value};

/// The timers of a `timeout` line.
pub(super) const TIMERS: Fragment = Fragment {
    name: "timers",
    syntax: "{ { xlate | pat-xlate | conn | half-closed | udp | sctp | icmp | sunrpc | h323 | h225 \
             | mgcp | mgcp-pat | sip | sip_media | sip-invite | sip-disconnect \
             | sip-provisional-media | tcp-proxy-reassembly | floating-conn | conn-holddown \
             | igp stale-route } <duration:time> \
             | uauth <duration:time> [{ absolute | inactivity }] }+",
    help: &[
        ("xlate", "Idle time of a dynamic translation"),
        ("pat-xlate", "Time a released PAT port rests"),
        ("conn", "Idle time of a TCP connection"),
        ("half-closed", "Idle time of a half-closed TCP connection"),
        ("udp", "Idle time of a UDP connection"),
        ("sctp", "Idle time of an SCTP association"),
        ("icmp", "Idle time of an ICMP exchange"),
        ("sunrpc", "Idle time of a SUNRPC slot"),
        ("h323", "Idle time of an H.323 media connection"),
        ("h225", "Idle time of an H.225 signalling connection"),
        ("mgcp", "Idle time of an MGCP media connection"),
        ("mgcp-pat", "Idle time of an MGCP translation"),
        ("sip", "Idle time of a SIP signalling connection"),
        ("sip_media", "Idle time of a SIP media connection"),
        (
            "sip-invite",
            "Idle time of pinholes for provisional responses",
        ),
        ("sip-disconnect", "Wait for the answer to CANCEL or BYE"),
        (
            "sip-provisional-media",
            "Idle time of provisional SIP media",
        ),
        (
            "tcp-proxy-reassembly",
            "Time a segment waits for reassembly",
        ),
        (
            "floating-conn",
            "Time until a connection follows a better route",
        ),
        ("conn-holddown", "Time a connection outlives its route"),
        ("igp", "Interior gateway protocol"),
        ("stale-route", "Time a stale route is kept"),
        ("uauth", "Time an authenticated user is remembered"),
        ("duration", "Time as hours, minutes and seconds"),
        ("absolute", "Counted from the log-in"),
        ("inactivity", "Counted from the last traffic"),
    ],
};

pub(super) const ROWS: &[Row<Handler>] = &[
    row(
        GLOBAL,
        "hostname <name:word(63)>",
        No::Syntax("hostname [<name>]"),
        &[
            ("hostname", "Change the host name of the system"),
            ("name", "This system's name"),
        ],
        hostname,
    ),
    row(
        GLOBAL,
        "domain-name <name:word(127)>",
        No::Syntax("domain-name [<name>]"),
        &[
            ("domain-name", "Change the domain name"),
            ("name", "Domain name"),
        ],
        domain_name,
    ),
    row(
        GLOBAL,
        "enable password <password> [level <level:0-15>] [{ pbkdf2 | encrypted }]",
        No::Syntax("enable password [<password>] [level <level:0-15>] [{ pbkdf2 | encrypted }]"),
        &[
            ("enable", "Configure the password of privileged mode"),
            ("password", "The password"),
            ("level", "Privilege level"),
            ("pbkdf2", "The password is given as its PBKDF2 hash"),
            (
                "encrypted",
                "The password is given in the older encrypted form",
            ),
        ],
        enable_password,
    ),
    row(
        GLOBAL,
        "names",
        No::Same,
        &[("names", "Enable names in place of addresses")],
        names_line,
    ),
    row(
        GLOBAL,
        "banner { exec | login | motd | asdm } <line:text>",
        No::Syntax("banner { exec | login | motd | asdm } [<line:text>]"),
        &[
            ("banner", "Configure a banner, line by line"),
            ("exec", "Banner before privileged work begins"),
            ("login", "Banner before the log-in"),
            ("motd", "Message of the day"),
            ("asdm", "Banner of the graphical manager"),
            ("line", "One line of the banner"),
        ],
        banner,
    ),
    row(
        GLOBAL,
        "ftp mode passive",
        No::Same,
        &[
            ("ftp", "Set FTP parameters"),
            ("mode", "Configure the FTP mode"),
            ("passive", "Use passive FTP"),
        ],
        ftp_mode,
    ),
    row(
        GLOBAL,
        "clock timezone <zone:word(7)> <hours> [<minutes:0-59>]",
        No::Syntax("clock timezone [<zone>] [<hours>] [<minutes:0-59>]"),
        &[
            ("clock", "Configure time-of-day clock"),
            ("timezone", "Configure time zone"),
            ("zone", "Name of the time zone"),
            ("hours", "Hours east of UTC, -23 to 23"),
            ("minutes", "Minutes added to the hours"),
        ],
        timezone,
    ),
    row(
        GLOBAL,
        "clock summer-time <zone:word(7)> { recurring [{ \
         { first | last | <week:1-4> } <weekday> <month> <time:time> }@start { \
         { first | last | <week:1-4> } <weekday> <month> <time:time> }@end] \
         | date { { <day:1-31> <month> | <month> <day:1-31> } <year:1993-2099> <time:time> }@start \
         { { <day:1-31> <month> | <month> <day:1-31> } <year:1993-2099> <time:time> }@end } \
         [<offset:1-1440>]",
        No::Syntax("clock summer-time [<zone>] [<rule:text>]"),
        &[
            ("summer-time", "Configure summer (daylight savings) time"),
            ("recurring", "Summer time every year"),
            ("date", "Summer time once, on given dates"),
            ("first", "First week of the month"),
            ("last", "Last week of the month"),
            ("week", "Week of the month"),
            ("weekday", "Day of the week"),
            ("month", "Month"),
            ("day", "Day of the month"),
            ("year", "Year"),
            ("time", "Time of day"),
            ("offset", "Minutes the clock is put forward"),
            ("rule", "The rule to remove"),
        ],
        summer_time,
    ),
    row(
        GLOBAL,
        "pager [lines] <lines:0-2147483647>",
        No::Syntax("pager"),
        &[
            ("pager", "Control page length for pagination"),
            ("lines", "Lines of a page, 0 for none"),
        ],
        pager,
    ),
    row(
        GLOBAL,
        "terminal width <columns:40-511>",
        No::Syntax("terminal width"),
        &[
            ("terminal", "Set terminal line parameters"),
            ("width", "Set the width of the terminal"),
            ("columns", "Columns"),
        ],
        terminal_width,
    ),
    row(
        GLOBAL,
        "same-security-traffic permit { inter-interface | intra-interface }",
        No::Same,
        &[
            (
                "same-security-traffic",
                "Enable traffic between interfaces of the same level",
            ),
            ("permit", "Permit the traffic"),
            (
                "inter-interface",
                "Between different interfaces of the same level",
            ),
            ("intra-interface", "In and out of the same interface"),
        ],
        same_security,
    ),
    row(
        GLOBAL,
        "arp timeout <secs:60-4294967>",
        No::Syntax("arp timeout [<secs:60-4294967>]"),
        &[
            ("arp", "Change ARP parameters"),
            ("timeout", "Set the age at which entries are renewed"),
            ("secs", "Seconds"),
        ],
        arp_timeout,
    ),
    row(
        GLOBAL,
        "timeout $timers",
        No::Syntax("timeout [$timers]"),
        &[("timeout", "Configure maximum idle times")],
        timeout,
    ),
    row(
        GLOBAL,
        "sysopt connection tcpmss <bytes:0-65535>",
        No::Syntax("sysopt connection tcpmss [<bytes:0-65535>]"),
        &[
            ("sysopt", "Set system functional options"),
            ("connection", "Options of connections"),
            ("tcpmss", "Limit the TCP segment size announced"),
            ("bytes", "Largest segment size, 0 for no limit"),
        ],
        tcp_mss,
    ),
    row(
        GLOBAL,
        "console timeout <minutes:0-60>",
        No::Syntax("console timeout [<minutes:0-60>]"),
        &[
            ("console", "Serial console functions"),
            ("minutes", "Idle minutes, 0 for never"),
        ],
        console_timeout,
    ),
    row(
        GLOBAL,
        "ntp server <server:ip> { key <key:1-4294967295> | source <interface> | prefer }*",
        No::Same,
        &[
            ("ntp", "Configure NTP"),
            ("server", "Configure an NTP server"),
            ("key", "Authentication key"),
            ("source", "Interface for the source address"),
            ("interface", "Name of interface"),
            ("prefer", "Prefer this server when possible"),
        ],
        ntp_server,
    ),
    row(
        GLOBAL,
        "ntp authenticate",
        No::Same,
        &[("authenticate", "Accept authenticated servers only")],
        ntp_authenticate,
    ),
    row(
        GLOBAL,
        "ntp authentication-key <key:1-4294967295> { md5 | sha1 | sha256 | sha512 | cmac } <secret>",
        No::Syntax(
            "ntp authentication-key <key:1-4294967295> \
             [{ md5 | sha1 | sha256 | sha512 | cmac }] [<secret>]",
        ),
        &[
            ("authentication-key", "A key shared with servers"),
            ("md5", "MD5"),
            ("sha1", "SHA-1"),
            ("sha256", "SHA-256"),
            ("sha512", "SHA-512"),
            ("cmac", "AES-CMAC"),
            ("secret", "The key"),
        ],
        ntp_key,
    ),
    row(
        GLOBAL,
        "ntp trusted-key <key:1-4294967295>",
        No::Same,
        &[("trusted-key", "A key that proves a trusted server")],
        ntp_trusted_key,
    ),
];

fn hostname(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    if captures.negated() {
        change.config.hostname = FACTORY_HOSTNAME.into();
        return Ok(());
    }
    let name = word(captures, "name")?;
    let fits = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if !fits {
        return Err(Refusal::BadName(name.into()));
    }
    change.config.hostname = name.into();
    Ok(())
}

fn domain_name(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    change.config.domain_name = match captures.negated() {
        true => None,
        false => Some(word(captures, "name")?.into()),
    };
    Ok(())
}

fn enable_password(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let level: u8 = match captures.number("level") {
        None => 15,
        Some(_) => small(captures, "level")?,
    };
    let hash = match captures.negated() {
        true => None,
        false => Some(typed_password(captures, change.salt)?),
    };
    let others = &mut change.config.enable_level_passwords;
    match (level, hash) {
        (15, hash) => change.config.enable_password = hash,
        (_, Some(hash)) => {
            others.insert(level, hash);
        }
        (_, None) => {
            others.remove(&level).ok_or(Refusal::NothingToRemove)?;
        }
    }
    Ok(())
}

fn names_line(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    change.config.names = !captures.negated();
    Ok(())
}

fn banner(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let kind = BannerKind::ALL
        .into_iter()
        .find(|kind| captures.has(kind.keyword()))
        .ok_or(Refusal::Invalid { offset: 0 })?;
    let line = captures.text("line");
    if !captures.negated() {
        let line = line.ok_or(Refusal::Invalid { offset: 0 })?;
        change
            .config
            .banners
            .entry(kind)
            .or_default()
            .push(line.into());
        return Ok(());
    }
    let lines = change
        .config
        .banners
        .get_mut(&kind)
        .ok_or(Refusal::NothingToRemove)?;
    match line {
        None => lines.clear(),
        Some(line) => {
            let at = lines.iter().position(|present| present == line);
            lines.remove(at.ok_or(Refusal::NothingToRemove)?);
        }
    }
    if lines.is_empty() {
        change.config.banners.remove(&kind);
    }
    Ok(())
}

fn ftp_mode(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    change.config.ftp_mode_passive = !captures.negated();
    Ok(())
}

fn timezone(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    if captures.negated() {
        change.config.clock.timezone = None;
        return Ok(());
    }
    let hours = word(captures, "hours")?;
    let (sign, digits) = match hours.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, hours.strip_prefix('+').unwrap_or(hours)),
    };
    let hours = names::parse_decimal(digits).and_then(|hours| i16::try_from(hours).ok());
    let hours = hours
        .filter(|hours| *hours <= 23)
        .ok_or_else(|| invalid(captures, "hours"))?;
    let minutes = captures
        .number("minutes")
        .and_then(|minutes| i16::try_from(minutes).ok());
    change.config.clock.timezone = Some(TimeZone {
        name: word(captures, "zone")?.into(),
        offset_mins: sign * (hours * 60 + minutes.unwrap_or(0)),
    });
    Ok(())
}

fn summer_time(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    if captures.negated() {
        change.config.clock.summer_time = None;
        return Ok(());
    }
    let (start, end) = (captures.group("start"), captures.group("end"));
    let rule = if captures.has("date") {
        SummerRule::Date {
            start: dated(&start)?,
            end: dated(&end)?,
        }
    } else if start.is_empty() {
        SummerRule::DEFAULT
    } else {
        SummerRule::Recurring {
            start: yearly(&start)?,
            end: yearly(&end)?,
        }
    };
    change.config.clock.summer_time = Some(SummerTime {
        name: word(captures, "zone")?.into(),
        rule,
        offset_mins: captures
            .number("offset")
            .and_then(|n| u16::try_from(n).ok())
            .unwrap_or(60),
    });
    Ok(())
}

fn yearly(captures: &Captures<'_>) -> Result<YearlyMoment, Refusal> {
    let week = match captures.one_of(&["first", "last"]) {
        Some("first") => Week::First,
        Some(_) => Week::Last,
        None => Week::Nth(small(captures, "week")?),
    };
    let weekday = names::parse_weekday(word(captures, "weekday")?);
    let (hour, minute) = time_of_day(captures)?;
    Ok(YearlyMoment {
        week,
        weekday: weekday.ok_or_else(|| invalid(captures, "weekday"))?,
        month: month(captures)?,
        hour,
        minute,
    })
}

fn dated(captures: &Captures<'_>) -> Result<DatedMoment, Refusal> {
    let (hour, minute) = time_of_day(captures)?;
    Ok(DatedMoment {
        year: small(captures, "year")?,
        month: month(captures)?,
        day: small(captures, "day")?,
        hour,
        minute,
    })
}

fn month(captures: &Captures<'_>) -> Result<u8, Refusal> {
    names::parse_month(word(captures, "month")?).ok_or_else(|| invalid(captures, "month"))
}

fn time_of_day(captures: &Captures<'_>) -> Result<(u8, u8), Refusal> {
    let time = captures
        .time("time")
        .filter(|time| time.hours < 24 && time.seconds == 0);
    let time = time.ok_or_else(|| invalid(captures, "time"))?;
    let hour = u8::try_from(time.hours).map_err(|_| invalid(captures, "time"))?;
    Ok((hour, time.minutes))
}

fn pager(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let lines = captures.values("lines").find_map(|value| match value {
        Value::Number(lines) => Some(lines),
        _ => None,
    });
    change.config.pager_lines = match captures.negated() {
        true => 0,
        false => lines.unwrap_or(DEFAULT_PAGER_LINES),
    };
    Ok(())
}

fn terminal_width(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    change.config.terminal_width = match captures.negated() {
        true => DEFAULT_TERMINAL_WIDTH,
        false => small(captures, "columns")?,
    };
    Ok(())
}

fn same_security(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let permitted = !captures.negated();
    if captures.has("inter-interface") {
        change.config.same_security_inter = permitted;
    } else {
        change.config.same_security_intra = permitted;
    }
    Ok(())
}

fn arp_timeout(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    change.config.arp_timeout_secs = match captures.negated() {
        true => DEFAULT_ARP_TIMEOUT_SECS,
        false => number(captures, "secs")?,
    };
    Ok(())
}

fn timeout(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let mut values = alloc::vec::Vec::new();
    let mut timer = None;
    for capture in captures.iter() {
        match capture.value {
            Value::Keyword => {
                // `igp stale-route` is two words of one timer.
                let keyword = if capture.name == "stale-route" {
                    "igp stale-route"
                } else {
                    capture.name
                };
                if let Some(row) = Timer::ROWS.iter().find(|row| row.keyword == keyword) {
                    timer = Some(row);
                }
            }
            Value::Time(time) => {
                let row = timer.take().ok_or(Refusal::Invalid {
                    offset: capture.offset,
                })?;
                let secs = time.as_secs();
                let fits = (row.min_secs..=TIMER_MAX_SECS).contains(&secs);
                if !(fits || secs == 0 && row.zero_allowed) {
                    return Err(Refusal::OutOfRange {
                        low: row.min_secs,
                        high: TIMER_MAX_SECS,
                    });
                }
                values.push((row, secs));
            }
            _ => {}
        }
    }
    if captures.negated() && values.is_empty() {
        change.config.timeouts = Default::default();
    }
    for (row, secs) in values {
        let secs = if captures.negated() {
            row.default_secs
        } else {
            secs
        };
        change.config.timeouts.set(row.timer, secs);
    }
    Ok(())
}

fn tcp_mss(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    change.config.tcp_mss = match captures.negated() {
        true => DEFAULT_TCP_MSS,
        false => small(captures, "bytes")?,
    };
    Ok(())
}

fn console_timeout(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    change.config.console_timeout_mins = match captures.negated() {
        true => 0,
        false => small(captures, "minutes")?,
    };
    Ok(())
}

fn ntp_server(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let address = captures
        .values("server")
        .find_map(|value| match value {
            Value::Address(address) => Some(address),
            _ => None,
        })
        .ok_or(Refusal::Invalid { offset: 0 })?;
    if captures.negated() {
        change
            .config
            .ntp
            .servers
            .remove(&address)
            .ok_or(Refusal::NothingToRemove)?;
        return Ok(());
    }
    let key = captures.values("key").find_map(|value| match value {
        Value::Number(key) => Some(key),
        _ => None,
    });
    let source = captures.word("interface");
    if let Some(nameif) = source
        && change.config.interface_named(nameif).is_none()
    {
        // Time comes before interfaces in the usual order of work, so this is no error.
        change.notice(Notice::InterfaceNotYetNamed(nameif.into()));
    }
    let server = NtpServer {
        key,
        source: source.map(Into::into),
        prefer: captures.has("prefer"),
    };
    change.config.ntp.servers.insert(address, server);
    change.notice(Notice::NtpInactive);
    Ok(())
}

fn ntp_authenticate(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    change.config.ntp.authenticate = !captures.negated();
    Ok(())
}

fn ntp_key(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let id = number(captures, "key")?;
    if captures.negated() {
        change
            .config
            .ntp
            .keys
            .remove(&id)
            .ok_or(Refusal::NothingToRemove)?;
        return Ok(());
    }
    let algorithm = NtpAlgorithm::ALL
        .into_iter()
        .find(|algorithm| captures.has(algorithm.keyword()))
        .ok_or(Refusal::Invalid { offset: 0 })?;
    let secret = word(captures, "secret")?.into();
    change
        .config
        .ntp
        .keys
        .insert(id, NtpKey { algorithm, secret });
    Ok(())
}

fn ntp_trusted_key(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let id = number(captures, "key")?;
    if captures.negated() {
        if !change.config.ntp.trusted_keys.remove(&id) {
            return Err(Refusal::NothingToRemove);
        }
    } else {
        change.config.ntp.trusted_keys.insert(id);
    }
    Ok(())
}
