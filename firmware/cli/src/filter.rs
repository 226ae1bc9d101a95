//! Output filters: `show … | {include | exclude | begin | grep [-v]} PATTERN` and `| count`.
//!
//! Rows whose output can be filtered end in `$filter@filter`; with [`FRAGMENT`] among the grammar's
//! fragments the filter is then parsed, helped and completed like the rest of the command.

use crate::grammar::{Captures, Fragment};
use crate::regex::{Regex, RegexError};

/// The optional end of a command whose output can be filtered; used as `$filter@filter`.
pub const FRAGMENT: Fragment = Fragment {
    name: "filter",
    syntax: "[\\| {include <pattern:text>|exclude <pattern:text>|begin <pattern:text>\
             |grep [-v] <pattern:text>|count [<pattern:text>]}]",
    help: &[
        ("|", "Output modifiers"),
        ("include", "Include lines that match"),
        ("exclude", "Exclude lines that match"),
        ("begin", "Begin with the line that matches"),
        ("grep", "Include/exclude lines that match"),
        ("-v", "Exclude lines that match"),
        ("count", "Count lines that match"),
        ("pattern", "Regular expression"),
    ],
};

/// Which lines pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Include,
    Exclude,
    Begin { begun: bool },
    Count { lines: u32 },
}

/// The filter of one command's output.
#[derive(Clone, Debug)]
pub struct Filter {
    rule: Rule,
    /// `None` fits every line.
    pattern: Option<Regex>,
}

impl Filter {
    /// Reads the filter from the captures of a line whose row ends in `$filter@filter`.
    ///
    /// # Errors
    /// [`RegexError`] if the pattern is none.
    pub fn from_captures(captures: &Captures<'_>) -> Result<Option<Self>, RegexError> {
        let captures = captures.group("filter");
        let rule = match captures.one_of(&["include", "exclude", "begin", "grep", "count"]) {
            None => return Ok(None),
            Some("exclude") => Rule::Exclude,
            Some("begin") => Rule::Begin { begun: false },
            Some("count") => Rule::Count { lines: 0 },
            Some("grep") if captures.has("-v") => Rule::Exclude,
            Some(_) => Rule::Include,
        };
        let pattern = captures.text("pattern").map(Regex::new).transpose()?;
        Ok(Some(Self { rule, pattern }))
    }

    /// Whether a line of output is to be shown.
    pub fn accept(&mut self, line: &str) -> bool {
        if self.rule == (Rule::Begin { begun: true }) {
            return true;
        }
        let fits = self
            .pattern
            .as_mut()
            .is_none_or(|pattern| pattern.is_match(line));
        match &mut self.rule {
            Rule::Include => fits,
            Rule::Exclude => !fits,
            Rule::Begin { begun } => {
                *begun = fits;
                fits
            }
            Rule::Count { lines } => {
                *lines = lines.saturating_add(u32::from(fits));
                false
            }
        }
    }

    /// At the end of the output: the number of lines, if they were to be counted.
    #[must_use]
    pub fn count(&self) -> Option<u32> {
        match self.rule {
            Rule::Count { lines } => Some(lines),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::{Grammar, Row, Scope};

    const LINES: [&str; 4] = ["interface a", " shutdown", "interface b", "route inside"];

    fn run(line: &str) -> (Vec<&'static str>, Option<u32>) {
        let rows = [Row::new(
            1,
            0,
            "show run [<section>] $filter@filter",
            &[],
            (),
        )];
        let grammar = Grammar::compile(&rows, &[FRAGMENT]).unwrap();
        let found = grammar
            .parse(
                line,
                &[Scope {
                    modes: 1,
                    title: "exec",
                }],
                15,
            )
            .unwrap();
        let Some(mut filter) = Filter::from_captures(&found).unwrap() else {
            return (LINES.to_vec(), None);
        };
        (
            LINES
                .into_iter()
                .filter(|line| filter.accept(line))
                .collect(),
            filter.count(),
        )
    }

    #[test]
    fn each_filter_passes_its_lines() {
        assert_eq!(run("show run").0, LINES);
        assert_eq!(
            run("show run | include ^int").0,
            ["interface a", "interface b"]
        );
        assert_eq!(run("show run x |i shut").0, [" shutdown"]);
        assert_eq!(run("show run | exclude face|route").0, [" shutdown"]);
        assert_eq!(run("show run | grep -v e").0, [" shutdown"]);
        assert_eq!(run("show run | grep  b$").0, ["interface b"]);
        assert_eq!(
            run("show run | b face b").0,
            ["interface b", "route inside"]
        );
        assert_eq!(run("show run | count"), (vec![], Some(4)));
        assert_eq!(run("show run | count face"), (vec![], Some(2)));
    }
}
