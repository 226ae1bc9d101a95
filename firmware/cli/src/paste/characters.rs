//! Typography to ASCII.

use alloc::borrow::Cow;
use alloc::string::String;

/// What Windows-1252 has at 0x80..0xA0; the five unused places are left out when read.
const WINDOWS: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž',
    '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}',
    'ž', 'Ÿ',
];

/// The ASCII that a character stands for in a command; `None` if it stands for itself.
///
/// Quotes, dashes, blanks, the ellipsis, and the ligatures of PDFs have one; characters that take no room
/// have the empty text. Letters of any language have none: they may be meant, in a description.
#[must_use]
pub fn plain_character(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2035}' => "'",
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{2036}' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => "-",
        '\t'
        | '\u{0b}'
        | '\u{0c}'
        | '\u{85}'
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => " ",
        '\u{2026}' => "...",
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => "",
        '\u{fb00}' => "ff",
        '\u{fb01}' => "fi",
        '\u{fb02}' => "fl",
        '\u{fb03}' => "ffi",
        '\u{fb04}' => "ffl",
        _ => return None,
    })
}

/// One line with typography made plain, and without the CRs at its end.
#[must_use]
pub fn plain(line: &str) -> Cow<'_, str> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line
        .chars()
        .all(|character| plain_character(character).is_none())
    {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    for character in line.chars() {
        match plain_character(character) {
            Some(ascii) => out.push_str(ascii),
            None => out.push(character),
        }
    }
    // A CR may have had an invisible character behind it.
    out.truncate(out.trim_end_matches(['\r', '\n']).len());
    Cow::Owned(out)
}

/// Bytes as text: UTF-8, and where they are none, each as Windows-1252.
#[must_use]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = core::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for &byte in chunk.invalid() {
            let at = usize::from(byte).wrapping_sub(0x80);
            let character = WINDOWS.get(at).copied().unwrap_or(char::from(byte));
            if character != '\u{fffd}' {
                out.push(character);
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typography_becomes_ascii_and_letters_stay() {
        for (line, expected) in [
            ("\u{feff}hostname asa1\r\n", "hostname asa1"),
            ("object\u{a0}network\tA", "object network A"),
            ("tls\u{2010}proxy P\u{200b}", "tls-proxy P"),
            ("after\u{2013}auto \u{2014} 1\u{2026}", "after-auto - 1..."),
            ("\u{201c}a\u{201d} \u{2018}b\u{2019}", "\"a\" 'b'"),
            ("no con\u{fb01}gure", "no configure"),
            ("description Zürich 北", "description Zürich 北"),
            ("exit\r\u{200b}\r\u{feff}", "exit"),
        ] {
            assert_eq!(plain(line), expected);
        }
        assert!(matches!(plain("write memory"), Cow::Borrowed(_)));
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_windows_1252() {
        assert_eq!(decode(b"a \x93b\x94 \x96 \xfc\x81"), "a “b” – ü");
        assert_eq!(decode("Zürich".as_bytes()), "Zürich");
        assert_eq!(plain(&decode(b"\x93b\x94")), "\"b\"");
    }
}
