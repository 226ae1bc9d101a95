//! The command line of the box, without a single command in it.
//!
//! Everything here is sans-IO: bytes and lines go in, bytes and typed matches come out. Other crates
//! own the commands as tables of [`grammar::Row`]s; this crate compiles such a table once and answers
//! four questions about a typed line from it: what does it mean, what may follow (`?`), how does the
//! word end (Tab), and what is wrong with it.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`grammar`] | the table language, parse, captures, errors, `?` and Tab |
//! | [`ports`] | the well-known port names of the `port` argument |
//! | [`editor`] | one line of typing: keys, history, echo, horizontal scrolling |
//! | [`pager`] | `<--- More --->` |
//! | [`paste`] | pasted text: typography, prompts, wrapped lines |
//! | [`filter`] | `\| include`, `exclude`, `begin`, `grep`, `count` |
//! | [`regex`] | the linear-time matcher behind the filter |
//! | [`xmodem`] | files over the console line |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod editor;
pub mod filter;
pub mod grammar;
pub mod pager;
pub mod paste;
pub mod ports;
pub mod regex;
pub mod xmodem;
