//! Settings of the box itself.

use super::family::Family;
use super::{Change, kept, number, row, small, typed_password, word};
use crate::mode::GLOBAL;
use crate::model::{
    BannerKind, DEFAULT_ARP_TIMEOUT_SECS, DEFAULT_PAGER_LINES, DEFAULT_TCP_MSS,
    DEFAULT_TERMINAL_WIDTH, FACTORY_HOSTNAME, Timer,
};
use crate::print;
use crate::refusal::Refusal;
use alloc::collections::BTreeMap;
use cli::grammar::{Captures, Fragment, No, Value};

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

pub(super) const HOSTNAME: Family = Family {
    keyword: "hostname",
    help: "Name of the system",
    rows: &[row(
        GLOBAL,
        "hostname <name:word(63)>",
        No::Syntax("hostname [<name>]"),
        &[
            ("hostname", "Change the host name of the system"),
            ("name", "This system's name"),
        ],
        hostname,
    )
    .example("hostname asa1")],
    print: print::system::hostname,
    clear: Some(clear_hostname),
    ..Family::EMPTY
};

pub(super) const DOMAIN_NAME: Family = Family {
    keyword: "domain-name",
    help: "Domain of the system",
    rows: &[row(
        GLOBAL,
        "domain-name <name:word(127)>",
        No::Syntax("domain-name [<name>]"),
        &[
            ("domain-name", "Change the domain name"),
            ("name", "Domain name"),
        ],
        domain_name,
    )
    .example("domain-name example.com")],
    print: print::system::domain_name,
    clear: Some(clear_domain_name),
    ..Family::EMPTY
};

pub(super) const ENABLE: Family = Family {
    keyword: "enable",
    help: "Password of privileged mode",
    rows: &[row(
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
    )
    .example("enable password open!sesame")],
    print: print::system::enable,
    clear: Some(clear_enable),
    ..Family::EMPTY
};

pub(super) const NAMES: Family = Family {
    keyword: "names",
    help: "Names in place of addresses",
    rows: &[row(
        GLOBAL,
        "names",
        No::Same,
        &[("names", "Enable names in place of addresses")],
        names_line,
    )
    .example("names")],
    print: print::system::names,
    clear: Some(clear_names),
    ..Family::EMPTY
};

pub(super) const BANNER: Family = Family {
    keyword: "banner",
    help: "Banners",
    rows: &[row(
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
    )
    .example("banner motd Authorised use only")],
    print: print::system::banner,
    clear: Some(clear_banner),
    ..Family::EMPTY
};

pub(super) const FTP: Family = Family {
    keyword: "ftp",
    help: "FTP parameters",
    rows: &[row(
        GLOBAL,
        "ftp mode passive",
        No::Same,
        &[
            ("ftp", "Set FTP parameters"),
            ("mode", "Configure the FTP mode"),
            ("passive", "Use passive FTP"),
        ],
        ftp_mode,
    )
    .example("ftp mode passive")],
    print: print::system::ftp,
    clear: Some(clear_ftp),
    ..Family::EMPTY
};

pub(super) const PAGER: Family = Family {
    keyword: "pager",
    help: "Lines of a page",
    rows: &[row(
        GLOBAL,
        "pager [lines] <lines:0-2147483647>",
        No::Syntax("pager"),
        &[
            ("pager", "Control page length for pagination"),
            ("lines", "Lines of a page, 0 for none"),
        ],
        pager,
    )
    .example("pager lines 50")],
    print: print::system::pager,
    clear: Some(clear_pager),
    ..Family::EMPTY
};

pub(super) const TERMINAL: Family = Family {
    keyword: "terminal",
    help: "Width of the terminal",
    rows: &[row(
        GLOBAL,
        "terminal width <columns:40-511>",
        No::Syntax("terminal width"),
        &[
            ("terminal", "Set terminal line parameters"),
            ("width", "Set the width of the terminal"),
            ("columns", "Columns"),
        ],
        terminal_width,
    )
    .example("terminal width 120")],
    print: print::system::terminal,
    clear: Some(clear_terminal),
    ..Family::EMPTY
};

pub(super) const SAME_SECURITY_TRAFFIC: Family = Family {
    keyword: "same-security-traffic",
    help: "Traffic between interfaces of one level",
    rows: &[row(
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
    )
    .example("same-security-traffic permit intra-interface")],
    print: print::system::same_security,
    clear: Some(clear_same_security),
    ..Family::EMPTY
};

pub(super) const ARP: Family = Family {
    keyword: "arp",
    help: "ARP parameters",
    rows: &[row(
        GLOBAL,
        "arp timeout <secs:60-4294967>",
        No::Syntax("arp timeout [<secs:60-4294967>]"),
        &[
            ("arp", "Change ARP parameters"),
            ("timeout", "Set the age at which entries are renewed"),
            ("secs", "Seconds"),
        ],
        arp_timeout,
    )
    .example("arp timeout 600")],
    kept: kept::ARP,
    print: print::system::arp,
    clear: Some(clear_arp),
    ..Family::EMPTY
};

pub(super) const TIMEOUT: Family = Family {
    keyword: "timeout",
    help: "Idle times",
    rows: &[row(
        GLOBAL,
        "timeout $timers",
        No::Syntax("timeout [$timers]"),
        &[("timeout", "Configure maximum idle times")],
        timeout,
    )
    .example("timeout conn 2:00:00 udp 0:05:00")],
    print: print::system::timeouts,
    clear: Some(clear_timeout),
    ..Family::EMPTY
};

