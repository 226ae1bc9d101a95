//! Getting in: banners, user names, passwords, privilege.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use cli::grammar::Captures;
use clock::format::ClockLine;
use config::model::{BannerKind, ServiceType};
use config::password::{LENGTHS, PasswordHash, SALT_LEN};
use core::net::Ipv4Addr;
use syslog::Message;
use syslog::message::field::LoginPath;

use super::declare::{EXEC, EXEC_ONLY, PRIVILEGED, Rows, USER, show, talk};
use super::session::{Gone, Session, UNPRIVILEGED};
use crate::print::put_line;
use crate::state::Core;
use crate::tasks::sleep;

/// Wrong answers taken before a command is given up, or the next log-in has to wait.
const TRIES: u32 = 3;

/// How long the console rests after [`TRIES`] wrong log-ins.
const PENALTY: Duration = Duration::from_secs(5);

pub(super) const ROWS: Rows = &[
    talk!(
        EXEC_ONLY,
        USER,
        "enable [<level:0-15>]",
        enable,
        &[
            ("enable", "Turn on privileged commands"),
            ("level", "Privilege level"),
        ]
    ),
    talk!(
        EXEC_ONLY,
        USER,
        "login",
        login_command,
        &[("login", "Log in as a particular user")]
    ),
    talk!(
        EXEC_ONLY,
        PRIVILEGED_OR_LESS,
        "disable [<level:0-15>]",
        disable,
        &[
            ("disable", "Exit from privileged mode"),
            ("level", "Privilege level"),
        ]
    ),
    talk!(
        EXEC_ONLY,
        USER,
        "{exit|logout|quit}",
        leave,
        &[
            ("exit", "Exit from the EXEC"),
            ("logout", "Exit from the EXEC"),
            ("quit", "Exit from the EXEC"),
        ]
    )
    .example("exit"),
    show!(
        PRIVILEGED,
        "show aaa local user [locked]",
        local_users,
        &[
            ("aaa", "Who may do what"),
            ("local", "Local accounts"),
            ("user", "Local users and their failed log-ins"),
            ("locked", "Only those who are locked out"),
        ]
    ),
    talk!(
        EXEC,
        PRIVILEGED,
        "clear aaa local user { lockout | fail-attempts } { all | username <name:word> }",
        unlock,
        &[
            ("clear", "Reset functions"),
            ("lockout", "Let locked users log in again"),
            ("fail-attempts", "Forget failed log-ins"),
            ("all", "Of every user"),
            ("username", "Of one user"),
            ("name", "Name of the user"),
        ]
    )
    .example("clear aaa local user lockout username ann"),
];

/// Least privilege that `disable` makes sense at.
const PRIVILEGED_OR_LESS: u8 = UNPRIVILEGED + 1;

/// Shows banners and lets somebody in; returns when a session may begin.
pub(super) async fn admit(session: &mut Session) -> Result<(), Gone> {
    banner(session, BannerKind::Motd).await?;
    if asks_for_user(&session.core()) {
        banner(session, BannerKind::Login).await?;
        let mut failures = 0;
        while !log_in(session).await? {
            failures += 1;
            if failures % TRIES == 0 {
                let until = session.core().now() + PENALTY;
                sleep(session.shared(), until).await;
            }
        }
    }
    banner(session, BannerKind::Exec).await?;
    session
        .say("Type help or '?' for a list of available commands.\n")
        .await
}

/// Whether the console is closed to strangers. Without any user it stays open, because nobody could
/// open it again.
fn asks_for_user(core: &Core) -> bool {
    let access = &core.config.access;
    access.serial_login && !access.users.is_empty()
}

async fn banner(session: &mut Session, kind: BannerKind) -> Result<(), Gone> {
    let text = {
        let core = session.core();
        let config = &core.config;
        let domain = config.domain_name.as_deref().unwrap_or_default();
        let mut text = String::new();
        for line in config.banners.get(&kind).into_iter().flatten() {
            let line = line.replace("$(hostname)", &config.hostname);
            put_line!(&mut text, "{}", line.replace("$(domain)", domain));
        }
        text
    };
    session.say(&text).await
}

/// Asks for user and password once. Returns whether somebody is in.
async fn log_in(session: &mut Session) -> Result<bool, Gone> {
    let name = session.ask_unlimited("Username: ").await?;
    let name = name.trim();
    if name.is_empty() {
        return Ok(false);
    }
    let typed = session.password("Password: ").await?;
    let outcome = {
        let mut core = session.core();
        let outcome = check(&mut core, name, typed.as_bytes());
        tell_of_login(&mut core, name, &outcome);
        outcome
    };
    match outcome {
        Verdict::Right => {
            let told = greeting(&mut session.core(), name);
            session.set_user(name);
            session.say(&told).await?;
            Ok(true)
        }
        Verdict::Locked => {
            session.say("Account is locked out\n").await?;
            Ok(false)
        }
        Verdict::NotHere | Verdict::Wrong => {
            session.say("Invalid username or password\n").await?;
            Ok(false)
        }
    }
}

