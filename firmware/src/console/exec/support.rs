//! `show tech-support`: what a supporter asks for first, in one text.

use alloc::string::String;

use cli::grammar::{Captures, Scope};

use crate::console::Action;
use crate::console::declare::{EXEC, Exec, PRIVILEGED, Rows, talk};
use crate::console::session::{Gone, Session};
use crate::print::put_line;
use crate::tasks::yield_now;

pub(super) const ROWS: Rows = &[talk!(
    EXEC,
    PRIVILEGED,
    "show tech-support [no-config]",
    tech_support,
    &[
        ("tech-support", "Everything a supporter asks for first"),
        ("no-config", "Without the configuration"),
    ]
)];

/// The commands whose answers make the text, in that order. Each is run as if it had been typed, so
/// secrets are hidden as they are there.
const COMMANDS: &[&str] = &[
    "show clock detail",
    "show version",
    "show inventory",
    "show crashinfo",
    "show memory detail",
    "show blocks",
    "show cpu usage",
    "show processes cpu-usage",
    "show checksum",
    "show reload",
    "show flash:",
    "show failover",
    "show interface detail",
    "show interface ip brief",
    "show nameif",
    "show route",
    "show arp",
    "show asp drop",
    "show conn count",
    "show xlate count",
    "show nat detail",
    "show nat pool",
    "show access-list",
    "show tls-proxy",
    "show tls-proxy session statistics",
    "show crypto ca trustpoints",
    "show crypto ca certificates",
    "show aaa local user",
    "show configuration session",
    "show logging",
    CONFIGURATION,
];

/// Left out on demand.
const CONFIGURATION: &str = "show running-config";

async fn tech_support(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let mut text = String::new();
    for command in COMMANDS {
        if words.has("no-config") && *command == CONFIGURATION {
            continue;
        }
        put_line!(
            &mut text,
            "\n------------------ {command} ------------------\n"
        );
        answer(session, command, &mut text);
        // One answer a turn, so that packets pass in between.
        yield_now().await;
    }
    session.page(&text).await
}

/// What a command that only answers says.
fn answer(session: &Session, command: &str, out: &mut String) {
    let grammar = session.grammar();
    let scopes = [Scope {
        modes: EXEC,
        title: "exec",
    }];
    let Ok(matched) = grammar.parse(command, &scopes, session.privilege()) else {
        put_line!(out, "ERROR: % Command authorization failed");
        return;
    };
    match matched.action {
        Action::Exec(Exec::Answer(run)) => {
            let mut core = session.core();
            core.settle();
            run(&mut core, &matched.captures, out);
        }
        Action::Exec(Exec::About(run)) => run(session, out),
        Action::Exec(Exec::Talk(_)) | Action::Config(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_only_answers() {
        let grammar = crate::console::grammar();
        let scopes = [Scope {
            modes: EXEC,
            title: "exec",
        }];
        for command in COMMANDS {
            let matched = grammar.parse(command, &scopes, 15).expect(command);
            assert!(
                matches!(
                    matched.action,
                    Action::Exec(Exec::Answer(_) | Exec::About(_))
                ),
                "{command}"
            );
        }
    }
}
