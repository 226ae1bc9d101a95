//! Settings of the box itself as text.

use super::Page;
use crate::model::{
    Config, DEFAULT_PASSWORD_RECOVERY, DEFAULT_TCP_MSS, DEFAULT_TERMINAL_WIDTH, Timer,
};
use alloc::format;
use alloc::string::String;

pub(crate) fn hostname(page: &mut Page<'_>, config: &Config) {
    page.line(format!("hostname {}", config.hostname));
}

pub(crate) fn domain_name(page: &mut Page<'_>, config: &Config) {
    page.optional("domain-name", config.domain_name.as_ref());
}

pub(crate) fn enable(page: &mut Page<'_>, config: &Config) {
    if let Some(hash) = &config.enable_password {
        page.line(format!("enable password {hash} pbkdf2"));
    }
    for (level, hash) in &config.enable_level_passwords {
        page.line(format!("enable password {hash} level {level} pbkdf2"));
    }
}

pub(crate) fn names(page: &mut Page<'_>, config: &Config) {
    page.line(if config.names { "names" } else { "no names" });
}

pub(crate) fn banner(page: &mut Page<'_>, config: &Config) {
    for (kind, lines) in &config.banners {
        for line in lines {
            page.line(format!("banner {} {line}", kind.keyword()));
        }
    }
}

pub(crate) fn ftp(page: &mut Page<'_>, config: &Config) {
    let no = if config.ftp_mode_passive { "" } else { "no " };
    page.line(format!("{no}ftp mode passive"));
}

pub(crate) fn same_security(page: &mut Page<'_>, config: &Config) {
    for (words, is_on) in [
        ("inter-interface", config.same_security_inter),
        ("intra-interface", config.same_security_intra),
    ] {
        let line = format!("same-security-traffic permit {words}");
        page.switch(0, &line, is_on, false);
    }
}

pub(crate) fn pager(page: &mut Page<'_>, config: &Config) {
    if config.pager_lines == 0 {
        page.line("no pager");
    } else {
        page.line(format!("pager lines {}", config.pager_lines));
    }
}

pub(crate) fn terminal(page: &mut Page<'_>, config: &Config) {
    page.unless_default(
        config.terminal_width == DEFAULT_TERMINAL_WIDTH,
        format!("terminal width {}", config.terminal_width),
    );
}

pub(crate) fn arp(page: &mut Page<'_>, config: &Config) {
    page.line(format!("arp timeout {}", config.arp_timeout_secs));
    page.kept(config);
}

pub(crate) fn sysopt(page: &mut Page<'_>, config: &Config) {
    page.unless_default(
        config.tcp_mss == DEFAULT_TCP_MSS,
        format!("sysopt connection tcpmss {}", config.tcp_mss),
    );
    page.kept(config);
}

pub(crate) fn service(page: &mut Page<'_>, config: &Config) {
    let is_on = config.password_recovery;
    page.switch(
        0,
        "service password-recovery",
        is_on,
        DEFAULT_PASSWORD_RECOVERY,
    );
    page.kept(config);
}

pub(crate) fn console(page: &mut Page<'_>, config: &Config) {
    page.line(format!("console timeout {}", config.console_timeout_mins));
}

pub(crate) fn timeouts(page: &mut Page<'_>, config: &Config) {
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
pub(super) fn clock_time(secs: u32) -> String {
    format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}
