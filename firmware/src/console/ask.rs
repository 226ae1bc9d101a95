//! What a dialogue says and asks.

use alloc::string::String;

use cli::pager::Pager;
use zeroize::Zeroizing;

use super::input::LineEnd;
use super::line;
use super::session::{Gone, Session};
use crate::tasks::yield_now;

/// Longest paste of a certificate, in bytes: several times a large chain.
const PASTE_MAX: usize = 64 * 1024;

/// Longest text taken from the terminal, in bytes: what a slot of the disk holds.
const TEXT_MAX: usize = 4 << 20;

/// A yes or a no; `None` for anything else.
pub(super) fn yes_or_no(answer: &str) -> Option<bool> {
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

impl Session {
    /// Sends text.
    pub(super) async fn say(&mut self, text: &str) -> Result<(), Gone> {
        line::write_text(&self.shared, text).await;
        Ok(())
    }

    /// Sends text page by page.
    pub(super) async fn page(&mut self, text: &str) -> Result<(), Gone> {
        self.page_lines(text.lines().map(Some)).await
    }

    /// Sends lines page by page, each made when it is wanted; see [`Input::page`](super::input::Input).
    pub(super) async fn page_lines(
        &mut self,
        text: impl Iterator<Item = Option<impl AsRef<str>>>,
    ) -> Result<(), Gone> {
        let lines = self.page_lines_wanted();
        let deadline = self.deadline();
        self.input.page(&self.shared, text, lines, deadline).await
    }

    /// Lines of a page.
    fn page_lines_wanted(&self) -> usize {
        let configured = self.core().config.pager_lines;
        self.pager_lines.unwrap_or(configured) as usize
    }

    /// A pager for text that is made piece by piece.
    pub(super) fn pager(&self) -> Pager {
        self.input.pager(self.page_lines_wanted())
    }

    /// Shows one line of such a text. Returns false if no more is wanted.
    pub(super) async fn page_line(&mut self, pager: &mut Pager, text: &str) -> Result<bool, Gone> {
        let deadline = self.deadline();
        self.input
            .page_line(&self.shared, pager, text, deadline)
            .await
    }

    /// Asks for a line of text; nothing for Ctrl-C and Ctrl-Z.
    pub(super) async fn ask(&mut self, prompt: &str) -> Result<String, Gone> {
        Ok(self.read(prompt, false).await?.unwrap_or_default())
    }

    /// As [`ask`](Self::ask), and waits for ever.
    pub(super) async fn ask_unlimited(&mut self, prompt: &str) -> Result<String, Gone> {
        let end = self.input.answer(&self.shared, prompt, false, None).await?;
        Ok(match end {
            LineEnd::Line(line) => line,
            LineEnd::Abandoned | LineEnd::EndOfMode => String::new(),
        })
    }

    /// Asks for a line of text; `None` for Ctrl-C and Ctrl-Z.
    pub(super) async fn ask_or_leave(&mut self, prompt: &str) -> Result<Option<String>, Gone> {
        self.read(prompt, false).await
    }

    /// Asks for a password, without echo; `None` for Ctrl-C and Ctrl-Z.
    pub(super) async fn password_or_leave(
        &mut self,
        prompt: &str,
    ) -> Result<Option<Zeroizing<String>>, Gone> {
        Ok(self.read(prompt, true).await?.map(Zeroizing::new))
    }

    /// Asks until the answer is yes or no. Ctrl-C and Ctrl-Z are no.
    pub(super) async fn yes_no(&mut self, prompt: &str) -> Result<bool, Gone> {
        loop {
            let Some(answer) = self.read(prompt, false).await? else {
                return Ok(false);
            };
            match yes_or_no(&answer) {
                Some(answer) => return Ok(answer),
                None => self.say("% Please answer 'yes' or 'no'.\n").await?,
            }
        }
    }

    /// Asks for a key: Enter or `y` confirms, anything else does not.
    pub(super) async fn confirm(&mut self, prompt: &str) -> Result<bool, Gone> {
        let deadline = self.deadline();
        let key = self.input.key(&self.shared, prompt, deadline).await?;
        self.say("\n").await?;
        Ok(matches!(key, Some(b'\r' | b'y' | b'Y')))
    }

    /// Asks for a password, without echo.
    pub(super) async fn password(&mut self, prompt: &str) -> Result<Zeroizing<String>, Gone> {
        Ok(Zeroizing::new(
            self.read(prompt, true).await?.unwrap_or_default(),
        ))
    }

    /// Takes lines until one says `quit`; `None` if Ctrl-C or Ctrl-Z breaks off. A longer paste than
    /// [`PASTE_MAX`] is cut, and will not decode.
    pub(super) async fn paste(&mut self) -> Result<Option<String>, Gone> {
        let mut text = String::new();
        loop {
            let Some(line) = self.read("", false).await? else {
                self.say("% Broken off, nothing was changed\n").await?;
                return Ok(None);
            };
            if line.trim().eq_ignore_ascii_case("quit") {
                return Ok(Some(text));
            }
            if text.len() + line.len() < PASTE_MAX {
                text.push_str(&line);
                text.push('\n');
            }
            yield_now().await;
        }
    }

    /// Takes a text of any length up to [`TEXT_MAX`]; `None` if Ctrl-C breaks off or it is longer.
    pub(super) async fn take_text(&mut self) -> Result<Option<Zeroizing<String>>, Gone> {
        self.say("Enter the text. End it with Ctrl-Z, or with a line that is a single period.\n")
            .await?;
        let mut text = Zeroizing::new(String::new());
        let mut fits = true;
        loop {
            let deadline = self.deadline();
            let end = self.input.answer(&self.shared, "", false, deadline).await?;
            let line = match end {
                LineEnd::Line(line) if line.trim() != "." => Zeroizing::new(line),
                LineEnd::Line(_) | LineEnd::EndOfMode => break,
                LineEnd::Abandoned => {
                    self.say("% Broken off, nothing was changed\n").await?;
                    return Ok(None);
                }
            };
            fits &= text.len() + line.len() < TEXT_MAX;
            if fits {
                text.push_str(&line);
                text.push('\n');
            }
            yield_now().await;
        }
        if !fits {
            self.say("ERROR: the text is longer than 4 MiB, nothing was changed\n")
                .await?;
            return Ok(None);
        }
        Ok(Some(text))
    }

    /// Reads one line of an answer; `None` for Ctrl-C and Ctrl-Z.
    async fn read(&mut self, prompt: &str, is_secret: bool) -> Result<Option<String>, Gone> {
        let deadline = self.deadline();
        let end = self
            .input
            .answer(&self.shared, prompt, is_secret, deadline)
            .await?;
        Ok(match end {
            LineEnd::Line(line) => Some(line),
            LineEnd::Abandoned | LineEnd::EndOfMode => None,
        })
    }
}
