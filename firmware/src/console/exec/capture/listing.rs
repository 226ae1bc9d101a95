//! `show capture`: the frames of a capture, each made into lines when the terminal wants it.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;
use dataplane::CaptureCursor;

use crate::console::session::{Gone, Session};
use crate::print::capture::settings::interface;
use crate::print::capture::{Moment, Style, frame, settings};
use crate::print::{put, put_line};
use crate::state::{Core, Shared};

/// The lines of a capture, as far as it went when the listing began.
struct Listing {
    shared: Shared,
    name: String,
    cursor: CaptureCursor,
    /// The number of the frame that is shown as 1, and the one behind the last.
    oldest: u64,
    end: u64,
    /// The first frame to show, counted from 1, and how many at most.
    first: u64,
    left: u64,
    /// Shows only what this list permits.
    list: Option<String>,
    style: Style,
    /// Lines that are ready.
    ready: VecDeque<String>,
    bytes: Vec<u8>,
    shown: u64,
    is_done: bool,
}

pub(super) async fn show(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    session.core().settle();
    let Some(name) = words.word("name") else {
        let mut text = String::new();
        {
            let core = session.core();
            for capture in core.dataplane.captures() {
                settings::capture(&mut text, core.dataplane.policy(), capture);
            }
        }
        return session.filter_lines(text.lines().map(Some), words).await;
    };
    let begun = begin(session.shared(), name, words);
    match begun {
        Ok(listing) => session.filter_lines(listing, words).await,
        Err(error) => session.say(&error).await,
    }
}

fn begin(shared: &Shared, name: &str, words: &Captures<'_>) -> Result<Listing, String> {
    let core = shared.borrow();
    let Some(capture) = core.dataplane.capture(name) else {
        return Err(alloc::format!("ERROR: capture <{name}> does not exist\n"));
    };
    let list = words.word("list");
    if let Some(list) = list
        && !core.config.access_lists.contains_key(list)
    {
        return Err(alloc::format!(
            "ERROR: access-list <{list}> does not exist\n"
        ));
    }
    let (oldest, end) = capture.numbers();
    let mut head = String::new();
    put_line!(&mut head, "\n{} captured", packets(capture.count()));
    if capture.overwritten() > 0 {
        put_line!(&mut head, "{} overwritten", packets(capture.overwritten()));
    }
    if capture.missed() > 0 {
        put_line!(
            &mut head,
            "{} not kept: the buffer is full",
            packets(capture.missed())
        );
    }
    if !core.wall.is_set() {
        put_line!(
            &mut head,
            "WARNING: the clock is not set; times count from the start of the box"
        );
    }
    put_line!(&mut head);
    Ok(Listing {
        shared: shared.clone(),
        name: name.into(),
        cursor: capture.cursor(),
        oldest,
        end,
        first: words.number("first").map_or(1, u64::from),
        left: words.number("count").map_or(u64::MAX, u64::from),
        list: list.map(String::from),
        style: Style {
            detail: words.has("detail"),
            decode: words.has("decode"),
            dump: words.has("dump"),
        },
        ready: head.lines().map(String::from).collect(),
        bytes: Vec::new(),
        shown: 0,
        is_done: false,
    })
}

/// `1 packet`, `2 packets`.
fn packets(count: u64) -> String {
    let mut text = alloc::format!("{count} packet");
    if count != 1 {
        text.push('s');
    }
    text
}

impl Listing {
    /// Makes the lines of the next frame, if it is to be shown. Returns false at the end.
    fn advance(&mut self) -> bool {
        let shared = self.shared.clone();
        let core = shared.borrow();
        let capture = core.dataplane.capture(&self.name);
        if self.left == 0 {
            return false;
        }
        let Some(seen) =
            capture.and_then(|capture| capture.read(&mut self.cursor, &mut self.bytes))
        else {
            return false;
        };
        if seen.number >= self.end {
            return false;
        }
        let number = seen.number - self.oldest + 1;
        if number < self.first || !self.is_permitted(&core) {
            return true;
        }
        let policy = core.dataplane.policy();
        let moment = Moment {
            rules: &core.zone,
            unix_micros: core.wall.unix_micros(seen.at),
        };
        let mut text = String::new();
        let interface = interface(policy, seen.port);
        frame(
            &mut text,
            number,
            &moment,
            &interface,
            &seen,
            &self.bytes,
            self.style,
        );
        self.ready.extend(text.lines().map(String::from));
        self.left -= 1;
        self.shown += 1;
        true
    }

    fn is_permitted(&self, core: &Core) -> bool {
        self.list
            .as_ref()
            .is_none_or(|list| core.dataplane.permits(list, &self.bytes))
    }
}

/// Lines; `None` for a frame that is not shown.
impl Iterator for Listing {
    type Item = Option<String>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(line) = self.ready.pop_front() {
            return Some(Some(line));
        }
        if self.is_done {
            return None;
        }
        if self.advance() {
            return Some(self.ready.pop_front());
        }
        self.is_done = true;
        let mut line = String::new();
        put!(&mut line, "{} shown", packets(self.shown));
        Some(Some(line))
    }
}
