//! A person (or script) at the console: modes, lines, answers.
//!
//! ```text
//! user EXEC ──enable──▶ privileged EXEC ──configure terminal──▶ configuration and its sub-modes
//!     ▲  ◀──disable──        │   ◀────────── end, Ctrl-Z ───────────────┘
//!     └───────── exit, idle timeout
//! ```

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefMut;
use core::fmt;
use core::time::Duration;

use cli::filter::Filter;
use cli::grammar::{Captures, Grammar, Match, ParseError, Scope, write_caret_error};
use config::{Config, ModeState, Outcome, Refusal};
use hal::time::Instant;
use zeroize::Zeroizing;

use super::declare::{EXEC, EXEC_ONLY, Exec, POWER};
use super::input::{Commands, Input, LineEnd};
use super::{Action, line, login};
use crate::change::DraftError;
use crate::state::{Core, Shared};
use crate::tasks::yield_now;

/// Privilege before `enable`.
pub(super) const UNPRIVILEGED: u8 = 1;

/// Longest paste of a certificate, in bytes: several times a large chain.
const PASTE_MAX: usize = 64 * 1024;

/// Longest text taken from the terminal, in bytes: what a slot of the disk holds.
const TEXT_MAX: usize = 4 << 20;

/// The session is over: logged out, idle for too long, or the box is going down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// Why a statement was not carried out.
enum Trouble {
    /// The configuration refused it.
    Refused(Refusal),
    /// The configuration session cannot take it.
    Draft(DraftError),
    /// The configuration session was removed by somebody else.
    DraftGone,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::Draft(error) => write!(f, "{error}"),
            Self::DraftGone => f.write_str("ERROR: the configuration session was removed"),
        }
    }
}

/// One session.
pub(crate) struct Session {
    shared: Shared,
    grammar: Rc<Grammar<Action>>,
    input: Input,
    /// Who logged in, where the console asks for that.
    user: Option<String>,
    privilege: u8,
    /// The configuration mode, while in one.
    mode: Option<ModeState>,
    /// The configuration session whose candidate is being edited.
    draft: Option<String>,
    /// `terminal pager`, which goes before the configured `pager lines`.
    pager_lines: Option<u32>,
}

impl Session {
    pub(crate) fn new(shared: Shared, grammar: Rc<Grammar<Action>>) -> Self {
        let input = Input::new(usize::from(shared.borrow().config.terminal_width));
        Self {
            shared,
            grammar,
            input,
            user: None,
            privilege: UNPRIVILEGED,
            mode: None,
            draft: None,
            pager_lines: None,
        }
    }

    /// Serves until the session is over.
    pub(crate) async fn run(mut self) -> Gone {
        if let Err(gone) = login::admit(&mut self).await {
            return gone;
        }
        loop {
            if let Err(gone) = self.serve_line().await {
                return gone;
            }
            // Packets pass between two lines of a paste.
            yield_now().await;
        }
    }

    /// Borrows the box for one step; never held across an `await`.
    pub(super) fn core(&self) -> RefMut<'_, Core> {
        self.shared.borrow_mut()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Sends text.
    pub(super) async fn say(&mut self, text: &str) -> Result<(), Gone> {
        line::write_text(&self.shared, text).await;
        Ok(())
    }

    /// Sends text page by page.
    pub(super) async fn page(&mut self, text: &str) -> Result<(), Gone> {
        self.page_lines(text.lines()).await
    }

