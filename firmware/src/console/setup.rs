//! The first questions: name, password, clock and the inside address of a box nobody has configured.
//!
//! They are offered once at the console of a box out of the factory, and asked by `setup` at any time.
//! An answer is tried at once, as the statements it stands for, on a copy of the configuration: so the
//! rules of the configuration judge it and their words say what is wrong. The copy is put in force as
//! a whole, and saved, after the summary has been confirmed; leaving with Ctrl-C or Ctrl-Z changes
//! nothing.

use alloc::format;
use alloc::string::String;

use cli::grammar::Captures;
use clock::{Civil, parse};
use config::Config;
use config::model::{InterfaceId, Subnet};
use config::script::Script;

use super::ask;
use super::declare::{EXEC, PRIVILEGED, Rows, talk};
use super::exec::{set_clock, write_memory};
use super::login::repeat_password;
use super::rehearsal::rehearse;
use super::session::{Gone, Session};
use crate::print::put_line;

pub(super) const ROWS: Rows = &[talk!(
    EXEC,
    PRIVILEGED,
    "setup",
    setup,
    &[("setup", "Ask for the first settings, and save them")]
)];

const OFFER: &str = "Pre-configure Sallyport now through interactive prompts [yes]? ";
const NEITHER: &str = "ERROR: please answer 'yes' or 'no'\n";
const NAMEIF: &str = "inside";

/// Why the questions ended early.
enum Stop {
    /// The session is over.
    Gone(Gone),
    /// Ctrl-C or Ctrl-Z.
    Left,
}

impl From<Gone> for Stop {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

/// Offers the questions on a box out of the factory, once. Returns a line that was typed instead of
/// an answer: somebody pastes a configuration, and its first line is not lost.
pub(super) async fn offer(session: &mut Session) -> Result<Option<String>, Gone> {
    if !core::mem::take(&mut session.core().startup.is_factory_new) {
        return Ok(None);
    }
    let Some(answer) = session.ask_or_leave(OFFER).await? else {
        return Ok(None);
    };
    match yes_or_no(&answer, true) {
        Some(true) => converse(session).await.map(|()| None),
        Some(false) => Ok(None),
        None => Ok(Some(answer)),
    }
}

async fn setup(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    if session.core().unconfirmed.is_some() {
        return session
            .say("ERROR: a commit waits for its confirmation; 'commit' or 'abort' first\n")
            .await;
    }
    converse(session).await
}

async fn converse(session: &mut Session) -> Result<(), Gone> {
    let (config, changes) = {
        let core = session.core();
        (core.config.clone(), core.changes)
    };
    let answers = match Interview::new(session, config).hold().await {
        Ok(answers) => answers,
        Err(Stop::Gone(gone)) => return Err(gone),
        Err(Stop::Left) => {
            return session
                .say("\nINFO: nothing was changed; 'setup' in privileged mode asks again\n")
                .await;
        }
    };
    let by = session.name();
    let is_done = session
        .core()
        .replace_unchanged(changes, answers.config, None, &by);
    if !is_done {
        return session
            .say("ERROR: the running configuration was changed meanwhile; try again\n")
            .await;
    }
    if let Some(unix_secs) = answers.unix_secs {
        set_clock(session, Some(unix_secs)).await?;
    }
    write_memory(session).await
}

/// What was answered.
struct Answers {
    config: Config,
    /// The moment typed, if it is not the one that was offered.
    unix_secs: Option<u64>,
}

/// The questions, and the copy that the answers are tried on.
struct Interview<'s> {
    session: &'s mut Session,
    config: Config,
}

impl<'s> Interview<'s> {
    const fn new(session: &'s mut Session, config: Config) -> Self {
        Self { session, config }
    }

