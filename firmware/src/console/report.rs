//! A long answer, made and shown piece by piece.
//!
//! An answer made in one step must fit the heap, and nothing else happens while it is made. A table
//! that may hold a million entries is walked instead: a few records, their lines, a turn of the packet
//! path, and so on. The command's filter and the pager see one stream of lines.

use cli::filter::Filter;
use cli::grammar::Captures;
use cli::pager::Pager;

use super::session::{Gone, Session};

/// The stream.
pub(super) struct Report {
    pager: Pager,
    filter: Option<Filter>,
    /// The reader has had enough.
    is_over: bool,
}

impl Report {
    /// Begins an answer to the line whose words these are; `None` if its filter is none, which has
    /// been said then.
    pub(super) async fn begin(
        session: &mut Session,
        words: &Captures<'_>,
    ) -> Result<Option<Self>, Gone> {
        let Ok(filter) = Filter::from_captures(words) else {
            session.say("ERROR: % Invalid regular expression\n").await?;
            return Ok(None);
        };
        Ok(Some(Self {
            pager: session.pager(),
            filter,
            is_over: false,
        }))
    }

    /// Shows whole lines. Returns false if nobody wants more: after `q` at a full page, or Ctrl-C.
    pub(super) async fn show(&mut self, session: &mut Session, text: &str) -> Result<bool, Gone> {
        for line in text.lines() {
            if self.is_over {
                return Ok(false);
            }
            if let Some(filter) = &mut self.filter
                && !filter.accept(line)
            {
                continue;
            }
            self.is_over = !session.page_line(&mut self.pager, line).await?;
        }
        self.is_over |= session.core().line.take_abort();
        Ok(!self.is_over)
    }

    /// Ends the answer, with the number of lines if that was asked for.
    pub(super) async fn end(self, session: &mut Session) -> Result<(), Gone> {
        match self.filter.as_ref().and_then(Filter::count) {
            Some(lines) if !self.is_over => {
                session
                    .say(&alloc::format!("Number of lines which match: {lines}\n"))
                    .await
            }
            _ => Ok(()),
        }
    }
}
