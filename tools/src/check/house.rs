//! House rules that no lint of the compiler covers: where `unsafe` may be, how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Longest source file, in lines.
const MAX_LINES: usize = 800;

/// The only folders with `unsafe`.
const UNSAFE_FOLDERS: &[&str] = &["hal/x86", "boot"];

/// Folders that hold no source of ours.
const SKIPPED: &[&str] = &["target", ".git"];

/// Checks every Rust file of the tree.
///
/// # Errors
/// Names every file that breaks a rule.
pub fn check() -> Result<()> {
    let root = workspace::root();
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    let mut violations = Vec::new();
    for file in &files {
        let source =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let place = file.strip_prefix(&root).unwrap_or(file);
        let lines = source.lines().count();
        if lines > MAX_LINES {
            violations.push(format!(
                "{}: {lines} lines, the limit is {MAX_LINES}",
                place.display()
            ));
        }
        let may_be_unsafe = UNSAFE_FOLDERS
            .iter()
            .any(|folder| place.starts_with(folder));
        if !may_be_unsafe && let Some(line) = find_keyword(&source, "unsafe") {
            violations.push(format!(
                "{}:{line}: `unsafe` outside {}",
                place.display(),
                UNSAFE_FOLDERS.join(" and ")
            ));
        }
    }
    if violations.is_empty() {
        return Ok(());
    }
    bail!(
        "{} house rules broken:\n  {}",
        violations.len(),
        violations.join("\n  ")
    )
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !SKIPPED.contains(&name.as_str()) {
                collect(&path, files)?;
            }
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// Finds the line of a keyword in Rust source, not counting comments, strings and longer words.
fn find_keyword(source: &str, keyword: &str) -> Option<usize> {
    let code = blank_text(source);
    code.lines()
        .position(|line| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == keyword)
        })
        .map(|index| index + 1)
}

/// The source with comments and literals blanked, line by line as before.
fn blank_text(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = text_length(rest, out.chars().next_back());
        if length == 0 {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        } else {
            let (text, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            out.extend(text.chars().filter(|c| *c == '\n'));
            out.push(' ');
            rest = after;
        }
    }
    out
}

/// The length in bytes of the comment or literal that begins here, or 0.
fn text_length(rest: &str, before: Option<char>) -> usize {
    let until = |skip: usize, end: &str| {
        let inner = rest.get(skip..).unwrap_or_default();
        inner
            .find(end)
            .map_or(rest.len(), |at| skip + at + end.len())
    };
    let is_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        // Nested block comments do not occur in formatted code.
        until(2, "*/")
    } else if !is_word
        && let Some(raw) = rest
            .strip_prefix('r')
            .map(|after| after.trim_start_matches('#'))
        && raw.starts_with('"')
    {
        let hashes = rest.len() - 1 - raw.len();
        until(hashes + 2, &format!("\"{}", "#".repeat(hashes)))
    } else if rest.starts_with('"') {
        escaped_length(rest, '"')
    } else if rest.starts_with('\'') {
        let mut characters = rest.chars().skip(1);
        let (inner, end) = (characters.next(), characters.next());
        // `'a'` and `'\n'` are literals, `'a` is a lifetime.
        if inner == Some('\\') || end == Some('\'') {
            escaped_length(rest, '\'')
        } else {
            0
        }
    } else {
        0
    }
}

/// The length of a literal with backslash escapes, quotes included.
fn escaped_length(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if character == '\\' {
            is_escaped = true;
        } else if character == quote {
            return at + 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyword_is_found_where_it_is_code() {
        assert_eq!(
            find_keyword("fn a() {}\nunsafe fn b() {}\n", "unsafe"),
            Some(2)
        );
        assert_eq!(find_keyword("#[unsafe(no_mangle)]", "unsafe"), Some(1));
        assert_eq!(find_keyword("let q = '\"'; unsafe {}", "unsafe"), Some(1));
        assert_eq!(
            find_keyword("fn f<'a>(x: &'a str) { unsafe {} }", "unsafe"),
            Some(1)
        );
    }

    #[test]
    fn comments_literals_and_longer_words_do_not_count() {
        for source in [
            "// unsafe\n",
            "/* one\n unsafe */",
            "#![forbid(unsafe_code)]",
            "let a = \"unsafe \\\" unsafe\";",
            "let a = r#\"say \"unsafe\"\"#;",
            "let b = b\"unsafe\";",
        ] {
            assert_eq!(find_keyword(source, "unsafe"), None, "{source}");
        }
    }

    #[test]
    fn lines_are_still_counted_behind_a_long_comment() {
        assert_eq!(
            find_keyword("/* a\n b\n c */\nunsafe {}", "unsafe"),
            Some(4)
        );
    }
}
