//! The configuration as text, in ASA's order.
//!
//! [`print`] gives the statements; [`document`] puts the heading, the checksum and the end mark
//! around them. Each line knows its [`Section`], so `show running-config SECTION` is a filter.
//! `access` prints addresses, rules and translations; `policy` the classes, proxies and
//! trustpoints.

mod access;
mod policy;
mod secret;
mod statement;

pub use secret::{MASK, masked};
pub use statement::{access_line, access_rule, auto_nat, manual_nat, service};

use crate::model::{
    Config, DEFAULT_LOGIN_HISTORY_DAYS, DEFAULT_PRIVILEGE, Duplex, Interface, KeptSection,
    ServiceType, Speed, SummerRule, Timer, Week, YearlyMoment,
};
use crate::names;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use md5::{Digest, Md5};

/// Whether keys shared with other machines are written out.
///
/// Passwords are only ever written as their hash, and private keys never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Written out, as the store needs them and `more system:running-config` shows them.
    Shown,
    /// As `*****`, for `show running-config`.
    Masked,
}

/// What a printed line belongs to; the word after `show running-config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum Section {
    /// `!` between blocks, in no section.
    Separator,
    Hostname,
    DomainName,
    Enable,
    Xlate,
    Names,
    Interface,
    Banner,
    Ftp,
    Clock,
    Dns,
    SameSecurityTraffic,
    Object,
    ObjectGroup,
    AccessList,
    Pager,
    Terminal,
    Logging,
    Mtu,
    Link,
    Icmp,
    Arp,
    Nat,
    AccessGroup,
    Route,
    Timeout,
    Access,
    SnmpServer,
    Sysopt,
    Crypto,
    Lines,
    Console,
    TlsProxy,
    ThreatDetection,
    Ntp,
    Ssl,
    ClassMap,
    PolicyMap,
    ServicePolicy,
    Tail,
    Username,
}

impl Section {
    /// The sections that can be asked for, with their keywords.
    pub const KEYWORDS: [(&str, Self); 32] = [
        ("aaa", Self::Access),
        ("access-group", Self::AccessGroup),
        ("access-list", Self::AccessList),
        ("arp", Self::Arp),
        ("banner", Self::Banner),
        ("class-map", Self::ClassMap),
        ("clock", Self::Clock),
        ("console", Self::Console),
        ("crypto", Self::Crypto),
        ("domain-name", Self::DomainName),
        ("enable", Self::Enable),
        ("ftp", Self::Ftp),
        ("hostname", Self::Hostname),
        ("icmp", Self::Icmp),
        ("interface", Self::Interface),
        ("logging", Self::Logging),
        ("mtu", Self::Mtu),
        ("names", Self::Names),
        ("nat", Self::Nat),
        ("ntp", Self::Ntp),
        ("object", Self::Object),
        ("object-group", Self::ObjectGroup),
        ("pager", Self::Pager),
        ("policy-map", Self::PolicyMap),
        ("route", Self::Route),
        ("same-security-traffic", Self::SameSecurityTraffic),
        ("service-policy", Self::ServicePolicy),
        ("ssl", Self::Ssl),
        ("sysopt", Self::Sysopt),
        ("timeout", Self::Timeout),
        ("tls-proxy", Self::TlsProxy),
        ("username", Self::Username),
    ];
}

/// The heading of a printed configuration.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a> {
    /// `: Saved`, when the text is what is stored.
    pub saved: bool,
    /// The hardware in words, as after `: Hardware:   `.
    pub hardware: &'a str,
    /// When and by whom it was written, as after `: Written by `; for stored text.
    pub written: Option<&'a str>,
    /// The version of this firmware.
    pub version: &'a str,
}

/// Every statement of the configuration, without heading and end mark.
#[must_use]
pub fn print(config: &Config, secrets: Secrets) -> Vec<String> {
    body(config, secrets)
        .lines
        .into_iter()
        .map(|line| line.text)
        .collect()
}

/// The statements of one section; with `name` only those of the object, list, map or interface
/// of that name.
#[must_use]
pub fn print_section(
    config: &Config,
    section: Section,
    name: Option<&str>,
    secrets: Secrets,
) -> Vec<String> {
    body(config, secrets)
        .lines
        .into_iter()
        .filter(|line| line.section == section)
        .filter(|line| name.is_none_or(|name| line.block.eq_ignore_ascii_case(name)))
        .map(|line| line.text)
        .collect()
}