pub(super) const SYSOPT: Family = Family {
    keyword: "sysopt",
    help: "System options",
    rows: &[row(
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
    )
    .example("sysopt connection tcpmss 1200")],
    kept: kept::SYSOPT,
    print: print::system::sysopt,
    clear: Some(clear_sysopt),
    ..Family::EMPTY
};

pub(super) const CONSOLE: Family = Family {
    keyword: "console",
    help: "Serial console",
    rows: &[row(
        GLOBAL,
        "console timeout <minutes:0-60>",
        No::Syntax("console timeout [<minutes:0-60>]"),
        &[
            ("console", "Serial console functions"),
            ("minutes", "Idle minutes, 0 for never"),
        ],
        console_timeout,
    )
    .example("console timeout 10")],
    print: print::system::console,
    clear: Some(clear_console),
    ..Family::EMPTY
};

fn hostname(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    if captures.negated() {
        return clear_hostname(change, None);
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
    change.outcome.set(&mut change.config.hostname, name.into());
    Ok(())
}

fn domain_name(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = match captures.negated() {
        true => None,
        false => Some(word(captures, "name")?.into()),
    };
    change.outcome.set(&mut change.config.domain_name, name);
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
        (15, hash) => change.outcome.set(&mut change.config.enable_password, hash),
        (_, Some(hash)) => {
            let before = others.insert(level, hash.clone());
            change.outcome.changed |= before != Some(hash);
        }
        (_, None) => change.outcome.removed(others.remove(&level))?,
    }
    Ok(())
}

fn names_line(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.names, !captures.negated());
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
        change.outcome.changed = true;
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
    change.outcome.changed = true;
    Ok(())
}

fn ftp_mode(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let slot = &mut change.config.ftp_mode_passive;
    change.outcome.set(slot, !captures.negated());
    Ok(())
}

fn pager(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let lines = captures.values("lines").find_map(|value| match value {
        Value::Number(lines) => Some(lines),
        _ => None,
    });
    let lines = match captures.negated() {
        true => 0,
        false => lines.unwrap_or(DEFAULT_PAGER_LINES),
    };
    change.outcome.set(&mut change.config.pager_lines, lines);
    Ok(())
}

fn terminal_width(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let columns = match captures.negated() {
        true => DEFAULT_TERMINAL_WIDTH,
        false => small(captures, "columns")?,
    };
    change
        .outcome
        .set(&mut change.config.terminal_width, columns);
    Ok(())
}

fn same_security(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let permitted = !captures.negated();
    let slot = if captures.has("inter-interface") {
        &mut change.config.same_security_inter
    } else {
        &mut change.config.same_security_intra
    };
    change.outcome.set(slot, permitted);
    Ok(())
}

fn arp_timeout(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let secs = match captures.negated() {
        true => DEFAULT_ARP_TIMEOUT_SECS,
        false => number(captures, "secs")?,
    };
    change
        .outcome
        .set(&mut change.config.arp_timeout_secs, secs);
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
                let fits = (row.min_secs..=row.max_secs).contains(&secs);
                if !(fits || secs == 0 && row.zero_allowed) {
                    return Err(Refusal::OutOfRange {
                        low: row.min_secs,
                        high: row.max_secs,
                    });
                }
                values.push((row, secs));
            }
            _ => {}
        }
    }
    if captures.negated() && values.is_empty() {
        return clear_timeout(change, None);
    }
    for (row, secs) in values {
        let secs = if captures.negated() {
            row.default_secs
        } else {
            secs
        };
        change.outcome.changed |= change.config.timeouts.secs(row.timer) != secs;
        change.config.timeouts.set(row.timer, secs);
    }
    Ok(())
}

fn tcp_mss(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let bytes = match captures.negated() {
        true => DEFAULT_TCP_MSS,
        false => small(captures, "bytes")?,
    };
    change.outcome.set(&mut change.config.tcp_mss, bytes);
    Ok(())
}

fn console_timeout(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let minutes = match captures.negated() {
        true => 0,
        false => small(captures, "minutes")?,
    };
    let slot = &mut change.config.console_timeout_mins;
    change.outcome.set(slot, minutes);
    Ok(())
}

fn clear_hostname(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.hostname, FACTORY_HOSTNAME.into());
    Ok(())
}

fn clear_domain_name(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change.outcome.set(&mut change.config.domain_name, None);
    Ok(())
}

fn clear_enable(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let config = &mut *change.config;
    change.outcome.set(&mut config.enable_password, None);
    change
        .outcome
        .set(&mut config.enable_level_passwords, BTreeMap::new());
    Ok(())
}

fn clear_names(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change.outcome.set(&mut change.config.names, true);
    Ok(())
}

fn clear_banner(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.banners, Default::default());
    Ok(())
}

fn clear_ftp(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.ftp_mode_passive, true);
    Ok(())
}

fn clear_pager(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.pager_lines, DEFAULT_PAGER_LINES);
    Ok(())
}

fn clear_terminal(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.terminal_width, DEFAULT_TERMINAL_WIDTH);
    Ok(())
}

fn clear_same_security(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.same_security_inter, false);
    change
        .outcome
        .set(&mut change.config.same_security_intra, false);
    Ok(())
}

fn clear_arp(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change.outcome.set(
        &mut change.config.arp_timeout_secs,
        DEFAULT_ARP_TIMEOUT_SECS,
    );
    Ok(())
}

fn clear_timeout(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.timeouts, Default::default());
    Ok(())
}

fn clear_sysopt(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.tcp_mss, DEFAULT_TCP_MSS);
    Ok(())
}

fn clear_console(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.console_timeout_mins, 0);
    Ok(())
}
