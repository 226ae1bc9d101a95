//! Prompts copied along with the commands.

/// Longest name of a box, in characters (RFC 1123 §2.1).
const NAME_MAX: usize = 63;
const MORE: &str = "<--- More --->";

/// `line` without a copied prompt and without blanks before the command.
///
/// A prompt is a name, any `/priority/state/context`, perhaps `(config…)`, and `#` or `>`, with no blank
/// among them: `asa1>`, `ciscoasa/pri/act(config)#`, `asa1(config-pmap-c)#`. No statement begins with such
/// a word, so none is harmed. Before it, `<--- More --->` with the blanks and CRs around it goes too.
#[must_use]
pub fn strip_prompt(line: &str) -> &str {
    without_prompt(line).unwrap_or(line)
}

/// As [`strip_prompt`]; `None` if there is nothing to take off.
#[must_use]
pub fn without_prompt(line: &str) -> Option<&str> {
    let mut rest = line;
    while let Some(after) = rest.trim_start().strip_prefix(MORE) {
        rest = after.trim_start_matches([' ', '\r', '\x08']);
    }
    match after_prompt(rest.trim_start()) {
        Some(command) => Some(command.trim_start()),
        None => (rest.len() < line.len()).then_some(rest),
    }
}

fn after_prompt(line: &str) -> Option<&str> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let end = line.find(|character| !is_name(character))?;
    if end == 0 || end > NAME_MAX {
        return None;
    }
    let mut rest = line.get(end..)?;
    while let Some(part) = rest.strip_prefix('/') {
        let end = part.find(|character| !is_name(character))?;
        if end == 0 {
            return None;
        }
        rest = part.get(end..)?;
    }
    if let Some(mode) = rest.strip_prefix("(config") {
        let (mode, after) = mode.split_once(')')?;
        let is_mode = |character: char| character.is_ascii_alphanumeric() || character == '-';
        return mode
            .chars()
            .all(is_mode)
            .then(|| after.strip_prefix('#'))
            .flatten();
    }
    rest.strip_prefix(['#', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_go_and_commands_stay() {
        for (line, expected) in [
            ("hostname(config)# object network A", "object network A"),
            ("asa1(config-pmap-c)#  inspect sip", "inspect sip"),
            ("CUPS-ASA> enable", "enable"),
            ("Router#", ""),
            ("  ciscoasa/pri/act(config)# exit", "exit"),
            ("<--- More --->\r              \rnat 1", "nat 1"),
            ("<--- More --->              asa1# show clock", "show clock"),
        ] {
            assert_eq!(strip_prompt(line), expected, "{line:?}");
        }
    }

    #[test]
    fn no_statement_is_harmed() {
        let statements = include_str!("../../../config/src/tests/federation.txt");
        let others = [
            "description (config)# is no prompt",
            "interface GigabitEthernet0/0",
            "banner motd asa1# hello",
            "nat (inside,outside) source static A B",
            " host 10.20.0.11",
            "! asa1#",
        ];
        assert!(statements.lines().count() > 20);
        for line in statements.lines().chain(others) {
            assert_eq!(strip_prompt(line), line);
            assert_eq!(crate::paste::plain(line), line);
        }
    }
}