/// What comes of a name and a password.
enum Verdict {
    Right,
    /// Right, but the user may not manage the box.
    NotHere,
    Wrong,
    Locked,
}

/// At the serial line nobody has an address.
const NOWHERE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// Tells operators what came of a log-in.
fn tell_of_login(core: &mut Core, user: &str, verdict: &Verdict) {
    let (path, address) = (LoginPath::Serial, NOWHERE);
    match verdict {
        Verdict::Right | Verdict::NotHere => {
            core.log(&Message::AuthenticationSucceeded { address, user });
        }
        Verdict::Wrong | Verdict::Locked => {
            core.log(&Message::AuthenticationFailed { address, user });
        }
    }
    core.log(&match verdict {
        Verdict::Right => Message::LoginPermitted { path, user },
        Verdict::NotHere | Verdict::Wrong | Verdict::Locked => Message::LoginDenied { path, user },
    });
}

/// Judges a password. An unknown name takes as long as a wrong password.
fn check(core: &mut Core, name: &str, password: &[u8]) -> Verdict {
    let now = core.wall.unix_secs(core.now());
    let access = &core.config.access;
    let Some(user) = access.users.get(name).cloned() else {
        let _ = PasswordHash::of(password, [0; SALT_LEN]);
        return Verdict::Wrong;
    };
    let is_right = match &user.password {
        Some(hash) => hash.verify(password),
        None => true,
    };
    if core.logins.is_locked(name) {
        return Verdict::Locked;
    }
    if is_right {
        return match user.service {
            ServiceType::Admin | ServiceType::NasPrompt => Verdict::Right,
            ServiceType::RemoteAccess => Verdict::NotHere,
        };
    }
    let max_fail = access.max_fail;
    if core.logins.failed(name, user.privilege, max_fail, now) {
        let attempts = u32::from(max_fail.unwrap_or_default());
        core.log(&Message::UserLocked {
            user: name,
            attempts,
        });
    }
    Verdict::Wrong
}

/// What a user is told of earlier log-ins.
fn greeting(core: &mut Core, name: &str) -> String {
    let now = core.wall.unix_secs(core.now());
    let days = core.config.access.login_history_days;
    let history = core.logins.succeeded(name, days.unwrap_or(0), now);
    let mut text = String::new();
    let Some(days) = days else {
        return text;
    };
    put_line!(
        &mut text,
        "User {name} logged in to {}",
        core.config.hostname
    );
    put_line!(
        &mut text,
        "Logins over the last {days} days: {}.{}",
        history.count,
        match history.last {
            Some(at) => {
                let unix_micros = (at as i64).saturating_mul(1_000_000);
                let rules = &core.zone;
                alloc::format!(
                    "  Last login: {} from console",
                    ClockLine { rules, unix_micros }
                )
            }
            None => String::new(),
        }
    );
    put_line!(
        &mut text,
        "Failed logins since the last login: {}.",
        history.failures
    );
    text
}

async fn login_command(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    if session.core().config.access.users.is_empty() {
        return session.say("ERROR: no local user is configured\n").await;
    }
    for _ in 0..TRIES {
        if log_in(session).await? {
            let level = own_level(session).unwrap_or(UNPRIVILEGED);
            change_privilege(session, level.max(UNPRIVILEGED));
            return Ok(());
        }
    }
    session.say("Access denied.\n").await
}

/// The highest level of the user who is logged in, if one is.
fn own_level(session: &Session) -> Option<u8> {
    let core = session.core();
    let user = core.config.access.users.get(session.user()?)?;
    Some(match user.service {
        ServiceType::Admin => user.privilege,
        ServiceType::NasPrompt | ServiceType::RemoteAccess => UNPRIVILEGED,
    })
}

/// Gives whoever is at the console another privilege.
fn change_privilege(session: &mut Session, to: u8) {
    let from = session.privilege();
    session.set_privilege(to);
    if from != to {
        let user = session.name();
        session.core().log(&Message::PrivilegeChanged {
            user: &user,
            from,
            to,
        });
    }
}

