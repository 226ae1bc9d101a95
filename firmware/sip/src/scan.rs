//! Small scanners over header text, shared by framing, parsing and rewriting.

/// Whether `byte` may stand in a token (RFC 3261 §25.1).
pub(crate) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
        )
}

/// Whether `byte` is linear white space; line breaks count because a value may be folded.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The position of the first byte at or after `from` that is no white space.
pub(crate) fn skip_space(text: &[u8], from: usize) -> usize {
    skip_while(text, from, is_space)
}

/// The position of the first byte at or after `from` that `matches` refuses.
pub(crate) fn skip_while(text: &[u8], from: usize, matches: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .position(|&byte| !matches(byte))
        .unwrap_or(rest.len())
}

/// The position behind the quoted string that opens at `from`; the end of the text if it never closes.
pub(crate) fn skip_quoted(text: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// The position of the first byte at or after `from`, outside quoted strings, that is in `stops`.
pub(crate) fn find_unquoted(text: &[u8], from: usize, stops: &[u8]) -> usize {
    let mut at = from;
    while let Some(&byte) = text.get(at) {
        if byte == b'"' {
            at = skip_quoted(text, at);
        } else if stops.contains(&byte) {
            return at;
        } else {
            at += 1;
        }
    }
    text.len()
}

/// `text` without white space at both ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let start = skip_space(text, 0);
    let rest = text.get(start..).unwrap_or_default();
    let end = rest
        .iter()
        .rposition(|&byte| !is_space(byte))
        .map_or(0, |last| last + 1);
    rest.get(..end).unwrap_or_default()
}

/// The decimal number that `text` is, if it is nothing else and fits.
pub(crate) fn decimal(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u32, |number, &byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
