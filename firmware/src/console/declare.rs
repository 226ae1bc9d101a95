//! How an EXEC command is declared: syntax, help and what it does, together in one row.
//!
//! Each file of [`super::exec`] and [`super::crypto`] holds the rows of one subject beside their
//! handlers; [`super::grammar`] compiles them all.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::future::Future;
use core::pin::Pin;

use cli::grammar::{Captures, ModeSet, Row};

use super::session::{Gone, Session};
use crate::state::Core;

/// EXEC commands, which configuration modes take as well.
pub(crate) const EXEC: ModeSet = 1;

/// EXEC commands that would be dangerous or meaningless inside configuration mode.
pub(crate) const EXEC_ONLY: ModeSet = 1 << 1;

/// Switching off. A scope of its own behind the others, so that `sh` goes on meaning `show`.
pub(crate) const POWER: ModeSet = 1 << 2;

/// Configuration mode, where certificate dialogues are held.
pub(crate) const CONFIG: ModeSet = config::GLOBAL;

/// Least privilege of a row: every user.
pub(crate) const USER: u8 = 0;

/// Least privilege of a row: after `enable`.
pub(crate) const PRIVILEGED: u8 = 15;

/// A table of EXEC commands.
pub(crate) type Rows = &'static [Row<Exec>];

/// Help by word, as a row holds it.
pub(crate) type Words = &'static [(&'static str, &'static str)];

/// Answers at once; nothing else happens meanwhile.
pub(crate) type AnswerFn = fn(&mut Core, &Captures<'_>, &mut String);

/// Tells something of the session itself.
pub(crate) type AboutFn = fn(&Session, &mut String);

/// What a dialogue is while it goes on.
pub(crate) type Talk<'s> = Pin<Box<dyn Future<Output = Result<(), Gone>> + 's>>;

/// Begins a dialogue.
pub(crate) type TalkFn = for<'s> fn(&'s mut Session, &'s Captures<'s>) -> Talk<'s>;

/// What an EXEC row does.
#[derive(Clone, Copy)]
pub(crate) enum Exec {
    /// Writes a text, which goes through the command's filter and the pager.
    Answer(AnswerFn),
    /// As `Answer`, about the session instead of the box.
    About(AboutFn),
    /// Talks with whoever is at the console.
    Talk(TalkFn),
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer(_) => "Exec(Answer)",
            Self::About(_) => "Exec(About)",
            Self::Talk(_) => "Exec(Talk)",
        })
    }
}

/// A row that is a dialogue: modes, privilege, syntax, `async fn`, help.
macro_rules! talk {
    ($modes:expr, $privilege:expr, $syntax:literal, $run:path, $help:expr $(,)?) => {
        cli::grammar::Row::new(
            $modes,
            $privilege,
            $syntax,
            $help as $crate::console::declare::Words,
            $crate::console::declare::Exec::Talk(|session, words| {
                alloc::boxed::Box::pin($run(session, words))
            }),
        )
    };
}

/// A row that answers at once and whose answer is not worth filtering.
macro_rules! answer {
    ($privilege:expr, $syntax:literal, $run:path, $help:expr $(,)?) => {
        cli::grammar::Row::new(
            $crate::console::declare::EXEC,
            $privilege,
            $syntax,
            $help as $crate::console::declare::Words,
            $crate::console::declare::Exec::Answer($run),
        )
    };
}

/// A row whose answer can be filtered.
macro_rules! show {
    ($privilege:expr, $syntax:literal, $run:path, $help:expr $(,)?) => {
        cli::grammar::Row::new(
            $crate::console::declare::EXEC,
            $privilege,
            concat!($syntax, " $filter@filter"),
            $help as $crate::console::declare::Words,
            $crate::console::declare::Exec::Answer($run),
        )
    };
}

/// A row that tells something of the session, and can be filtered.
macro_rules! about {
    ($privilege:expr, $syntax:literal, $run:path, $help:expr $(,)?) => {
        cli::grammar::Row::new(
            $crate::console::declare::EXEC,
            $privilege,
            concat!($syntax, " $filter@filter"),
            $help as $crate::console::declare::Words,
            $crate::console::declare::Exec::About($run),
        )
    };
}

pub(crate) use {about, answer, show, talk};
