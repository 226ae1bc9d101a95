//! Bytes to keys: control characters, arrow-key sequences, and line ends in all three spellings.

/// Longest parameter of an escape sequence that still means something.
const PARAMETER_MAX: u16 = 999;

/// One key stroke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A printable ASCII character.
    Character(u8),
    /// A character beyond ASCII.
    Wide(char),
    Enter,
    Backspace,
    DeleteForward,
    Left,
    Right,
    Home,
    End,
    Older,
    Newer,
    KillToEnd,
    KillLine,
    KillWord,
    Redraw,
    Tab,
    Quote,
    Interrupt,
    EndOfMode,
    /// A byte with no meaning here.
    Unknown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// Inside `ESC [`, with the last number.
    Sequence(u16),
    /// Behind `ESC O`.
    Application,
}

/// Decodes a byte stream. Holds at most one unfinished sequence, in a few bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keys {
    state: State,
    after_return: bool,
    wide: Wide,
}

/// A UTF-8 character that is coming in, a byte at a time.
#[derive(Clone, Copy, Debug, Default)]
struct Wide {
    bytes: [u8; 4],
    len: usize,
}

impl Wide {
    /// Takes a byte of 0x80 or above; `None` while the character is unfinished. What is no UTF-8 is
    /// one unknown key.
    fn feed(&mut self, byte: u8) -> Option<Key> {
        let Some(slot) = self.bytes.get_mut(self.len) else {
            self.len = 0;
            return Some(Key::Unknown);
        };
        *slot = byte;
        self.len += 1;
        let so_far = self.bytes.get(..self.len).unwrap_or_default();
        let key = match core::str::from_utf8(so_far) {
            Ok(text) => text.chars().next().map_or(Key::Unknown, Key::Wide),
            // It may still become a character.
            Err(error) if error.error_len().is_none() => return None,
            Err(_) => Key::Unknown,
        };
        self.len = 0;
        Some(key)
    }
}

impl Keys {
    /// Takes a byte; `None` while a sequence is unfinished or the byte says nothing.
    pub(super) fn feed(&mut self, byte: u8) -> Option<Key> {
        let after_return = core::mem::take(&mut self.after_return);
        if byte < 0x80 {
            // A character cut short says nothing.
            self.wide.len = 0;
        }
        match (self.state, byte) {
            // Control characters end a sequence and mean what they always mean.
            (_, 0x00..=0x1a | 0x1c..=0x1f | 0x7f) | (State::Ground, 0x20..=0x7e) => {
                self.state = State::Ground;
                self.single(byte, after_return)
            }
            (_, 0x1b) => {
                self.state = State::Escape;
                None
            }
            (State::Ground, 0x80..) => self.wide.feed(byte),
            (State::Escape, b'[') => {
                self.state = State::Sequence(0);
                None
            }
            (State::Escape, b'O') => {
                self.state = State::Application;
                None
            }
            (State::Escape, _) => {
                self.state = State::Ground;
                None
            }
            (State::Sequence(number), b'0'..=b'9') => {
                let number = number
                    .saturating_mul(10)
                    .saturating_add(u16::from(byte - b'0'));
                self.state = State::Sequence(number.min(PARAMETER_MAX));
                None
            }
            (State::Sequence(_), b';') => {
                self.state = State::Sequence(0);
                None
            }
            (State::Sequence(number), 0x40..=0x7e) => {
                self.state = State::Ground;
                if byte == b'~' {
                    numbered(number)
                } else {
                    lettered(byte)
                }
            }
            (State::Sequence(_), _) => None,
            (State::Application, _) => {
                self.state = State::Ground;
                lettered(byte)
            }
        }
    }

    fn single(&mut self, byte: u8, after_return: bool) -> Option<Key> {
        Some(match byte {
            0x00 => {
                // Terminals pad with NUL, also between CR and LF.
                self.after_return = after_return;
                return None;
            }
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x03 => Key::Interrupt,
            0x04 => Key::DeleteForward,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x08 | 0x7f => Key::Backspace,
            b'\t' => Key::Tab,
            b'\n' if after_return => return None,
            b'\n' => Key::Enter,
            b'\r' => {
                self.after_return = true;
                Key::Enter
            }
            0x0b => Key::KillToEnd,
            0x0c | 0x12 => Key::Redraw,
            0x0e => Key::Newer,
            0x10 => Key::Older,
            0x15 => Key::KillLine,
            0x16 => Key::Quote,
            0x17 => Key::KillWord,
            0x1a => Key::EndOfMode,
            0x20..=0x7e => Key::Character(byte),
            _ => Key::Unknown,
        })
    }
}

fn lettered(byte: u8) -> Option<Key> {
    match byte {
        b'A' => Some(Key::Older),
        b'B' => Some(Key::Newer),
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        b'F' => Some(Key::End),
        b'H' => Some(Key::Home),
        _ => None,
    }
}

fn numbered(number: u16) -> Option<Key> {
    match number {
        1 | 7 => Some(Key::Home),
        3 => Some(Key::DeleteForward),
        4 | 8 => Some(Key::End),
        _ => None,
    }
}
