//! The serial console: sessions one after the other, for as long as the box is up.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`mod@line`] | bytes between the device and the tasks |
//! | `input` | lines, keys, help and pages on top of it |
//! | `login` | banners, users, passwords, privilege |
//! | `place` | where `copy` reads from and writes to |
//! | `transfer` | XMODEM over the line |
//! | `report` | long answers made piece by piece |
//! | `rehearsal` | a text applied to a copy, with a report |
//! | [`session`] | who is at the console, in which mode; lines one after the other |
//! | `burst` | the lines of a paste, counted |
//! | `obey` | what becomes of a line |
//! | `setup` | the first questions of a box out of the factory |
//! | `recovery` | a break at the start, for who has lost the passwords |
//! | `ask` | what a dialogue says and asks |
//! | `declare` | how an EXEC command is declared |
//! | `exec`, `crypto` | the commands, rows and handlers together |

mod ask;
mod burst;
mod crypto;
mod declare;
mod exec;
mod input;
pub(crate) mod line;
mod login;
mod obey;
mod place;
mod recovery;
mod rehearsal;
mod report;
pub(crate) mod session;
mod setup;
mod transfer;

pub(crate) use exec::restart_as_planned;
pub(crate) use recovery::needs_password;

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::{Fragment, Grammar, Row};

use hal::serial::FlowControl;

use crate::state::Shared;
use declare::Exec;
use session::Session;

/// What a row of the whole grammar does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// An EXEC command or a certificate dialogue.
    Exec(Exec),
    /// A statement of the configuration.
    Config(config::Handler),
}

/// Compiles every command of the box.
///
/// # Panics
/// If a row's syntax is wrong, which a test rules out.
pub(crate) fn grammar() -> Grammar<Action> {
    let mut rows: Vec<Row<Action>> = exec::TABLES
        .iter()
        .chain([&crypto::ROWS, &login::ROWS, &setup::ROWS])
        .flat_map(|table| table.iter())
        .map(|row| row.map(Action::Exec))
        .collect();
    rows.extend(
        config::rows()
            .into_iter()
            .map(|row| row.map(Action::Config)),
    );
    let mut fragments: Vec<Fragment> = config::FRAGMENTS.to_vec();
    fragments.push(cli::filter::FRAGMENT);
    Grammar::compile(&rows, &fragments).expect("every row's syntax is compiled by a test")
}

/// The command reference: every row of every mode, as Markdown.
pub(crate) fn reference() -> String {
    let exec = [
        (declare::EXEC | declare::EXEC_ONLY, "EXEC mode"),
        (declare::POWER, "EXEC mode, switching off"),
    ];
    let modes: Vec<_> = exec.into_iter().chain(config::mode::TITLES).collect();
    let mut text = String::from(
        "# Command reference\n\nWritten from the command tables themselves; do not edit. `UPDATE_SNAPSHOTS=1 cargo test \
         -p firmware --test reference` writes it.\n\nA word in `<…>` is an argument, `[…]` can be left out, `{a|b}` is a choice, \
         `{…}*` any of them in any order, `{…}+` at least one. Commands of EXEC mode are taken in configuration modes too.\n\n",
    );
    text.push_str(&grammar().reference(&modes));
    text
}

/// Serves the console for ever.
pub(crate) async fn serve(shared: Shared, grammar: Rc<Grammar<Action>>, greeting: String) {
    shared.borrow_mut().console.set_flow(FlowControl::XonXoff);
    line::write_text(&shared, &greeting).await;
    loop {
        let session = Session::new(shared.clone(), Rc::clone(&grammar));
        let is_broken_off = shared.borrow_mut().line.take_break_off();
        if is_broken_off {
            session.recover().await;
        } else {
            session.run().await;
        }
        shared.borrow_mut().settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cli::grammar::Scope;

    #[test]
    fn every_row_has_an_example_that_means_it() {
        let grammar = grammar();
        let scopes: Vec<_> = [declare::EXEC | declare::EXEC_ONLY, declare::POWER]
            .into_iter()
            .chain(config::mode::TITLES.map(|(modes, _)| modes))
            .map(|modes| Scope { modes, title: "" })
            .collect();
        let mut missing = Vec::new();
        for (index, row) in grammar.rows().iter().enumerate() {
            let Some(example) = row.example_line() else {
                missing.push(row.syntax);
                continue;
            };
            let is_meant = scopes
                .iter()
                .filter(|scope| scope.modes & row.modes != 0)
                .any(|scope| {
                    grammar
                        .parse(example, core::slice::from_ref(scope), 15)
                        .is_ok_and(|matched| matched.row == index)
                });
            assert!(is_meant, "`{example}` is not `{}`", row.syntax);
        }
        assert_eq!(missing, Vec::<&str>::new(), "rows without an example");
    }

    #[test]
    fn every_row_compiles_and_every_word_has_help() {
        let grammar = grammar();
        assert_eq!(grammar.missing_help(), Vec::new());
        assert_eq!(grammar.unused_help(), Vec::new());
    }
}
