//! Reads a saved configuration at boot, and words what was wrong with it as the ASA does.

use alloc::string::String;

use cli::grammar::Grammar;
use config::{Config, Handler, LineError, Problem};

use crate::console::Action;
use crate::print::put_line;

/// Reads `text` onto a box with `ports` ports. Refused lines are left out; the report names them.
pub(crate) fn read(grammar: &Grammar<Action>, text: &str, ports: u16) -> (Config, u32, String) {
    let handler_of = |action| match action {
        Action::Config(handler) => Some::<Handler>(handler),
        Action::Exec(_) => None,
    };
    let (config, problems) = config::load(grammar, handler_of, text, ports);
    let mut report = String::new();
    for problem in &problems {
        complain(&mut report, problem);
    }
    (
        config,
        u32::try_from(problems.len()).unwrap_or(u32::MAX),
        report,
    )
}

fn complain(out: &mut String, problem: &Problem) {
    put_line!(
        out,
        "*** Output from config line {}, \"{}\"",
        problem.line_number,
        problem.line
    );
    match &problem.error {
        LineError::Parse(error) => error.write(&problem.line, |offset| offset, out),
        LineError::Refused(refusal) => put_line!(out, "{refusal}"),
    }
}
