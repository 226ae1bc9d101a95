//! Local users and how they log in, as text.

use super::{Page, kept};
use crate::model::{Config, DEFAULT_LOGIN_HISTORY_DAYS, DEFAULT_PRIVILEGE, ServiceType};
use alloc::format;

pub(crate) fn aaa(page: &mut Page<'_>, config: &Config) {
    let access = &config.access;
    for (what, is_on) in [
        ("serial", access.serial_login),
        ("enable", access.enable_by_user),
    ] {
        let line = format!("aaa authentication {what} console LOCAL");
        page.switch(0, &line, is_on, false);
    }
    match access.max_fail {
        Some(limit) => page.line(format!(
            "aaa local authentication attempts max-fail {limit}"
        )),
        None => page.unless_default(true, "no aaa local authentication attempts max-fail"),
    }
    match access.login_history_days {
        None => page.line("no aaa authentication login-history"),
        Some(DEFAULT_LOGIN_HISTORY_DAYS) => page.line("aaa authentication login-history"),
        Some(days) => page.line(format!("aaa authentication login-history duration {days}")),
    }
    kept(page, config);
}

pub(crate) fn users(page: &mut Page<'_>, config: &Config) {
    for (name, user) in &config.access.users {
        page.block("", &[name]);
        let password = match &user.password {
            Some(hash) => format!("password {hash} pbkdf2"),
            None => "nopassword".into(),
        };
        let privilege = match user.privilege {
            DEFAULT_PRIVILEGE if !page.shows_defaults() => "".into(),
            level => format!(" privilege {level}"),
        };
        page.line(format!("username {name} {password}{privilege}"));
        if user.service != ServiceType::default() {
            page.line(format!("username {name} attributes"));
            page.line(format!(" service-type {}", user.service.keyword()));
        }
    }
}
