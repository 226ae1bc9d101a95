//! Local users and how they log in.

use super::{Session, reread};
use crate::model::{DEFAULT_PRIVILEGE, ServiceType, USERS_MAX};
use crate::print::{Secrets, print};
use crate::refusal::{Notice, Refusal, Thing};

#[test]
fn a_user_is_stored_with_a_hash_that_proves_the_password() {
    let mut session = Session::new();
    session.paste(
        "username ann password letmein1 privilege 15\nusername bob nopassword\n\
         username ann attributes\nservice-type nas-prompt\nexit",
    );
    let users = &session.config.access.users;
    let ann = &users["ann"];
    assert!(ann.password.as_ref().unwrap().verify(b"letmein1"));
    assert!(!ann.password.as_ref().unwrap().verify(b"letmein2"));
    assert_eq!((ann.privilege, ann.service), (15, ServiceType::NasPrompt));
    assert_eq!(users["bob"].password, None);
    assert_eq!(users["bob"].privilege, DEFAULT_PRIVILEGE);
    let printed = print(&session.config, Secrets::Masked).join("\n");
    assert!(!printed.contains("letmein1"), "{printed}");
    assert_eq!(reread(&session.grammar, &session.config), session.config);
}

#[test]
fn a_new_password_keeps_level_and_attributes() {
    let mut session = Session::new();
    session.paste(
        "username ann password letmein1 privilege 7\nusername ann attributes\n\
         service-type nas-prompt\nexit\nusername ann password changed2",
    );
    let ann = &session.config.access.users["ann"];
    assert_eq!((ann.privilege, ann.service), (7, ServiceType::NasPrompt));
    assert!(ann.password.as_ref().unwrap().verify(b"changed2"));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut session = Session::new();
    assert_eq!(
        session.refusal("username ann privilege 3"),
        Refusal::Missing(Thing::User, "ann".into())
    );
    assert_eq!(
        session.refusal("username ann password ab"),
        Refusal::PasswordLength
    );
    assert_eq!(
        session.refusal("username ann password notahash pbkdf2"),
        Refusal::BadPasswordHash
    );
    assert_eq!(session.refusal("no username ann"), Refusal::NothingToRemove);
    for index in 0..USERS_MAX {
        session.line(&format!("username u{index} nopassword"));
    }
    assert_eq!(
        session.refusal("username onemore nopassword"),
        Refusal::TooMany("users", USERS_MAX)
    );
    session.line("username u0 nopassword privilege 1");
}

#[test]
fn log_in_without_any_user_is_warned_about() {
    let mut session = Session::new();
    assert_eq!(
        session.notices("aaa authentication serial console LOCAL"),
        [Notice::NoUsers]
    );
    session.line("username ann nopassword");
    assert_eq!(
        session.notices("aaa authentication enable console LOCAL"),
        []
    );
}

#[test]
fn passwords_of_lower_levels_are_kept_apart() {
    let mut session = Session::new();
    session.paste("enable password highest1\nenable password helpdesk level 5");
    assert!(session.config.enable_level_passwords[&5].verify(b"helpdesk"));
    assert!(
        session
            .config
            .enable_password
            .as_ref()
            .unwrap()
            .verify(b"highest1")
    );
    assert_eq!(reread(&session.grammar, &session.config), session.config);
    session.line("no enable password level 5");
    assert!(session.config.enable_level_passwords.is_empty());
    assert!(session.config.enable_password.is_some());
}
