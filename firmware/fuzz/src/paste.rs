//! The laws of cleaned and joined text, for typed bytes and for scripts.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use cli::editor::LINE_MAX;
use cli::paste::{
    Fit, JOIN_MAX, Joiner, decode, plain, plain_character, strip_prompt, without_prompt,
};

/// Cleans `data` as a pasted text, and joins its lines by a grammar that it chooses itself.
///
/// # Panics
/// If a law is broken.
pub fn clean(data: &[u8]) {
    let text = decode(data);
    if let Ok(whole) = std::str::from_utf8(data) {
        assert_eq!(text, whole, "UTF-8 is text as it is");
    }
    assert_eq!(decode(text.as_bytes()), text, "text decodes to itself");
    for line in text.lines() {
        clean_line(line);
    }
    let salt = data.first().copied().unwrap_or_default();
    let fits = |line: &str| {
        let mut hasher = DefaultHasher::new();
        (salt, line).hash(&mut hasher);
        match hasher.finish() % 8 {
            0 => Fit::Complete,
            1..4 => Fit::Incomplete,
            _ => Fit::Invalid,
        }
    };
    let mut joiner = Joiner::new(&text);
    let mut given = Vec::new();
    loop {
        // Now and then a line is taken as it is, as inside a certificate.
        let next = match data.get(given.len()) {
            Some(byte) if byte.is_multiple_of(16) => joiner
                .next_verbatim()
                .map(|(number, line)| (number, line.to_owned())),
            _ => joiner.next_joined(fits),
        };
        let Some(next) = next else { break };
        given.push(next);
    }
    let statements = given.iter().map(|(number, line)| (*number, line.as_str()));
    account(&text, statements);
    let mut verbatim = Joiner::verbatim(&text);
    let taken: Vec<_> = std::iter::from_fn(|| verbatim.next_joined(fits)).collect();
    assert!(taken.iter().map(|(_, line)| line.as_str()).eq(text.lines()));
}

fn clean_line(line: &str) {
    let cleaned = plain(line);
    assert!(
        !cleaned.ends_with(['\r', '\n']),
        "{line:?} became {cleaned:?}"
    );
    assert!(cleaned.chars().all(|c| plain_character(c).is_none()));
    assert!(matches!(plain(&cleaned), Cow::Borrowed(again) if again == cleaned));
    let command = strip_prompt(&cleaned);
    assert!(cleaned.ends_with(command), "{cleaned:?} became {command:?}");
    match without_prompt(&cleaned) {
        Some(stripped) => assert!(stripped == command && command.len() < cleaned.len()),
        None => assert_eq!(command, cleaned),
    }
}

/// Every line of `text` must be in exactly one of the numbered `statements`, and nothing else may be.
///
/// # Panics
/// If not.
pub fn account<'s>(text: &str, statements: impl IntoIterator<Item = (usize, &'s str)>) {
    let lines: Vec<&str> = text.lines().collect();
    let statements: Vec<_> = statements.into_iter().collect();
    let after = statements.iter().skip(1).map(|(number, _)| *number);
    let ends = after.chain([lines.len() + 1]);
    assert_eq!(
        statements.first().map(|(number, _)| *number),
        (!lines.is_empty()).then_some(1)
    );
    for (&(number, statement), end) in statements.iter().zip(ends) {
        assert!(number < end && end - number <= JOIN_MAX, "{number}..{end}");
        let covered = &lines[number - 1..end - 1];
        if let [line] = covered
            && (*line == statement || strip_prompt(&plain(line)) == statement)
        {
            continue;
        }
        assert!(covered.len() > 1, "{covered:?} became {statement:?}");
        assert!(statement.len() <= LINE_MAX);
        let joined: String = covered
            .iter()
            .map(|line| {
                let line = plain(line);
                let line = strip_prompt(&line).trim();
                assert!(!line.is_empty() && !line.starts_with(['!', ':']));
                without_blanks(line)
            })
            .collect();
        assert_eq!(without_blanks(statement), joined);
    }
}

fn without_blanks(line: &str) -> String {
    line.split_whitespace().collect()
}