/// The whole text: heading, statements, checksum, end mark. Lines end with a line feed.
#[must_use]
pub fn document(config: &Config, heading: &Heading<'_>, secrets: Secrets) -> String {
    let mut text = String::new();
    if heading.saved {
        text.push_str(": Saved\n\n");
    }
    text.push_str(&format!(":\n: Hardware:   {}\n", heading.hardware));
    if let Some(written) = heading.written {
        text.push_str(&format!(": Written by {written}\n"));
    }
    text.push_str(&format!("!\nSallyport Version {}\n!\n", heading.version));
    let statements = print(config, secrets).join("\n");
    let checksum = Cryptochecksum::of(&statements);
    text.push_str(&statements);
    text.push_str(&format!("\nCryptochecksum:{checksum:#}\n: end\n"));
    text
}

/// MD5 over the statements. It tells two configurations apart for a person; the store has its own
/// check against damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cryptochecksum([u8; 16]);

impl Cryptochecksum {
    /// The checksum of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Md5::digest(text.as_bytes()).into())
    }

    /// The checksum of what is printed for `config`.
    #[must_use]
    pub fn of_config(config: &Config) -> Self {
        Self::of(&print(config, Secrets::Shown).join("\n"))
    }
}

/// Four groups of eight digits, as `write memory` shows them; with `#` without the blanks.
impl fmt::Display for Cryptochecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if index > 0 && index % 4 == 0 && !f.alternate() {
                f.write_str(" ")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A printed line with what it belongs to.
struct Line {
    section: Section,
    block: String,
    text: String,
}

/// Collects lines; the section and block stay until changed.
struct Page {
    lines: Vec<Line>,
    section: Section,
    block: String,
    secrets: Secrets,
}

impl Page {
    fn section(&mut self, section: Section) {
        self.section = section;
        self.block.clear();
    }

    fn block(&mut self, name: &str) {
        self.block = name.into();
    }

    fn line(&mut self, text: impl Into<String>) {
        self.lines.push(Line {
            section: self.section,
            block: self.block.clone(),
            text: text.into(),
        });
    }

    /// A line that is there only if `value` is; the value follows `words`.
    fn optional(&mut self, words: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.line(format!("{words} {value}"));
        }
    }

    fn separator(&mut self) {
        self.lines.push(Line {
            section: Section::Separator,
            block: String::new(),
            text: "!".into(),
        });
    }

    fn kept(&mut self, config: &Config, place: KeptSection, section: Section) {
        self.section(section);
        for line in config
            .kept
            .get(&place)
            .into_iter()
            .flat_map(|lines| lines.values())
        {
            self.line(line.as_str());
        }
    }
}

fn body(config: &Config, secrets: Secrets) -> Page {
    let mut page = Page {
        lines: Vec::new(),
        section: Section::Separator,
        block: String::new(),
        secrets,
    };
    identity(&mut page, config);
    for (port, interface) in &config.interfaces {
        interface_block(&mut page, *port, interface);
    }
    before_objects(&mut page, config);
    access::objects(&mut page, config);
    access::lists(&mut page, config);
    links(&mut page, config);
    access::nat(&mut page, config);
    access::bindings_and_routes(&mut page, config);
    timeouts(&mut page, config);
    access_settings(&mut page, config);
    page.kept(config, KeptSection::Access, Section::Access);
    page.kept(config, KeptSection::Snmp, Section::SnmpServer);
    page.section(Section::Sysopt);
    if config.tcp_mss != crate::model::DEFAULT_TCP_MSS {
        page.line(format!("sysopt connection tcpmss {}", config.tcp_mss));
    }
    page.kept(config, KeptSection::Sysopt, Section::Sysopt);
    policy::trustpoints(&mut page, config);
    page.kept(config, KeptSection::Lines, Section::Lines);
    page.section(Section::Console);
    page.line(format!("console timeout {}", config.console_timeout_mins));
    policy::tls_proxies(&mut page, config);
    page.kept(config, KeptSection::Threat, Section::ThreatDetection);
    policy::ntp(&mut page, config);
    policy::ssl(&mut page, config);
    users(&mut page, config);
    page.separator();
    policy::maps(&mut page, config);
    page.kept(config, KeptSection::Tail, Section::Tail);
    page
}

