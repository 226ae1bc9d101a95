//! Text that was copied from a guide, a terminal, a PDF or a mail, made into command lines.
//!
//! | Step | Does |
//! | --- | --- |
//! | [`plain`], [`decode`] | smart quotes, dashes, odd blanks and invisible characters become ASCII |
//! | [`strip_prompt`] | takes a copied prompt and what is left of a pager off the front |
//! | [`Joiner`] | puts a statement that was wrapped over up to three lines together again |
//!
//! None knows a command: whether a text is one is asked of the caller. Lines inside a certificate are data,
//! which the caller takes by [`Joiner::next_verbatim`].

mod characters;
mod join;
mod prompt;

pub use characters::{decode, plain, plain_character};
pub use join::{Fit, JOIN_MAX, Joiner};
pub use prompt::{strip_prompt, without_prompt};