    /// Asks everything, shows it, and asks whether it is right.
    async fn hold(mut self) -> Result<Answers, Stop> {
        let hostname = self.config.hostname.clone();
        self.ask_until_taken("Host name", &hostname, |name| format!("hostname {name}"))
            .await?;
        let domain = self.config.domain_name.clone().unwrap_or_default();
        self.ask_until_taken("Domain name", &domain, |name| format!("domain-name {name}"))
            .await?;
        self.password().await?;
        let is_on = self.config.password_recovery;
        if self.yes_no("Allow password recovery", is_on).await? != is_on {
            let no = if is_on { "no " } else { "" };
            self.try_out(&format!("{no}service password-recovery"))
                .await?;
        }
        let unix_secs = self.clock().await?;
        let port = self.inside().await?;
        let summary = self.summary(port, unix_secs);
        self.session.say(&summary).await?;
        if !self
            .yes_no("Use this configuration and save to flash", true)
            .await?
        {
            return Err(Stop::Left);
        }
        Ok(Answers {
            config: self.config,
            unix_secs,
        })
    }

    /// Asks with what is there as the answer of Enter.
    async fn ask(&mut self, question: &str, default: &str) -> Result<String, Stop> {
        let prompt = match default {
            "" => format!("{question}: "),
            default => format!("{question} [{default}]: "),
        };
        let answer = self.session.ask_or_leave(&prompt).await?;
        let answer = answer.ok_or(Stop::Left)?;
        Ok(match answer.trim() {
            "" => default.into(),
            typed => typed.into(),
        })
    }

    async fn yes_no(&mut self, question: &str, default: bool) -> Result<bool, Stop> {
        let word = if default { "yes" } else { "no" };
        let prompt = format!("{question} [{word}]? ");
        loop {
            let answer = self.session.ask_or_leave(&prompt).await?;
            match yes_or_no(&answer.ok_or(Stop::Left)?, default) {
                Some(answer) => return Ok(answer),
                None => self.session.say(NEITHER).await?,
            }
        }
    }

    /// Asks until the configuration takes the statement that the answer stands for. Nothing at all is
    /// taken too.
    async fn ask_until_taken(
        &mut self,
        question: &str,
        default: &str,
        statement: impl Fn(&str) -> String,
    ) -> Result<(), Stop> {
        loop {
            let answer = self.ask(question, default).await?;
            if answer.is_empty() || self.try_out(&statement(&answer)).await? {
                return Ok(());
            }
        }
    }

    /// Applies statements to the copy, all of them or, after saying why, none.
    async fn try_out(&mut self, statements: &str) -> Result<bool, Stop> {
        let script = Script::typed(statements);
        let outcome = rehearse(self.session, script, self.config.clone()).await?;
        if let Some(reason) = outcome.first_refused() {
            self.session.say(&reason).await?;
            return Ok(false);
        }
        self.config = outcome.config;
        Ok(true)
    }

    async fn password(&mut self) -> Result<(), Stop> {
        let is_set = self.config.enable_password.is_some();
        let prompt = match is_set {
            true => "Enable password [<use current password>]: ",
            false => "Enable password: ",
        };
        loop {
            let typed = self.session.password_or_leave(prompt).await?;
            let typed = typed.ok_or(Stop::Left)?;
            if typed.is_empty() && is_set {
                return Ok(());
            }
            if let Some(hash) = repeat_password(self.session, &typed).await? {
                self.config.enable_password = Some(hash);
                return Ok(());
            }
        }
    }

    /// Asks for the time, in UTC. `None` if what the clock says is right.
    async fn clock(&mut self) -> Result<Option<u64>, Stop> {
        loop {
            let shown = {
                let core = self.session.core();
                core.wall.unix_secs(core.now())
            };
            let now = Civil::from_unix(i64::try_from(shown).unwrap_or(i64::MAX));
            self.session.say("Clock (UTC):\n").await?;
            let defaults = [
                format!("{}", now.year),
                now.month.short_name().into(),
                format!("{}", now.day),
                format!("{:02}:{:02}:{:02}", now.hour, now.minute, now.second),
            ];
            let mut typed = defaults.clone();
            for (part, question) in typed.iter_mut().zip(["Year", "Month", "Day", "Time"]) {
                *part = self.ask(&format!("  {question}"), part).await?;
            }
            if typed == defaults {
                return Ok(None);
            }
            let moment = moment(&typed).and_then(|civil| u64::try_from(civil.to_unix()).ok());
            if moment.is_some() {
                return Ok(moment);
            }
            self.session
                .say("ERROR: there is no such date and time\n")
                .await?;
        }
    }

