//! The messages as a document, `docs/messages.md`.

use alloc::string::{String, ToString};
use core::fmt::Write;

use crate::message::{Message, Row};

const HEAD: &str = "\
# Messages

What the box tells its operators, by number. Made from the table in `firmware/syslog/src/message/table.rs`;
`UPDATE_SNAPSHOTS=1 cargo test -p syslog` writes this file anew.

In the texts `A` is an address, `P` a port, `N` a number, `IF` the name of an interface, `PROTO` a protocol; other
words in capitals are free text. A line is `%ASA-<level>-<number>: <text>`, with `logging timestamp` and
`logging device-id` in front of that. `logging message NUMBER level LEVEL` changes a level.

| Number | Level | Text | Said when |
| --- | --- | --- | --- |
";

/// The whole document.
#[must_use]
pub fn document() -> String {
    let mut rows: alloc::vec::Vec<&Row> = Message::ROWS.iter().collect();
    rows.sort_by_key(|row| row.number);
    let mut out = String::from(HEAD);
    for row in rows {
        let _ = writeln!(
            out,
            "| {} | {} {} | `{}` | {} |",
            row.number,
            row.severity.number(),
            row.severity.keyword(),
            text(row).replace('|', "\\|"),
            row.meaning.trim(),
        );
    }
    out
}

/// The text with the shapes of the values in the place of the fields' names.
fn text(row: &Row) -> String {
    let mut text = row.text.replace(":#}", "}");
    for (name, shape) in row.fields {
        let shown = match *shape {
            "" => name.to_uppercase(),
            shape => shape.to_string(),
        };
        text = text.replace(&alloc::format!("{{{name}}}"), &shown);
    }
    text
}
