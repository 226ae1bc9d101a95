//! What becomes of a line.

use alloc::string::String;
use core::fmt;

use cli::filter::Filter;
use cli::grammar::{Captures, Grammar, Match, ParseError, Scope, write_caret_error};
use config::{Config, ModeState, Outcome, Refusal};

use super::declare::Exec;
use super::session::{Gone, Session};
use super::{Action, line};
use crate::change::DraftError;
use crate::messages::Effect;
use crate::print::{put, put_line};

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

/// Whether a line may be the first half of a wrapped one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Maybe,
    No,
}

/// Where in a paste an error is.
struct InPaste<'a>(usize, &'a str);

impl fmt::Display for InPaste<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, word) = self;
        let word = config::print::masked(word);
        writeln!(
            f,
            "INFO: that was line {number} of the paste, at \"{word}\""
        )
    }
}

impl Session {
    /// Carries out one line, or keeps it until its other half is there.
    pub(super) async fn obey(
        &mut self,
        typed: &str,
        scopes: &[Scope],
        grammar: &Grammar<Action>,
    ) -> Result<(), Gone> {
        let Some((half, number)) = self.burst.take_held() else {
            return self.obey_line(typed, scopes, grammar, Half::Maybe).await;
        };
        // A guide has wrapped a long command: both lines together may be one, unless the second is
        // one by itself.
        let whole = alloc::format!("{} {}", half.trim_end(), typed.trim_start());
        let is_command = |line| self.understand(line, scopes, grammar).is_ok();
        if !is_command(typed) && is_command(&whole) {
            return self.obey_line(&whole, scopes, grammar, Half::No).await;
        }
        let error = ParseError::Incomplete;
        self.say(&alloc::format!("{error}\n{}", InPaste(number, &half)))
            .await?;
        self.obey_line(typed, scopes, grammar, Half::Maybe).await
    }

    /// The statement that a line is, and what it means. If it is not understood as it stands, it is
    /// tried without a trailing comment, and without the prompt that was copied with it.
    fn understand<'l>(
        &self,
        line: &'l str,
        scopes: &[Scope],
        grammar: &'l Grammar<Action>,
    ) -> Result<(&'l str, Match<'l, Action>), ParseError> {
        let read = |line| config::script::read(grammar, scopes, self.privilege, line);
        read(line).or_else(|error| match cli::paste::without_prompt(line) {
            Some(bare) => read(bare).map_err(|_| error),
            None => Err(error),
        })
    }

    async fn obey_line(
        &mut self,
        typed: &str,
        scopes: &[Scope],
        grammar: &Grammar<Action>,
        half: Half,
    ) -> Result<(), Gone> {
        // The heading of a pasted configuration says nothing, in any mode.
        if config::text::is_heading(typed) {
            return Ok(());
        }
        let (statement, matched) = match self.understand(typed, scopes, grammar) {
            Ok(understood) => understood,
            Err(ParseError::Blank) => return Ok(()),
            Err(ParseError::Incomplete) if half == Half::Maybe && self.paste_goes_on().await => {
                self.burst.hold(typed);
                return Ok(());
            }
            Err(error) => {
                let mut text = String::new();
                error.write(typed, |offset| self.input.caret_column(offset), &mut text);
                if self.mode.is_some()
                    && let Some(feature) = config::unsupported::feature(typed)
                {
                    put_line!(&mut text, "INFO: {feature} is not supported");
                }
                self.mark_place(typed, error.offset(), &mut text);
                return self.say(&text).await;
            }
        };
        match matched.action {
            Action::Exec(exec) => {
                self.exec(exec, &matched, scopes).await?;
                let effect = match (exec, matched.first_keyword()) {
                    (Exec::Talk(_), _) | (_, Some("clear")) => Effect::Action,
                    (Exec::Answer(_) | Exec::About(_), _) => Effect::None,
                };
                self.note_executed(statement, effect);
                Ok(())
            }
            Action::Config(handler) => {
                if matched.has("password") || matched.has("authentication-key") {
                    self.input.forget_last_command();
                }
                if !self.may_destroy(&matched, grammar).await? {
                    return Ok(());
                }
                self.configure(handler, &matched, statement).await
            }
        }
    }

    /// Tells operators elsewhere of a command that was carried out.
    fn note_executed(&self, statement: &str, effect: Effect) {
        if !self.core().tells_of(effect) {
            return;
        }
        let (user, command) = (self.name(), config::print::masked(statement.trim()));
        self.core().executed(&user, &command, effect);
    }

    /// Whether more of a paste is coming. Within one, waits for the length of a pause at most.
    async fn paste_goes_on(&self) -> bool {
        if self.burst.number().is_none() && !self.core().line.has_input() {
            return false;
        }
        let until = self.burst.goes_on_until(self.core().now());
        line::wait_for_input(&self.shared, until).await
    }

    /// Adds to an error within a paste which line it was, and which word.
    fn mark_place(&self, typed: &str, offset: Option<usize>, text: &mut String) {
        let Some(number) = self.burst.number() else {
            return;
        };
        let word = offset
            .and_then(|offset| typed.get(offset..)?.split_whitespace().next())
            .unwrap_or_else(|| typed.trim());
        put!(text, "{}", InPaste(number, word));
    }

    /// Shows the lines of an answer that the command's filter lets through.
    async fn filtered(&mut self, text: &str, words: &Captures<'_>) -> Result<(), Gone> {
        self.filter_lines(text.lines().map(Some), words).await
    }

    /// As `filtered`, for lines that are made one by one.
    pub(super) async fn filter_lines(
        &mut self,
        lines: impl Iterator<Item = Option<impl AsRef<str>>>,
        words: &Captures<'_>,
    ) -> Result<(), Gone> {
        let mut filter = match Filter::from_captures(words) {
            Ok(Some(filter)) => filter,
            Ok(None) => return self.page_lines(lines).await,
            Err(_) => return self.say("ERROR: % Invalid regular expression\n").await,
        };
        let accepted = lines.map(|line| line.filter(|line| filter.accept(line.as_ref())));
        self.page_lines(accepted).await?;
        match filter.count() {
            Some(lines) => {
                self.say(&alloc::format!("Number of lines which match: {lines}\n"))
                    .await
            }
            None => Ok(()),
        }
    }

    /// Runs an EXEC command.
    pub(super) async fn exec(
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
                self.note_executed(typed, Effect::Configuration);
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
                self.mark_place(typed, Some(offset), &mut text);
                self.say(&text).await
            }
            Err(trouble) => {
                let mut text = alloc::format!("{trouble}\n");
                self.mark_place(typed, None, &mut text);
                self.say(&text).await
            }
        }
    }

    /// Takes a line of a certificate being entered in hexadecimal.
    pub(super) async fn collect(&mut self, typed: &str) -> Result<(), Gone> {
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