fn identity(page: &mut Page, config: &Config) {
    page.section(Section::Hostname);
    page.line(format!("hostname {}", config.hostname));
    page.section(Section::DomainName);
    page.optional("domain-name", config.domain_name.as_ref());
    page.section(Section::Enable);
    if let Some(hash) = &config.enable_password {
        page.line(format!("enable password {hash} pbkdf2"));
    }
    for (level, hash) in &config.enable_level_passwords {
        page.line(format!("enable password {hash} level {level} pbkdf2"));
    }
    page.kept(config, KeptSection::Xlate, Section::Xlate);
    page.section(Section::Names);
    page.line(if config.names { "names" } else { "no names" });
    page.separator();
}

fn interface_block(page: &mut Page, port: u16, interface: &Interface) {
    page.section(Section::Interface);
    let name = format!("GigabitEthernet0/{port}");
    page.block(&name);
    page.line(format!("interface {name}"));
    page.optional(" description", interface.description.as_ref());
    match interface.speed {
        Speed::Auto => {}
        Speed::Mbps10 => page.line(" speed 10"),
        Speed::Mbps100 => page.line(" speed 100"),
        Speed::Mbps1000 => page.line(" speed 1000"),
    }
    match interface.duplex {
        Duplex::Auto => {}
        Duplex::Full => page.line(" duplex full"),
        Duplex::Half => page.line(" duplex half"),
    }
    if let Some(mac) = interface.mac_address {
        page.line(format!(" mac-address {}", mac_address(mac)));
    }
    if interface.shutdown {
        page.line(" shutdown");
    }
    match &interface.nameif {
        Some(nameif) => page.line(format!(" nameif {nameif}")),
        None => page.line(" no nameif"),
    }
    match interface.security_level {
        Some(level) => page.line(format!(" security-level {level}")),
        None => page.line(" no security-level"),
    }
    match interface.address {
        Some(address) => page.line(format!(" ip address {address}")),
        None => page.line(" no ip address"),
    }
    page.line("!");
}

fn before_objects(page: &mut Page, config: &Config) {
    page.section(Section::Banner);
    for (kind, lines) in &config.banners {
        for line in lines {
            page.line(format!("banner {} {line}", kind.keyword()));
        }
    }
    page.section(Section::Ftp);
    page.line(if config.ftp_mode_passive {
        "ftp mode passive"
    } else {
        "no ftp mode passive"
    });
    page.section(Section::Clock);
    if let Some(zone) = &config.clock.timezone {
        let sign = if zone.offset_mins < 0 { "-" } else { "" };
        let minutes = zone.offset_mins.unsigned_abs();
        let tail = if minutes % 60 == 0 {
            String::new()
        } else {
            format!(" {}", minutes % 60)
        };
        page.line(format!(
            "clock timezone {} {sign}{}{tail}",
            zone.name,
            minutes / 60
        ));
    }
    if let Some(summer) = &config.clock.summer_time {
        let offset = if summer.offset_mins == 60 {
            String::new()
        } else {
            format!(" {}", summer.offset_mins)
        };
        page.line(format!(
            "clock summer-time {} {}{offset}",
            summer.name,
            summer_rule(summer.rule)
        ));
    }
    page.kept(config, KeptSection::Dns, Section::Dns);
    page.section(Section::SameSecurityTraffic);
    if config.same_security_inter {
        page.line("same-security-traffic permit inter-interface");
    }
    if config.same_security_intra {
        page.line("same-security-traffic permit intra-interface");
    }
}

