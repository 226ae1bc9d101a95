//! Local users, and how they log in.

use super::family::Family;
use super::{Change, Outcome, kept, row, small, typed_password, word};
use crate::mode::{GLOBAL, Mode, USERNAME};
use crate::model::{
    AccessSettings, DEFAULT_LOGIN_HISTORY_DAYS, DEFAULT_PRIVILEGE, ServiceType, USERS_MAX, User,
};
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use alloc::collections::BTreeMap;
use cli::grammar::{Captures, No};

pub(super) const USERNAMES: Family = Family {
    keyword: "username",
    help: "Local users",
    narrow: "[<name>]",
    rows: &[
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
    )
    .example("username ann password secret99 privilege 15"),
    row(
        GLOBAL,
        "username <name:word(64)> privilege <level:0-15>",
        No::Forbidden,
        &[],
        privilege,
    )
    .example("username bob privilege 5"),
    row(
        GLOBAL,
        "username <name:word(64)> attributes",
        No::Syntax("username <name:word(64)> attributes"),
        &[("attributes", "Configure what the user may do")],
        attributes,
    )
    .example("username bob attributes"),
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
    )
    .example("service-type nas-prompt"),
    ],
    print: print::users::users,
    clear: Some(clear_users),
    clear_narrow: "[<name>]",
    ..Family::EMPTY
};

pub(super) const AAA: Family = Family {
    keyword: "aaa",
    help: "Who may do what",
    rows: &[
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
        )
        .example("aaa authentication serial console LOCAL"),
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
        )
        .example("aaa authentication login-history duration 30"),
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
        )
        .example("aaa local authentication attempts max-fail 5"),
    ],
    kept: kept::AAA_RULES,
    print: print::users::aaa,
    clear: Some(clear_aaa),
    ..Family::EMPTY
};

fn clear_users(change: &mut Change<'_>, name: Option<&str>) -> Result<(), Refusal> {
    let users = &mut change.config.access.users;
    match name {
        Some(name) => change.outcome.removed(users.remove(name)),
        None => {
            change.outcome.set(users, BTreeMap::new());
            Ok(())
        }
    }
}

fn clear_aaa(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let access = &mut change.config.access;
    let factory = AccessSettings {
        users: core::mem::take(&mut access.users),
        ..AccessSettings::default()
    };
    let before = core::mem::replace(access, factory.clone());
    let same_users = AccessSettings {
        users: factory.users,
        ..before
    };
    change.outcome.changed |= same_users != *access;
    Ok(())
}

fn username(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        let removed = change.config.access.users.remove(name);
        return change.outcome.removed(removed);
    }
    let password = match captures.has("nopassword") {
        true => None,
        false => Some(typed_password(captures, change.salt)?),
    };
    let users = &mut change.config.access.users;
    let known = users.get(name);
    if known.is_none() && users.len() >= USERS_MAX {
        return Err(Refusal::TooMany("users", USERS_MAX));
    }
    let service = known.map(|user| user.service).unwrap_or_default();
    let privilege = match captures.number("level") {
        Some(_) => small(captures, "level")?,
        None => known.map_or(DEFAULT_PRIVILEGE, |user| user.privilege),
    };
    let user = User {
        password,
        privilege,
        service,
    };
    let before = users.insert(name.into(), user.clone());
    change.outcome.changed |= before != Some(user);
    Ok(())
}

fn privilege(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let level = small(captures, "level")?;
    let (user, outcome) = user(change, captures)?;
    outcome.set(&mut user.privilege, level);
    Ok(())
}

fn attributes(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (user, outcome) = user(change, captures)?;
    if captures.negated() {
        outcome.set(&mut user.service, ServiceType::default());
        return Ok(());
    }
    change.enter(Mode::Username(word(captures, "name")?.into()));
    Ok(())
}

fn user<'c>(
    change: &'c mut Change<'_>,
    captures: &Captures<'_>,
) -> Result<(&'c mut User, &'c mut Outcome), Refusal> {
    let name = word(captures, "name")?;
    match change.config.access.users.get_mut(name) {
        Some(user) => Ok((user, &mut change.outcome)),
        None => Err(Refusal::Missing(Thing::User, name.into())),
    }
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
    match change.config.access.users.get_mut(&name) {
        Some(user) => change.outcome.set(&mut user.service, chosen),
        None => return Err(Refusal::Missing(Thing::User, name)),
    }
    Ok(())
}

fn authentication(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let is_on = !captures.negated();
    if is_on && change.config.access.users.is_empty() {
        change.notice(Notice::NoUsers);
    }
    let access = &mut change.config.access;
    let slot = if captures.has("serial") {
        &mut access.serial_login
    } else {
        &mut access.enable_by_user
    };
    change.outcome.set(slot, is_on);
    Ok(())
}

fn login_history(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let days = match (captures.negated(), captures.number("days")) {
        (true, _) => None,
        (false, None) => Some(DEFAULT_LOGIN_HISTORY_DAYS),
        (false, Some(_)) => Some(small(captures, "days")?),
    };
    let slot = &mut change.config.access.login_history_days;
    change.outcome.set(slot, days);
    Ok(())
}

fn max_fail(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let limit = match captures.negated() {
        true => None,
        false => Some(small(captures, "attempts")?),
    };
    let slot = &mut change.config.access.max_fail;
    change.outcome.set(slot, limit);
    Ok(())
}
