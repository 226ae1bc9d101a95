//! Names of hosts, checked once, so that nothing later has to doubt them.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// Characters of a name as text, without the final dot. In a message it takes two bytes more, which is
/// the limit of 255 (RFC 1035 §2.3.4).
pub const NAME_MAX: usize = 253;
/// Characters between two dots (RFC 1035 §2.3.4).
pub const LABEL_MAX: usize = 63;

/// The name of a host: lower case, without a final dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Box<str>);

/// Why a text is no [`HostName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing, or more than [`NAME_MAX`] characters.
    Length,
    /// Nothing between two dots, or more than [`LABEL_MAX`] characters.
    LabelLength,
    /// Something else than letters, digits, `-` and `_`, or a `-` at an end of a label.
    Character,
}

impl HostName {
    /// Reads a name. A final dot is allowed and left out; capital letters become small ones, because
    /// names do not differ in case (RFC 4343).
    ///
    /// # Errors
    /// What [`NameError`] tells. Letters are those of RFC 1123 §2.1; `_` is accepted too, as names of
    /// hosts in private zones have it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() || text.len() > NAME_MAX {
            return Err(NameError::Length);
        }
        for label in text.split('.') {
            if label.is_empty() || label.len() > LABEL_MAX {
                return Err(NameError::LabelLength);
            }
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if !label.bytes().all(is_allowed) || label.starts_with('-') || label.ends_with('-') {
                return Err(NameError::Character);
            }
        }
        let mut name = String::from(text);
        name.make_ascii_lowercase();
        Ok(Self(name.into_boxed_str()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the dots, the host first.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
