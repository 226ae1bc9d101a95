//! Local users, and how they log in.

use super::{Change, Handler, row, small, typed_password, word};
use crate::mode::{GLOBAL, Mode, USERNAME};
use crate::model::{
    AccessSettings, DEFAULT_LOGIN_HISTORY_DAYS, DEFAULT_PRIVILEGE, ServiceType, USERS_MAX, User,
};
use crate::refusal::{Notice, Refusal, Thing};
use cli::grammar::{Captures, No, Row};

pub(super) const ROWS: &[Row<Handler>] = &[
    row(
        GLOBAL,
        "username <name:word(64)> { password <password> [{ pbkdf2 | encrypted }] | nopassword } \
         [privilege <level:0-15>]",
        No::Syntax("username <name:word(64)> [<rest:text>]"),
        &[
            ("username", "Configure a local user"),
            ("name", "Name of the user"),
            ("password", "The user's password"),
            ("<password>", "The password"),
            ("pbkdf2", "The password is given as its PBKDF2 hash"),
            (
                "encrypted",
                "The password is given in the older encrypted form",
            ),
            ("nopassword", "Accept any password"),
            ("privilege", "Privilege level of the user"),
            ("level", "Privilege level"),
            ("rest", "The rest of the line is not needed"),
        ],
        username,
    ),
    row(
        GLOBAL,
        "username <name:word(64)> privilege <level:0-15>",
        No::Forbidden,
        &[],
        privilege,
    ),
    row(
        GLOBAL,
        "username <name:word(64)> attributes",
        No::Syntax("username <name:word(64)> attributes"),
        &[("attributes", "Configure what the user may do")],
        attributes,
    ),
    row(
        USERNAME,
        "service-type { admin | nas-prompt | remote-access }",
        No::Syntax("service-type [{ admin | nas-prompt | remote-access }]"),
        &[
            ("service-type", "What the user may log in for"),
            ("admin", "Everything"),
            ("nas-prompt", "The command line without privileged mode"),
            ("remote-access", "No access to the box itself"),
        ],
        service_type,
    ),
    row(
        GLOBAL,
        "aaa authentication { serial | enable } console LOCAL",
        No::Same,
        &[
            ("aaa", "Configure who may do what"),
            ("authentication", "How users prove who they are"),
            ("serial", "At the serial console"),
            ("enable", "For privileged mode"),
            ("console", "Access to the box"),
            ("LOCAL", "By the local users"),
        ],
        authentication,
    ),
    row(
        GLOBAL,
        "aaa authentication login-history [duration <days:1-365>]",
        No::Syntax("aaa authentication login-history [duration <days:1-365>]"),
        &[
            ("login-history", "Tell a user of earlier log-ins"),
            ("duration", "How far to look back"),
            ("days", "Days"),
        ],
        login_history,
    ),
    row(
        GLOBAL,
        "aaa local authentication attempts max-fail <attempts:1-16>",
        No::Syntax("aaa local authentication attempts max-fail [<attempts:1-16>]"),
        &[
            ("local", "Local users"),
            ("attempts", "Attempts to log in"),
            ("max-fail", "Lock a user after failures in a row"),
            ("<attempts>", "Failures in a row"),
        ],
        max_fail,
    ),
];

fn settings<'c>(change: &'c mut Change<'_>) -> &'c mut AccessSettings {
    &mut change.config.access
}

fn username(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        settings(change)
            .users
            .remove(name)
            .ok_or(Refusal::NothingToRemove)?;
        return Ok(());
    }
    let password = match captures.has("nopassword") {
        true => None,
        false => Some(typed_password(captures, change.salt)?),
    };
    let users = &mut settings(change).users;
    let known = users.get(name);
    if known.is_none() && users.len() >= USERS_MAX {
        return Err(Refusal::TooMany("users", USERS_MAX));
    }
    let service = known.map(|user| user.service).unwrap_or_default();
    let privilege = match captures.number("level") {
        Some(_) => small(captures, "level")?,
        None => known.map_or(DEFAULT_PRIVILEGE, |user| user.privilege),
    };
    users.insert(
        name.into(),
        User {
            password,
            privilege,
            service,
        },
    );
    Ok(())
}

fn privilege(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let level = small(captures, "level")?;
    user(change, captures)?.privilege = level;
    Ok(())
}

fn attributes(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let user = user(change, captures)?;
    if captures.negated() {
        user.service = ServiceType::default();
        return Ok(());
    }
    change.unchanged();
    change.enter(Mode::Username(word(captures, "name")?.into()));
    Ok(())
}

fn user<'c>(change: &'c mut Change<'_>, captures: &Captures<'_>) -> Result<&'c mut User, Refusal> {
    let name = word(captures, "name")?;
    settings(change)
        .users
        .get_mut(name)
        .ok_or_else(|| Refusal::Missing(Thing::User, name.into()))
}

fn service_type(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let Mode::Username(name) = change.state.mode().clone() else {
        return Err(Refusal::Invalid { offset: 0 });
    };
    let chosen = ServiceType::ALL
        .into_iter()
        .find(|service| captures.has(service.keyword()))
        .filter(|_| !captures.negated())
        .unwrap_or_default();
    match settings(change).users.get_mut(&name) {
        Some(user) => user.service = chosen,
        None => return Err(Refusal::Missing(Thing::User, name)),
    }
    Ok(())
}

fn authentication(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let is_on = !captures.negated();
    if is_on && settings(change).users.is_empty() {
        change.notice(Notice::NoUsers);
    }
    let access = settings(change);
    if captures.has("serial") {
        access.serial_login = is_on;
    } else {
        access.enable_by_user = is_on;
    }
    Ok(())
}

fn login_history(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    settings(change).login_history_days = match (captures.negated(), captures.number("days")) {
        (true, _) => None,
        (false, None) => Some(DEFAULT_LOGIN_HISTORY_DAYS),
        (false, Some(_)) => Some(small(captures, "days")?),
    };
    Ok(())
}

fn max_fail(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    settings(change).max_fail = match captures.negated() {
        true => None,
        false => Some(small(captures, "attempts")?),
    };
    Ok(())
}
