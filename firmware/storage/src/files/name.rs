//! Names of files.

use alloc::string::String;
use core::fmt;

/// Longest name, in characters.
pub const NAME_LEN_MAX: usize = 63;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// There is nothing.
    Empty,
    /// More than [`NAME_LEN_MAX`] characters.
    TooLong,
    /// A character that names cannot hold: `/`, or one outside printable ASCII.
    Character,
    /// A blank in front or at the end.
    OuterBlank,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a file needs a name"),
            Self::TooLong => write!(f, "a name has at most {NAME_LEN_MAX} characters"),
            Self::Character => f.write_str("a name holds printable ASCII characters other than /"),
            Self::OuterBlank => f.write_str("a name neither begins nor ends with a blank"),
        }
    }
}

/// Returns `name` as it is kept: case counts.
///
/// # Errors
/// [`NameError`].
pub fn check(name: &str) -> Result<String, NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if !name
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'/')
    {
        return Err(NameError::Character);
    }
    if name.len() > NAME_LEN_MAX {
        return Err(NameError::TooLong);
    }
    if name.trim() != name {
        return Err(NameError::OuterBlank);
    }
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_kept_as_they_are() {
        let longest = "x".repeat(NAME_LEN_MAX);
        for name in ["a", "Running Config.cfg", &longest] {
            assert_eq!(check(name).as_deref(), Ok(name));
        }
        let too_long = "x".repeat(NAME_LEN_MAX + 1);
        for (name, error) in [
            ("", NameError::Empty),
            ("a/b", NameError::Character),
            ("a\n", NameError::Character),
            ("é", NameError::Character),
            (" a", NameError::OuterBlank),
            ("a ", NameError::OuterBlank),
            (&too_long, NameError::TooLong),
        ] {
            assert_eq!(check(name), Err(error), "{name:?}");
        }
    }
}
