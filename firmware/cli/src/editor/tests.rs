use super::*;
use crate::grammar::Completion;
use proptest::prelude::*;

/// One row of a dumb terminal that knows printable characters, backspace and CR; LF clears it.
#[derive(Default)]
struct Terminal {
    row: Vec<u8>,
    column: usize,
    width: usize,
    wrapped: bool,
    finished: Vec<String>,
}

impl Terminal {
    fn new(width: usize) -> Self {
        Self {
            width,
            ..Self::default()
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                0x1b => assert_eq!(bytes.get(at..at + 3), Some(&b"\x1b[K"[..])),
                b'[' if at > 0 && bytes[at - 1] == 0x1b => {}
                b'K' if at > 1 && bytes[at - 2] == 0x1b => self.row.truncate(self.column),
                b'\r' => self.column = 0,
                b'\n' => {
                    self.finished.push(self.text());
                    self.row.clear();
                }
                0x08 => self.column -= 1,
                BELL => {}
                byte => {
                    if self.row.len() <= self.column {
                        self.row.resize(self.column + 1, b' ');
                    }
                    self.row[self.column] = byte;
                    self.column += 1;
                    self.wrapped |= self.column > self.width;
                }
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.row.clone())
            .unwrap()
            .trim_end()
            .to_string()
    }
}

struct Session {
    editor: Editor,
    terminal: Terminal,
    events: Vec<Event>,
}

fn session(width: usize, entry: Entry) -> Session {
    let mut session = Session {
        editor: Editor::new(width),
        terminal: Terminal::new(width),
        events: Vec::new(),
    };
    session.begin(entry);
    session
}

fn text_of(event: &Event) -> &str {
    match event {
        Event::Line(text) | Event::Help(text) | Event::Tab(text) => text,
        _ => "",
    }
}

impl Session {
    fn begin(&mut self, entry: Entry) {
        let mut echo = Vec::new();
        self.editor.begin("asa1# ", entry, &mut echo);
        self.terminal.write(&echo);
    }

    /// Types bytes; after each ended entry a new one begins, after help the line is drawn again.
    fn type_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for &byte in bytes {
            let mut echo = Vec::new();
            let event = self.editor.handle_byte(byte, &mut echo);
            assert!(echo.len() <= ECHO_MAX);
            self.terminal.write(&echo);
            if let Some(event) = event {
                match &event {
                    Event::Help(_) => {
                        let mut echo = Vec::new();
                        self.editor.redraw(&mut echo);
                        self.terminal.write(&echo);
                    }
                    Event::Tab(_) => {}
                    _ => self.begin(self.editor.entry),
                }
                self.events.push(event);
            }
        }
        self
    }

    fn lines(&self) -> Vec<&str> {
        let line = |event: &'_ Event| matches!(event, Event::Line(_));
        self.events
            .iter()
            .filter(|event| line(event))
            .map(text_of)
            .collect()
    }
}

fn typed(bytes: &[u8]) -> Vec<String> {
    session(80, Entry::Command)
        .type_bytes(bytes)
        .lines()
        .into_iter()
        .map(String::from)
        .collect()
}

