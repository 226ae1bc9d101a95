//! The command reference: every row as Markdown, from the same table as the parse.

use super::{Grammar, ModeSet, No, Row};
use alloc::string::String;
use alloc::vec::Vec;

impl<A: Copy> Grammar<A> {
    /// The reference of all rows as Markdown, one chapter per entry of `modes` (modes, title), with
    /// second-level headings.
    ///
    /// A row of several chapters is described in the first and named in the others. Rows of no
    /// chapter are left out.
    #[must_use]
    pub fn reference(&self, modes: &[(ModeSet, &str)]) -> String {
        let mut out = String::new();
        let mut described: Vec<(usize, &str)> = Vec::new();
        for (set, title) in modes {
            push(&mut out, &["## ", title, "\n\n"]);
            let here = |row: &Row<A>| row.modes & set != 0;
            for (index, row) in self.rows.iter().enumerate().filter(|(_, row)| here(row)) {
                push(&mut out, &["### `", &heading(row.syntax), "`\n\n"]);
                match described.iter().find(|(known, _)| *known == index) {
                    Some((_, place)) => push(&mut out, &["As in *", place, "*.\n\n"]),
                    None => {
                        described.push((index, title));
                        self.describe(index, row, &mut out);
                    }
                }
            }
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    fn describe(&self, index: usize, row: &Row<A>, out: &mut String) {
        push(out, &["```text\n", row.syntax, "\n"]);
        match row.no {
            No::Forbidden => {}
            No::Same => out.push_str("no …\n"),
            No::Syntax(syntax) => push(out, &["no ", syntax, "\n"]),
        }
        out.push_str("```\n\n");
        if row.privilege > 0 {
            push(
                out,
                &["Privilege ", &alloc::format!("{}", row.privilege), ".\n\n"],
            );
        }
        out.push_str("| Word | Meaning |\n| --- | --- |\n");
        for (name, is_argument, text) in self.program.texts_of(&self.rows, index) {
            let (open, close) = if is_argument { ("<", ">") } else { ("", "") };
            let name = name.replace('|', "\\|");
            push(
                out,
                &[
                    "| `",
                    open,
                    &name,
                    close,
                    "` | ",
                    &text.replace('|', "\\|"),
                    " |\n",
                ],
            );
        }
        match row.example_line() {
            None => out.push('\n'),
            Some(example) => push(out, &["\nExample:\n\n```text\n", example, "\n```\n\n"]),
        }
    }
}

/// What a row is called: the keywords it begins with, or its first words if it begins with a choice.
fn heading(syntax: &str) -> String {
    let is_plain = |word: &&str| !word.starts_with(['<', '[', '{', '$', '|']);
    let keywords: Vec<&str> = syntax.split_whitespace().take_while(is_plain).collect();
    if !keywords.is_empty() {
        return keywords.join(" ");
    }
    // `{ host <address> | subnet … }` is called `host | subnet`.
    let mut depth = 0;
    let mut names: Vec<&str> = Vec::new();
    let mut expects_name = true;
    for word in syntax.split_whitespace() {
        match word {
            "{" | "[" => depth += 1,
            "|" if depth == 1 => expects_name = true,
            _ if word.starts_with(['}', ']']) => depth -= 1,
            _ => {
                if expects_name && depth >= 1 && is_plain(&word) {
                    names.push(word);
                }
                expects_name &= depth > 1 && !is_plain(&word);
            }
        }
        if depth == 0 {
            break;
        }
    }
    names.join(" | ")
}

fn push(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fragment, Grammar, No, Row};
    use super::heading;

    const EXEC: u64 = 1;
    const CONFIG: u64 = 2;

    #[test]
    fn a_row_is_named_by_its_leading_keywords_or_its_branches() {
        assert_eq!(heading("show route [<name>]"), "show route");
        assert_eq!(
            heading("{ host <a:ip> | subnet <b:ip> <c:mask> }"),
            "host | subnet"
        );
        assert_eq!(heading("{ one { a | b } | two }"), "one | two");
    }

    #[test]
    fn rows_are_written_by_mode_with_words_forms_and_example() {
        let rows = [
            Row::new(
                EXEC,
                0,
                "ping <host:ip>",
                &[("ping", "Send echoes"), ("host", "Whom to ask")],
                (),
            ),
            Row::new(
                EXEC | CONFIG,
                15,
                "{ start | stop } $way",
                &[("start", "Begin | go on"), ("stop", "End")],
                (),
            )
            .no(No::Syntax("start"))
            .example("start in"),
        ];
        let way = Fragment {
            name: "way",
            syntax: "{ in | out }",
            help: &[("in", "Inwards"), ("out", "Outwards")],
        };
        let grammar = Grammar::compile(&rows, &[way]).unwrap();
        assert_eq!(
            grammar.reference(&[(EXEC, "EXEC mode"), (CONFIG, "Configuration mode")]),
            "## EXEC mode\n\n\
             ### `ping`\n\n\
             ```text\nping <host:ip>\n```\n\n\
             | Word | Meaning |\n| --- | --- |\n| `ping` | Send echoes |\n\
             | `<host>` | Whom to ask |\n\n\
             ### `start | stop`\n\n\
             ```text\n{ start | stop } $way\nno start\n```\n\nPrivilege 15.\n\n\
             | Word | Meaning |\n| --- | --- |\n| `start` | Begin \\| go on |\n| `stop` | End |\n\
             | `in` | Inwards |\n| `out` | Outwards |\n\n\
             Example:\n\n```text\nstart in\n```\n\n\
             ## Configuration mode\n\n\
             ### `start | stop`\n\nAs in *EXEC mode*.\n"
        );
    }
}
