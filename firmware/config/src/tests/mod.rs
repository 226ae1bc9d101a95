//! Tests of the whole crate: text in, model, text out.

mod examples;
mod federation;
mod logging;
mod negation;
mod refusals;
mod round_trip;
mod rules;
mod subinterfaces;
mod tables;
mod users;

use crate::model::Config;
use crate::print::{Extent, Secrets, Selection, print, print_selection};
use crate::refusal::{Notice, Refusal};
use crate::statements::{Handler, ModeState, Outcome, SECTION};
use crate::text::{self, LineError, apply_line};
use cli::grammar::{Grammar, Row, Scope};

/// A console session on a box with three ports.
struct Session {
    grammar: Grammar<Handler>,
    config: Config,
    state: ModeState,
}

impl Session {
    fn new() -> Self {
        Self {
            grammar: text::grammar().unwrap(),
            config: Config::factory(3),
            state: ModeState::new(),
        }
    }

    /// A box with `outside` (203.0.113.2/28) and `inside` (10.20.0.1/24).
    fn with_interfaces() -> Self {
        let mut session = Self::new();
        session.paste(
            "interface GigabitEthernet0/0\n nameif outside\n ip address 203.0.113.2 255.255.255.240\n \
             no shutdown\ninterface GigabitEthernet0/1\n nameif inside\n \
             ip address 10.20.0.1 255.255.255.0\n no shutdown\nexit\n",
        );
        session
    }

    fn try_line(&mut self, line: &str) -> Result<Outcome, LineError> {
        apply_line(
            &self.grammar,
            Some,
            &mut self.config,
            &mut self.state,
            line,
            [7; 16],
        )
    }

    fn line(&mut self, line: &str) -> Outcome {
        self.try_line(line)
            .unwrap_or_else(|error| panic!("{line}: {error:?}"))
    }

    fn notices(&mut self, line: &str) -> Vec<Notice> {
        self.line(line).notices
    }

    /// The refusal of a line, which must not have changed anything.
    fn refusal(&mut self, line: &str) -> Refusal {
        let before = (self.config.clone(), self.state.clone());
        let error = self.try_line(line).expect_err(line);
        assert_eq!(
            (&self.config, &self.state),
            (&before.0, &before.1),
            "{line}"
        );
        match error {
            LineError::Refused(refusal) => refusal,
            LineError::Parse(error) => panic!("{line}: {error:?}"),
        }
    }

    fn paste(&mut self, text: &str) {
        for line in text.lines() {
            self.line(line);
        }
    }

    /// What `show running-config SECTION` prints.
    fn shown(&self, section: &str) -> Vec<String> {
        let selection = selection(section);
        print_selection(
            &self.config,
            Some(&selection),
            Extent::Configured,
            Secrets::Masked,
        )
    }

    fn printed(&self) -> String {
        print(&self.config, Secrets::Shown).join("\n")
    }
}

/// What `show running-config` understands by `section`.
fn selection(section: &str) -> Selection {
    let row = Row::new(1, 0, "show $section@section", &[], ());
    let fragments: Vec<_> = [SECTION].to_vec();
    let grammar = Grammar::compile(&[row], &fragments).unwrap();
    let line = format!("show {section}");
    let scope = Scope {
        modes: 1,
        title: "",
    };
    let found = grammar
        .parse(&line, &[scope], 0)
        .unwrap_or_else(|error| panic!("{section}: {error:?}"));
    Selection::of(&found.group("section")).unwrap()
}

/// The configuration that the printed text of `config` gives.
fn reread(grammar: &Grammar<Handler>, config: &Config) -> Config {
    reread_from(grammar, config, Extent::Configured)
}

fn reread_from(grammar: &Grammar<Handler>, config: &Config, extent: Extent) -> Config {
    let text = print_selection(config, None, extent, Secrets::Shown).join("\n");
    let ports = config.port_count();
    let (again, problems) = text::load(grammar, Some, &text, ports);
    assert_eq!(problems, [], "in\n{text}");
    again
}

/// Compares `text` with the checked-in file of that name in this folder. With `UPDATE_SNAPSHOTS=1` in
/// the environment the file is written instead, to be reviewed as a difference.
fn snapshot(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests")
        .join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap();
    let lines = known.lines().zip(text.lines());
    for (number, (known, now)) in (1..).zip(lines) {
        assert_eq!(
            now, known,
            "line {number} of {name}; UPDATE_SNAPSHOTS=1 accepts it"
        );
    }
    assert_eq!(
        text.lines().count(),
        known.lines().count(),
        "lines of {name}"
    );
}