    async fn page_lines<'t>(&mut self, text: impl Iterator<Item = &'t str>) -> Result<(), Gone> {
        let configured = self.core().config.pager_lines;
        let lines = self.pager_lines.unwrap_or(configured) as usize;
        let deadline = self.deadline();
        self.input.page(&self.shared, text, lines, deadline).await
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

    /// Asks until the answer is yes or no. Ctrl-C and Ctrl-Z are no.
    pub(super) async fn yes_no(&mut self, prompt: &str) -> Result<bool, Gone> {
        loop {
            let Some(answer) = self.read(prompt, false).await? else {
                return Ok(false);
            };
            match answer.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => self.say("% Please answer 'yes' or 'no'.\n").await?,
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

    /// Who logged in, where the console asks for that.
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(super) fn set_user(&mut self, name: &str) {
        self.user = Some(name.into());
    }

    /// The name that messages and headings give to whoever is at the console.
    pub(super) fn name(&self) -> String {
        match &self.user {
            Some(name) => name.clone(),
            None => alloc::format!("enable_{}", self.privilege),
        }
    }

    pub(super) const fn privilege(&self) -> u8 {
        self.privilege
    }

    pub(super) const fn set_privilege(&mut self, privilege: u8) {
        self.privilege = privilege;
    }

    pub(super) fn configure_terminal(&mut self) {
        self.mode = Some(ModeState::new());
    }

    /// Leaves configuration mode, and the configuration session if one is being edited.
    pub(super) fn leave_configuration(&mut self) {
        self.mode = None;
        self.draft = None;
    }

    /// Goes on editing a configuration session.
    pub(super) fn enter_draft(&mut self, name: &str) {
        self.mode = Some(ModeState::new());
        self.draft = Some(name.into());
    }

    /// The configuration session being edited.
    pub(super) fn draft(&self) -> Option<&str> {
        self.draft.as_deref()
    }

    pub(super) fn grammar(&self) -> Rc<Grammar<Action>> {
        Rc::clone(&self.grammar)
    }

    /// The remembered commands, one a line, oldest first.
    pub(super) fn history(&self) -> String {
        self.input.history()
    }

    /// `terminal pager`; `None` goes back to the configured number of lines.
    pub(super) const fn set_pager(&mut self, lines: Option<u32>) {
        self.pager_lines = lines;
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

    /// When an idle session is logged out.
    fn deadline(&self) -> Option<Instant> {
        let core = self.core();
        match core.config.console_timeout_mins {
            0 => None,
            minutes => Some(core.now() + Duration::from_secs(u64::from(minutes) * 60)),
        }
    }

    fn prompt(&self) -> String {
        let core = self.core();
        let hostname = &core.config.hostname;
        match &self.mode {
            Some(state) => {
                let mode = state.mode().prompt();
                match (&self.draft, mode.strip_prefix("config")) {
                    (Some(_), Some(rest)) => alloc::format!("{hostname}(config-s{rest})# "),
                    _ => alloc::format!("{hostname}({mode})# "),
                }
            }
            None if self.privilege > UNPRIVILEGED => alloc::format!("{hostname}# "),
            None => alloc::format!("{hostname}> "),
        }
    }

    /// The scopes a line is tried in, innermost first.
    fn scopes(&self) -> Vec<Scope> {
        match &self.mode {
            Some(state) => {
                let mut scopes = state.mode().scopes();
                scopes.push(Scope {
                    modes: EXEC,
                    title: "exec",
                });
                scopes
            }
            None => Vec::from([
                Scope {
                    modes: EXEC | EXEC_ONLY,
                    title: "exec",
                },
                Scope {
                    modes: POWER,
                    title: "power",
                },
            ]),
        }
    }

    async fn serve_line(&mut self) -> Result<(), Gone> {
        self.report_losses().await?;
        let word = self.core().word_left.take();
        if let Some(word) = word {
            self.say(&alloc::format!("\n{word}")).await?;
        }
        if !self.core().line.has_input() {
            self.core().settle();
        }
        let deadline = self.deadline();
        let scopes = self.scopes();
        let grammar = Rc::clone(&self.grammar);
        let width = self.core().config.terminal_width;
        self.input.set_width(usize::from(width));
        if self.is_collecting() {
            let end = self.input.answer(&self.shared, "", false, deadline).await?;
            return match end {
                LineEnd::Line(typed) => self.collect(&typed).await,
                LineEnd::Abandoned | LineEnd::EndOfMode => {
                    if let Some(state) = &mut self.mode {
                        state.reset();
                    }
                    Ok(())
                }
            };
        }
        let prompt = self.prompt();
        let commands = Commands {
            grammar: &grammar,
            scopes: &scopes,
            privilege: self.privilege,
        };
        let end = self
            .input
            .command(&self.shared, &prompt, &commands, deadline)
            .await?;
        match end {
            LineEnd::Abandoned => {}
            LineEnd::Line(typed) => self.obey(&typed, &scopes, &grammar).await?,
            LineEnd::EndOfMode => self.leave_configuration(),
        }
        Ok(())
    }

    fn is_collecting(&self) -> bool {
        self.mode.as_ref().is_some_and(ModeState::is_collecting)
    }

    /// Tells if bytes were lost on the line, because then what was typed cannot be trusted.
    async fn report_losses(&mut self) -> Result<(), Gone> {
        let lost = {
            let mut core = self.core();
            let core = &mut *core;
            core.line.newly_lost(&*core.console)
        };
        if lost == 0 {
            return Ok(());
        }
        self.say(&alloc::format!(
            "\nWARNING: {lost} character(s) were lost on the console line\n"
        ))
        .await
    }

    /// Carries out one line.
    async fn obey(
        &mut self,
        typed: &str,
        scopes: &[Scope],
        grammar: &Grammar<Action>,
    ) -> Result<(), Gone> {
        // The heading of a pasted configuration says nothing, in any mode.
        if config::text::is_heading(typed) {
            return Ok(());
        }
        let parse = |line| grammar.parse(line, scopes, self.privilege);
        let parsed = parse(typed).or_else(|error| match config::text::without_comment(typed) {
            Some(statement) => parse(statement).map_err(|_| error),
            None => Err(error),
        });
        let matched = match parsed {
            Ok(matched) => matched,
            Err(ParseError::Blank) => return Ok(()),
            Err(error) => {
                let mut text = String::new();
                error.write(typed, |offset| self.input.caret_column(offset), &mut text);
                return self.say(&text).await;
            }
        };
        match matched.action {
            Action::Exec(exec) => self.exec(exec, &matched, scopes).await,
            Action::Config(handler) => {
                if matched.has("password") || matched.has("authentication-key") {
                    self.input.forget_last_command();
                }
                if !self.may_destroy(&matched, grammar).await? {
                    return Ok(());
                }
                self.configure(handler, &matched, typed).await
            }
        }
    }

    /// Shows the lines of an answer that the command's filter lets through.
    async fn filtered(&mut self, text: &str, words: &Captures<'_>) -> Result<(), Gone> {
        let mut filter = match Filter::from_captures(words) {
            Ok(Some(filter)) => filter,
            Ok(None) => return self.page(text).await,
            Err(_) => return self.say("ERROR: % Invalid regular expression\n").await,
        };
        self.page_lines(text.lines().filter(|line| filter.accept(line)))
            .await?;
        match filter.count() {
            Some(lines) => {
                self.say(&alloc::format!("Number of lines which match: {lines}\n"))
                    .await
            }
            None => Ok(()),
        }
    }

    /// Runs an EXEC command.
    async fn exec(
        &mut self,
        exec: Exec,
        matched: &Match<'_, Action>,
        scopes: &[Scope],
    ) -> Result<(), Gone> {
        // A certificate dialogue is a command of global configuration mode: it leaves a sub-mode.
        let took = scopes.get(matched.scope).map_or(0, |scope| scope.modes);
        if took & config::GLOBAL != 0
            && let Some(state) = &mut self.mode
        {
            state.reset();
        }
        if took & config::GLOBAL != 0 && self.draft.is_some() {
            return self
                .say("ERROR: keys and certificates are not part of a configuration session; leave it first\n")
                .await;
        }
        let words = &matched.captures;
        let mut text = String::new();
        match exec {
            Exec::Answer(answer) => {
                let mut core = self.core();
                core.settle();
                answer(&mut core, words, &mut text);
            }
            Exec::About(about) => about(self, &mut text),
            Exec::Talk(talk) => return talk(self, words).await,
        }
        self.filtered(&text, words).await
    }

    /// Carries out a statement, on the running configuration or on the candidate being edited.
    async fn configure(
        &mut self,
        handler: config::Handler,
        matched: &Match<'_, Action>,
        typed: &str,
    ) -> Result<(), Gone> {
        let applied = self.change(typed, |config, state, salt| {
            let words = &matched.captures;
            config::apply(config, state, handler, matched.scope, words, salt)
        });
        match applied {
            Ok(outcome) => {
                for notice in &outcome.notices {
                    self.say(&alloc::format!("{notice}\n")).await?;
                }
                if outcome.left {
                    self.leave_configuration();
                }
                Ok(())
            }
            Err(Trouble::Refused(Refusal::Invalid { offset })) => {
                let mut text = String::new();
                write_caret_error(self.input.caret_column(offset), &mut text);
                self.say(&text).await
            }
            Err(trouble) => self.say(&alloc::format!("{trouble}\n")).await,
        }
    }

    /// Takes a line of a certificate being entered in hexadecimal.
    async fn collect(&mut self, typed: &str) -> Result<(), Gone> {
        let collected = self.change(typed, |config, state, _| {
            let unfinished = Outcome::default();
            config::collect(config, state, typed).map(|outcome| outcome.unwrap_or(unfinished))
        });
        match collected {
            Ok(_) => Ok(()),
            Err(trouble) => self.say(&alloc::format!("{trouble}\n")).await,
        }
    }

    /// Lets `change` work on the configuration this session edits, and keeps account of it.
    fn change(
        &mut self,
        typed: &str,
        change: impl FnOnce(
            &mut Config,
            &mut ModeState,
            [u8; config::password::SALT_LEN],
        ) -> Result<Outcome, Refusal>,
    ) -> Result<Outcome, Trouble> {
        let by = self.name();
        let mut core = self.shared.borrow_mut();
        let core = &mut *core;
        let mut salt = [0; config::password::SALT_LEN];
        core.entropy.fill(&mut salt);
        let Some(state) = &mut self.mode else {
            return Ok(Outcome::default());
        };
        if let Some(name) = &self.draft {
            let draft = core.drafts.get_mut(name).ok_or(Trouble::DraftGone)?;
            draft.check_room(typed).map_err(Trouble::Draft)?;
            let outcome = change(&mut draft.candidate, state, salt).map_err(Trouble::Refused)?;
            if !outcome.left {
                draft.note(typed);
            }
            return Ok(outcome);
        }
        let outcome = change(&mut core.config, state, salt).map_err(Trouble::Refused)?;
        if outcome.changed {
            core.note_change(&by);
        }
        Ok(outcome)
    }

    /// Asks before certificates are destroyed, as the ASA does.
    async fn may_destroy(
        &mut self,
        matched: &Match<'_, Action>,
        grammar: &Grammar<Action>,
    ) -> Result<bool, Gone> {
        let syntax = grammar.rows().get(matched.row).map_or("", |row| row.syntax);
        if !matched.negated() || !syntax.starts_with("crypto ca trustpoint") {
            return Ok(true);
        }
        let is_enrolled = {
            let core = self.core();
            matched
                .word("name")
                .and_then(|name| core.config.trustpoints.get(name))
                .is_some_and(|trustpoint| {
                    trustpoint.ca_certificate.is_some() || trustpoint.identity_certificate.is_some()
                })
        };
        if !is_enrolled {
            return Ok(true);
        }
        self.say(
            "WARNING: Removing an enrolled trustpoint will destroy all\n\
             certificates received from the related Certificate Authority.\n\n",
        )
        .await?;
        self.yes_no("Are you sure you want to do this? [yes/no]: ")
            .await
    }
}