fn summer_rule(rule: SummerRule) -> String {
    let yearly = |moment: YearlyMoment| {
        let week = match moment.week {
            Week::First => "first".to_string(),
            Week::Nth(number) => number.to_string(),
            Week::Last => "last".to_string(),
        };
        let weekday = names::WEEKDAYS
            .get(usize::from(moment.weekday))
            .copied()
            .unwrap_or("Sun");
        format!(
            "{week} {weekday} {} {}:{:02}",
            month(moment.month),
            moment.hour,
            moment.minute
        )
    };
    match rule {
        SummerRule::Recurring { .. } if rule == SummerRule::DEFAULT => "recurring".into(),
        SummerRule::Recurring { start, end } => {
            format!("recurring {} {}", yearly(start), yearly(end))
        }
        SummerRule::Date { start, end } => {
            let [start, end] = [start, end].map(|moment| {
                let (day, month) = (moment.day, month(moment.month));
                format!(
                    "{month} {day} {} {}:{:02}",
                    moment.year, moment.hour, moment.minute
                )
            });
            format!("date {start} {end}")
        }
    }
}

fn month(number: u8) -> &'static str {
    names::MONTHS
        .get(usize::from(number).wrapping_sub(1))
        .copied()
        .unwrap_or("Jan")
}

/// Lines between the access lists and the translations.
fn links(page: &mut Page, config: &Config) {
    page.section(Section::Pager);
    if config.pager_lines == 0 {
        page.line("no pager");
    } else {
        page.line(format!("pager lines {}", config.pager_lines));
    }
    page.section(Section::Terminal);
    if config.terminal_width != crate::model::DEFAULT_TERMINAL_WIDTH {
        page.line(format!("terminal width {}", config.terminal_width));
    }
    page.kept(config, KeptSection::Logging, Section::Logging);
    page.section(Section::Mtu);
    for interface in config.interfaces.values() {
        if let Some(nameif) = &interface.nameif {
            page.line(format!("mtu {nameif} {}", interface.mtu));
        }
    }
    page.kept(config, KeptSection::Link, Section::Link);
    page.section(Section::Icmp);
    for rule in &config.icmp_rules {
        page.line(statement::icmp_rule(rule));
    }
    page.section(Section::Arp);
    page.line(format!("arp timeout {}", config.arp_timeout_secs));
}

/// `aaa` lines that this box acts on.
fn access_settings(page: &mut Page, config: &Config) {
    page.section(Section::Access);
    let access = &config.access;
    if access.serial_login {
        page.line("aaa authentication serial console LOCAL");
    }
    if access.enable_by_user {
        page.line("aaa authentication enable console LOCAL");
    }
    page.optional(
        "aaa local authentication attempts max-fail",
        access.max_fail,
    );
    match access.login_history_days {
        None => page.line("no aaa authentication login-history"),
        Some(DEFAULT_LOGIN_HISTORY_DAYS) => page.line("aaa authentication login-history"),
        Some(days) => page.line(format!("aaa authentication login-history duration {days}")),
    }
}

fn users(page: &mut Page, config: &Config) {
    page.section(Section::Username);
    for (name, user) in &config.access.users {
        page.block(name);
        let password = match &user.password {
            Some(hash) => format!("password {hash} pbkdf2"),
            None => "nopassword".into(),
        };
        let privilege = match user.privilege {
            DEFAULT_PRIVILEGE => String::new(),
            level => format!(" privilege {level}"),
        };
        page.line(format!("username {name} {password}{privilege}"));
        if user.service != ServiceType::default() {
            page.line(format!("username {name} attributes"));
            page.line(format!(" service-type {}", user.service.keyword()));
        }
    }
}

fn timeouts(page: &mut Page, config: &Config) {
    page.section(Section::Timeout);
    let mut line = String::new();
    let mut current = None;
    for row in &Timer::ROWS {
        if current != Some(row.line) {
            if current.is_some() {
                page.line(core::mem::take(&mut line));
            }
            line.push_str("timeout");
            current = Some(row.line);
        }
        line.push_str(&format!(
            " {} {}",
            row.keyword,
            clock_time(config.timeouts.secs(row.timer))
        ));
        if row.timer == Timer::Uauth {
            line.push_str(" absolute");
        }
    }
    page.line(line);
}

/// Seconds as `h:mm:ss`.
fn clock_time(secs: u32) -> String {
    format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

/// A hardware address as `hhhh.hhhh.hhhh`.
pub(crate) fn mac_address(mac: [u8; 6]) -> String {
    let [a, b, c, d, e, f] = mac;
    format!("{a:02x}{b:02x}.{c:02x}{d:02x}.{e:02x}{f:02x}")
}