#[test]
fn keys_edit_the_line() {
    for (bytes, line) in [
        (&b"abc\r"[..], "abc"),
        (b"abc\x7fd\x08e\r", "abe"),
        (b"bc\x01a\x05d\r", "abcd"),
        (b"ad\x02bc\r", "abcd"),
        (b"ad\x1b[Dbc\x1b[C!\r", "abcd!"),
        (b"xabc\x01\x04\r", "abc"),
        (b"xabc\x1b[H\x1b[3~\r", "abc"),
        (b"abcd\x02\x02\x0b\r", "ab"),
        (b"junk\x15ok\r", "ok"),
        (b"one two  \x17three\r", "one three"),
        (b"one two\x02\x17\r", "one o"),
        (b"a\x16?b\r", "a?b"),
        (b"a\0b\x1b[99;5zc\x1b[200~d\x80\xe9\x1dx\r", "abcdx"),
        (b"ab\x12c\x0cd\r", "abcd"),
        (b"a\x1b[1\rb\r", "a"),
    ] {
        assert_eq!(
            typed(bytes).first().map(String::as_str),
            Some(line),
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn each_spelling_of_a_line_end_counts_once() {
    assert_eq!(
        typed(b"a\rb\nc\r\nd\r\0\ne\n\nf\r"),
        ["a", "b", "c", "d", "e", "", "f"]
    );
    assert_eq!(typed(b"\r\n\r\n\r\r"), ["", "", "", ""]);
}

#[test]
fn history_walks_back_and_forth() {
    assert_eq!(
        typed(b"one\rtwo\rtwo\r\x10\x10\r"),
        ["one", "two", "two", "one"]
    );
    assert_eq!(
        typed(b"one\rtwo\rdraft\x1b[A\x1b[A\x1b[B\x1b[B!\r")
            .last()
            .unwrap(),
        "draft!"
    );
    assert_eq!(typed(b"one\r\x10\x10\x10\r"), ["one", "one"]);
    let mut session = session(80, Entry::Command);
    for number in 0..30 {
        session.type_bytes(format!("line {number}\r").as_bytes());
    }
    session.type_bytes(b"\rline 29\r");
    let history: Vec<&str> = session.editor.history().collect();
    assert_eq!(history.len(), HISTORY_LINES);
    assert_eq!((history[0], history[19]), ("line 10", "line 29"));
    session.editor.forget_last_command();
    assert_eq!(session.editor.history().last(), Some("line 28"));
}

#[test]
fn secrets_are_not_shown_and_not_remembered() {
    for (shown, row) in [(Echo::Off, "asa1#"), (Echo::Stars, "asa1# ****")] {
        let mut session = session(80, Entry::Secret(shown));
        session.type_bytes(b"s?c\x10r");
        assert_eq!(session.terminal.text(), row);
        session.type_bytes(b"\r");
        assert_eq!(session.lines(), ["s?cr"]);
        assert_eq!(session.editor.history().count(), 0);
        // The buffer never moved, so no copy of the secret lies elsewhere.
        let spare = session.editor.text.spare_capacity_mut().len();
        assert_eq!(spare, LINE_MAX);
    }
}

#[test]
fn question_mark_and_tab_ask_about_the_line_up_to_the_cursor() {
    let mut session = session(80, Entry::Command);
    session.type_bytes(b"show c?");
    assert_eq!(session.events, [Event::Help("show c".into())]);
    assert_eq!(session.terminal.finished, ["asa1# show c?"]);
    assert_eq!(session.terminal.text(), "asa1# show c");
    session.type_bytes(b"l\t");
    assert_eq!(session.events.last(), Some(&Event::Tab("show cl".into())));
    let mut echo = Vec::new();
    session
        .editor
        .complete(&Completion::Whole("ock ".into()), &mut echo);
    assert_eq!(echo, b"ock ");
    session.type_bytes(b"\r");
    assert_eq!(session.lines(), ["show clock "]);
}

#[test]
fn interrupt_and_end_of_mode_drop_the_line() {
    let mut session = session(80, Entry::Command);
    session.type_bytes(b"abc\x03def\x1a\r");
    assert_eq!(
        session.events,
        [
            Event::Interrupt,
            Event::EndOfMode,
            Event::Line(String::new())
        ]
    );
}

#[test]
fn a_key_entry_gives_single_keys() {
    let mut session = session(80, Entry::Key);
    session.type_bytes(b"\r\n \x1b[Aq\x03");
    assert_eq!(
        session.events,
        [
            Event::Key(b'\r'),
            Event::Key(b' '),
            Event::Key(b'q'),
            Event::Interrupt
        ]
    );
}

#[test]
fn typing_at_the_end_echoes_one_byte_and_a_paste_is_linear() {
    let mut editor = Editor::new(80);
    let mut echo = Vec::new();
    editor.begin("asa1# ", Entry::Command, &mut echo);
    echo.clear();
    editor.handle_byte(b'x', &mut echo);
    assert_eq!(echo, b"x");
    echo.clear();
    for _ in 0..LINE_MAX - 1 {
        editor.handle_byte(b'y', &mut echo);
    }
    assert!(echo.len() < 2 * LINE_MAX, "{} bytes of echo", echo.len());
}

#[test]
fn with_more_bytes_waiting_the_row_scrolls_once_at_the_end() {
    let mut session = session(40, Entry::Command);
    let line = "abcdefghijklmnopqrstuvwxyz".repeat(8);
    session.editor.set_more_waiting(true);
    let mut echo = Vec::new();
    for byte in line.bytes() {
        session.editor.handle_byte(byte, &mut echo);
    }
    assert_eq!(echo.len(), 33);
    session.terminal.write(&echo);
    session.editor.set_more_waiting(false);
    session.type_bytes(b"!");
    check_row(&session);
    assert!(session.terminal.text().ends_with("xyz!"));
    session.type_bytes(b"\r");
    assert_eq!(session.lines(), [format!("{line}!")]);
}

#[test]
fn a_line_too_long_is_ignored_as_a_whole() {
    let mut session = session(80, Entry::Command);
    session.type_bytes(&[b'a'; LINE_MAX]).type_bytes(b"\r");
    session
        .type_bytes(&[b'a'; LINE_MAX + 1])
        .type_bytes(b"\x7f\rnext\r");
    assert_eq!(session.events.len(), 3);
    assert_eq!(session.events[0], Event::Line("a".repeat(LINE_MAX)));
    assert_eq!(
        session.events[1..],
        [Event::TooLong, Event::Line("next".into())]
    );
    session
        .type_bytes(&[b'a'; LINE_MAX + 1])
        .type_bytes(b"\x15ok\r");
    assert_eq!(session.lines().last(), Some(&"ok"));
}

#[test]
fn a_line_wider_than_the_terminal_scrolls_and_marks_its_ends() {
    let mut session = session(40, Entry::Command);
    let line = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ";
    session.type_bytes(line.as_bytes());
    let row = session.terminal.text();
    assert!(
        row.starts_with("asa1# $") && row.ends_with("EFGHIJ"),
        "{row}"
    );
    session.type_bytes(b"\x01");
    assert_eq!(
        session.terminal.text(),
        "asa1# abcdefghijklmnopqrstuvwxyz012345$"
    );
    session.type_bytes(b"\x05\r");
    assert_eq!(session.lines(), [line]);
    assert!(!session.terminal.wrapped);
    // The caret below the entered line follows what was on the screen.
    let shown = session.terminal.finished.last().unwrap();
    assert_eq!(
        shown.as_bytes()[session.editor.caret_column(40)],
        line.as_bytes()[40]
    );
}

#[test]
fn log_output_goes_between_erase_and_redraw() {
    let mut session = session(80, Entry::Command);
    session.type_bytes(b"show clock\x02\x02");
    let mut echo = Vec::new();
    session.editor.erase(&mut echo);
    session.terminal.write(&echo);
    assert_eq!(session.terminal.text(), "");
    echo.clear();
    echo.extend_from_slice(b"%ASA-5-111005: end\r\n");
    session.editor.redraw(&mut echo);
    session.terminal.write(&echo);
    assert_eq!(session.terminal.finished, ["%ASA-5-111005: end"]);
    assert_eq!(
        (session.terminal.text().as_str(), session.terminal.column),
        ("asa1# show clock", 14)
    );
}

/// What the row must show: the text around the cursor as one window, `$` where it is cut.
fn check_row(session: &Session) {
    let editor = &session.editor;
    let row = session.terminal.text();
    let text = String::from_utf8(editor.text.clone()).unwrap();
    let window = editor.cursor - (session.terminal.column - 6);
    let columns = session.terminal.width - 7;
    let mut expected: Vec<u8> = text.bytes().skip(window).take(columns).collect();
    if window > 0 {
        expected[0] = b'$';
    }
    if text.len() > window + columns {
        expected[columns - 1] = b'$';
    }
    let expected = format!("asa1# {}", String::from_utf8(expected).unwrap());
    assert_eq!(row, expected.trim_end());
    assert!(!session.terminal.wrapped, "the terminal wrapped");
}

proptest! {
    #[test]
    fn any_bytes_keep_screen_and_line_in_step(
        bytes in prop::collection::vec(
            prop_oneof![
                4 => prop::sample::select(b"abcdefgh ".to_vec()),
                2 => prop::sample::select(vec![1u8, 2, 4, 5, 6, 8, 11, 21, 23, 16, 14, 0x1b, b'[', b'C', b'D', 0x12]),
                1 => any::<u8>(),
            ],
            0..300,
        ),
        width in 40usize..60,
        burst in 1usize..50,
    ) {
        let mut session = session(width, Entry::Command);
        for (at, byte) in bytes.into_iter().enumerate() {
            session.editor.set_more_waiting(at % burst != 0);
            session.type_bytes(&[byte]);
            if !session.editor.deferred {
                check_row(&session);
            }
        }
        for event in &session.events {
            prop_assert!(text_of(event).bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        }
    }
}

#[test]
fn punctuation_of_word_processors_becomes_plain_and_letters_beyond_ascii_ring() {
    let mut editor = Editor::new(80);
    let mut echo = Vec::new();
    editor.begin("# ", Entry::Command, &mut echo);
    let typed = "banner motd \u{201c}it\u{2019}s\u{a0}on\u{201d} \u{2013} \u{fc}\r";
    let event = typed
        .bytes()
        .find_map(|byte| editor.handle_byte(byte, &mut echo));
    assert_eq!(
        event,
        Some(Event::Line("banner motd \"it's on\" - ".into()))
    );
    assert_eq!(echo.iter().filter(|&&byte| byte == 0x07).count(), 1);
    // A character cut short, and bytes that are none, do no harm to what follows.
    editor.begin("# ", Entry::Command, &mut echo);
    let event = b"a\xe2\x80b\xff\xc3c\r"
        .iter()
        .find_map(|&byte| editor.handle_byte(byte, &mut echo));
    assert_eq!(event, Some(Event::Line("abc".into())));
}
