//! Requirement: only people with a password get in, and a mistake locks nobody out for ever. Needs:
//! nothing; virtual time.

mod common;

use std::time::Duration;

use common::Box;

/// A box whose console asks for a user: `ann` (15), `bob` (5), `eve` (nas-prompt).
fn box_with_users() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(
        "configure terminal\nhostname asa1\nbanner motd on $(hostname)\nbanner login friends only\n\
         banner exec welcome\nusername ann password annspass privilege 15\n\
         username bob password bobspass privilege 5\nusername eve password evespass privilege 15\n\
         username eve attributes\nservice-type nas-prompt\nexit\n\
         aaa authentication serial console LOCAL\naaa authentication enable console LOCAL\n\
         aaa local authentication attempts max-fail 3\nend",
    );
    sallyport
}

#[test]
fn banners_and_the_user_name_come_before_the_prompt() {
    let mut sallyport = box_with_users();
    let printed = sallyport.line("exit");
    let places: Vec<_> = ["Logoff", "on asa1", "friends only", "Username: "]
        .iter()
        .map(|text| {
            printed
                .find(text)
                .unwrap_or_else(|| panic!("{text} in {printed}"))
        })
        .collect();
    assert!(places.is_sorted(), "{printed}");
    let printed = sallyport.type_text("ann\rannspass\r");
    assert!(!printed.contains("annspass"), "{printed}");
    assert!(printed.contains("User ann logged in to asa1"), "{printed}");
    assert!(printed.contains("welcome"), "{printed}");
    assert!(
        printed.ends_with("Type help or '?' for a list of available commands.\r\nasa1> "),
        "{printed}"
    );
    let printed = sallyport.type_text("enable\rannspass\rshow curpriv\r");
    assert!(printed.contains("Username : ann"), "{printed}");
    assert!(
        printed.contains("Current privilege level : 15"),
        "{printed}"
    );
    let printed = sallyport.type_text("exit\rann\rannspass\r");
    assert!(
        printed.contains("Logins over the last 90 days: 2.  Last login: "),
        "{printed}"
    );
}

#[test]
fn a_lower_privilege_sees_fewer_commands() {
    let mut sallyport = box_with_users();
    let printed = sallyport.type_text("exit\rbob\rbobspass\renable\rbobspass\rshow curpriv\r");
    assert!(printed.contains("Current privilege level : 5"), "{printed}");
    let printed = sallyport.line("configure terminal");
    assert!(printed.contains("ERROR: % Invalid input"), "{printed}");
    let printed = sallyport.type_text("disable\rexit\reve\revespass\renable\r");
    assert!(printed.contains("Access denied."), "{printed}");
    assert!(printed.ends_with("asa1> "), "{printed}");
}

#[test]
fn failures_in_a_row_lock_a_user_until_an_administrator_lifts_it() {
    let mut sallyport = box_with_users();
    let wrong = "bob\rwrongpass\r";
    let printed = sallyport.type_text(&format!("exit\r{wrong}{wrong}{wrong}"));
    assert_eq!(printed.matches("Invalid username or password").count(), 3);
    assert!(
        !printed.ends_with("Username: "),
        "a pause comes first: {printed}"
    );
    sallyport.wait(Duration::from_secs(6));
    let printed = sallyport.type_text("bob\rbobspass\r");
    assert!(printed.contains("Account is locked out"), "{printed}");
    let printed =
        sallyport.type_text("ann\rannspass\renable\rannspass\rshow aaa local user locked\r");
    let row = printed.lines().find(|line| line.ends_with("bob")).unwrap();
    assert_eq!(
        row.split_whitespace().skip(1).collect::<Vec<_>>(),
        ["3", "Y", "bob"]
    );
    let printed =
        sallyport.type_text("clear aaa local user lockout username bob\rexit\rbob\rbobspass\r");
    assert!(printed.contains("User bob logged in"), "{printed}");
}

#[test]
fn an_unknown_user_is_answered_like_a_wrong_password() {
    let mut sallyport = box_with_users();
    let printed = sallyport.type_text("exit\rmallory\rwhatever\r");
    assert!(
        printed.contains("Invalid username or password"),
        "{printed}"
    );
    assert!(printed.ends_with("Username: "), "{printed}");
    sallyport.type_text("ann\rannspass\renable\rannspass\r");
    let printed = sallyport.line("show aaa local user");
    assert!(!printed.contains("mallory"), "{printed}");
}

#[test]
fn a_highest_user_is_never_locked_out() {
    let mut sallyport = box_with_users();
    sallyport.line("exit");
    for _ in 0..7 {
        sallyport.type_text("ann\rwrongpass\r");
        sallyport.wait(Duration::from_secs(6));
    }
    let printed = sallyport.type_text("ann\rannspass\r");
    assert!(
        printed.contains("Failed logins since the last login: 7."),
        "{printed}"
    );
}

#[test]
fn an_idle_session_is_logged_out() {
    let mut sallyport = box_with_users();
    sallyport.config("configure terminal\nconsole timeout 5\nend");
    sallyport.wait(Duration::from_secs(299));
    assert_eq!(sallyport.terminal.take_text(), "");
    sallyport.wait(Duration::from_secs(2));
    let printed = sallyport.terminal.take_text();
    assert!(printed.ends_with("Username: "), "{printed}");
}

#[test]
fn levels_have_passwords_of_their_own() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config("configure terminal\nenable password helpdesk level 5\nend");
    let printed = sallyport.type_text("disable\renable 5\rhelpdesk\rshow curpriv\r");
    assert!(printed.contains("Username : enable_5"), "{printed}");
    let printed = sallyport.type_text("enable 7\r");
    assert!(
        printed.contains("no password is set for level 7"),
        "{printed}"
    );
    let printed = sallyport.type_text("enable\rcisco123\rshow curpriv\r");
    assert!(
        printed.contains("Current privilege level : 15"),
        "{printed}"
    );
    let printed = sallyport.type_text("enable 3\rshow curpriv\r");
    assert!(
        printed.contains("Current privilege level : 3"),
        "going down needs no password: {printed}"
    );
}

#[test]
fn log_in_without_users_leaves_the_console_open() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    let printed = sallyport
        .type_text("configure terminal\raaa authentication serial console LOCAL\rend\rexit\r");
    assert!(
        printed.contains("WARNING: local database is empty!"),
        "{printed}"
    );
    assert!(printed.ends_with("sallyport> "), "{printed}");
}
