//! Requirement: a first day at the console reads as it does on an ASA. Needs: nothing; virtual time.
//!
//! `golden/session.script` is typed into a box, and everything the terminal shows must be
//! `golden/session.txt`, which was reviewed by reading. After a deliberate change run this test with
//! `UPDATE_SNAPSHOTS=1` and read the difference.

mod common;

use std::path::Path;
use std::time::Duration;

use common::Box;

#[test]
fn a_first_day_at_the_console_reads_as_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let script = std::fs::read_to_string(folder.join("session.script")).unwrap();
    let shown = play(&script);
    let golden = folder.join("session.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&golden, &shown).unwrap();
        return;
    }
    let reviewed = std::fs::read_to_string(&golden).unwrap_or_default();
    for (number, (is, should)) in (1..).zip(shown.lines().zip(reviewed.lines())) {
        assert_eq!(is, should, "line {number} of {}", golden.display());
    }
    assert_eq!(shown.len(), reviewed.len(), "{}", golden.display());
}

/// Types a script and returns what the terminal shows.
fn play(script: &str) -> String {
    let mut sallyport = Box::boot();
    let mut shown = sallyport.terminal.take_text();
    for line in script.lines().filter(|line| !line.starts_with('#')) {
        sallyport.wait(Duration::from_millis(100));
        if let Some(secs) = line.strip_prefix("@wait ") {
            let secs = secs.parse().expect("a number of seconds");
            sallyport.wait(Duration::from_secs(secs));
            shown += &sallyport.terminal.take_text();
            continue;
        }
        shown += &match line.split_once('\\') {
            Some((text, rest)) => sallyport.type_text(&format!("{text}{rest}")),
            None => sallyport.type_text(&format!("{line}\r")),
        };
    }
    as_seen(&shown)
}

/// The text as the screen shows it: line ends are line feeds, what a carriage return or a backspace
/// overwrites is gone, blanks at the end of a line are too.
fn as_seen(raw: &str) -> String {
    let mut seen = String::new();
    for line in raw.split('\n') {
        let mut row: Vec<char> = Vec::new();
        let mut column: usize = 0;
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match character {
                // The only sequence the editor sends: erase to the end of the row.
                '\u{1b}' => {
                    assert_eq!(characters.by_ref().take(2).collect::<String>(), "[K");
                    row.truncate(column);
                }
                '\r' => column = 0,
                '\u{8}' => column = column.saturating_sub(1),
                '\u{7}' => {}
                other => {
                    if column < row.len() {
                        row[column] = other;
                    } else {
                        row.push(other);
                    }
                    column += 1;
                }
            }
        }
        seen.push_str(row.into_iter().collect::<String>().trim_end());
        seen.push('\n');
    }
    seen
}