async fn enable(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let wanted = words
        .number("level")
        .and_then(|level| u8::try_from(level).ok())
        .unwrap_or(PRIVILEGED);
    let by_user = session.core().config.access.enable_by_user;
    let (hash, level) = match own_level(session) {
        Some(own) if by_user => {
            if own <= UNPRIVILEGED {
                return session.say("Access denied.\n").await;
            }
            let hash = {
                let core = session.core();
                let user = session
                    .user()
                    .and_then(|name| core.config.access.users.get(name));
                user.and_then(|user| user.password.clone())
            };
            (hash, wanted.min(own))
        }
        _ => {
            let hash = {
                let core = session.core();
                match wanted {
                    PRIVILEGED => core.config.enable_password.clone(),
                    level => core.config.enable_level_passwords.get(&level).cloned(),
                }
            };
            match (hash, wanted) {
                (None, PRIVILEGED) => return set_first_password(session).await,
                (None, level) if level > UNPRIVILEGED && level > session.privilege() => {
                    return session
                        .say(&alloc::format!(
                            "ERROR: no password is set for level {level}\n"
                        ))
                        .await;
                }
                (hash, level) => (hash, level),
            }
        }
    };
    let Some(hash) = hash.filter(|_| level > session.privilege()) else {
        // No password is needed to get down, or for a user without one.
        change_privilege(session, level);
        return Ok(());
    };
    for _ in 0..TRIES {
        let typed = session.password("Password: ").await?;
        if hash.verify(typed.as_bytes()) {
            change_privilege(session, level);
            return Ok(());
        }
        session.say("Invalid password\n").await?;
    }
    session.core().log(&Message::EnablePasswordWrong {
        tries: TRIES,
        origin: "console",
    });
    session.say("Access denied.\n").await
}

/// On a box without a password the first `enable` sets one.
async fn set_first_password(session: &mut Session) -> Result<(), Gone> {
    session
        .say("The enable password is not set.  Please set it now.\n")
        .await?;
    for _ in 0..TRIES {
        let first = session.password("Enter  Password: ").await?;
        let Some(hash) = repeat_password(session, &first).await? else {
            continue;
        };
        change_privilege(session, PRIVILEGED);
        {
            let by = session.name();
            let mut core = session.core();
            core.config.enable_password = Some(hash);
            core.note_change(&by);
        }
        return session
            .say(
                "Note: Save your configuration so that the password persists across reboots\n\
                 (\"write memory\" or \"copy running-config startup-config\").\n",
            )
            .await;
    }
    session.say("Access denied.\n").await
}

/// Asks for a password that was typed as `first` again. `None` if it cannot be one or is not the same,
/// which is said.
pub(super) async fn repeat_password(
    session: &mut Session,
    first: &str,
) -> Result<Option<PasswordHash>, Gone> {
    if !LENGTHS.contains(&first.chars().count()) {
        session
            .say("ERROR: The password must have 3 to 127 characters.\n")
            .await?;
        return Ok(None);
    }
    let second = session.password("Repeat Password: ").await?;
    if first != second.as_str() {
        session.say("ERROR: The passwords do not match.\n").await?;
        return Ok(None);
    }
    let mut salt = [0; SALT_LEN];
    session.core().entropy.fill(&mut salt);
    Ok(Some(PasswordHash::of(first.as_bytes(), salt)))
}

async fn disable(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let wanted = words
        .number("level")
        .and_then(|level| u8::try_from(level).ok())
        .unwrap_or(UNPRIVILEGED);
    if wanted > session.privilege() {
        return session
            .say("ERROR: disable goes to a lower level; use 'enable'\n")
            .await;
    }
    change_privilege(session, wanted);
    Ok(())
}

async fn leave(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    let user = session.name();
    session.core().log(&Message::LoggedOut { user: &user });
    session.say("\nLogoff\n\n").await?;
    Err(Gone)
}

fn local_users(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    put_line!(out, "Lock-time  Failed-attempts  Locked  User");
    let now = core.wall.unix_secs(core.now());
    for name in core.config.access.users.keys() {
        let record = core.logins.record(name);
        if words.has("locked") && record.locked_at.is_none() {
            continue;
        }
        let (since, mark) = match record.locked_at {
            Some(at) => {
                let secs = now.saturating_sub(at);
                let (hours, minutes) = (secs / 3600, secs / 60 % 60);
                (
                    alloc::format!("{hours:02}:{minutes:02}:{:02}", secs % 60),
                    'Y',
                )
            }
            None => ("   -".into(), 'N'),
        };
        put_line!(
            out,
            "{since:<10} {:^15}  {mark:^6}  {name}",
            record.failures
        );
    }
}

async fn unlock(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let name = words.word("name");
    let is_known = name.is_none_or(|name| session.core().config.access.users.contains_key(name));
    if let Some(name) = name.filter(|_| !is_known) {
        return session
            .say(&alloc::format!("ERROR: username {name} does not exist\n"))
            .await;
    }
    let administrator = session.name();
    let mut core = session.core();
    let users: Vec<String> = match name {
        Some(name) => Vec::from([name.into()]),
        None => core.config.access.users.keys().cloned().collect(),
    };
    for user in &users {
        if core.logins.unlock(user) {
            core.log(&Message::UserUnlocked {
                user,
                administrator: &administrator,
            });
        }
    }
    Ok(())
}
