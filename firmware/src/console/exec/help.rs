//! `help`, alone and with a command.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::{Captures, ModeSet, No};

use crate::console::declare::{CONFIG, EXEC, EXEC_ONLY, POWER, Rows, USER, talk};
use crate::console::session::{Gone, Session};
use crate::print::put_line;

pub(super) const ROWS: Rows = &[talk!(
    EXEC,
    USER,
    "help [<command:text>]",
    help,
    &[
        ("help", "Explain a command, or how to get help"),
        ("command", "The command, or its first words"),
    ]
)
.example("help write")];

const GENERAL: &str = "\
Help may be requested at any point in a command by entering a question mark '?'.

Tab completes a word. Keywords may be shortened to any unique beginning.
Ctrl-A/Ctrl-E go to the start or the end of the line, Ctrl-P/Ctrl-N through the
history, Ctrl-U and Ctrl-K delete, Ctrl-Z leaves configuration mode.
'help COMMAND' explains a command.
";

/// Where explained commands are looked for, first to last.
const MODES: [ModeSet; 2] = [EXEC | EXEC_ONLY | POWER, CONFIG];

async fn help(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let Some(command) = words.text("command") else {
        return session.say(GENERAL).await;
    };
    let text = explain(session, command);
    session.page(&text).await
}

fn explain(session: &Session, command: &str) -> String {
    let grammar = session.grammar();
    let typed: Vec<&str> = command.split_whitespace().collect();
    let begins_so = |syntax: &str| {
        let mut words = syntax.split_whitespace();
        typed
            .iter()
            .all(|typed| words.next().is_some_and(|word| word.starts_with(typed)))
    };
    let mut found = Vec::new();
    for modes in MODES {
        for (index, row) in grammar.rows().iter().enumerate() {
            let is_seen = row.modes & modes != 0 && row.privilege <= session.privilege();
            if is_seen && begins_so(row.syntax) && !found.contains(&index) {
                found.push(index);
            }
        }
    }
    let mut out = String::new();
    if found.is_empty() {
        put_line!(&mut out, "ERROR: there is no command {command}");
        return out;
    }
    put_line!(&mut out, "USAGE:\n");
    let mut described: Vec<(&str, bool, &str)> = Vec::new();
    for &index in &found {
        let Some(row) = grammar.rows().get(index) else {
            continue;
        };
        let syntax = |syntax: &str| syntax.replace(" $filter@filter", " [| FILTER]");
        put_line!(&mut out, "    {}", syntax(row.syntax));
        match row.no {
            No::Forbidden => {}
            No::Same => put_line!(&mut out, "    no {}", syntax(row.syntax)),
            No::Syntax(negated) => put_line!(&mut out, "    no {}", syntax(negated)),
        }
        for word in grammar.words_of(index) {
            if !described
                .iter()
                .any(|(name, is, _)| (*name, *is) == (word.0, word.1))
            {
                described.push(word);
            }
        }
    }
    for (heading, arguments) in [("\nDESCRIPTION:\n", false), ("\nSYNTAX:\n", true)] {
        let mut is_first = true;
        for (name, is_argument, text) in &described {
            if *is_argument != arguments || text.is_empty() {
                continue;
            }
            if core::mem::take(&mut is_first) {
                put_line!(&mut out, "{heading}");
            }
            let (open, close) = if arguments { ("<", ">") } else { ("", "") };
            let name = alloc::format!("{open}{name}{close}");
            put_line!(&mut out, "    {name:<22} {text}");
        }
    }
    let examples: Vec<&str> = found
        .iter()
        .filter_map(|&index| grammar.rows().get(index)?.example_line())
        .collect();
    put_line!(&mut out, "\nEXAMPLE:\n");
    for example in examples {
        put_line!(&mut out, "    {example}");
    }
    out
}
