//! Reading the console: control characters, prompts, error lines.

/// Longest line taken for a prompt: a 63-character host name and a mode.
const MAX_PROMPT: usize = 100;

/// A byte stream turned into lines: escape sequences go, backspaces and redrawn lines take effect.
///
/// Only the last line can still change; everything before it is final.
#[derive(Debug, Default)]
pub(super) struct Screen {
    text: String,
    /// Everything before this offset has been read by the client.
    mark: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Text,
    /// A carriage return came; the next byte tells whether it ends or redraws the line.
    Return,
    /// ESC came.
    Escape,
    /// Within a control sequence, up to its final byte (ECMA-48 §5.4).
    Sequence,
}

impl Screen {
    /// Takes what the box printed.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.feed_byte(*byte);
        }
    }

    /// Everything printed so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What the client has not read yet.
    pub(super) fn unread(&self) -> &str {
        self.text.get(self.mark..).unwrap_or_default()
    }

    /// Takes the first `length` bytes of the unread text.
    pub(super) fn take(&mut self, length: usize) -> String {
        let taken = self.unread().get(..length).unwrap_or_default().to_owned();
        self.mark += taken.len();
        taken
    }

    fn feed_byte(&mut self, byte: u8) {
        match (self.state, byte) {
            (State::Escape, b'[') => self.state = State::Sequence,
            (State::Escape, _) => self.state = State::Text,
            (State::Sequence, 0x40..=0x7e) => self.state = State::Text,
            (State::Sequence, _) => {}
            (State::Text | State::Return, b'\r') => self.state = State::Return,
            (State::Text | State::Return, b'\n') => {
                self.text.push('\n');
                self.state = State::Text;
            }
            (State::Return, other) => {
                self.cut(self.line_start());
                self.state = State::Text;
                self.feed_byte(other);
            }
            (State::Text, 0x1b) => self.state = State::Escape,
            (State::Text, 0x08) => {
                if self.text.len() > self.line_start() {
                    let last = self.text.chars().next_back().map_or(0, char::len_utf8);
                    self.cut(self.text.len() - last);
                }
            }
            (State::Text, 0x00..=0x1f) if byte != b'\t' => {}
            (State::Text, 0x80..) => self.text.push(char::REPLACEMENT_CHARACTER),
            (State::Text, other) => self.text.push(char::from(other)),
        }
    }

    fn line_start(&self) -> usize {
        self.text.rfind('\n').map_or(0, |at| at + 1)
    }

    /// Shortens the last line. What replaces it is unread again.
    fn cut(&mut self, length: usize) {
        self.text.truncate(length);
        self.mark = self.mark.min(length);
    }
}

/// Tells whether a line is a prompt and nothing more: `sallyport>`, `asa1(config-if)#`.
pub fn is_prompt(line: &str) -> bool {
    let line = line.trim_end_matches(' ');
    let Some(body) = line.strip_suffix(['>', '#']) else {
        return false;
    };
    let (name, mode) = body
        .split_once('(')
        .map_or((body, None), |(name, mode)| (name, Some(mode)));
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
    };
    line.len() <= MAX_PROMPT
        && is_name(name)
        && mode.is_none_or(|mode| mode.strip_suffix(')').is_some_and(is_name))
}

/// Finds the first line by which a command was refused.
pub fn find_error(output: &str) -> Option<&str> {
    let is_error = |line: &&str| {
        line.starts_with("ERROR:")
            || line.starts_with("% Invalid")
            || line.starts_with("% Error")
            || line.starts_with("Command authorization failed")
    };
    output.lines().map(str::trim).find(is_error)
}