    /// Asks for the port and the address inside. Returns the port.
    async fn inside(&mut self) -> Result<InterfaceId, Stop> {
        loop {
            let (known, address) = self.known_inside();
            let port = self.ask("Inside interface", &format!("{known}")).await?;
            let (known, mask) = match address {
                Some(subnet) => (
                    format!("{}", subnet.address()),
                    format!("{}", subnet.mask()),
                ),
                None => (String::new(), "255.255.255.0".into()),
            };
            let address = self.ask("Inside IP address", &known).await?;
            let mask = self.ask("Inside network mask", &mask).await?;
            let statements = format!(
                "interface {port}\nnameif {NAMEIF}\nsecurity-level 100\nip address {address} {mask}\nno shutdown"
            );
            if self.try_out(&statements).await? {
                return Ok(self.known_inside().0);
            }
        }
    }

    /// The port called `inside` and its address; or the port that is offered for it: the second, as
    /// the first usually faces outwards.
    fn known_inside(&self) -> (InterfaceId, Option<Subnet>) {
        let mut interfaces = self.config.interfaces.iter();
        let known = interfaces.find(|(_, port)| port.nameif.as_deref() == Some(NAMEIF));
        match known {
            Some((&id, port)) => (id, port.address),
            None => {
                let second = InterfaceId::port(1);
                let is_there = self.config.interfaces.contains_key(&second);
                (InterfaceId::port(u16::from(is_there)), None)
            }
        }
    }

    fn summary(&self, port: InterfaceId, unix_secs: Option<u64>) -> String {
        let config = &self.config;
        let mut text = String::new();
        put_line!(&mut text, "\nThe following configuration will be used:");
        let recovery = if config.password_recovery {
            "yes"
        } else {
            "no"
        };
        let password = match self.session.core().config.enable_password == config.enable_password {
            true => "<current password>",
            false => "<new password>",
        };
        let domain = config.domain_name.as_deref().unwrap_or("<none>");
        put_line!(&mut text, "Host name: {}", config.hostname);
        put_line!(&mut text, "Domain name: {domain}");
        put_line!(&mut text, "Enable password: {password}");
        put_line!(&mut text, "Allow password recovery: {recovery}");
        if let Some(at) = unix_secs {
            let at = Civil::from_unix(i64::try_from(at).unwrap_or(i64::MAX));
            put_line!(
                &mut text,
                "Clock (UTC): {:02}:{:02}:{:02} {} {} {}",
                at.hour,
                at.minute,
                at.second,
                at.month.short_name(),
                at.day,
                at.year
            );
        }
        put_line!(&mut text, "Inside interface: {port}");
        if let Some(subnet) = self.known_inside().1 {
            put_line!(&mut text, "Inside IP address: {}", subnet.address());
            put_line!(&mut text, "Inside network mask: {}", subnet.mask());
        }
        text.push('\n');
        text
    }
}

/// A yes, a no, Enter for `default`; `None` for anything else.
fn yes_or_no(answer: &str, default: bool) -> Option<bool> {
    match answer.trim() {
        "" => Some(default),
        answer => ask::yes_or_no(answer),
    }
}

/// Year, month, day and time as typed.
fn moment([year, month, day, time]: &[String; 4]) -> Option<Civil> {
    let (hour, minute, second) = parse::hour_minute_second(time)?;
    let year = year.parse().ok()?;
    let (month, day) = (parse::month(month)?, day.parse().ok()?);
    Civil::new(year, month, day, hour, minute, second).ok()
}
