//! Every message the box can emit.
//!
//! A message is declared once, in `table`: its name, fields, number, default severity and text.
//! The declaration makes the variant of [`Message`], the variant of [`Id`], the text that is logged
//! and the row of the generated document. [`field`] holds what stands in messages beside names and
//! numbers.

mod declare;
pub mod field;
mod table;

pub use table::{Id, Message};

use crate::severity::Severity;

/// What is known of a message without its fields.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// ASA's number, six digits.
    pub number: u32,
    /// Severity unless configured.
    pub severity: Severity,
    /// The text, with a field's name in braces where its value stands.
    pub text: &'static str,
    /// When it is said, in a sentence.
    pub meaning: &'static str,
    /// Each field with how its values look; empty for free text.
    pub fields: &'static [(&'static str, &'static str)],
}

/// Written for a name that `logging hide username` hides.
const HIDDEN: &str = "*****";

impl<'a> Message<'a> {
    /// The message without the name of somebody who has not proven to be a user: it may well be a
    /// password typed at the wrong prompt.
    pub(crate) fn without_unproven_user(self) -> Message<'a> {
        match self {
            Message::LoginDenied { path, .. } => Message::LoginDenied { path, user: HIDDEN },
            Message::AuthenticationFailed { address, .. } => Message::AuthenticationFailed {
                address,
                user: HIDDEN,
            },
            other => other,
        }
    }
}
