//! A pasted configuration, applied statement by statement to a box that nobody has configured.

use cli::grammar::Grammar;
use cli::paste::decode;
use config::diff::diff;
use config::print::{Secrets, print};
use config::script::{Script, Tally, Verdict};
use config::{Config, Handler};

use crate::command_line::{GRAMMAR, PASTED, TEXTS, reread};

const PORTS: u16 = 3;
/// Longest text after each of whose statements the whole configuration is compared, in bytes.
const COMPARED_MAX: usize = 4096;

/// The first byte chooses whether the rest is added to the configuration or is a whole one.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let text = decode(rest);
    let script = if first.is_multiple_of(2) {
        Script::pasted(&text)
    } else {
        Script::whole(&text)
    };
    GRAMMAR.with(|grammar| {
        apply(grammar, script, &text);
    });
}

/// A statement that is not applied must change nothing, every line must have one verdict, and what came
/// of it all must read back.
fn apply(grammar: &Grammar<Handler>, mut script: Script<'_>, text: &str) -> Tally {
    let factory = Config::factory(PORTS);
    let mut config = factory.clone();
    let mut judged = Vec::new();
    let mut tally = Tally::default();
    let is_compared = text.len() <= COMPARED_MAX;
    let mut before = factory.clone();
    while let Some(next) = script.step(grammar, Some, &[], &mut config, [7; 16]) {
        if is_compared && config != before {
            assert!(
                matches!(next.verdict, Verdict::Applied | Verdict::Ineffective(_)),
                "it had an effect: {next:?}"
            );
            before.clone_from(&config);
        }
        if let Some(word) = next.word() {
            assert!(!word.is_empty() && next.line.contains(word), "{next:?}");
        }
        tally.count(&next);
        judged.push(next);
    }
    crate::paste::account(text, judged.iter().map(|next| (next.number, &*next.line)));
    assert_eq!(
        tally.statements,
        tally.applied + tally.unchanged + tally.unsupported + tally.refused
    );
    reread(&config);
    compare(&factory, &config);
    tally
}

/// Two configurations differ in print exactly if a statement does.
fn compare(old: &Config, new: &Config) {
    let (old, new) = (print(old, Secrets::Shown), print(new, Secrets::Shown));
    let lines = |text: &'_ [String]| -> Vec<String> {
        let says = |line: &&String| !line.trim().is_empty() && !line.starts_with(['!', ':']);
        text.iter().filter(says).cloned().collect()
    };
    let changes = diff(
        old.iter().map(String::as_str),
        new.iter().map(String::as_str),
    );
    assert_eq!(
        changes.is_empty(),
        lines(&old) == lines(&new),
        "{changes:?}"
    );
}

/// Every text as additions and as a whole configuration, and one with everything a guide puts in.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = TEXTS.iter().chain([&PASTED]);
    let pasted = texts.clone().map(|text| [&[0], text.as_bytes()].concat());
    // The first text is a password, whose hash takes long; once is enough.
    let whole = texts.skip(1).map(|text| [&[1], text.as_bytes()].concat());
    pasted.chain(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pasted_seed_gets_verdicts_of_every_kind() {
        let tally = GRAMMAR.with(|grammar| apply(grammar, Script::pasted(PASTED), PASTED));
        assert!(tally.applied >= 3, "{tally:?}");
        assert!(tally.unsupported >= 2 && tally.refused >= 1, "{tally:?}");
    }
}
