//! Hiding what must not be shown in a line as it was typed.

use alloc::string::String;

/// What stands in place of a secret.
pub const MASK: &str = "*****";

/// The line with passwords and keys replaced by [`MASK`]. Hashes of passwords stay, as they do in
/// `show running-config`.
#[must_use]
pub fn masked(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    // How many words from here the secret stands.
    let mut distance: Option<usize> = None;
    for piece in line.split_inclusive([' ', '\t']) {
        let word = piece.trim_end_matches([' ', '\t']);
        let blanks = piece.get(word.len()..).unwrap_or_default();
        if word.is_empty() {
            out.push_str(piece);
            continue;
        }
        if distance == Some(0) && !word.starts_with("$sha512$") {
            out.push_str(MASK);
        } else {
            out.push_str(word);
        }
        out.push_str(blanks);
        distance = match (distance, word) {
            (Some(0), _) => None,
            (Some(more), _) => Some(more - 1),
            (None, "password" | "passwd") => Some(0),
            (None, "key" | "authentication-key") if line.trim_start().starts_with("ntp auth") => {
                // The number, the algorithm, the key.
                Some(2)
            }
            (None, _) => None,
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_keys_are_hidden_and_hashes_are_not() {
        assert_eq!(
            masked("username ann password topsecret privilege 15"),
            "username ann password ***** privilege 15"
        );
        assert_eq!(masked("enable password topsecret"), "enable password *****");
        assert_eq!(
            masked("ntp authentication-key 7  md5 topsecret"),
            "ntp authentication-key 7  md5 *****"
        );
        let hashed = "enable password $sha512$5000$AAAA$BBBB pbkdf2";
        assert_eq!(masked(hashed), hashed);
        assert_eq!(masked(" ip address 192.0.2.1"), " ip address 192.0.2.1");
    }
}
