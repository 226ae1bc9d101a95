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
use core::time::Duration;

use cli::grammar::{Grammar, Scope};
use config::{Config, ModeState};
use hal::time::Instant;

use super::burst::Burst;
use super::declare::{EXEC, EXEC_ONLY, POWER};
use super::input::{Commands, Input, LineEnd};
use super::{Action, login, recovery, setup};
use crate::state::{Core, Shared};
use crate::tasks::yield_now;

/// Privilege before `enable`.
pub(super) const UNPRIVILEGED: u8 = 1;

/// The session is over: logged out, idle for too long, or the box is going down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// One session.
pub(crate) struct Session {
    pub(super) shared: Shared,
    grammar: Rc<Grammar<Action>>,
    pub(super) input: Input,
    /// Who logged in, where the console asks for that.
    user: Option<String>,
    pub(super) privilege: u8,
    /// The configuration mode, while in one.
    pub(super) mode: Option<ModeState>,
    /// The configuration session whose candidate is being edited.
    pub(super) draft: Option<String>,
    /// `terminal pager`, which goes before the configured `pager lines`.
    pub(super) pager_lines: Option<u32>,
    /// Lines of a paste.
    pub(super) burst: Burst,
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
            burst: Burst::default(),
        }
    }

    /// Serves until the session is over.
    pub(crate) async fn run(mut self) -> Gone {
        let first_line = match setup::offer(&mut self).await {
            Ok(line) => line,
            Err(gone) => return gone,
        };
        if let Err(gone) = login::admit(&mut self).await {
            return gone;
        }
        if let Some(line) = first_line
            && let Err(gone) = self.obey(&line, &self.scopes(), &self.grammar()).await
        {
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

    /// Asks what to do about lost passwords, after a break soon after the start.
    pub(crate) async fn recover(mut self) {
        // A session that ends here is followed by another anyway.
        let _ = recovery::converse(&mut self).await;
    }

    /// Borrows the box for one step; never held across an `await`.
    pub(super) fn core(&self) -> RefMut<'_, Core> {
        self.shared.borrow_mut()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
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

    /// When an idle session is logged out.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let core = self.core();
        match core.config.console_timeout_mins {
            0 => None,
            minutes => Some(core.now() + Duration::from_secs(u64::from(minutes) * 60)),
        }
    }

    /// What stands before a line: the name of the box and the mode, as `asa1(config-if)# `.
    fn prompt(&self) -> String {
        let core = self.core();
        let name = prompt_name(&core.config);
        match &self.mode {
            Some(state) => {
                let mode = state.mode().prompt();
                match (&self.draft, mode.strip_prefix("config")) {
                    (Some(_), Some(rest)) => alloc::format!("{name}(config-s{rest})# "),
                    _ => alloc::format!("{name}({mode})# "),
                }
            }
            None if self.privilege > UNPRIVILEGED => alloc::format!("{name}# "),
            None => alloc::format!("{name}> "),
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
            LineEnd::Abandoned => {
                let _ = self.burst.take_held();
            }
            LineEnd::EndOfMode => {
                let _ = self.burst.take_held();
                self.leave_configuration();
            }
            LineEnd::Line(typed) => {
                let now = self.core().now();
                self.burst.count(self.input.began_at().unwrap_or(now), now);
                self.obey(&typed, &scopes, &grammar).await?;
            }
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
}

/// The parts of the prompt that `prompt PART …` chose: of a single box without contexts only its name
/// and its domain say anything.
fn prompt_name(config: &Config) -> String {
    let chosen = config
        .kept
        .get("prompt")
        .and_then(|lines| lines.values().next())
        .and_then(|line| line.strip_prefix("prompt "))
        .unwrap_or("hostname");
    let mut name = String::new();
    for part in chosen.split_whitespace() {
        let text = match part {
            "hostname" => Some(config.hostname.as_str()),
            "domain" => config.domain_name.as_deref(),
            _ => None,
        };
        if let Some(text) = text {
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(text);
        }
    }
    if name.is_empty() {
        name.push_str(&config.hostname);
    }
    name
}
